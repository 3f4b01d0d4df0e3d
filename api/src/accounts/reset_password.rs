//! resetPassword: the mailed code sets a new password and signs out every device.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;

use super::{
    codes::{self, CodePurpose},
    input::{self, Problems},
    rates::{self, Rule},
    session,
    sign_up::set_password,
    verify_email::code_invalid,
};
use crate::{
    fault::Fault,
    messages::{self, Letter},
    statements::first,
    tenancy::SystemReason,
    vault::{TokenKind, hash_token},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct ResetPassword;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    code: String,
    new_password: String,
}

#[async_trait]
impl Handle for ResetPassword {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "resetPassword",
            "Sets a new password with the code that was mailed. Every device is signed out, a lock after wrong \
             passwords ends, and the address counts as confirmed, for the code was read there.",
        )
        .takes(
            "code",
            InputType::Scalar(Scalar::String),
            "The code from the mail. Good once, for one hour; a newer mail replaces it.",
        )
        .takes(
            "newPassword",
            InputType::Scalar(Scalar::String),
            "10 to 200 characters.",
        )
        .gives(
            "email",
            PayloadType::Scalar(Scalar::String),
            "The address to sign in with.",
        )
        .fails(
            "CODE_INVALID",
            "The code is unknown, used, replaced by a newer one, or too old.",
        )
        .fails("PASSWORD_LENGTH", "The password is too short or too long.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let app = call.app;
        rates::count_client(call, Rule::Code).await?;
        let mut problems = Problems::default();
        let password = input::password(input.new_password);
        let Some(password) = problems.check("newPassword", password) else {
            return Ok(problems.outcome().into());
        };
        // What is no code at all costs no hashing.
        if hash_token(TokenKind::OneTimeCode, input.code.trim()).is_none() {
            return Ok(code_invalid().into());
        }
        let password_hash = app.accounts.passwords.hash(password).await?;
        let tx = app.door.system(SystemReason::Accounts).await?;
        let user_id = codes::consume(app, &tx, &input.code, CodePurpose::ResetPassword).await?;
        let Some(user_id) = user_id else {
            return Ok(code_invalid().into());
        };
        let now = app.clock.now();
        let row = first(
            &tx,
            "update users set email_verified_at = coalesce(email_verified_at, $2) \
             where id = $1 returning email",
            [user_id.into(), now.into()],
        )
        .await?
        .ok_or_else(|| Fault::Internal("a code without its person".to_owned()))?;
        let email: String = row.try_get("", "email")?;
        set_password(&tx, user_id, &password_hash).await?;
        codes::drop_all(&tx, user_id, CodePurpose::VerifyEmail).await?;
        let ended = session::end(&tx, user_id, None, "password_reset", now).await?;
        messages::send(&tx, &email, Letter::password_changed()).await?;
        tx.commit().await?;
        session::forget(app, &ended);
        Ok(Outcome::new().value("email", email).into())
    }
}
