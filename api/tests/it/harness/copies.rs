//! Copies of a database that a test has filled: what takes seconds to build is built once and cloned for each test.

use super::database::Database;

impl Database {
    /// A further database with everything that is in this one. Whoever is connected to this one is cut off.
    pub async fn copy(&self) -> Self {
        Self::clone_of(&self.name).await
    }
}
