//! Drops a test's database when its last handle goes: some four hundred of them would fill a small disk.

use std::{
    sync::{
        OnceLock,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use eventsphere::database::DatabaseAddress;

/// What is left to the thread that drops: to put out whoever is still connected and to write a checkpoint takes
/// PostgreSQL a tenth of a second or two, for which no test need wait. Names that are still in it as the process ends
/// stay behind, and go with the cluster.
static LEFT: OnceLock<Sender<(String, DatabaseAddress)>> = OnceLock::new();

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
    fn drop(&mut self) {
        let left = LEFT.get_or_init(|| {
            let (left, databases) = mpsc::channel();
            thread::spawn(move || drop_all(&databases));
            left
        });
        // A panic here while the test panics would abort it.
        let _ = left.send((std::mem::take(&mut self.name), self.admin.clone()));
    }
}

/// On a runtime of its own: that of the test may be ending.
fn drop_all(databases: &Receiver<(String, DatabaseAddress)>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for (name, admin) in databases {
        let dropped = runtime.block_on(async {
            let client = admin
                .connect()
                .await
                .map_err(|error| format!("{error:?}"))?;
            // Pools of a server that the test leaves behind may still be connected.
            client
                .batch_execute(&format!("drop database if exists {name} with (force)"))
                .await
                .map_err(|error| format!("{error:?}"))
        });
        if let Err(reason) = dropped {
            eprintln!("a test's database stays behind: {reason}");
        }
    }
}
