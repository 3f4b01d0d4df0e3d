//! The few doors that cross tenants. Each names why no single tenant's door would do.

/// Why a transaction crosses tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemReason {
    /// Accounts belong to no tenant: a person is looked up before it is known where they act.
    Accounts,
    /// A bearer token must be resolved to its tenant before any tenant is known.
    Authenticate,
    /// The development mailbox shows mail of all tenants; it exists only in development.
    DevelopmentMailbox,
    /// Demo data is made for several organizations at once.
    DemoData,
    /// The program's own signing keys belong to no tenant.
    SigningKeys,
    /// Expired holds of all tenants are swept together.
    ExpireHolds,
    /// What is free at events of all tenants is offered to those who wait.
    ServeWaitlists,
    /// Many buyers at one organization are served in one transaction, each named beside their request.
    Counter,
    /// Uses of what will be removed are counted for all tenants together.
    DeprecatedUses,
    /// Keys of payment providers are read by no weak role, and a webhook names its account before any tenant is known.
    Payments,
    /// The sandbox is a payment provider and stands outside of all tenants, as any other does.
    Sandbox,
    /// Jobs of all tenants are taken, tried and ended by the same workers.
    Jobs,
    /// Deliveries of all tenants are pruned together.
    Webhooks,
    /// Whoever follows a link in a mail is nobody in particular; the link says whose messages end. Letters of all tenants are
    /// pruned together.
    Messages,
    /// Registrations of an event that was called off are cancelled one by one, long after whoever asked for it has gone.
    CancelEvents,
    /// People of all organizations hang on one process and are told of what happens together; what each may see is read as
    /// that person.
    Live,
    /// An operator asked at the command line.
    Operator,
}

impl SystemReason {
    /// As named in the audit log.
    pub fn actor(self) -> String {
        let reason = match self {
            Self::Accounts => "accounts",
            Self::Authenticate => "authenticate",
            Self::DevelopmentMailbox => "development-mailbox",
            Self::DemoData => "demo-data",
            Self::SigningKeys => "signing-keys",
            Self::ExpireHolds => "expire-holds",
            Self::ServeWaitlists => "serve-waitlists",
            Self::Counter => "counter",
            Self::DeprecatedUses => "deprecated-uses",
            Self::Payments => "payments",
            Self::Sandbox => "sandbox",
            Self::Jobs => "jobs",
            Self::Webhooks => "webhooks",
            Self::Messages => "messages",
            Self::CancelEvents => "cancel-events",
            Self::Live => "live",
            Self::Operator => "operator",
        };
        format!("system:{reason}")
    }
}
