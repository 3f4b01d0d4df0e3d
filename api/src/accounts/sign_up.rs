//! signUp: the answer is the same whether or not the address has an account; its owner learns by mail.
//!
//! An address that was never confirmed may be signed up again: the newest password and code replace the older ones,
//! so that nobody can keep a stranger's address occupied by signing up first.

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
    statements::{first, run},
    tenancy::{SystemReason, TenantTx},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct SignUp;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    email: String,
    password: String,
    name: String,
    locale: Option<String>,
}

struct NewPerson {
    email: String,
    password_hash: String,
    name: String,
    locale: String,
}

#[async_trait]
impl Handle for SignUp {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "signUp",
            "Makes an account. A code is mailed to the address; `verifyEmail` takes it, and only then can one sign \
             in. When the address already has an account the answer is the same, and its owner gets a mail instead.",
        )
        .takes(
            "email",
            InputType::Scalar(Scalar::String),
            "The address to sign in with. Kept in lower case.",
        )
        .takes(
            "password",
            InputType::Scalar(Scalar::String),
            "10 to 200 characters.",
        )
        .takes(
            "name",
            InputType::Scalar(Scalar::String),
            "How the person is called, 1 to 200 characters.",
        )
        .may_take(
            "locale",
            InputType::Scalar(Scalar::String),
            "Language of mails, a BCP 47 tag. `en` when left out.",
        )
        .gives(
            "email",
            PayloadType::Scalar(Scalar::String),
            "The address that a mail was sent to.",
        )
        .fails("EMAIL_INVALID", "This is not an e-mail address.")
        .fails("PASSWORD_LENGTH", "The password is too short or too long.")
        .fails("NAME_INVALID", "The name is empty, too long or not on one line.")
        .fails("LOCALE_INVALID", "This is not a language tag.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        rates::count_client(call, Rule::SignUp).await?;
        let mut problems = Problems::default();
        let email = problems.check("email", input::email(&input.email));
        let password = problems.check("password", input::password(input.password));
        let name = problems.check("name", input::name(&input.name, 200));
        let locale = input.locale.as_deref().unwrap_or("en");
        let locale = problems.check("locale", input::locale(locale));
        let (Some(email), Some(password), Some(name), Some(locale)) =
            (email, password, name, locale)
        else {
            return Ok(problems.outcome().into());
        };
        rates::count_email(call, Rule::SignUp, &email).await?;
        // Hashed for known addresses too: time must not tell.
        let password_hash = call.app.accounts.passwords.hash(password).await?;
        let person = NewPerson {
            email,
            password_hash,
            name,
            locale,
        };
        evenly(write(call.app, &person)).await?;
        Ok(Outcome::new().value("email", person.email).into())
    }
}

async fn write(app: &App, person: &NewPerson) -> Result<(), Fault> {
    let tx = app.door.system(SystemReason::Accounts).await?;
    let row = first(
        &tx,
        "insert into users (email, name, locale) values ($1, $2, $3) \
         on conflict (email) do nothing returning id",
        [
            person.email.as_str().into(),
            person.name.as_str().into(),
            person.locale.as_str().into(),
        ],
    )
    .await?;
    let user_id = match row {
        Some(row) => Some(row.try_get("", "id")?),
        None => take_over(&tx, person).await?,
    };
    let letter = match user_id {
        Some(user_id) => {
            set_password(&tx, user_id, &person.password_hash).await?;
            let code = codes::make(app, &tx, user_id, CodePurpose::VerifyEmail).await?;
            Letter::verify_email(&code)
        }
        None => Letter::already_signed_up(),
    };
    messages::send(&tx, &person.email, letter).await?;
    tx.commit().await?;
    Ok(())
}

/// The account that has the address, if nobody ever confirmed it; it gets the new name.
async fn take_over(tx: &TenantTx, person: &NewPerson) -> Result<Option<Uuid>, Fault> {
    let row = first(
        tx,
        "update users set name = $2, locale = $3 \
         where email = $1 and email_verified_at is null and disabled_at is null returning id",
        [
            person.email.as_str().into(),
            person.name.as_str().into(),
            person.locale.as_str().into(),
        ],
    )
    .await?;
    match row {
        Some(row) => Ok(Some(row.try_get("", "id")?)),
        None => Ok(None),
    }
}

/// Sets the password of a person and opens the account if wrong ones had locked it.
pub(super) async fn set_password(
    tx: &TenantTx,
    user_id: Uuid,
    password_hash: &str,
) -> Result<(), Fault> {
    run(
        tx,
        "insert into user_secrets (user_id, password_hash) values ($1, $2) \
         on conflict (user_id) do update \
         set password_hash = excluded.password_hash, failed_sign_ins = 0, locked_until = null",
        [user_id.into(), password_hash.into()],
    )
    .await?;
    Ok(())
}
