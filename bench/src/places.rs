//! Where things are, seen from the root of the repository, which `make` starts the bench in.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Failure;

/// The server that is measured.
pub const SERVER: &str = "target/release/eventsphere";
/// Scripts, documents and peers.
pub const BENCH: &str = "bench";

/// A folder of ours for what a run makes and may keep.
pub fn work() -> Result<PathBuf, Failure> {
    let folder = std::path::absolute("target/bench")?;
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A file of `bench/`, with its path in the failure.
pub fn read(path: &str) -> Result<String, Failure> {
    let path = Path::new(BENCH).join(path);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// What data made by `script` on today's tables depends on, in twelve characters.
pub fn digest(script: &str) -> Result<String, Failure> {
    let mut files: Vec<PathBuf> = std::fs::read_dir("migration/src")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('m'))
    });
    files.sort();
    let mut hash = Sha256::new();
    hash.update(read(script)?);
    for file in files {
        hash.update(std::fs::read(file)?);
    }
    Ok(hash.finalize()[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
