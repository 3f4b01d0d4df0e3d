use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::database::describe_file;
use crate::vault::unhex;

use super::{ConfigError, DatabaseConfig, Settings};

const LENGTH: usize = 32;
const WAY_OUT: &str = "make one with `openssl rand -base64 32`";

/// The key that encrypts stored keys (signing keys, providers' keys, events' keys).
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey([u8; LENGTH]);

impl SecretKey {
    pub fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// 64 hexadecimal digits, or base64 of any flavour.
    fn parse(text: &str) -> Option<Self> {
        let decoded = if text.len() == 2 * LENGTH {
            unhex(text)
        } else {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
                .iter()
                .find_map(|flavour| flavour.decode(text).ok())
        };
        Some(Self(decoded?.try_into().ok()?))
    }

    fn generate() -> Result<Self, SecretError> {
        let mut bytes = [0; LENGTH];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| SecretError::NoRandomness)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(***)")
    }
}

/// `SECRET_KEY`: 32 bytes as base64 or hexadecimal. Required with `DATABASE_URL` (every process of one system must
/// have the same); with a private database it is made at the first start and kept in the data folder, mode 0600.
#[derive(Clone, Debug)]
pub enum SecretConfig {
    Given(SecretKey),
    KeptIn(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("secret key: {}", describe_file(path, source))]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{} does not hold a key of 32 bytes; restore it from a backup (stored keys cannot be read without it), or remove it when nothing is stored yet",
        .0.display()
    )]
    Damaged(PathBuf),
    #[error("the system gave no random bytes for a secret key; set SECRET_KEY")]
    NoRandomness,
}

impl SecretConfig {
    pub fn read(settings: &Settings, database: &DatabaseConfig) -> Result<Self, ConfigError> {
        match (settings.get("SECRET_KEY"), database.data_folder()) {
            (Some(text), _) => SecretKey::parse(text).map(Self::Given).ok_or_else(|| {
                ConfigError::new(
                    "SECRET_KEY",
                    format!("it is not 32 bytes as base64 or hexadecimal; {WAY_OUT}"),
                )
            }),
            (None, Some(folder)) => Ok(Self::KeptIn(folder.join("secret.key"))),
            (None, None) => Err(ConfigError::new(
                "SECRET_KEY",
                format!("it must be set together with DATABASE_URL; {WAY_OUT} and keep it safe"),
            )),
        }
    }

    /// The key; made and kept when there is none yet. Call it once the data folder is ours.
    pub fn load(&self) -> Result<SecretKey, SecretError> {
        let path = match self {
            Self::Given(key) => return Ok(key.clone()),
            Self::KeptIn(path) => path,
        };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                SecretKey::parse(text.trim()).ok_or_else(|| SecretError::Damaged(path.clone()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = SecretKey::generate()?;
                keep(path, &key).map_err(|source| SecretError::File {
                    path: path.clone(),
                    source,
                })?;
                Ok(key)
            }
            Err(source) => Err(SecretError::File {
                path: path.clone(),
                source,
            }),
        }
    }
}

/// Complete or not at all: a key cut short by a crash would lock its owner out.
fn keep(path: &Path, key: &SecretKey) -> std::io::Result<()> {
    let draft = path.with_extension("key.new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    writeln!(file, "{}", STANDARD.encode(key.bytes()))?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn reads_both_spellings() {
        let bytes: [u8; LENGTH] = std::array::from_fn(|at| u8::try_from(at * 8).unwrap_or(255));
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for text in [hex, STANDARD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)] {
            assert_eq!(SecretKey::parse(&text), Some(SecretKey(bytes)), "{text}");
        }
        assert_eq!(SecretKey::parse("c2hvcnQ="), None);
        assert_eq!(SecretKey::parse(&"zz".repeat(32)), None);
    }

    #[test]
    fn is_made_once_and_kept_private() {
        let folder =
            std::env::temp_dir().join(format!("es-secret-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("folder");
        let config = SecretConfig::KeptIn(folder.join("secret.key"));
        let first = config.load().expect("made");
        assert_eq!(config.load().expect("read"), first);
        let mode = std::fs::metadata(folder.join("secret.key"))
            .expect("kept")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(folder.join("secret.key"), "half").expect("damage");
        assert!(matches!(config.load(), Err(SecretError::Damaged(_))));
        std::fs::remove_dir_all(folder).expect("tidy up");
    }
}
