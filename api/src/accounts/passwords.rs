//! Passwords: argon2id, off the async threads and a few at a time, for each costs 9 MiB and tens of milliseconds.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::fault::Fault;

/// Shortest and longest password, in characters. The upper bound keeps a request from costing unbounded work.
pub const LENGTH: std::ops::RangeInclusive<usize> = 10..=200;

/// How long a request waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes and verifies. Cheap to clone; clones share their turns.
#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// As many at a time as there are processors.
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(processors)),
        }
    }

    /// The text to store.
    pub async fn hash(&self, password: String) -> Result<String, Fault> {
        self.in_turn(move || hash(&password)).await?
    }

    /// Whether the password fits the stored text. Without one (nobody has that address) it takes as long and is
    /// false, so that time does not tell who has an account.
    pub async fn fits(&self, password: String, stored: Option<String>) -> Result<bool, Fault> {
        self.in_turn(move || {
            let known = stored.is_some();
            let stored = stored.as_deref().unwrap_or(NOBODY.as_str());
            verify(&password, stored) && known
        })
        .await
    }

    /// The turn is given back when the work is done, even if the request that asked has gone away by then.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned())
            .await
            .map_err(|_| Fault::Throttled {
                retry_after_seconds: 10,
            })?
            .map_err(Fault::internal)?;
        tokio::task::spawn_blocking(move || {
            let answer = work();
            drop(turn);
            answer
        })
        .await
        .map_err(Fault::internal)
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

/// What is verified when nobody has the address: the hash of a password that nobody knows.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let unknown = uuid::Uuid::new_v4().to_string();
    hash(&unknown).unwrap_or_default()
});

/// 9 MiB, four passes, one lane: of OWASP's equally strong settings for argon2id one that leaves a small machine its memory when
/// many sign in. What was stored with others is verified with those.
fn hasher() -> Result<Argon2<'static>, Fault> {
    let params = Params::new(9 * 1024, 4, 1, None).map_err(Fault::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, Fault> {
    hasher()?
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(Fault::internal)
}

fn verify(password: &str, stored: &str) -> bool {
    let (Ok(hasher), Ok(parsed)) = (hasher(), PasswordHash::new(stored)) else {
        return false;
    };
    hasher.verify_password(password.as_bytes(), &parsed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_fits_and_no_other() {
        let passwords = Passwords::new();
        let stored = passwords.hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=9216,t=4,p=1$"));
        let fits = |text: &str, stored: Option<String>| passwords.fits(text.into(), stored);
        assert!(fits("correct horse", Some(stored.clone())).await.unwrap());
        assert!(!fits("correct horse ", Some(stored)).await.unwrap());
        assert!(!fits("correct horse", None).await.unwrap());
        assert!(!fits("", Some("not a hash".into())).await.unwrap());
        let earlier = "$argon2id$v=19$m=19456,t=2,p=1$H8tHq21gGp11LRRxVVqP6w$0uE293yMblu4Y4TxtXbj+k6dVGVtSqvec0keCSD62wM";
        assert!(fits("correct horse", Some(earlier.into())).await.unwrap());
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        assert!(NOBODY.starts_with("$argon2id$v=19$m=9216,t=4,p=1$"));
    }
}
