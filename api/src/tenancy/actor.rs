//! Who acts in a request, and what follows for the database: role and settings of the transaction.

use uuid::Uuid;

/// How a visitor of whom nothing is known is named.
pub(super) const ANONYMOUS: &str = "anonymous";

/// Who asks. Made by the HTTP layer from a verified token, or by a verb that just signed somebody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Registrations opened by a guest secret: sha256 of the secrets sent along.
    pub guest: Guest,
}

/// The kinds of actors, from weak to strong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// Nobody signed in.
    Anonymous,
    /// A signed-in person who acts in no organization.
    Attendee {
        /// The person.
        user_id: Uuid,
        /// The device session of the token.
        session_id: Uuid,
    },
    /// A signed-in person who acts in an organization.
    Member {
        /// The person.
        user_id: Uuid,
        /// The device session of the token.
        session_id: Uuid,
        /// The organization.
        org_id: Uuid,
        /// Codes of the permissions that the member's role gives.
        permissions: Vec<String>,
    },
    /// An application with an API token, bound to one organization.
    Token {
        /// The token.
        token_id: Uuid,
        /// The organization.
        org_id: Uuid,
        /// The token's scopes that its maker still holds.
        permissions: Vec<String>,
        /// Whether only documents that the organization has registered are executed for it.
        trusted_only: bool,
    },
}

/// Guest secrets that came with the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guest {
    /// sha256 of each secret; at most ten are read.
    pub secret_hashes: Vec<[u8; 32]>,
}

/// The weak role that a transaction takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Visitors.
    Public,
    /// People acting for themselves.
    Attendee,
    /// Members and tokens of one organization.
    Member,
    /// The few cross-tenant doors.
    System,
}

impl Role {
    /// Its name in the cluster.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "es_public",
            Self::Attendee => "es_attendee",
            Self::Member => "es_member",
            Self::System => "es_system",
        }
    }
}

impl Actor {
    /// Nobody.
    pub fn anonymous() -> Self {
        Self {
            kind: ActorKind::Anonymous,
            guest: Guest::default(),
        }
    }

    /// A signed-in person who acts in no organization.
    pub fn attendee(user_id: Uuid, session_id: Uuid) -> Self {
        Self {
            kind: ActorKind::Attendee {
                user_id,
                session_id,
            },
            guest: Guest::default(),
        }
    }

    /// The same actor, with guest secrets.
    pub fn with_guest(mut self, guest: Guest) -> Self {
        self.guest = guest;
        self
    }

    /// The same person outside any organization: how a member of one organization buys at another.
    pub fn as_buyer(&self) -> Self {
        let kind = match &self.kind {
            ActorKind::Member {
                user_id,
                session_id,
                ..
            } => ActorKind::Attendee {
                user_id: *user_id,
                session_id: *session_id,
            },
            ActorKind::Token { .. } => ActorKind::Anonymous,
            other => other.clone(),
        };
        Self {
            kind,
            guest: self.guest.clone(),
        }
    }

    /// The signed-in person, if there is one.
    pub fn user_id(&self) -> Option<Uuid> {
        match &self.kind {
            ActorKind::Attendee { user_id, .. } | ActorKind::Member { user_id, .. } => {
                Some(*user_id)
            }
            ActorKind::Anonymous | ActorKind::Token { .. } => None,
        }
    }

    /// The device session of a signed-in person.
    pub fn session_id(&self) -> Option<Uuid> {
        match &self.kind {
            ActorKind::Attendee { session_id, .. } | ActorKind::Member { session_id, .. } => {
                Some(*session_id)
            }
            ActorKind::Anonymous | ActorKind::Token { .. } => None,
        }
    }

    /// The organization acted in, if any.
    pub fn org_id(&self) -> Option<Uuid> {
        match &self.kind {
            ActorKind::Member { org_id, .. } | ActorKind::Token { org_id, .. } => Some(*org_id),
            ActorKind::Anonymous | ActorKind::Attendee { .. } => None,
        }
    }

    /// Codes of the permissions held in that organization.
    pub fn permissions(&self) -> &[String] {
        match &self.kind {
            ActorKind::Member { permissions, .. } | ActorKind::Token { permissions, .. } => {
                permissions
            }
            ActorKind::Anonymous | ActorKind::Attendee { .. } => &[],
        }
    }

    /// Whether the permission is held.
    pub fn may(&self, permission: &str) -> bool {
        self.permissions().iter().any(|held| held == permission)
    }

    /// Whether only documents that the organization has registered are executed for this actor.
    pub fn trusted_only(&self) -> bool {
        matches!(
            self.kind,
            ActorKind::Token {
                trusted_only: true,
                ..
            }
        )
    }

    /// The weak role of this actor. A guest with a secret reads as an attendee: by what the secret opens.
    pub(super) fn role(&self) -> Role {
        match &self.kind {
            ActorKind::Member { .. } | ActorKind::Token { .. } => Role::Member,
            ActorKind::Attendee { .. } => Role::Attendee,
            ActorKind::Anonymous if !self.guest.secret_hashes.is_empty() => Role::Attendee,
            ActorKind::Anonymous => Role::Public,
        }
    }

    /// How this actor is named in the audit log and as the scope of idempotency keys.
    pub fn audit_name(&self) -> String {
        match &self.kind {
            ActorKind::Anonymous if self.guest.secret_hashes.is_empty() => ANONYMOUS.to_owned(),
            ActorKind::Anonymous => "guest".to_owned(),
            ActorKind::Attendee { user_id, .. } | ActorKind::Member { user_id, .. } => {
                format!("user:{user_id}")
            }
            ActorKind::Token { token_id, .. } => format!("token:{token_id}"),
        }
    }
}
