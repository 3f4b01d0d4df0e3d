//! Device sessions and the tokens they give.

use chrono::{DateTime, TimeDelta, Utc};
use eventsphere_graphql::{PayloadType, Scalar, Verb, engine::Outcome};
use uuid::Uuid;

use super::environment;
use crate::{
    clock,
    fault::Fault,
    state::App,
    statements::{all, first, run},
    tenancy::{Actor, ActorKind, Guest, SystemReason, TenantTx},
    throttle::client_key,
    vault::{Secret, TokenKind},
    verbs::RequestInfo,
};

/// How long a refresh token is good for; each refresh makes the session good for as long again.
pub const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(7);

/// An access token and what it stands for.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token.
    pub access_token: String,
    /// When it is no longer good.
    pub expires_at: DateTime<Utc>,
    /// The person it stands for, and where they act.
    pub actor: Actor,
}

impl Issued {
    /// The fields of the payload that [`gives_tokens`] described.
    pub fn fields(&self, outcome: Outcome) -> Outcome {
        outcome
            .value("accessToken", self.access_token.clone())
            .value("expiresAt", clock::written(self.expires_at))
    }
}

/// Adds the payload fields of an access token to the description of a verb.
pub fn gives_tokens(verb: Verb) -> Verb {
    verb.gives(
        "accessToken",
        PayloadType::Scalar(Scalar::String),
        "Sent as `Authorization: Bearer ...`. A JWT signed with EdDSA; its key is in `/.well-known/jwks.json`.",
    )
    .gives(
        "expiresAt",
        PayloadType::Scalar(Scalar::DateTime),
        "When the access token is no longer good: a quarter of an hour after it was made.",
    )
}

/// The signed-in person of a request and their device session.
pub fn person(actor: &Actor) -> Result<(Uuid, Uuid), Fault> {
    match &actor.kind {
        ActorKind::Attendee {
            user_id,
            session_id,
        }
        | ActorKind::Member {
            user_id,
            session_id,
            ..
        } => Ok((*user_id, *session_id)),
        ActorKind::Anonymous => Err(Fault::Unauthenticated("sign in first".to_owned())),
        ActorKind::Token { .. } => Err(Fault::Forbidden(
            "this is for signed-in people, not for API tokens".to_owned(),
        )),
    }
}

/// The permissions of the person's role in the organization; `None` when they are no member of it.
pub async fn membership(
    tx: &TenantTx,
    user_id: Uuid,
    org_id: Uuid,
) -> Result<Option<Vec<String>>, Fault> {
    let row = first(
        tx,
        "select r.permissions from members m \
         join roles r on r.org_id = m.org_id and r.id = m.role_id \
         join organizations o on o.id = m.org_id \
         where m.user_id = $1 and m.org_id = $2 and o.deleted_at is null",
        [user_id.into(), org_id.into()],
    )
    .await?;
    match row {
        Some(row) => Ok(Some(row.try_get("", "permissions")?)),
        None => Ok(None),
    }
}

/// Opens a device session with its first refresh token.
pub(super) async fn open(
    app: &App,
    tx: &TenantTx,
    user_id: Uuid,
    org_id: Option<Uuid>,
    request: &RequestInfo,
) -> Result<(Uuid, Secret), Fault> {
    let now = app.clock.now();
    let session_id = Uuid::now_v7();
    let user_agent: String = request.user_agent.chars().take(400).collect();
    run(
        tx,
        "insert into device_sessions \
         (id, user_id, org_id, user_agent, ip_address, last_used_at, expires_at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
        [
            session_id.into(),
            user_id.into(),
            org_id.into(),
            user_agent.replace('\0', "").into(),
            client_key(request.ip).into(),
            now.into(),
            (now + REFRESH_LIFETIME).into(),
        ],
    )
    .await?;
    let refresh = add_refresh_token(app, tx, session_id).await?;
    Ok((session_id, refresh))
}

/// One more refresh token of the session.
pub(super) async fn add_refresh_token(
    app: &App,
    tx: &TenantTx,
    session_id: Uuid,
) -> Result<Secret, Fault> {
    let environment = environment(app);
    let secret = Secret::new(TokenKind::Refresh, environment).map_err(Fault::internal)?;
    run(
        tx,
        "insert into refresh_tokens (session_id, token_hash, expires_at) values ($1, $2, $3)",
        [
            session_id.into(),
            secret.hash.to_vec().into(),
            (app.clock.now() + REFRESH_LIFETIME).into(),
        ],
    )
    .await?;
    Ok(secret)
}

/// Signs an access token. `acts_in` is an organization with the permissions held there.
pub(super) async fn issue(
    app: &App,
    user_id: Uuid,
    session_id: Uuid,
    acts_in: Option<(Uuid, Vec<String>)>,
) -> Result<Issued, Fault> {
    let org_id = acts_in.as_ref().map(|(org_id, _)| *org_id);
    let ring = app.accounts.keys.ring(app).await?;
    let (access_token, expires_at) = ring
        .sign(user_id, session_id, org_id, app.clock.now())
        .ok_or_else(|| Fault::Internal("no key signs".to_owned()))?;
    let kind = match acts_in {
        Some((org_id, permissions)) => ActorKind::Member {
            user_id,
            session_id,
            org_id,
            permissions,
        },
        None => ActorKind::Attendee {
            user_id,
            session_id,
        },
    };
    Ok(Issued {
        access_token,
        expires_at,
        actor: Actor {
            kind,
            guest: Guest::default(),
        },
    })
}

/// Lets the person of `actor` act in another organization, or in none, on this device from now on.
/// `None` when they are no member of it or it does not exist.
pub async fn act_in(
    app: &App,
    actor: &Actor,
    org_id: Option<Uuid>,
) -> Result<Option<Issued>, Fault> {
    let (user_id, session_id) = person(actor)?;
    let tx = app.door.system(SystemReason::Accounts).await?;
    let acts_in = match org_id {
        Some(org_id) => match membership(&tx, user_id, org_id).await? {
            Some(permissions) => Some((org_id, permissions)),
            None => return Ok(None),
        },
        None => None,
    };
    run(
        &tx,
        "update device_sessions set org_id = $3 where id = $1 and user_id = $2",
        [session_id.into(), user_id.into(), org_id.into()],
    )
    .await?;
    tx.commit().await?;
    if let Some(org_id) = org_id {
        app.accounts.standing.forget_member(user_id, org_id);
    }
    issue(app, user_id, session_id, acts_in).await.map(Some)
}

/// Ends the device sessions of a person, all of them or all but one; the ended ones are returned and must be
/// forgotten (see [`forget`]) once the transaction is committed.
pub(super) async fn end(
    tx: &TenantTx,
    user_id: Uuid,
    except: Option<Uuid>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Fault> {
    let rows = all(
        tx,
        "update device_sessions set revoked_at = $3, revoked_reason = $4 \
         where user_id = $1 and revoked_at is null and id is distinct from $2 returning id",
        [user_id.into(), except.into(), now.into(), reason.into()],
    )
    .await?;
    rows.iter()
        .map(|row| row.try_get("", "id").map_err(Fault::from))
        .collect()
}

/// Lets nobody use these sessions any more in this process.
pub(super) fn forget(app: &App, sessions: &[Uuid]) {
    for session in sessions {
        app.accounts.standing.forget_session(*session);
    }
}
