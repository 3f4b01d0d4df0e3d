//! Codes that are mailed: good once, for a while, and only the newest of a kind. Only their hashes are kept.

use chrono::TimeDelta;
use uuid::Uuid;

use super::environment;
use crate::{
    fault::Fault,
    state::App,
    statements::{first, run},
    tenancy::TenantTx,
    vault::{Secret, TokenKind, hash_token},
};

/// What a code proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePurpose {
    /// That the address is read by the one who signed up.
    VerifyEmail,
    /// That the one who asked for a new password reads the address.
    ResetPassword,
}

impl CodePurpose {
    fn stored(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }

    fn lifetime(self) -> TimeDelta {
        match self {
            Self::VerifyEmail => TimeDelta::hours(24),
            Self::ResetPassword => TimeDelta::hours(1),
        }
    }
}

/// A new code for the person; older ones of the same kind are no longer good.
pub async fn make(
    app: &App,
    tx: &TenantTx,
    user_id: Uuid,
    purpose: CodePurpose,
) -> Result<String, Fault> {
    let now = app.clock.now();
    let environment = environment(app);
    let secret = Secret::new(TokenKind::OneTimeCode, environment).map_err(Fault::internal)?;
    lock_person(tx, user_id).await?;
    drop_all(tx, user_id, purpose).await?;
    run(
        tx,
        "insert into one_time_codes (user_id, purpose, code_hash, expires_at) values ($1, $2, $3, $4)",
        [
            user_id.into(),
            purpose.stored().into(),
            secret.hash.to_vec().into(),
            (now + purpose.lifetime()).into(),
        ],
    )
    .await?;
    Ok(secret.text)
}

/// Uses the code up and tells whose it is; `None` when it is unknown, used, replaced, expired or of another kind.
/// Two uses at once: the second waits for the person's row, then finds it used.
pub async fn consume(
    app: &App,
    tx: &TenantTx,
    code: &str,
    purpose: CodePurpose,
) -> Result<Option<Uuid>, Fault> {
    let Some(hash) = hash_token(TokenKind::OneTimeCode, code.trim()) else {
        return Ok(None);
    };
    let owner = first(
        tx,
        "select user_id from one_time_codes where code_hash = $1",
        [hash.to_vec().into()],
    )
    .await?;
    let Some(owner) = owner else {
        return Ok(None);
    };
    let user_id: Uuid = owner.try_get("", "user_id")?;
    lock_person(tx, user_id).await?;
    let used = run(
        tx,
        "update one_time_codes set used_at = $3 \
         where code_hash = $1 and purpose = $2 and used_at is null and expires_at > $3",
        [
            hash.to_vec().into(),
            purpose.stored().into(),
            app.clock.now().into(),
        ],
    )
    .await?;
    Ok((used == 1).then_some(user_id))
}

/// Whoever makes, replaces or uses codes locks their person first: one order for all, so none waits in a circle.
async fn lock_person(tx: &TenantTx, user_id: Uuid) -> Result<(), Fault> {
    run(
        tx,
        "select 1 from users where id = $1 for no key update",
        [user_id.into()],
    )
    .await?;
    Ok(())
}

/// Makes every code of the kind worthless.
pub async fn drop_all(tx: &TenantTx, user_id: Uuid, purpose: CodePurpose) -> Result<(), Fault> {
    run(
        tx,
        "delete from one_time_codes where user_id = $1 and purpose = $2",
        [user_id.into(), purpose.stored().into()],
    )
    .await?;
    Ok(())
}
