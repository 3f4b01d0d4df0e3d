//! From a bearer token to the actor of the request. What is refused says what to do next and nothing else: a token
//! that was never ours, one that was revoked and one whose maker has left answer alike.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    access_token::{self, Claims, TokenFault},
    session::membership,
    standing::LiveToken,
};
use crate::{
    fault::Fault,
    http::Identify,
    state::App,
    statements::{first, run},
    tenancy::{Actor, ActorKind, Guest, SystemReason, TenantTx},
    vault::{TokenKind, hash_token},
};

/// Nothing we ever issued is longer.
const LONGEST_BEARER: usize = 4096;

/// What the floor asks who a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct ByToken;

#[async_trait]
impl Identify for ByToken {
    async fn identify(&self, app: &App, bearer: &str) -> Result<Actor, Fault> {
        authenticate(app, bearer).await
    }

    fn until(&self, authorization: &str) -> Option<DateTime<Utc>> {
        // Its signature has been verified; what lasts longer is looked up again and again.
        access_token::ends_at(authorization.split_whitespace().last()?)
    }
}

/// Who sent this bearer token (the text after `Bearer `).
///
/// # Errors
/// [`Fault::Unauthenticated`] when the token is not good (any more), [`Fault::Unavailable`] when that can't be found out.
pub async fn authenticate(app: &App, bearer: &str) -> Result<Actor, Fault> {
    let kind = if bearer.len() > LONGEST_BEARER {
        return Err(refused(TokenFault::Invalid));
    } else if bearer.starts_with("es_") {
        application(app, bearer).await?
    } else {
        person(app, bearer).await?
    };
    Ok(Actor {
        kind,
        guest: Guest::default(),
    })
}

fn refused(fault: TokenFault) -> Fault {
    let advice = match fault {
        TokenFault::Expired => "the access token has expired; call refreshSession",
        TokenFault::Invalid | TokenFault::UnknownKey => "the access token is not valid; sign in",
    };
    Fault::Unauthenticated(advice.to_owned())
}

fn ended() -> Fault {
    Fault::Unauthenticated("the session has ended; sign in again".to_owned())
}

async fn verified(app: &App, bearer: &str) -> Result<Claims, Fault> {
    let now = app.clock.now();
    let keys = &app.accounts.keys;
    match keys.ring(app).await?.verify(bearer, now) {
        Err(TokenFault::UnknownKey) => keys.ring_with_news(app).await?.verify(bearer, now),
        verified => verified,
    }
    .map_err(refused)
}

async fn person(app: &App, bearer: &str) -> Result<ActorKind, Fault> {
    let claims = verified(app, bearer).await?;
    let standing = &app.accounts.standing;
    let user_id = standing.sessions.get(&claims.sid);
    let permissions = claims
        .org
        .and_then(|org_id| standing.members.get(&(claims.sub, org_id)));
    let (user_id, permissions) = match (user_id, permissions) {
        (Some(user_id), None) if claims.org.is_none() => (user_id, None),
        (Some(user_id), Some(permissions)) => (user_id, Some(permissions)),
        _ => read_person(app, &claims).await?,
    };
    if user_id != claims.sub {
        return Err(ended());
    }
    let session_id = claims.sid;
    match (claims.org, permissions) {
        (None, _) => Ok(ActorKind::Attendee {
            user_id,
            session_id,
        }),
        (Some(org_id), Some(permissions)) => Ok(ActorKind::Member {
            user_id,
            session_id,
            org_id,
            permissions: permissions.to_vec(),
        }),
        (Some(_), None) => Err(Fault::Unauthenticated(
            "the access token's organization is no longer open to you; call refreshSession"
                .to_owned(),
        )),
    }
}

async fn read_person(
    app: &App,
    claims: &Claims,
) -> Result<(Uuid, Option<Arc<Vec<String>>>), Fault> {
    let standing = &app.accounts.standing;
    let session_reading = standing.sessions.reading();
    let member_reading = standing.members.reading();
    let tx = app.door.system(SystemReason::Authenticate).await?;
    let row = first(
        &tx,
        "select s.user_id from device_sessions s join users u on u.id = s.user_id \
         where s.id = $1 and s.revoked_at is null and s.expires_at > $2 and u.disabled_at is null",
        [claims.sid.into(), app.clock.now().into()],
    )
    .await?;
    let Some(row) = row else {
        return Err(ended());
    };
    let user_id: Uuid = row.try_get("", "user_id")?;
    let permissions = match claims.org {
        Some(org_id) => membership(&tx, user_id, org_id).await?.map(Arc::new),
        None => None,
    };
    tx.commit().await?;
    standing.sessions.keep(session_reading, claims.sid, user_id);
    if let (Some(org_id), Some(permissions)) = (claims.org, &permissions) {
        let key = (user_id, org_id);
        standing
            .members
            .keep(member_reading, key, permissions.clone());
    }
    Ok((user_id, permissions))
}

fn no_token() -> Fault {
    Fault::Unauthenticated("the API token is unknown, revoked or expired".to_owned())
}

async fn application(app: &App, bearer: &str) -> Result<ActorKind, Fault> {
    let hash = hash_token(TokenKind::Api, bearer).ok_or_else(no_token)?;
    let standing = &app.accounts.standing;
    let held_by_maker = |token: &LiveToken| standing.members.get(&(token.created_by, token.org_id));
    let known = standing.tokens.get(&hash);
    let known = known.and_then(|token| held_by_maker(&token).map(|held| (token, held)));
    let (token, held) = match known {
        Some(known) => known,
        None => read_token(app, hash).await?,
    };
    if token.expires_at.is_some_and(|at| at <= app.clock.now()) {
        return Err(no_token());
    }
    Ok(ActorKind::Token {
        token_id: token.token_id,
        org_id: token.org_id,
        permissions: both(&token.scopes, &held),
        trusted_only: token.trusted_only,
    })
}

/// A token may what its scopes say and its maker still may.
fn both(scopes: &[String], held: &[String]) -> Vec<String> {
    scopes
        .iter()
        .filter(|scope| held.contains(scope))
        .cloned()
        .collect()
}

async fn read_token(
    app: &App,
    hash: [u8; 32],
) -> Result<(Arc<LiveToken>, Arc<Vec<String>>), Fault> {
    let standing = &app.accounts.standing;
    let token_reading = standing.tokens.reading();
    let member_reading = standing.members.reading();
    let now = app.clock.now();
    let tx = app.door.system(SystemReason::Authenticate).await?;
    let row = first(
        &tx,
        "select t.id, t.org_id, t.scopes, t.created_by, t.expires_at, t.trusted_documents_only \
         from api_token_secrets s \
         join api_tokens t on t.org_id = s.org_id and t.id = s.token_id \
         join users u on u.id = t.created_by \
         where s.secret_hash = $1 and t.revoked_at is null and u.disabled_at is null",
        [hash.to_vec().into()],
    )
    .await?
    .ok_or_else(no_token)?;
    let token = LiveToken {
        token_id: row.try_get("", "id")?,
        org_id: row.try_get("", "org_id")?,
        scopes: row.try_get("", "scopes")?,
        created_by: row.try_get("", "created_by")?,
        expires_at: row.try_get("", "expires_at")?,
        trusted_only: row.try_get("", "trusted_documents_only")?,
    };
    let held = membership(&tx, token.created_by, token.org_id)
        .await?
        .ok_or_else(no_token)?;
    if token.expires_at.is_none_or(|at| at > now) {
        mark_used(&tx, token.token_id, now).await?;
    }
    tx.commit().await?;
    let (token, held) = (Arc::new(token), Arc::new(held));
    standing.tokens.keep(token_reading, hash, token.clone());
    let key = (token.created_by, token.org_id);
    standing.members.keep(member_reading, key, held.clone());
    Ok((token, held))
}

/// At most once a minute, and never waiting for another request that does the same.
async fn mark_used(tx: &TenantTx, token_id: Uuid, now: DateTime<Utc>) -> Result<(), Fault> {
    run(
        tx,
        "update api_tokens set last_used_at = $2 where id = ( \
           select id from api_tokens \
           where id = $1 and (last_used_at is null or last_used_at < $2 - interval '1 minute') \
           for no key update skip locked)",
        [token_id.into(), now.into()],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_may_more_than_its_maker() {
        let list = |codes: &[&str]| {
            codes
                .iter()
                .map(|code| (*code).to_owned())
                .collect::<Vec<_>>()
        };
        let scopes = list(&["events:read", "members:write"]);
        assert_eq!(both(&scopes, &list(&["events:read"])), ["events:read"]);
        assert!(both(&scopes, &[]).is_empty());
        assert!(both(&[], &scopes).is_empty());
    }
}
