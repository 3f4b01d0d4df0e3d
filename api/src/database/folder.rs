//! The data folder: what lies where, and the lock that keeps two programs out of one folder.
//!
//! ```text
//! <data>/eventsphere.lock   held while we run; holds our pid
//! <data>/secret.key         see config::SecretConfig
//! <data>/postgres/          the cluster; appears by rename once complete
//! <data>/postgres.partial*/ a cluster in the making; what an earlier run left there is thrown away
//! <data>/postgres.log       what Postgres says
//! <data>/run/               the socket, mode 0700
//! ```

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::cluster::ClusterError;

/// A socket's whole path must stay below this (sockaddr_un, the shortest among systems is 104).
const LONGEST_SOCKET_PATH: usize = 103;

const PARTIAL: &str = "postgres.partial";

#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Creates the folder where missing and locks it for the life of the value. The lock is the system's, so it ends
    /// with the process however that ends.
    pub fn open(root: &Path, account: &Account) -> Result<Self, ClusterError> {
        // Postgres' account must be able to walk through, but not list.
        let mode = if account.switched() { 0o711 } else { 0o700 };
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(root)
            .map_err(|source| ClusterError::folder(root, source))?;
        let root = root
            .canonicalize()
            .map_err(|source| ClusterError::folder(root, source))?;
        let lock = lock(&root)?;
        Ok(Self { root, _lock: lock })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn cluster(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// Named by process: initdb's own children may still write for a moment after it was killed.
    pub fn partial(&self) -> PathBuf {
        self.root.join(format!("{PARTIAL}-{}", std::process::id()))
    }

    pub fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    /// The major version that made the cluster, `None` before there is one.
    pub fn cluster_major(&self) -> Result<Option<u32>, ClusterError> {
        let cluster = self.cluster();
        let file = cluster.join("PG_VERSION");
        match std::fs::read_to_string(&file) {
            Ok(text) => match text.trim().parse() {
                Ok(major) => Ok(Some(major)),
                Err(_) => Err(ClusterError::NotACluster(cluster)),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if cluster.exists() {
                    Err(ClusterError::NotACluster(cluster))
                } else {
                    Ok(None)
                }
            }
            Err(source) => Err(ClusterError::folder(&file, source)),
        }
    }

    /// A folder of mode 0700 that only Postgres' account (and root) can enter: whoever reaches the socket is let in.
    pub fn socket_dir(&self, account: &Account, port: u16) -> Result<PathBuf, ClusterError> {
        let dir = self.short_socket_dir(account, port);
        private_dir(&dir, account).map_err(|source| ClusterError::folder(&dir, source))?;
        Ok(dir)
    }

    /// A socket's folder outside of ours would be litter; inside it stays.
    pub fn leave_socket_dir(&self, dir: &Path) {
        if !dir.starts_with(&self.root)
            && let Err(error) = std::fs::remove_dir(dir)
        {
            tracing::debug!(%error, folder = %dir.display(), "the socket's folder stays");
        }
    }

    fn short_socket_dir(&self, account: &Account, port: u16) -> PathBuf {
        let longest = |dir: &Path| {
            dir.join(format!(".s.PGSQL.{port}.lock"))
                .as_os_str()
                .as_bytes()
                .len()
        };
        let inside = self.root.join("run");
        if longest(&inside) <= LONGEST_SOCKET_PATH {
            return inside;
        }
        let mut hasher = DefaultHasher::new();
        self.root.hash(&mut hasher);
        let name = format!("eventsphere-{}-{:016x}", account.uid(), hasher.finish());
        // Another account cannot enter our run-time folder.
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| !account.switched());
        runtime
            .map(|dir| PathBuf::from(dir).join(&name))
            .filter(|dir| dir.is_absolute() && longest(dir) <= LONGEST_SOCKET_PATH)
            .unwrap_or_else(|| Path::new("/tmp").join(name))
    }

    /// Throws away clusters that were never completed.
    pub fn clear_partial(&self) -> Result<(), ClusterError> {
        let entries = std::fs::read_dir(&self.root)
            .map_err(|source| ClusterError::folder(&self.root, source))?;
        for entry in entries.flatten() {
            if !entry.file_name().to_string_lossy().starts_with(PARTIAL) {
                continue;
            }
            let partial = entry.path();
            tracing::warn!(folder = %partial.display(), "an earlier set-up of the database was interrupted; starting it again");
            if let Err(error) = std::fs::remove_dir_all(&partial) {
                // In nobody's way; the next first start tries again.
                tracing::warn!(%error, folder = %partial.display(), "it cannot be removed yet");
            }
        }
        Ok(())
    }

    /// The step that makes a cluster count: rename is all or nothing, and reaches the disk before we go on.
    pub fn commit_partial(&self) -> Result<(), ClusterError> {
        let cluster = self.cluster();
        std::fs::rename(self.partial(), &cluster)
            .and_then(|()| File::open(&self.root)?.sync_all())
            .map_err(|source| ClusterError::folder(&cluster, source))
    }
}

fn lock(root: &Path) -> Result<File, ClusterError> {
    let path = root.join("eventsphere.lock");
    let failed = |source| ClusterError::folder(&path, source);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // A pid we cannot read only makes the message poorer.
            let _ = file.read_to_string(&mut pid);
            return Err(ClusterError::InUse {
                folder: root.to_owned(),
                pid: pid.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(failed)?;
    Ok(file)
}

/// Makes `dir` with mode 0700 owned by the account. In a shared folder such as /tmp somebody else may have put
/// something under our name: that is refused, not followed.
pub fn private_dir(dir: &Path, account: &Account) -> std::io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => return account.own(dir),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let metadata = std::fs::symlink_metadata(dir)?;
    let ours = Some(metadata.uid()) == super::account::current_uid();
    if !metadata.is_dir() || !(ours || metadata.uid() == account.uid()) {
        return Err(std::io::Error::new(
            std::io::ErrorKind::PermissionDenied,
            "it belongs to somebody else",
        ));
    }
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    account.own(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("es-{name}-{}", uuid::Uuid::new_v4().simple()))
    }

    #[test]
    fn a_second_lock_names_the_first_process() {
        let account = Account::for_server().expect("an account");
        let root = scratch("lock");
        let first = DataFolder::open(&root, &account).expect("first lock");
        let second = DataFolder::open(&root, &account).expect_err("second lock");
        assert!(
            second.to_string().contains(&std::process::id().to_string()),
            "{second}"
        );
        drop(first);
        DataFolder::open(&root, &account).expect("free again");
        std::fs::remove_dir_all(root).expect("tidy up");
    }

    #[test]
    fn long_folders_get_a_short_socket() {
        let account = Account::for_server().expect("an account");
        let root = scratch("long").join("x".repeat(120));
        let folder = DataFolder::open(&root, &account).expect("folder");
        let dir = folder.socket_dir(&account, 5432).expect("socket dir");
        assert!(dir.as_os_str().len() < 80, "{}", dir.display());
        let mode = std::fs::metadata(&dir).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::remove_dir_all(dir).expect("tidy up");
        std::fs::remove_dir_all(root.parent().expect("parent")).expect("tidy up");
    }
}
