//! From a request to its answer.

use std::{borrow::Cow, sync::Arc};

use async_graphql::parser::types::{OperationDefinition, OperationType};
use serde_json::{Map, Value as Json};

use crate::{
    answer::{self, Answer, Cost, Fail, Part, Reached, UNAVAILABLE},
    apart,
    catalog::{Catalog, CatalogError},
    collect::{Operation, Selected},
    compile::{CompileError, Compiler},
    deprecation::used::{Deprecated, Deprecations},
    document::{Document, Documents, hash_of},
    engine::{Charge, Columns, Host, ReadFailure},
    front::Front,
    generated,
    given::Variables,
    guard::Limits,
    payload,
    plan::{Flight, Plan},
    plans::{Key, Plans},
    rows::Malformed,
    types::Types,
    values,
};

/// Points of the whole schema and of one type: they take no database, but time and bytes.
const SCHEMA_COST: u64 = 100;
const TYPE_COST: u64 = 10;

/// The engine: a catalog with its schema. Made once at start.
pub struct Engine {
    /// What is offered.
    pub catalog: Catalog,
    front: Front,
    types: Arc<Types>,
    deprecations: Arc<Deprecations>,
    documents: Documents,
    plans: Plans,
    /// Printing it takes milliseconds.
    sdl: String,
    sdl_hash: [u8; 32],
}

/// Why an engine cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The declarations contradict each other.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The schema is not one.
    #[error("the schema cannot be built: {0}")]
    Schema(#[from] async_graphql::dynamic::SchemaError),
    /// The schema cannot be read back from its definition.
    #[error("the schema's definition cannot be read: {0}")]
    Definition(#[from] async_graphql::parser::Error),
}

/// What a request says besides its document.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// Which operation of it.
    pub operation_name: Option<String>,
    /// As they came.
    pub variables: Map<String, Json>,
}

impl Engine {
    /// Describes the generated mutations, checks the catalog and builds its schema.
    pub fn new(mut catalog: Catalog, limits: Limits) -> Result<Self, EngineError> {
        generated::describe(&mut catalog)?;
        catalog.check()?;
        let front = Front::build(&catalog)?;
        let sdl = front.sdl();
        let types = Arc::new(Types::read(&sdl)?);
        let deprecations = Arc::new(Deprecations::read(&catalog, &types)?);
        Ok(Self {
            catalog,
            documents: Documents::new(front.clone(), limits, types.clone(), deprecations.clone()),
            plans: Plans::new(),
            types,
            deprecations,
            front,
            sdl_hash: hash_of(&sdl),
            sdl,
        })
    }

    /// The schema definition.
    pub fn sdl(&self) -> String {
        self.sdl.clone()
    }

    /// SHA-256 of that.
    pub fn sdl_hash(&self) -> [u8; 32] {
        self.sdl_hash
    }

    /// The document whose text has this SHA-256, if it was sent lately, by whomever.
    pub fn known(&self, hash: &[u8; 32]) -> Option<Arc<Document>> {
        self.documents.known(hash)
    }

    /// The document of that text, or what is wrong with it.
    pub async fn check(&self, text: &str) -> Result<Arc<Document>, Vec<Fail>> {
        self.documents.get(text).await
    }

    /// The document of that text, bounded and validated; else the answer that refuses it. To whom the schema is not
    /// shown, its names are not suggested either.
    pub async fn document(&self, text: &str, host: &dyn Host) -> Result<Arc<Document>, Answer> {
        self.documents.get(text).await.map_err(|mut fails| {
            if !host.may_introspect() {
                fails.iter_mut().for_each(Fail::without_suggestion);
            }
            answer::refused(&fails, host.request_id())
        })
    }

    /// What the operation that the request means uses of the deprecated; nothing for one that cannot be executed.
    pub fn deprecated(&self, document: &Document, incoming: &Incoming) -> Vec<Arc<Deprecated>> {
        if !document.may_use_deprecated {
            return vec![];
        }
        let Ok((_, operation)) = document.named(incoming.operation_name.as_deref()) else {
            return vec![];
        };
        let operation = &operation.node;
        let definitions = &operation.variable_definitions;
        match values::variables(&self.types, definitions, &incoming.variables) {
            Ok(variables) => {
                self.deprecations
                    .used(&document.parsed, operation, &self.types, &variables)
            }
            Err(_) => vec![],
        }
    }

    /// The variables of the operation, with defaults and of the right types.
    pub(crate) fn coerced(
        &self,
        definition: &OperationDefinition,
        incoming: &Incoming,
    ) -> Result<Variables, values::BadValue> {
        let definitions = &definition.variable_definitions;
        values::variables(&self.types, definitions, &incoming.variables).map(Variables::new)
    }

    /// Executes the operation that the request means.
    pub async fn execute(
        &self,
        document: &Document,
        incoming: &Incoming,
        host: &dyn Host,
    ) -> Answer {
        let refuse = |fail: Fail| answer::refused(&[fail], host.request_id());
        let (name, definition) = match document.named(incoming.operation_name.as_deref()) {
            Ok((name, definition)) => (name, &definition.node),
            Err(fail) => return refuse(fail),
        };
        let variables = match self.coerced(definition, incoming) {
            Ok(variables) => variables,
            Err(error) => return refuse(Fail::new("BAD_USER_INPUT", error.0)),
        };
        let operation = Operation {
            document: &document.parsed,
            name,
            variables: &variables,
        };
        let result = match definition.ty {
            OperationType::Query => self.query(document, operation, definition, host).await,
            OperationType::Mutation => self.mutation(operation, definition, host).await,
            OperationType::Subscription => Err(Fail::new(
                "BAD_USER_INPUT",
                "subscriptions come over WebSocket or server-sent events, not in one answer",
            )),
        };
        result.unwrap_or_else(refuse)
    }

    async fn query(
        &self,
        document: &Document,
        operation: Operation<'_>,
        definition: &OperationDefinition,
        host: &dyn Host,
    ) -> Result<Answer, Fail> {
        let key = Key {
            document: document.number,
            operation: operation.name.map(Into::into),
            standing: host.standing(),
        };
        let known = self.plans.find(&key, &self.catalog, operation.variables);
        let is_new = known.is_none();
        let (plan, flight) = match known {
            Some(found) => found,
            None => self.plan(operation, definition, host)?,
        };
        let charged = charge(plan.cost, host).await?;
        // Only what was paid for is kept: else whoever has no points left could push out what others use. Asking about
        // the schema is rare, and is no question to the database.
        if is_new && !plan.introspects {
            self.plans.keep(key, plan.clone());
        }
        let parts = self.introspected(&plan, operation, definition).await?;
        let row = match flight {
            None => Ok(Box::new(()) as Box<dyn Columns>),
            Some(flight) => host.read(&flight).await,
        };
        let id = host.request_id();
        let broken = |malformed: Malformed| read_fail(&malformed.into(), id);
        let mut points = 0;
        let (data, fails) = match row {
            Ok(row) => {
                let mut met = vec![];
                let denied = (plan.denials.as_slice(), &[][..]);
                let statement = plan.statement.as_ref();
                let data = parts.render(statement, &*row, &mut points, denied, &mut met);
                let fails = match met.is_empty() {
                    true => Cow::Borrowed(&plan.fails),
                    false => Cow::Owned(plan.fails.iter().cloned().chain(met).collect()),
                };
                (data.map_err(broken)?, fails)
            }
            // Nothing was read, so there is nothing to keep and little to pay.
            Err(failure @ ReadFailure::Unavailable(_)) => {
                charged.settle("", 0);
                return Err(read_fail(&failure, id));
            }
            Err(failure) => {
                let selected = collected(&operation, definition, "Query")?;
                let (asked, failed) = ((&selected[..], &*parts), (&*plan, &failure));
                let again = apart::one_by_one(&self.catalog, operation, asked, failed, host);
                let (parts, fails) = again.await;
                let data = parts.render(None, &(), &mut points, (&[], &[]), &mut vec![]);
                // A statement that failed has worked too, until its time was over.
                points = plan.cost;
                (data.map_err(broken)?, Cow::Owned(fails))
            }
        };
        let cost = |data: &str| charged.settle(data, points);
        let mut answer = answer::executed(&data, &fails, cost, id);
        answer.of_now = plan.of_now;
        Ok(answer)
    }

    /// Compiles the operation, for all callers of the same standing.
    fn plan(
        &self,
        operation: Operation<'_>,
        definition: &OperationDefinition,
        host: &dyn Host,
    ) -> Result<(Arc<Plan>, Option<Flight>), Fail> {
        let selected = collected(&operation, definition, "Query")?;
        let mut fails = vec![];
        let mut compiler = Compiler::new(&self.catalog, operation, host);
        may_introspect(&selected, host)?;
        let mut parts = vec![];
        for field in &selected {
            let part = root_part(&mut compiler, field, Some(&Json::Null), &[], &mut fails)?;
            parts.push((field.key.to_owned(), part));
        }
        let (cost, denials) = (compiler.cost, compiler.denials());
        let of_now = compiler.of_now;
        let statement = compiler
            .finish(host.stands_for_nobody())
            .map_err(compile_fail)?;
        let plan = Arc::new(Plan {
            parts: Part::Object(parts),
            fails,
            denials,
            cost,
            statement,
            needs: operation.variables.take_needs(),
            introspects: selected.iter().any(is_introspection),
            of_now,
        });
        let mut flight = plan
            .flight(&self.catalog, operation.variables)
            .map_err(|unfit| compile_fail(unfit.into()))?;
        if let Some(flight) = &mut flight {
            flight.fresh = true;
            flight.joint = None;
        }
        Ok((plan, flight))
    }

    /// The pieces of the plan, with what `__schema` and `__type` give where they are asked for.
    async fn introspected<'p>(
        &self,
        plan: &'p Plan,
        operation: Operation<'_>,
        definition: &OperationDefinition,
    ) -> Result<Cow<'p, Part>, Fail> {
        let Part::Object(parts) = &plan.parts else {
            return Ok(Cow::Borrowed(&plan.parts));
        };
        if !plan.introspects {
            return Ok(Cow::Borrowed(&plan.parts));
        }
        let selected = collected(&operation, definition, "Query")?;
        let variables = Json::Object(operation.variables.values().clone());
        let response = self
            .front
            .introspect(operation.document.clone(), operation.name, variables)
            .await;
        if let Some(error) = response.errors.first() {
            return Err(Fail::new("BAD_USER_INPUT", error.message.clone()));
        }
        let introspected = response.data.into_json().unwrap_or(Json::Null);
        let mut parts = parts.clone();
        for (field, (_, part)) in selected.iter().zip(&mut parts) {
            if is_introspection(field) {
                let value = introspected.get(field.key).unwrap_or(&Json::Null);
                *part = Part::Text(value.to_string());
            }
        }
        Ok(Cow::Owned(Part::Object(parts)))
    }

    async fn mutation(
        &self,
        operation: Operation<'_>,
        definition: &OperationDefinition,
        host: &dyn Host,
    ) -> Result<Answer, Fail> {
        let selected = collected(&operation, definition, "Mutation")?;
        // Everything is checked before anything is done: a fault in the last payload must not follow the first effect.
        let mut plans = vec![];
        let (mut cost, mut verbs) = (0, 0);
        for field in &selected {
            if field.name == "__typename" {
                plans.push(None);
                continue;
            }
            let plan = payload::Plan::new(&self.catalog, operation, field, host)?;
            cost += plan.cost;
            verbs += plan.verb_cost();
            plans.push(Some(plan));
        }
        let charged = charge(cost, host).await?;
        let (mut fails, mut points) = (vec![], verbs);
        let mut data = "{".to_owned();
        for (index, (field, plan)) in selected.iter().zip(plans).enumerate() {
            if index > 0 {
                data.push(',');
            }
            data.push_str(&format!("\"{}\":", field.key));
            match plan {
                None => data.push_str("\"Mutation\""),
                Some(plan) => {
                    let text = plan.run(host, &mut fails, &mut points).await;
                    data.push_str(&text);
                }
            }
        }
        data.push('}');
        let cost = |data: &str| charged.settle(data, points);
        let mut answer = answer::executed(&data, &fails, cost, host.request_id());
        // Only where nothing at all was done may a proxy, or its client, take the whole of it for not done.
        if fails.len() == selected.len() && fails.iter().all(|fail| fail.code == UNAVAILABLE) {
            answer.reached = Reached::Unavailable;
        }
        Ok(answer)
    }
}

fn collected<'a>(
    operation: &Operation<'a>,
    definition: &'a OperationDefinition,
    type_name: &str,
) -> Result<Vec<Selected<'a>>, Fail> {
    operation
        .collect(&[&definition.selection_set.node], type_name, false)
        .map_err(|error| Fail::new("GRAPHQL_VALIDATION_FAILED", error.0))
}

/// A root field of `Query`, at the top or inside a payload. A denied one is null with an error beside it.
pub(crate) fn root_part<'a>(
    compiler: &mut Compiler<'a>,
    field: &Selected<'a>,
    introspected: Option<&Json>,
    path: &[&str],
    fails: &mut Vec<Fail>,
) -> Result<Part, Fail> {
    match field.name {
        "__typename" => return Ok(Part::Text("\"Query\"".to_owned())),
        "__schema" | "__type" => {
            let Some(introspected) = introspected else {
                let message = "introspection is asked at the root of a query, not in a payload";
                return Err(Fail::new("BAD_USER_INPUT", message).at(field.pos, &[]));
            };
            compiler.cost += match field.name {
                "__schema" => SCHEMA_COST,
                _ => TYPE_COST,
            };
            let value = introspected.get(field.key).unwrap_or(&Json::Null);
            return Ok(Part::Text(value.to_string()));
        }
        _ => {}
    }
    match compiler.root(field) {
        Ok(shape) => Ok(shape.into()),
        Err(CompileError::Denied { code, message }) => {
            let path: Vec<&str> = path.iter().copied().chain([field.key]).collect();
            fails.push(Fail::new(code, message).at(field.pos, &path));
            Ok(Part::null())
        }
        Err(error) => Err(compile_fail(error).at(field.pos, &[])),
    }
}

pub(crate) fn compile_fail(error: CompileError) -> Fail {
    match error {
        CompileError::Bad(message) => Fail::new("BAD_USER_INPUT", message),
        CompileError::BadCursor(message) => Fail::new("BAD_CURSOR", message),
        CompileError::Denied { code, message } => Fail::new(code, message),
        CompileError::Broken(message) => {
            tracing::error!(%message, "a declaration does not hold");
            Fail::new("INTERNAL", "internal error")
        }
    }
}

/// What the client is told of a failed read. SQL text stays in the log.
pub(crate) fn read_fail(failure: &ReadFailure, request_id: &str) -> Fail {
    match failure {
        ReadFailure::Sql { code, .. } if code == "57014" => {
            Fail::new("TIMEOUT", "the query took longer than it may")
        }
        ReadFailure::Unavailable(cause) => {
            tracing::warn!(%cause, request_id, "no connection to read with");
            Fail::new(UNAVAILABLE, "the service is not available right now").retry_after(Some(1))
        }
        failure => {
            tracing::error!(error = %failure, request_id, "a read failed");
            Fail::new("INTERNAL", "internal error")
        }
    }
}

fn is_introspection(field: &Selected<'_>) -> bool {
    matches!(field.name, "__schema" | "__type")
}

fn may_introspect(selected: &[Selected<'_>], host: &dyn Host) -> Result<(), Fail> {
    match selected.iter().find(|field| is_introspection(field)) {
        // `__schema` is never null, so there can be no answer beside this error.
        Some(first) if !host.may_introspect() => Err(Fail::new(
            "UNAUTHENTICATED",
            "introspection is for signed-in organizers and tokens; the schema can be downloaded",
        )
        .at(first.pos, &[])),
        _ => Ok(()),
    }
}

/// Points that were taken for an operation.
struct Charged {
    requested: u64,
    charge: Option<Box<dyn Charge>>,
}

impl Charged {
    /// What that data came to, with so many points besides its objects; the rest is given back.
    fn settle(self, data: &str, besides: u64) -> Cost {
        let actual = Cost::of(data, besides, self.requested);
        Cost {
            requested: self.requested,
            actual,
            allowance: self.charge.map(|charge| charge.settle(actual)),
        }
    }
}

/// Refuses what costs more than the caller may ask for at once, and takes the points of the rest.
async fn charge(cost: u64, host: &dyn Host) -> Result<Charged, Fail> {
    let ceiling = host.cost_ceiling();
    if cost > ceiling {
        return Err(Fail::new(
            "COST_EXCEEDED",
            format!("the operation costs {cost} points; {ceiling} are allowed"),
        ));
    }
    match host.charge(cost).await {
        Ok(charge) => Ok(Charged {
            requested: cost,
            charge,
        }),
        Err(error) => {
            Err(Fail::new(&error.code, error.message).retry_after(error.retry_after_seconds))
        }
    }
}
