//! One operation of a connection that stays: a subscription begins, anything else is executed as by POST.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_graphql::parser::types::OperationType;
use eventsphere_graphql::{
    Incoming,
    answer::{self, Answer, Fail, Reached},
    document::Document,
    engine::Host as _,
};
use futures_util::FutureExt as _;
use serde_json::Value;

use super::super::{
    Refused,
    documents::{Missing, resolve},
    execute, held_back,
    request::Decoded,
};
use crate::{
    http::RequestHost,
    live::{Outlet, subscribe},
};

/// Does it; what comes of it goes to the outlet. What changes something does not come `by_get`.
pub(super) async fn operate(host: RequestHost, decoded: Decoded, outlet: Outlet, by_get: bool) {
    let id = host.request_id().to_owned();
    let host = Arc::new(host);
    let done = AssertUnwindSafe(attempt(&host, decoded, &outlet, by_get)).catch_unwind();
    let errors = match done.await {
        Ok(Ok(())) => return,
        Ok(Err(errors)) => errors,
        Err(_) => {
            tracing::error!("an operation panicked");
            of(&Fail::new("INTERNAL", "internal error"), &id)
        }
    };
    outlet.fail(errors).await;
}

async fn attempt(
    host: &Arc<RequestHost>,
    decoded: Decoded,
    outlet: &Outlet,
    by_get: bool,
) -> Result<(), Arc<str>> {
    let id = host.request_id();
    if let Err(fault) = host.app.throttle.listens_to(&host.actor, host.info.ip) {
        return Err(errors_in(&held_back(&fault, id)));
    }
    let Decoded { wanted, incoming } = decoded;
    let document = resolve(host, wanted)
        .await
        .map_err(|missing| match missing {
            Missing::Answered(answer) => errors_in(&answer),
            Missing::Refused(refusal) => refused(&refusal, id),
        })?;
    let operation = document.named(incoming.operation_name.as_deref());
    let operation = operation.map_err(|fail| of(&fail, id))?.1;
    if operation.node.ty == OperationType::Subscription {
        let subscribed = Box::pin(subscribe(host, &document, &incoming, outlet)).await;
        match subscribed {
            Ok(subscribed) => outlet.began(subscribed).await,
            Err(errors) => {
                host.app
                    .throttle
                    .count_refused(&host.actor, host.info.ip)
                    .await;
                return Err(errors);
            }
        }
        return Ok(());
    }
    if by_get && operation.node.ty == OperationType::Mutation {
        let message = "mutations come by POST: any page could make a browser send this";
        return Err(of(&Fail::new("BAD_USER_INPUT", message), id));
    }
    let answer = Box::pin(once(host, &document, incoming)).await?;
    outlet.send(answer.body.into()).await;
    outlet.complete().await;
    Ok(())
}

/// A query or a mutation.
async fn once(
    host: &Arc<RequestHost>,
    document: &Arc<Document>,
    incoming: Incoming,
) -> Result<Answer, Arc<str>> {
    let incoming = Arc::new(incoming);
    let answer = execute(document, &incoming, host).await;
    let answer = answer.map_err(|refusal| refused(&refusal, host.request_id()))?;
    match answer.reached {
        Reached::Executed => {}
        Reached::Throttled | Reached::Unavailable if answer.body.contains("\"data\":") => {}
        _ => return Err(errors_in(&answer)),
    }
    let deprecated = host.app.engine.deprecated(document, &incoming);
    let now = host.app.clock.now();
    if !deprecated.is_empty() {
        host.app
            .deprecated_uses
            .count(&host.actor, &deprecated, now);
    }
    Ok(answer)
}

fn of(fail: &Fail, request_id: &str) -> Arc<str> {
    answer::errors(std::slice::from_ref(fail), request_id)
        .to_string()
        .into()
}

fn refused(refusal: &Refused, request_id: &str) -> Arc<str> {
    of(
        &Fail::new(refusal.code, refusal.message.clone()),
        request_id,
    )
}

/// The list of errors of an answer that has nothing else.
fn errors_in(answer: &Answer) -> Arc<str> {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    body["errors"].to_string().into()
}
