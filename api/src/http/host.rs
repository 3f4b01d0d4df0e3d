//! What the engine asks of us for one request: may this caller, run this flight, do this verb.

use std::sync::Arc;

use async_trait::async_trait;
use eventsphere_graphql::{
    Verb,
    catalog::Entity,
    engine::{Allowance, Charge, Columns, Denied, FieldError, Gate, Host, Outcome, ReadFailure},
    plan::Flight,
};
use serde_json::Value;

use crate::{
    config::{MEMBER_CEILING, VISITOR_CEILING},
    fault::Fault,
    generated,
    state::App,
    tenancy::{Actor, ActorKind},
    throttle,
    verbs::{Call, Done, RequestInfo},
};

/// One caller in one request.
#[derive(Clone)]
pub struct RequestHost {
    /// The program.
    pub app: App,
    /// Who asks.
    pub actor: Actor,
    /// From where.
    pub info: RequestInfo,
}

impl Gate for RequestHost {
    fn admit(&self, entity: &Entity) -> Result<(), Denied> {
        let denied = |code, message: String| Err(Denied { code, message });
        if !self.reaches(entity) {
            return match &self.actor.kind {
                ActorKind::Anonymous => denied(
                    "UNAUTHENTICATED",
                    format!("sign in to read {}", entity.name),
                ),
                _ => denied(
                    "FORBIDDEN",
                    format!("{} is read by members of its organization", entity.name),
                ),
            };
        }
        match (&self.actor.kind, &entity.scope) {
            (ActorKind::Member { .. } | ActorKind::Token { .. }, Some(scope))
                if !self.actor.may(scope) =>
            {
                denied(
                    "FORBIDDEN",
                    format!("reading {} needs the scope {scope}", entity.name),
                )
            }
            _ => Ok(()),
        }
    }

    fn reaches(&self, entity: &Entity) -> bool {
        self.app.grants.readable(&self.actor, &entity.table)
    }

    fn holds(&self, scope: &str) -> Result<(), Denied> {
        let (code, message) = match &self.actor.kind {
            _ if self.actor.may(scope) => return Ok(()),
            ActorKind::Anonymous => ("UNAUTHENTICATED", "sign in first".to_owned()),
            ActorKind::Attendee { .. } => (
                "FORBIDDEN",
                "choose an organization first (switchOrganization)".to_owned(),
            ),
            _ => ("FORBIDDEN", format!("this needs the scope {scope}")),
        };
        Err(Denied { code, message })
    }

    fn standing(&self) -> Arc<str> {
        let kind = match &self.actor.kind {
            ActorKind::Anonymous if self.actor.guest.secret_hashes.is_empty() => "visitor",
            ActorKind::Anonymous => "guest",
            ActorKind::Attendee { .. } => "attendee",
            ActorKind::Member { .. } | ActorKind::Token { .. } => {
                return format!("member {}", self.actor.permissions().join(",")).into();
            }
        };
        kind.into()
    }

    fn stands_for_nobody(&self) -> bool {
        self.actor == Actor::anonymous()
    }

    fn counts_stop(&self) -> bool {
        self.actor.org_id().is_none()
    }

    fn cost_ceiling(&self) -> u64 {
        match self.actor.org_id() {
            Some(_) => MEMBER_CEILING,
            None => VISITOR_CEILING,
        }
    }

    fn may_introspect(&self) -> bool {
        self.app.posture.development || self.actor.kind != ActorKind::Anonymous
    }
}

#[async_trait]
impl Host for RequestHost {
    async fn charge(&self, points: u64) -> Result<Option<Box<dyn Charge>>, FieldError> {
        let admitted = self.app.throttle.admit(&self.actor, self.info.ip, points);
        match admitted.await {
            Ok(charge) => Ok(Some(Box::new(charge))),
            Err(fault) => Err(field_error("charge", &fault)),
        }
    }

    async fn read(&self, flight: &Flight) -> Result<Box<dyn Columns>, ReadFailure> {
        self.app.door.read(&self.actor, flight).await
    }

    async fn verb(
        &self,
        verb: &Verb,
        input: Value,
    ) -> Result<(Outcome, Option<Box<dyn Host>>), FieldError> {
        let call = Call {
            app: &self.app,
            actor: &self.actor,
            request: &self.info,
        };
        let done = match &verb.generated {
            Some(kind) => generated::run(call, kind, &input).await.map(Done::from),
            None => self.app.verbs.run(&verb.name, call, input).await,
        };
        match done {
            Ok(Done { outcome, read_as }) => {
                let other = read_as.map(|actor| {
                    let host: Box<dyn Host> = Box::new(Self {
                        actor,
                        ..self.clone()
                    });
                    host
                });
                Ok((outcome, other))
            }
            Err(fault) => Err(field_error(&verb.name, &fault)),
        }
    }

    fn request_id(&self) -> &str {
        &self.info.request_id
    }
}

impl Charge for throttle::Charge {
    fn settle(self: Box<Self>, actual: u64) -> Allowance {
        let level = throttle::Charge::settle(*self, actual);
        Allowance {
            max: level.max,
            available: level.available,
            restore_rate: level.restore_rate,
        }
    }
}

fn field_error(verb: &str, fault: &Fault) -> FieldError {
    if let Fault::Internal(cause) | Fault::Unavailable(cause) = fault {
        tracing::error!(verb, %cause, "a verb failed");
    }
    FieldError {
        code: fault.code().to_owned(),
        message: fault.to_string(),
        retry_after_seconds: fault.retry_after_seconds(),
    }
}
