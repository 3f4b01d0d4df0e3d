//! verifyEmail: the code from the mail opens the account.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;

use super::{
    codes::{self, CodePurpose},
    rates::{self, Rule},
};
use crate::{
    fault::Fault,
    statements::first,
    tenancy::SystemReason,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct VerifyEmail;

/// What it takes.
#[derive(Debug, Deserialize)]
pub struct Input {
    code: String,
}

#[async_trait]
impl Handle for VerifyEmail {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "verifyEmail",
            "Confirms the address of an account with the code that was mailed to it. Afterwards one can sign in.",
        )
        .takes(
            "code",
            InputType::Scalar(Scalar::String),
            "The code from the mail. Good once, for 24 hours; a newer mail replaces it.",
        )
        .gives(
            "email",
            PayloadType::Scalar(Scalar::String),
            "The address that is confirmed now.",
        )
        .fails(
            "CODE_INVALID",
            "The code is unknown, used, replaced by a newer one, or too old.",
        )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        rates::count_client(call, Rule::Code).await?;
        let tx = call.app.door.system(SystemReason::Accounts).await?;
        let user_id = codes::consume(call.app, &tx, &input.code, CodePurpose::VerifyEmail).await?;
        let Some(user_id) = user_id else {
            return Ok(code_invalid().into());
        };
        let row = first(
            &tx,
            "update users set email_verified_at = coalesce(email_verified_at, $2) \
             where id = $1 returning email",
            [user_id.into(), call.app.clock.now().into()],
        )
        .await?
        .ok_or_else(|| Fault::Internal("a code without its person".to_owned()))?;
        let email: String = row.try_get("", "email")?;
        tx.commit().await?;
        Ok(Outcome::new().value("email", email).into())
    }
}

/// One answer for every way in which a code can be no good.
pub(super) fn code_invalid() -> Outcome {
    Outcome::refused(
        "CODE_INVALID",
        "This code is not valid (any more). Ask for a new mail.",
        &["code"],
    )
}
