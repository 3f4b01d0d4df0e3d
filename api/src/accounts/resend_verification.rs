//! resendVerification: another mail with a code, for those who lost the first.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    codes::{self, CodePurpose},
    input::{self, Problems},
    pace::evenly,
    rates::{self, Rule},
};
use crate::{
    fault::Fault,
    messages::{self, Letter},
    state::App,
    statements::first,
    tenancy::SystemReason,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct ResendVerification;

/// What it takes.
#[derive(Debug, Deserialize)]
pub struct Input {
    email: String,
}

#[async_trait]
impl Handle for ResendVerification {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "resendVerification",
            "Mails a new code for `verifyEmail`, if the address has an account that was not confirmed yet. \
             The answer is the same for every address.",
        )
        .takes(
            "email",
            InputType::Scalar(Scalar::String),
            "The address that one signed up with.",
        )
        .gives(
            "email",
            PayloadType::Scalar(Scalar::String),
            "The address as we keep addresses.",
        )
        .fails("EMAIL_INVALID", "This is not an e-mail address.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        rates::count_client(call, Rule::Mail).await?;
        let mut problems = Problems::default();
        let Some(email) = problems.check("email", input::email(&input.email)) else {
            return Ok(problems.outcome().into());
        };
        rates::count_email(call, Rule::Mail, &email).await?;
        evenly(write_letter(call.app, &email)).await?;
        Ok(Outcome::new().value("email", email).into())
    }
}

async fn write_letter(app: &App, email: &str) -> Result<(), Fault> {
    let tx = app.door.system(SystemReason::Accounts).await?;
    let row = first(
        &tx,
        "select id from users \
         where email = $1 and email_verified_at is null and disabled_at is null",
        [email.into()],
    )
    .await?;
    if let Some(row) = row {
        let user_id: Uuid = row.try_get("", "id")?;
        let code = codes::make(app, &tx, user_id, CodePurpose::VerifyEmail).await?;
        messages::send(&tx, email, Letter::verify_email(&code)).await?;
    }
    tx.commit().await?;
    Ok(())
}
