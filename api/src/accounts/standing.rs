//! Who may do what right now, as last read from the database: kept for five seconds, forgotten at once when one of our
//! verbs changes it in this process. Other processes notice after those five seconds.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::believed::Believed;

/// A live API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveToken {
    /// The token.
    pub token_id: Uuid,
    /// The organization it acts in.
    pub org_id: Uuid,
    /// Who made it: it never may more than this person.
    pub created_by: Uuid,
    /// What it may at most.
    pub scopes: Vec<String>,
    /// Whether it is bound to registered documents.
    pub trusted_only: bool,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The caches. Only live things are kept: what was refused is asked again. Cheap to clone.
#[derive(Clone)]
pub struct Standing {
    /// Person of each live device session.
    pub(super) sessions: Believed<Uuid, Uuid>,
    /// Permissions of each (person, organization).
    pub(super) members: Believed<(Uuid, Uuid), Arc<Vec<String>>>,
    /// Live API tokens by the hash of their text.
    pub(super) tokens: Believed<[u8; 32], Arc<LiveToken>>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            sessions: Believed::new(),
            members: Believed::new(),
            tokens: Believed::new(),
        }
    }
}

impl Standing {
    /// A device session ended.
    pub fn forget_session(&self, session_id: Uuid) {
        self.sessions.forget(&session_id);
    }

    /// Somebody's role in an organization changed or ended.
    pub fn forget_member(&self, user_id: Uuid, org_id: Uuid) {
        self.members.forget(&(user_id, org_id));
    }

    /// The permissions of a role changed: rare, so everybody's permissions are read again.
    pub fn forget_members(&self) {
        self.members.forget_all();
    }

    /// An API token ended.
    pub fn forget_token(&self, hash: &[u8; 32]) {
        self.tokens.forget(hash);
    }
}
