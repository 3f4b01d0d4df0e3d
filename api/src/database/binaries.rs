//! Finds installed PostgreSQL server programs. Debian keeps them off PATH, one folder per major version, so PATH
//! alone would miss them; a client-only install has `pg_config` but no server, so every candidate is checked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest major version we run on: `security_invoker` views and `public` without CREATE for everybody.
pub const OLDEST_MAJOR: u32 = 15;

/// A folder with `postgres`, `initdb` and `pg_ctl` of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    dir: PathBuf,
    major: u32,
}

impl Binaries {
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn major(&self) -> u32 {
        self.major
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BinariesError {
    #[error(
        "no PostgreSQL server programs found; install them (Debian/Ubuntu: `apt-get install postgresql-15`, Homebrew: `brew install postgresql@17`), point PG_BIN_DIR at their folder, or set DATABASE_URL"
    )]
    NotInstalled,
    #[error(
        "PG_BIN_DIR={} holds no PostgreSQL server ({missing}); point it at the folder that has postgres, initdb and pg_ctl (Debian: /usr/lib/postgresql/15/bin)",
        dir.display()
    )]
    NotThere { dir: PathBuf, missing: String },
    #[error(
        "PostgreSQL {major} in {} is too old: {OLDEST_MAJOR} or newer is needed; install it (Debian: `apt-get install postgresql-15`) or point PG_BIN_DIR at a newer one",
        dir.display()
    )]
    TooOld { dir: PathBuf, major: u32 },
    #[error(
        "the database in {} was made by PostgreSQL {wanted}, but only {} is installed; install postgresql-{wanted}, point PG_BIN_DIR at it, or move that folder away to begin anew",
        cluster.display(),
        list(.found)
    )]
    OtherMajor {
        cluster: PathBuf,
        wanted: u32,
        found: BTreeSet<u32>,
    },
}

fn list(majors: &BTreeSet<u32>) -> String {
    let names: Vec<String> = majors
        .iter()
        .map(|major| format!("PostgreSQL {major}"))
        .collect();
    names.join(", ")
}

/// The folder to use: PG_BIN_DIR alone when given, else the first that fits of pg_config's, PATH's and the known
/// places. `existing` names a cluster already made and its major version, which no other version can open.
pub fn find(
    pg_bin_dir: Option<&Path>,
    existing: Option<(&Path, u32)>,
) -> Result<Binaries, BinariesError> {
    let candidates = match pg_bin_dir {
        Some(dir) => vec![inspect(dir).map_err(|missing| BinariesError::NotThere {
            dir: dir.to_owned(),
            missing,
        })?],
        None => search_places(),
    };
    choose(candidates, existing)
}

fn choose(
    candidates: Vec<Binaries>,
    existing: Option<(&Path, u32)>,
) -> Result<Binaries, BinariesError> {
    let Some(first) = candidates.first().cloned() else {
        return Err(BinariesError::NotInstalled);
    };
    if let Some((cluster, wanted)) = existing {
        let found: BTreeSet<u32> = candidates.iter().map(Binaries::major).collect();
        return candidates
            .into_iter()
            .find(|binaries| binaries.major == wanted)
            .ok_or_else(|| BinariesError::OtherMajor {
                cluster: cluster.to_owned(),
                wanted,
                found,
            });
    }
    candidates
        .into_iter()
        .find(|binaries| binaries.major >= OLDEST_MAJOR)
        .ok_or(BinariesError::TooOld {
            dir: first.dir,
            major: first.major,
        })
}

fn search_places() -> Vec<Binaries> {
    let mut dirs: Vec<PathBuf> = Vec::new();
    let mut add = |dir: PathBuf| {
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    };
    pg_config_bindir().into_iter().for_each(&mut add);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|dir| dir.join("initdb").is_file())
        .for_each(&mut add);
    for (parent, suffix) in [
        ("/usr/lib/postgresql", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "bin"),
        ("/usr", "bin"),
        ("/Library/PostgreSQL", "bin"),
    ] {
        versioned_dirs(Path::new(parent), suffix)
            .into_iter()
            .for_each(&mut add);
    }
    dirs.iter().filter_map(|dir| inspect(dir).ok()).collect()
}

/// `pg_config` names the server folder even where PATH has only the client's programs.
fn pg_config_bindir() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let dir = text.trim();
    (output.status.success() && !dir.is_empty()).then(|| PathBuf::from(dir))
}

/// Children such as `15`, `postgresql@17`, `pgsql-16` or `postgresql`, newest first.
fn versioned_dirs(parent: &Path, suffix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((major_in_folder_name(&name)?, entry.path().join(suffix)))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, dir)| dir).collect()
}

fn major_in_folder_name(name: &str) -> Option<u32> {
    if name == "postgresql" {
        return Some(0);
    }
    ["postgresql@", "pgsql-", ""]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix)?.parse().ok())
}

/// Reads the version of the server in `dir`, or says which program is missing there.
fn inspect(dir: &Path) -> Result<Binaries, String> {
    for name in ["postgres", "initdb", "pg_ctl"] {
        if !dir.join(name).is_file() {
            return Err(format!("no {name} there"));
        }
    }
    let output = Command::new(dir.join("postgres"))
        .arg("--version")
        .output()
        .map_err(|error| format!("postgres does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let major =
        parse_version(&text).ok_or_else(|| format!("postgres --version said {:?}", text.trim()))?;
    Ok(Binaries {
        dir: dir.to_owned(),
        major,
    })
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, `postgres (PostgreSQL) 18beta1` -> 15, 18.
fn parse_version(text: &str) -> Option<u32> {
    let after = text.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(major: u32) -> Binaries {
        Binaries {
            dir: PathBuf::from(format!("/pg/{major}")),
            major,
        }
    }

    #[test]
    fn reads_versions_as_distributions_print_them() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_version("postgres: command not found"), None);
    }

    #[test]
    fn reads_majors_from_folder_names() {
        assert_eq!(major_in_folder_name("17"), Some(17));
        assert_eq!(major_in_folder_name("postgresql@16"), Some(16));
        assert_eq!(major_in_folder_name("pgsql-15"), Some(15));
        assert_eq!(major_in_folder_name("nodejs"), None);
    }

    #[test]
    fn an_existing_cluster_decides_the_version() {
        let cluster = Path::new("/data/postgres");
        let found = choose(vec![binaries(17), binaries(15)], Some((cluster, 15)));
        assert_eq!(found.map(|it| it.major).ok(), Some(15));
        let error =
            choose(vec![binaries(17)], Some((cluster, 15))).map_err(|error| error.to_string());
        let text = error.err().unwrap_or_default();
        assert!(
            text.contains("made by PostgreSQL 15") && text.contains("PostgreSQL 17"),
            "{text}"
        );
    }

    #[test]
    fn too_old_and_missing_are_told_apart() {
        assert!(matches!(
            choose(vec![], None),
            Err(BinariesError::NotInstalled)
        ));
        assert!(matches!(
            choose(vec![binaries(13)], None),
            Err(BinariesError::TooOld { major: 13, .. })
        ));
        assert_eq!(
            choose(vec![binaries(13), binaries(16)], None).ok(),
            Some(binaries(16))
        );
    }
}
