//! refreshSession: a refresh token is good once. When it comes a second time, two parties hold it and we cannot know
//! which is the thief: the whole device session ends. There is no grace period: a client that sends the same
//! token twice at once (two tabs, a retry after a lost answer) is signed out, and must serialise its refreshes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eventsphere_graphql::{InputType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    rates::{self, Rule},
    session::{self, REFRESH_LIFETIME},
    sign_in::{describe_session, session_outcome},
};
use crate::{
    fault::Fault,
    state::App,
    statements::{first, run},
    tenancy::{SystemReason, TenantTx},
    throttle::client_key,
    vault::{TokenKind, hash_token},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct RefreshSession;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    refresh_token: String,
}

/// A session locked together with the state of the token that came.
struct Locked {
    session_id: Uuid,
    user_id: Uuid,
    org_id: Option<Uuid>,
    state: TokenState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenState {
    Good,
    Reused,
    Dead,
}

#[async_trait]
impl Handle for RefreshSession {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "refreshSession",
            "Gives a new access token and a new refresh token for the one that came, which is used up. A refresh \
             token that comes a second time ends the session: both holders must sign in again. So send it once, and \
             wait for the answer.",
        )
        .takes(
            "refreshToken",
            InputType::Scalar(Scalar::String),
            "The newest refresh token of this device.",
        );
        describe_session(verb).fails(
            "REFRESH_TOKEN_INVALID",
            "The token is unknown, used, too old, or its session has ended: sign in again.",
        )
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        rates::count_client(call, Rule::Code).await?;
        let app = call.app;
        let Some(hash) = hash_token(TokenKind::Refresh, input.refresh_token.trim()) else {
            return Ok(refused());
        };
        let tx = app.door.system(SystemReason::Accounts).await?;
        let Some(locked) = lock(app, &tx, hash).await? else {
            return Ok(refused());
        };
        match locked.state {
            TokenState::Dead => return Ok(refused()),
            TokenState::Reused => {
                end_reused(app, &tx, locked.session_id).await?;
                tx.commit().await?;
                app.accounts.standing.forget_session(locked.session_id);
                tracing::warn!(session_id = %locked.session_id, "a refresh token came a second time");
                return Ok(refused());
            }
            TokenState::Good => {}
        }
        let acts_in = match locked.org_id {
            Some(org_id) => session::membership(&tx, locked.user_id, org_id)
                .await?
                .map(|permissions| (org_id, permissions)),
            None => None,
        };
        rotate(
            call,
            &tx,
            &locked,
            hash,
            acts_in.as_ref().map(|(id, _)| *id),
        )
        .await?;
        let refresh = session::add_refresh_token(app, &tx, locked.session_id).await?;
        tx.commit().await?;
        let issued = session::issue(app, locked.user_id, locked.session_id, acts_in).await?;
        Ok(session_outcome(issued, refresh.text))
    }
}

fn refused() -> Done {
    Outcome::refused(
        "REFRESH_TOKEN_INVALID",
        "This session has ended. Sign in again.",
        &["refreshToken"],
    )
    .into()
}

/// Locks the session of the token, then reads the token: two that come at once are judged one after the other.
async fn lock(app: &App, tx: &TenantTx, hash: [u8; 32]) -> Result<Option<Locked>, Fault> {
    let session = first(
        tx,
        "select s.id, s.user_id, s.org_id, s.revoked_at, u.disabled_at \
         from device_sessions s join users u on u.id = s.user_id \
         where s.id = (select t.session_id from refresh_tokens t where t.token_hash = $1) \
         for no key update of s",
        [hash.to_vec().into()],
    )
    .await?;
    let Some(session) = session else {
        return Ok(None);
    };
    let token = first(
        tx,
        "select used_at, expires_at from refresh_tokens where token_hash = $1",
        [hash.to_vec().into()],
    )
    .await?;
    let Some(token) = token else {
        return Ok(None);
    };
    let revoked_at: Option<DateTime<Utc>> = session.try_get("", "revoked_at")?;
    let disabled_at: Option<DateTime<Utc>> = session.try_get("", "disabled_at")?;
    let state = judge(
        revoked_at.or(disabled_at),
        token.try_get("", "used_at")?,
        token.try_get("", "expires_at")?,
        app.clock.now(),
    );
    Ok(Some(Locked {
        session_id: session.try_get("", "id")?,
        user_id: session.try_get("", "user_id")?,
        org_id: session.try_get("", "org_id")?,
        state,
    }))
}

/// Reuse is judged before age: an old token that comes again still means that somebody else holds it.
fn judge(
    session_ended_at: Option<DateTime<Utc>>,
    used_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> TokenState {
    match (session_ended_at, used_at) {
        (Some(_), _) => TokenState::Dead,
        (None, Some(_)) => TokenState::Reused,
        (None, None) if expires_at <= now => TokenState::Dead,
        (None, None) => TokenState::Good,
    }
}

async fn end_reused(app: &App, tx: &TenantTx, session_id: Uuid) -> Result<(), Fault> {
    run(
        tx,
        "update device_sessions set revoked_at = $2, revoked_reason = 'refresh_token_reused' where id = $1",
        [session_id.into(), app.clock.now().into()],
    )
    .await?;
    Ok(())
}

/// Uses the token up, forgets those that are too old to tell anything, and keeps the session for another week.
async fn rotate(
    call: Call<'_>,
    tx: &TenantTx,
    locked: &Locked,
    hash: [u8; 32],
    org_id: Option<Uuid>,
) -> Result<(), Fault> {
    let now = call.app.clock.now();
    run(
        tx,
        "update refresh_tokens set used_at = $2 where token_hash = $1",
        [hash.to_vec().into(), now.into()],
    )
    .await?;
    run(
        tx,
        "delete from refresh_tokens where session_id = $1 and expires_at < $2",
        [locked.session_id.into(), (now - REFRESH_LIFETIME).into()],
    )
    .await?;
    run(
        tx,
        "update device_sessions \
         set org_id = $2, ip_address = $3, last_used_at = $4, expires_at = $5 where id = $1",
        [
            locked.session_id.into(),
            org_id.into(),
            client_key(call.request.ip).into(),
            now.into(),
            (now + REFRESH_LIFETIME).into(),
        ],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_token_is_good_once_and_for_a_week() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let soon = now + TimeDelta::seconds(1);
        assert_eq!(judge(None, None, soon, now), TokenState::Good);
        assert_eq!(judge(None, None, now, now), TokenState::Dead);
        assert_eq!(judge(None, Some(now), soon, now), TokenState::Reused);
        assert_eq!(judge(None, Some(now), now, now), TokenState::Reused);
        assert_eq!(judge(Some(now), None, soon, now), TokenState::Dead);
        assert_eq!(judge(Some(now), Some(now), soon, now), TokenState::Dead);
    }
}
