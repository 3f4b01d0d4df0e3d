//! signOut: ends the session of this device, or all of them.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use uuid::Uuid;

use super::session;
use crate::{
    fault::Fault,
    statements::run,
    tenancy::SystemReason,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct SignOut;

/// What it takes.
#[derive(Debug, Deserialize)]
pub struct Input {
    everywhere: Option<bool>,
}

#[async_trait]
impl Handle for SignOut {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "signOut",
            "Ends the session of this device: its access and refresh tokens are no longer good.",
        )
        .may_take(
            "everywhere",
            InputType::Scalar(Scalar::Boolean),
            "True ends the sessions of all devices of the person.",
        )
        .gives(
            "signedOut",
            PayloadType::Scalar(Scalar::Boolean),
            "True when the session has ended.",
        )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let app = call.app;
        let (user_id, session_id) = session::person(call.actor)?;
        let now = app.clock.now();
        let tx = app.door.system(SystemReason::Accounts).await?;
        let ended: Vec<Uuid> = match input.everywhere {
            Some(true) => session::end(&tx, user_id, None, "signed_out_everywhere", now).await?,
            _ => {
                run(
                    &tx,
                    "update device_sessions set revoked_at = $3, revoked_reason = 'signed_out' \
                     where id = $1 and user_id = $2 and revoked_at is null",
                    [session_id.into(), user_id.into(), now.into()],
                )
                .await?;
                vec![session_id]
            }
        };
        tx.commit().await?;
        session::forget(app, &ended);
        Ok(Outcome::new().value("signedOut", true).into())
    }
}
