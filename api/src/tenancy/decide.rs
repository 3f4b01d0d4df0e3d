//! Verbs that are one SQL function: role and settings, the call and its commit, in one flight and one transaction.

use serde_json::Value as Json;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::{
    actor::Actor,
    context,
    door::Door,
    system::SystemReason,
    wire::{Row, Step, WireError},
};

/// Why a function gave no answer. Nothing that it did is left.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// It raised, or a constraint did.
    #[error("SQL error {code}: {message}")]
    Sql {
        /// SQLSTATE.
        code: String,
        /// Text of the server, or of the function.
        message: String,
    },
    /// No connection, or it broke; then nobody knows whether it was done.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// It answered something that is no JSON.
    #[error("the function's answer cannot be read")]
    Unreadable,
}

impl From<WireError> for Undecided {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Sql { code, message } => Self::Sql { code, message },
            WireError::Broken(reason) => Self::Unavailable(reason),
        }
    }
}

impl Door {
    /// What the function `public.<function>(jsonb)` answers, called as the actor in that organization; committed when
    /// this returns. The organization may be another than the actor's: then the actor is a buyer there (see
    /// [`Door::begin_at`]).
    pub async fn decide(
        &self,
        actor: &Actor,
        org_id: Uuid,
        function: &'static str,
        request: &Json,
    ) -> Result<Json, Undecided> {
        let buyer;
        let actor = match actor.org_id() == Some(org_id) {
            true => actor,
            false => {
                buyer = actor.as_buyer();
                &buyer
            }
        };
        let secrets = context::guest_hashes(actor);
        let settings = context::of_actor(actor, Some(org_id));
        self.answer(&settings, secrets.as_ref(), function, request)
            .await
    }

    /// The same for a function that serves many actors of one organization: as es_system, bound to that organization.
    pub async fn decide_for_many(
        &self,
        reason: SystemReason,
        org_id: Uuid,
        function: &'static str,
        request: &Json,
    ) -> Result<Json, Undecided> {
        let settings = context::of_system_at(reason.actor(), org_id);
        self.answer(&settings, None, function, request).await
    }

    /// The same for a function that crosses tenants: as es_system, bound to none.
    pub async fn decide_as_system(
        &self,
        reason: SystemReason,
        function: &'static str,
        request: &Json,
    ) -> Result<Json, Undecided> {
        let settings = context::of_system(reason.actor());
        self.answer(&settings, None, function, request).await
    }

    async fn answer(
        &self,
        settings: &[String; 5],
        secrets: Option<&Vec<Vec<u8>>>,
        function: &'static str,
        request: &Json,
    ) -> Result<Json, Undecided> {
        // As text on both ways: the server reads and writes jsonb's text itself.
        let sql = format!("select public.{function}($1::text::jsonb)::text");
        let request = request.to_string();
        let mut steps = vec![context::settings_step(settings)];
        if let Some(hashes) = secrets {
            steps.push(context::guest_step(hashes));
        }
        steps.push(Step {
            sql: &sql,
            values: vec![(&request as &(dyn ToSql + Sync), Type::TEXT)],
            keep: true,
        });
        let _place = self.place().await;
        let rows = self.verbs.fly(&steps).await?;
        match rows.first().and_then(|row: &Row| row.column(0)) {
            Some(text) => serde_json::from_slice(text).map_err(|_| Undecided::Unreadable),
            None => Ok(Json::Null),
        }
    }
}
