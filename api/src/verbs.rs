//! How slices offer mutations: a verb is a unit struct with its description and its `run`, one file each.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use eventsphere_graphql::{ValueObject, Verb, engine::Outcome, verb::InputObject};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{fault::Fault, state::App, tenancy::Actor};

/// What a verb is given besides its input.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The program.
    pub app: &'a App,
    /// Who asks.
    pub actor: &'a Actor,
    /// From where.
    pub request: &'a RequestInfo,
}

/// What is known of a request besides its actor.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// Given back in every answer.
    pub request_id: String,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The client's name of itself, cut to 400 characters.
    pub user_agent: String,
}

/// What a verb answers: keys and values of its payload, and as whom the payload is read back.
#[derive(Debug, Default)]
pub struct Done {
    /// Keys, values and user errors.
    pub outcome: Outcome,
    /// Another actor than the caller, when the verb signed somebody in or opened something.
    pub read_as: Option<Actor>,
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            read_as: None,
        }
    }
}

/// A mutation of a slice.
#[async_trait]
pub trait Handle: Send + Sync + 'static {
    /// Its input: camel case fields; ids arrive as UUIDs, omitted fields are absent, `null` is null.
    type Input: DeserializeOwned + Send;

    /// Name, input, payload, errors, scope.
    fn describe() -> Verb;

    /// Does it. Whatever it wrote must be committed when it returns.
    async fn run(call: Call<'_>, input: Self::Input) -> Result<Done, Fault>;
}

type Handler =
    Arc<dyn for<'a> Fn(Call<'a>, Value) -> BoxFuture<'a, Result<Done, Fault>> + Send + Sync>;

/// All verbs of the program.
#[derive(Clone, Default)]
pub struct Verbs {
    handlers: HashMap<String, Handler>,
    descriptions: Vec<Verb>,
    inputs: Vec<InputObject>,
    values: Vec<ValueObject>,
}

impl Verbs {
    /// Adds a verb.
    pub fn add<V: Handle>(&mut self) -> &mut Self {
        let description = V::describe();
        let handler: Handler = Arc::new(|call, input| {
            Box::pin(async move {
                let input = serde_json::from_value(input)
                    .map_err(|error| Fault::BadInput(format!("input: {error}")))?;
                V::run(call, input).await
            })
        });
        self.handlers.insert(description.name.clone(), handler);
        self.descriptions.push(description);
        self
    }

    /// Adds an input object type that inputs of verbs use.
    pub fn input(&mut self, input: InputObject) -> &mut Self {
        self.inputs.push(input);
        self
    }

    /// Adds an object type that payloads of verbs hold.
    pub fn value(&mut self, value: ValueObject) -> &mut Self {
        self.values.push(value);
        self
    }

    /// Objects that verbs make, for the catalog.
    pub fn values(&self) -> &[ValueObject] {
        &self.values
    }

    /// Descriptions, for the catalog.
    pub fn descriptions(&self) -> &[Verb] {
        &self.descriptions
    }

    /// Input objects, for the catalog.
    pub fn inputs(&self) -> &[InputObject] {
        &self.inputs
    }

    /// Runs the verb of that name.
    pub async fn run(&self, name: &str, call: Call<'_>, input: Value) -> Result<Done, Fault> {
        let handler = self
            .handlers
            .get(name)
            .ok_or_else(|| Fault::Internal(format!("no handler for {name}")))?;
        handler(call, input).await
    }
}
