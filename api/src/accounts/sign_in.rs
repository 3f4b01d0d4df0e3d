//! signIn: a password opens a session on this device.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    input,
    proof::{Proven, Whose, prove},
    rates::{self, Rule},
    session::{self, Issued, gives_tokens},
};
use crate::{
    fault::Fault,
    statements::first,
    tenancy::{SystemReason, TenantTx},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct SignIn;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    email: String,
    password: String,
    organization_id: Option<Uuid>,
    organization_slug: Option<String>,
}

#[async_trait]
impl Handle for SignIn {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "signIn",
            "Opens a session on this device. Unknown addresses, wrong passwords and locked accounts answer alike: \
             after 5 failures in a row an account is locked for half a minute, doubling with each further failure up \
             to a quarter of an hour, and its owner is told by mail.",
        )
        .takes(
            "email",
            InputType::Scalar(Scalar::String),
            "The address of the account.",
        )
        .takes(
            "password",
            InputType::Scalar(Scalar::String),
            "The password of the account.",
        )
        .may_take(
            "organizationId",
            InputType::Scalar(Scalar::Id("Organization".to_owned())),
            "The organization to act in. Without one, the person acts for themselves; see `switchOrganization`.",
        )
        .may_take(
            "organizationSlug",
            InputType::Scalar(Scalar::String),
            "The organization to act in, by its slug. Not together with `organizationId`.",
        );
        describe_session(verb)
            .fails(
                "INVALID_CREDENTIALS",
                "No account has this address and password, or it is locked for a while after too many failures.",
            )
            .fails(
                "EMAIL_NOT_VERIFIED",
                "The password is right, but the address was not confirmed yet; see `verifyEmail` and `resendVerification`.",
            )
            .fails(
                "ACCOUNT_DISABLED",
                "The password is right, but the account was closed by an operator.",
            )
            .fails(
                "NOT_A_MEMBER",
                "The person is no member of that organization, or it does not exist.",
            )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        rates::count_client(call, Rule::SignIn).await?;
        if input.organization_id.is_some() && input.organization_slug.is_some() {
            return Err(Fault::BadInput(
                "input: give organizationId or organizationSlug, not both".to_owned(),
            ));
        }
        let Ok(email) = input::email(&input.email) else {
            return Ok(invalid_credentials().into());
        };
        rates::count_email(call, Rule::SignIn, &email).await?;
        let proven = prove(call.app, Whose::Email(&email), input.password).await?;
        let person = match (refusal(proven.as_ref()), proven) {
            (None, Some(person)) => person,
            (refused, _) => return Ok(refused.unwrap_or_else(invalid_credentials).into()),
        };

        let tx = call.app.door.system(SystemReason::Accounts).await?;
        let organization = match (input.organization_id, &input.organization_slug) {
            (None, None) => None,
            (id, slug) => {
                let org_id = match (id, slug) {
                    (None, Some(slug)) => by_slug(&tx, slug).await?,
                    (id, _) => id,
                };
                match acts_in(&tx, person.user_id, org_id).await? {
                    Some(found) => Some(found),
                    None => return Ok(not_a_member().into()),
                }
            }
        };
        let org_id = organization.as_ref().map(|(org_id, _)| *org_id);
        let user_id = person.user_id;
        let (session_id, refresh) =
            session::open(call.app, &tx, user_id, org_id, call.request).await?;
        tx.commit().await?;
        let issued = session::issue(call.app, user_id, session_id, organization).await?;
        Ok(session_outcome(issued, refresh.text))
    }
}

/// The answer to everybody without the right password, and what stops somebody who has it.
fn refusal(proven: Option<&Proven>) -> Option<Outcome> {
    match proven {
        None => Some(invalid_credentials()),
        Some(person) if person.disabled => Some(Outcome::refused(
            "ACCOUNT_DISABLED",
            "This account was closed.",
            &[],
        )),
        Some(person) if !person.verified => Some(Outcome::refused(
            "EMAIL_NOT_VERIFIED",
            "Confirm your e-mail address first: enter the code from our mail, or ask for a new one.",
            &["email"],
        )),
        Some(_) => None,
    }
}

fn invalid_credentials() -> Outcome {
    Outcome::refused(
        "INVALID_CREDENTIALS",
        "Wrong e-mail address or password, or too many failures; then wait a quarter of an hour or reset the password.",
        &[],
    )
}

/// Said of organizations that do not exist, too.
pub(super) fn not_a_member() -> Outcome {
    Outcome::refused(
        "NOT_A_MEMBER",
        "You are no member of this organization.",
        &[],
    )
}

async fn by_slug(tx: &TenantTx, slug: &str) -> Result<Option<Uuid>, Fault> {
    // A text with NUL is no slug, and no text to PostgreSQL either.
    if slug.contains('\0') {
        return Ok(None);
    }
    let row = first(
        tx,
        "select id from organizations where slug = $1",
        [slug.into()],
    )
    .await?;
    match row {
        Some(row) => Ok(Some(row.try_get("", "id")?)),
        None => Ok(None),
    }
}

async fn acts_in(
    tx: &TenantTx,
    user_id: Uuid,
    org_id: Option<Uuid>,
) -> Result<Option<(Uuid, Vec<String>)>, Fault> {
    let Some(org_id) = org_id else {
        return Ok(None);
    };
    let permissions = session::membership(tx, user_id, org_id).await?;
    Ok(permissions.map(|permissions| (org_id, permissions)))
}

/// The payload of verbs that give both tokens.
pub(super) fn describe_session(verb: Verb) -> Verb {
    gives_tokens(verb)
        .gives(
            "refreshToken",
            PayloadType::Scalar(Scalar::String),
            "For `refreshSession`: good for seven days, once. Shown only here; keep it where scripts of other sites \
             cannot read it.",
        )
        .gives(
            "user",
            PayloadType::Entity("User".to_owned()),
            "Who is signed in.",
        )
        .gives(
            "organization",
            PayloadType::Entity("Organization".to_owned()),
            "The organization that the tokens act in; null when the person acts for themselves.",
        )
}

/// That payload, read back as the person.
pub(super) fn session_outcome(issued: Issued, refresh_token: String) -> Done {
    let mut outcome = issued
        .fields(Outcome::new())
        .value("refreshToken", refresh_token);
    if let Some(user_id) = issued.actor.user_id() {
        outcome = outcome.entity("user", user_id);
    }
    if let Some(org_id) = issued.actor.org_id() {
        outcome = outcome.entity("organization", org_id);
    }
    Done {
        outcome,
        read_as: Some(issued.actor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(verified: bool, disabled: bool) -> Option<Proven> {
        Some(Proven {
            user_id: Uuid::nil(),
            email: "a@b".into(),
            verified,
            disabled,
        })
    }

    #[test]
    fn only_the_right_password_learns_more_than_invalid_credentials() {
        let code = |proven: Option<Proven>| match refusal(proven.as_ref()) {
            None => "signed in".to_owned(),
            Some(refused) => refused.user_errors[0].code.clone(),
        };
        assert_eq!(code(None), "INVALID_CREDENTIALS");
        assert_eq!(code(person(false, false)), "EMAIL_NOT_VERIFIED");
        assert_eq!(code(person(true, true)), "ACCOUNT_DISABLED");
        assert_eq!(code(person(true, false)), "signed in");
    }
}
