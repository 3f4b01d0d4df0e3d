//! How somebody begins to watch: compiled and paid for, let into a group, told how things stand or what they missed.

use std::sync::Arc;

use eventsphere_graphql::{
    Incoming, Scalar, Watch,
    answer::{self, Fail},
    document::Document,
    engine::{Gate as _, Host as _},
};
use serde_json::json;
use uuid::Uuid;

use super::{cursor, feed, group::Group, outlet::Outlet, topics::Topic};
use crate::{
    fault::Fault,
    http::RequestHost,
    state::App,
    tenancy::{Actor, ActorKind},
    verbs::RequestInfo,
};

/// Points that a message of a subscription may cost, whoever watches: it is read each time that something happens.
const CEILING: u64 = 1_000;
/// What is replayed at most: events, and how many of everybody's are looked through for them.
const MOST_REPLAYED: usize = 1_000;
const MOST_LOOKED_AT: i64 = 100_000;

/// Somebody who watches; no longer when dropped.
pub struct Subscribed {
    app: App,
    group: Arc<Group>,
    number: u64,
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        self.app.live.hub().leave(&self.group, self.number);
    }
}

/// Lets the caller watch what the document says; messages go to the outlet from now on. The error is a list of errors,
/// JSON.
pub async fn subscribe(
    host: &RequestHost,
    document: &Document,
    incoming: &Incoming,
    outlet: &Outlet,
) -> Result<Subscribed, Arc<str>> {
    let begun = begin(host, document, incoming, outlet).await;
    begun.map_err(|fail| {
        answer::errors(&[fail], host.request_id())
            .to_string()
            .into()
    })
}

async fn begin(
    host: &RequestHost,
    document: &Document,
    incoming: &Incoming,
    outlet: &Outlet,
) -> Result<Subscribed, Fail> {
    let app = &host.app;
    let watch = app.engine.watch(document, incoming, host)?;
    let topic = app.live.topics().of(&watch.field);
    let topic = topic.ok_or_else(|| internal("nothing tells of this"))?;
    let ceiling = host.cost_ceiling().min(CEILING);
    if watch.cost > ceiling {
        return Err(Fail::new(
            "COST_EXCEEDED",
            format!(
                "a message costs {} points; {ceiling} are allowed",
                watch.cost
            ),
        ));
    }
    // Held until it has begun; all of it is used up.
    let _charge = host.charge(watch.cost.max(1)).await.map_err(|error| {
        Fail::new(&error.code, error.message).retry_after(error.retry_after_seconds)
    })?;
    let after = watch.after.as_ref().map(|text| {
        let bad = || Fail::new("BAD_CURSOR", "the cursor is none of a subscription");
        cursor::read(&app.vault, text).ok_or_else(bad)
    });
    let after = after.transpose()?.filter(|_| topic.latest.is_none());
    let subscribed = join(host, watch, topic, outlet)?;
    let group = &subscribed.group;
    let position = app.live.hub().dispatched().await;
    let start = match after {
        None => tell_how_things_stand(host, document, group, outlet, position).await?,
        Some(after) => {
            check_all(host, document, group).await?;
            replay(app, group, outlet, (after, position)).await?
        }
    };
    group.begin(subscribed.number, start);
    Ok(subscribed)
}

/// The group of those who watch the same with the same authority, with this one in it.
fn join(
    host: &RequestHost,
    watch: Watch,
    topic: &Topic,
    outlet: &Outlet,
) -> Result<Subscribed, Fail> {
    let app = &host.app;
    // They are declared the narrowest first.
    let mut about = watch.about.iter();
    let narrowest = match host.actor.org_id() {
        Some(org) => Some(about.next().map_or(org, |about| about.key)),
        None => about
            .find(|about| topic.is_narrow(&about.entity))
            .map(|about| about.key),
    };
    let Some(route) = narrowest else {
        let arguments = topic.declared.arguments.iter();
        let narrow = arguments.filter(
            |argument| matches!(&argument.scalar, Scalar::Id(entity) if topic.is_narrow(entity)),
        );
        let names: Vec<_> = narrow.map(|argument| argument.name.as_str()).collect();
        let names = names.join(" or ");
        let message = format!("acting in no organization, say what you want to watch: {names}");
        return Err(Fail::new("BAD_USER_INPUT", message));
    };
    let key = format!("{} {}", audience(&host.actor), watch.distinct);
    let number = app.live.number();
    let group = app.live.hub().join(
        app,
        &key,
        |made| {
            let info = RequestInfo {
                request_id: format!("live-{}", Uuid::now_v7().simple()),
                ip: None,
                user_agent: String::new(),
            };
            let host = RequestHost {
                info,
                ..host.clone()
            };
            Group::new((made, key.clone()), watch, topic.clone(), host, route)
        },
        |group| group.enter(number, outlet.clone()),
    );
    Ok(Subscribed {
        app: app.clone(),
        group,
        number,
    })
}

/// Names everything that policies read of an actor: those of the same name are shown the same.
fn audience(actor: &Actor) -> String {
    let whose = match &actor.kind {
        ActorKind::Anonymous => "nobody".to_owned(),
        ActorKind::Attendee { user_id, .. } => format!("user {user_id}"),
        ActorKind::Member {
            user_id,
            org_id,
            permissions,
            ..
        } => {
            format!("member {user_id} {org_id} {permissions:?}")
        }
        ActorKind::Token {
            token_id,
            org_id,
            permissions,
            ..
        } => {
            format!("token {token_id} {org_id} {permissions:?}")
        }
    };
    format!("{whose} {:?}", actor.guest.secret_hashes)
}

/// Sends the first message; from where on others are sent after it.
async fn tell_how_things_stand(
    host: &RequestHost,
    document: &Document,
    group: &Arc<Group>,
    outlet: &Outlet,
    position: i64,
) -> Result<i64, Fail> {
    let app = &host.app;
    let message = match group.named() {
        Some(_) => {
            let message = group.standing(app).await.ok_or_else(unavailable)?;
            if message.body.is_none() {
                return Err(not_there());
            }
            // What it was given besides.
            if group.watch.about.len() > 1 {
                check_all(host, document, group).await?;
            }
            message
        }
        None => {
            check_all(host, document, group).await?;
            let started = group.started(app, position, None).await;
            started.map_err(|_| unavailable())?
        }
    };
    if let Some(body) = message.body {
        outlet.send(body).await;
    }
    Ok(message.position)
}

/// Everything that it was given must be there for the caller: what belongs to others is answered like what does not exist.
async fn check_all(
    host: &RequestHost,
    document: &Document,
    group: &Arc<Group>,
) -> Result<(), Fail> {
    for about in &group.watch.about {
        match host.app.engine.sees(document, about, host).await {
            Ok(true) => {}
            Ok(false) => return Err(not_there()),
            Err(_) => return Err(unavailable()),
        }
    }
    Ok(())
}

/// Sends what happened behind `after`, up to `position`.
async fn replay(
    app: &App,
    group: &Arc<Group>,
    outlet: &Outlet,
    (after, position): (i64, i64),
) -> Result<i64, Fail> {
    let request = json!({
        "after": after, "upto": position, "limit": MOST_LOOKED_AT, "types": app.live.topics().types(),
        "of": [group.route()], "most": MOST_REPLAYED + 1,
    });
    let turn = app.live.turn().await;
    let page = feed::read(app, &request).await;
    drop(turn);
    let mut page = page.map_err(|fault| failed(&fault))?;
    let expired = page.oldest > after + 1 && after < page.head || after > page.head;
    let looked_at = page.upto - after;
    let items: Vec<_> = page.items().collect();
    if expired
        || items.len() > MOST_REPLAYED
        || (page.upto < position && looked_at >= MOST_LOOKED_AT)
    {
        return Err(Fail::new(
            "CURSOR_EXPIRED",
            "too much has happened since this cursor; read anew, and subscribe without it",
        ));
    }
    for item in items.iter().filter(|item| group.is_about(item)) {
        let message = group.message(app, item).await;
        if let Some(body) = message.map_err(|_| unavailable())?.body {
            outlet.send(body).await;
        }
    }
    Ok(position.max(after))
}

fn not_there() -> Fail {
    Fail::new("NOT_FOUND", "there is no such thing to watch")
}

fn internal(cause: &str) -> Fail {
    tracing::error!(cause, "a subscription cannot begin");
    Fail::new("INTERNAL", "internal error")
}

fn unavailable() -> Fail {
    failed(&Fault::Unavailable("nothing can be read".to_owned()))
}

fn failed(fault: &Fault) -> Fail {
    tracing::warn!(cause = %fault.cause(), "a subscription cannot begin");
    Fail::new(fault.code(), fault.to_string()).retry_after(Some(1))
}
