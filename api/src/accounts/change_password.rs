//! changePassword: by somebody who is signed in and knows the present one.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;

use super::{
    codes::{self, CodePurpose},
    input::{self, Problems},
    proof::{Whose, prove},
    rates::{self, Rule},
    session,
    sign_up::set_password,
};
use crate::{
    fault::Fault,
    messages::{self, Letter},
    tenancy::SystemReason,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct ChangePassword;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    current_password: String,
    new_password: String,
}

#[async_trait]
impl Handle for ChangePassword {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "changePassword",
            "Changes the password of the signed-in person. Other devices are signed out; this one stays signed in.",
        )
        .takes(
            "currentPassword",
            InputType::Scalar(Scalar::String),
            "The password that is good now. Wrong ones count as failed sign-ins.",
        )
        .takes(
            "newPassword",
            InputType::Scalar(Scalar::String),
            "10 to 200 characters.",
        )
        .gives(
            "user",
            PayloadType::Entity("User".to_owned()),
            "The person whose password was changed.",
        )
        .fails(
            "INVALID_CREDENTIALS",
            "The current password is wrong, or too many wrong ones were tried.",
        )
        .fails("PASSWORD_LENGTH", "The new password is too short or too long.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let app = call.app;
        let (user_id, session_id) = session::person(call.actor)?;
        rates::count_client(call, Rule::SignIn).await?;
        let mut problems = Problems::default();
        let new = input::password(input.new_password);
        let Some(new) = problems.check("newPassword", new) else {
            return Ok(problems.outcome().into());
        };
        let proven = prove(app, Whose::Person(user_id), input.current_password).await?;
        let Some(person) = proven else {
            return Ok(Outcome::refused(
                "INVALID_CREDENTIALS",
                "The current password is wrong, or too many wrong ones were tried.",
                &["currentPassword"],
            )
            .into());
        };
        let password_hash = app.accounts.passwords.hash(new).await?;
        let tx = app.door.system(SystemReason::Accounts).await?;
        set_password(&tx, user_id, &password_hash).await?;
        codes::drop_all(&tx, user_id, CodePurpose::ResetPassword).await?;
        let now = app.clock.now();
        let ended = session::end(&tx, user_id, Some(session_id), "password_changed", now).await?;
        messages::send(&tx, &person.email, Letter::password_changed()).await?;
        tx.commit().await?;
        session::forget(app, &ended);
        Ok(Outcome::new().entity("user", user_id).into())
    }
}
