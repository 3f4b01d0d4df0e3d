//! What a slice writes for a kind of job.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

use super::{policy::Policy, running::Running};
use crate::fault::Fault;

/// A kind of job.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// What a job is told: ids rather than people's data, for it lies in a table. `null` and `{}` mean the same.
    type Payload: Serialize + DeserializeOwned + Send + Sync;

    /// Its name, such as `mail.deliver`; it stays, because jobs of older versions carry it.
    const KIND: &'static str;

    /// How it is queued and tried.
    fn policy() -> Policy {
        Policy::new()
    }

    /// Does it. May be cut off at any point and run again, so effects are written once: see [`Running::finish_in`].
    async fn run(job: &Running, payload: Self::Payload) -> Result<(), Failed>;
}

/// Why an attempt did not do it. Reasons are shown to members of the job's organization: no internals in them.
#[derive(Debug)]
pub enum Failed {
    /// Try again, after that time or as the kind's policy says.
    Later {
        /// What went wrong.
        reason: String,
        /// When the other side said when.
        after: Option<Duration>,
    },
    /// No attempt will do it.
    Never(String),
    /// Not begun, or left so that it can be begun anew: the program stops. No attempt is counted.
    GiveBack,
    /// Not begun, because its time has not come: look again after that. No attempt is counted.
    NotYet(Duration),
}

impl Failed {
    /// Try again as the policy says.
    pub fn later(reason: impl Into<String>) -> Self {
        Self::Later {
            reason: reason.into(),
            after: None,
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        let reason = fault.to_string();
        match fault {
            Fault::Internal(inner) | Fault::Unavailable(inner) => {
                tracing::warn!(error = %inner, "a job failed");
                Self::later(reason)
            }
            Fault::Timeout => Self::later(reason),
            Fault::Throttled {
                retry_after_seconds,
            } => Self::Later {
                reason,
                after: Some(Duration::from_secs(retry_after_seconds)),
            },
            Fault::Unauthenticated(_)
            | Fault::Forbidden(_)
            | Fault::BadInput(_)
            | Fault::NotFound(_)
            | Fault::Conflict(_) => Self::Never(reason),
        }
    }
}
