//! Proving a password, with the counting of failures around it (see [`super::lockout`]).

use chrono::{DateTime, Utc};
use sea_orm::QueryResult;
use uuid::Uuid;

use super::{
    lockout::{is_first_lock, is_locked, lock_after},
    passwords,
};
use crate::{
    fault::Fault,
    messages::{self, Letter},
    state::App,
    statements::{first, run},
    tenancy::SystemReason,
};

/// Whose password.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// Of the account with this address, if there is one.
    Email(&'a str),
    /// Of this person.
    Person(Uuid),
}

/// A person who just gave the right password.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The person.
    pub user_id: Uuid,
    /// Their address.
    pub email: String,
    /// Whether the address was confirmed.
    pub verified: bool,
    /// Whether an operator closed the account.
    pub disabled: bool,
}

/// An attempt as counted before the password is looked at.
struct Attempt {
    person: Proven,
    stored: String,
    /// Failures in a row, this one included; `None` while the account is locked: then it does not count.
    failures: Option<i32>,
}

/// The person, when the password is right and the account is not locked. Takes as long when there is no such account.
pub async fn prove(app: &App, whose: Whose<'_>, password: String) -> Result<Option<Proven>, Fault> {
    if password.chars().count() > *passwords::LENGTH.end() {
        return Ok(None);
    }
    let attempt = count(app, whose).await?;
    let stored = attempt
        .as_ref()
        .filter(|attempt| attempt.failures.is_some())
        .map(|attempt| attempt.stored.clone());
    let right = app.accounts.passwords.fits(password, stored).await?;
    let Some(attempt) = attempt else {
        return Ok(None);
    };
    if right {
        let tx = app.door.system(SystemReason::Accounts).await?;
        run(
            &tx,
            "update user_secrets set failed_sign_ins = 0, locked_until = null where user_id = $1",
            [attempt.person.user_id.into()],
        )
        .await?;
        tx.commit().await?;
    } else if attempt.failures.is_some_and(is_first_lock) {
        let tx = app.door.system(SystemReason::Accounts).await?;
        messages::send(&tx, &attempt.person.email, Letter::locked()).await?;
        tx.commit().await?;
    }
    Ok(right.then_some(attempt.person))
}

/// Counts a failure ahead of its proof; a success takes it back. Does the same statements whether or not there is such
/// an account, and waits for no disk: the time to flush a count would tell that there is one.
async fn count(app: &App, whose: Whose<'_>) -> Result<Option<Attempt>, Fault> {
    let (condition, key) = match whose {
        Whose::Email(email) => ("u.email = $1", email.into()),
        Whose::Person(user_id) => ("u.id = $1", user_id.into()),
    };
    let tx = app.door.system(SystemReason::Accounts).await?;
    run(&tx, "set local synchronous_commit = off", []).await?;
    let row = first(
        &tx,
        &format!(
            "select u.id, u.email, u.email_verified_at is not null as verified, \
             u.disabled_at is not null as disabled, \
             s.password_hash, s.failed_sign_ins, s.locked_until \
             from user_secrets s join users u on u.id = s.user_id \
             where {condition} for no key update of s"
        ),
        [key],
    )
    .await?;
    // Read after the lock: whoever waited for it is judged by the instant at which it was theirs.
    let now = app.clock.now();
    let attempt = row.map(|row| read(&row, now)).transpose()?;
    let counted = attempt
        .as_ref()
        .and_then(|attempt| Some((attempt.person.user_id, attempt.failures?)));
    // Of nobody when there is nothing to count.
    let (user_id, failures) = counted.unwrap_or((Uuid::nil(), 0));
    let locked_until = lock_after(failures).map(|lock| now + lock);
    run(
        &tx,
        "update user_secrets set failed_sign_ins = $2, locked_until = $3 where user_id = $1",
        [user_id.into(), failures.into(), locked_until.into()],
    )
    .await?;
    tx.commit().await?;
    Ok(attempt)
}

fn read(row: &QueryResult, now: DateTime<Utc>) -> Result<Attempt, Fault> {
    let locked_until: Option<DateTime<Utc>> = row.try_get("", "locked_until")?;
    let failures: i32 = row.try_get("", "failed_sign_ins")?;
    Ok(Attempt {
        person: Proven {
            user_id: row.try_get("", "id")?,
            email: row.try_get("", "email")?,
            verified: row.try_get("", "verified")?,
            disabled: row.try_get("", "disabled")?,
        },
        stored: row.try_get("", "password_hash")?,
        failures: (!is_locked(locked_until, now)).then(|| failures.saturating_add(1)),
    })
}
