//! Drops a test's database when its last handle goes: some four hundred of them would fill a small disk.

use eventsphere::database::DatabaseAddress;

/// A database that is dropped with this.
pub struct Dropped {
    name: String,
    /// Where an administrator signs in, beside the database.
    admin: DatabaseAddress,
}

impl Dropped {
    pub fn later(name: &str, admin: DatabaseAddress) -> Self {
        Self {
            name: name.to_owned(),
            admin,
        }
    }
}

impl Drop for Dropped {
    /// On a thread and runtime of its own: the test's runtime may be ending around us. Whoever is still connected, such
    /// as the pools of a server that the test leaves behind, is put out.
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        let admin = self.admin.clone();
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?
                .block_on(async {
                    let client = admin
                        .connect()
                        .await
                        .map_err(|error| format!("{error:?}"))?;
                    client
                        .batch_execute(&format!("drop database if exists {name} with (force)"))
                        .await
                        .map_err(|error| format!("{error:?}"))
                })
        });
        // A panic here while the test panics would abort it; what is left behind goes with the cluster.
        if let Ok(Err(reason)) = dropping.join() {
            eprintln!("a test's database stays behind: {reason}");
        }
    }
}
