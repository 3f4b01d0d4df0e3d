//! Mutations: the verb is run by the host, its payload is read back by the same compiler.

use async_graphql::Pos;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    answer::{Fail, Part},
    apart::{self, Compiled, Tries},
    catalog::{Catalog, Scalar},
    collect::{Operation, Selected},
    compile::Compiler,
    engine::{Gate, Host, Outcome, ReadFailure, UserError},
    execute::{compile_fail, root_part},
    front::{payload_name, user_error_name},
    global_id, input,
    verb::{PayloadType, ValueType, Verb},
};

/// A mutation field, checked and ready to run.
pub(crate) struct Plan<'a> {
    catalog: &'a Catalog,
    operation: Operation<'a>,
    verb: &'a Verb,
    field: Selected<'a>,
    input: Json,
    denied: Option<Fail>,
    /// Points of verb and payload.
    pub cost: u64,
}

impl<'a> Plan<'a> {
    /// Checks input, scope and payload without doing anything.
    pub(crate) fn new(
        catalog: &'a Catalog,
        operation: Operation<'a>,
        field: &Selected<'a>,
        gate: &'a dyn Gate,
    ) -> Result<Self, Fail> {
        let verb = catalog.verbs.get(field.name).ok_or_else(|| {
            Fail::new(
                "GRAPHQL_VALIDATION_FAILED",
                format!("no mutation {}", field.name),
            )
        })?;
        let given = field
            .argument("input", operation.variables)
            .map(|given| given.resolve(operation.variables).into_owned())
            .unwrap_or(Json::Null);
        let coerced = input::coerce(catalog, &verb.input, &given)
            .map_err(|error| Fail::new("BAD_USER_INPUT", error.0).at(field.pos, &[]))?;
        let denied = verb
            .scope
            .as_ref()
            .and_then(|scope| gate.holds(scope).err())
            .map(|denied| Fail::new(denied.code, denied.message).at(field.pos, &[field.key]));
        let mut plan = Self {
            catalog,
            operation,
            verb,
            field: field.clone(),
            input: coerced,
            denied,
            cost: u64::from(verb.cost),
        };
        // A trial with a key that no row has: it costs what the real one will, and finds every fault of the payload.
        let mut trial = Outcome::default();
        for field in &verb.payload {
            match &field.payload_type {
                PayloadType::Entity(_) => {
                    trial.entities.insert(field.name.clone(), Some(Uuid::nil()));
                }
                PayloadType::Entities(_) => {
                    trial.lists.insert(field.name.clone(), vec![Uuid::nil()]);
                }
                PayloadType::Scalar(_) | PayloadType::Value(_) => {}
            }
        }
        let mut compiler = Compiler::new(catalog, operation, gate);
        plan.parts(&mut compiler, &trial, &mut vec![])?;
        plan.cost += compiler.cost;
        Ok(plan)
    }

    /// Points of the verb alone.
    pub(crate) fn verb_cost(&self) -> u64 {
        u64::from(self.verb.cost)
    }

    /// Does it and reads the payload; JSON of the field. What that costs besides its objects is added to `points`.
    pub(crate) async fn run(
        self,
        host: &dyn Host,
        fails: &mut Vec<Fail>,
        points: &mut u64,
    ) -> String {
        let nothing = "null".to_owned();
        if let Some(denied) = self.denied {
            fails.push(denied);
            return nothing;
        }
        let (outcome, other) = match host.verb(self.verb, self.input.clone()).await {
            Ok(done) => done,
            Err(error) => {
                let fail =
                    Fail::new(&error.code, error.message).retry_after(error.retry_after_seconds);
                fails.push(fail.at(self.field.pos, &[self.field.key]));
                return nothing;
            }
        };
        let reader: &dyn Host = other.as_deref().unwrap_or(host);
        let compiled = {
            let mut compiler = Compiler::new(self.catalog, self.operation, reader);
            let parts = self.parts(&mut compiler, &outcome, fails);
            parts.and_then(|parts| apart::compiled(compiler, parts))
        };
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(fail) => {
                fails.push(fail.at(self.field.pos, &[self.field.key]));
                return nothing;
            }
        };
        let path = [self.field.key];
        match compiled.read(&path, reader, points, fails).await {
            Ok(text) => text,
            // The effect stands; what cannot be read back is null, and says so.
            Err(failure) => {
                let apart = self.apart(reader, &outcome, &failure, fails).await;
                apart.unwrap_or(nothing)
            }
        }
    }

    /// After an SQL error what the payload holds is read in flights of its own, so that one field cannot take the others
    /// along. `None` where a field that is never null cannot be read.
    async fn apart(
        &self,
        reader: &dyn Host,
        outcome: &Outcome,
        failure: &ReadFailure,
        fails: &mut Vec<Fail>,
    ) -> Option<String> {
        let mut parts = vec![];
        let mut tries = Tries::new();
        for field in self
            .collect(&self.field.sets, &payload_name(self.verb))
            .ok()?
        {
            let text = if field.name == "query" {
                let mut roots = vec![];
                for root in self.collect(&field.sets, "Query").ok()? {
                    let path = [self.field.key, field.key, root.key];
                    let made = |left_out: &[Pos]| {
                        self.compiled(reader, left_out, |compiler| {
                            // That it is denied has been told with the whole payload.
                            root_part(compiler, &root, None, &path[..2], &mut vec![])
                        })
                    };
                    let alone = apart::alone(made, failure, (&path, reader), &mut tries, fails);
                    let text = alone.await.unwrap_or_else(|fail| {
                        fails.push(fail.at(root.pos, &path));
                        "null".to_owned()
                    });
                    roots.push((root.key.to_owned(), Part::Text(text)));
                }
                Part::Object(roots)
            } else {
                let path = [self.field.key, field.key];
                let made = |left_out: &[Pos]| {
                    self.compiled(reader, left_out, |compiler| {
                        self.part(compiler, &field, outcome, &mut vec![])
                    })
                };
                let alone = apart::alone(made, failure, (&path, reader), &mut tries, fails);
                match alone.await {
                    // A list is never null, and neither is what holds it.
                    Ok(text) if text == "null" && self.is_list(field.name) => return None,
                    Ok(text) => Part::Text(text),
                    Err(fail) => {
                        fails.push(fail.at(field.pos, &path));
                        if self.is_list(field.name) {
                            return None;
                        }
                        Part::null()
                    }
                }
            };
            parts.push((field.key.to_owned(), text));
        }
        Part::Object(parts)
            .render(None, &(), &mut 0, (&[], &[]), &mut vec![])
            .ok()
    }

    /// One part, to be read by itself.
    fn compiled<'b>(
        &'b self,
        reader: &'b dyn Host,
        left_out: &[Pos],
        compile: impl FnOnce(&mut Compiler<'b>) -> Result<Part, Fail>,
    ) -> Result<Compiled, Fail>
    where
        'a: 'b,
    {
        let mut compiler = Compiler::new(self.catalog, self.operation, reader).without(left_out);
        let part = compile(&mut compiler)?;
        apart::compiled(compiler, part)
    }

    fn is_list(&self, name: &str) -> bool {
        self.verb.payload.iter().any(|field| {
            field.name == name && matches!(field.payload_type, PayloadType::Entities(_))
        })
    }

    fn parts(
        &self,
        compiler: &mut Compiler<'a>,
        outcome: &Outcome,
        fails: &mut Vec<Fail>,
    ) -> Result<Part, Fail> {
        let mut parts = vec![];
        for field in self.collect(&self.field.sets, &payload_name(self.verb))? {
            let part = self.part(compiler, &field, outcome, fails)?;
            parts.push((field.key.to_owned(), part));
        }
        Ok(Part::Object(parts))
    }

    fn part(
        &self,
        compiler: &mut Compiler<'a>,
        field: &Selected<'a>,
        outcome: &Outcome,
        fails: &mut Vec<Fail>,
    ) -> Result<Part, Fail> {
        match field.name {
            "__typename" => Ok(Part::Text(json!(payload_name(self.verb)).to_string())),
            "userErrors" => self.user_errors(field, &outcome.user_errors),
            "query" => self.query(compiler, field, fails),
            _ => self.value(compiler, field, outcome),
        }
    }

    fn value(
        &self,
        compiler: &mut Compiler<'a>,
        field: &Selected<'a>,
        outcome: &Outcome,
    ) -> Result<Part, Fail> {
        let described = self
            .verb
            .payload
            .iter()
            .find(|known| known.name == field.name)
            .ok_or_else(|| {
                Fail::new(
                    "GRAPHQL_VALIDATION_FAILED",
                    format!("no field {}", field.name),
                )
            })?;
        let shape = match &described.payload_type {
            PayloadType::Entity(entity) => {
                match outcome.entities.get(field.name).copied().flatten() {
                    Some(key) => compiler
                        .row_by_key(entity, key, &field.sets)
                        .map_err(compile_fail)?,
                    None => None,
                }
            }
            PayloadType::Entities(entity) => {
                let keys = outcome.lists.get(field.name).cloned().unwrap_or_default();
                let rows = compiler
                    .rows_by_keys(entity, keys, &field.sets)
                    .map_err(compile_fail)?;
                match rows {
                    None => return Ok(Part::Text("[]".to_owned())),
                    some => some,
                }
            }
            PayloadType::Scalar(scalar) => {
                let value = outcome.values.get(field.name).unwrap_or(&Json::Null);
                return Ok(Part::Text(self.scalar(scalar, value).to_string()));
            }
            PayloadType::Value(name) => {
                let value = outcome.values.get(field.name).unwrap_or(&Json::Null);
                let shown = self.object(name, &field.sets, value)?;
                return Ok(Part::Text(shown.to_string()));
            }
        };
        Ok(shape.map_or_else(Part::null, Part::from))
    }

    /// What is selected of an object that the verb made.
    fn object(
        &self,
        name: &str,
        sets: &[&'a async_graphql::parser::types::SelectionSet],
        value: &Json,
    ) -> Result<Json, Fail> {
        let described = self.catalog.values.get(name);
        let mut shown = serde_json::Map::new();
        // Collected even when there is nothing to show, so that a fault is found before anything is done.
        for field in self.collect(sets, name)? {
            let kind = described
                .and_then(|object| object.fields.iter().find(|(known, ..)| known == field.name))
                .map(|(_, kind, ..)| kind);
            let inner = value.get(field.name).unwrap_or(&Json::Null);
            let part = match kind {
                None if field.name == "__typename" => json!(name),
                // Parts of `Money`, strings already.
                None => inner.clone(),
                Some(ValueType::Scalar(scalar)) => self.scalar(scalar, inner),
                Some(ValueType::Money) => self.object("Money", &field.sets, inner)?,
                Some(ValueType::Objects(other)) => {
                    let items = inner.as_array().map_or(&[][..], Vec::as_slice);
                    let each = items
                        .iter()
                        .map(|item| self.object(other, &field.sets, item));
                    Json::Array(each.collect::<Result<_, _>>()?)
                }
            };
            shown.insert(field.key.to_owned(), part);
        }
        Ok(match value {
            Json::Null => Json::Null,
            _ => Json::Object(shown),
        })
    }

    /// Verbs give plain keys; clients get global ids.
    fn scalar(&self, scalar: &Scalar, value: &Json) -> Json {
        let Scalar::Id(name) = scalar else {
            return match scalar {
                Scalar::BigInt => value.as_i64().map_or(Json::Null, |n| json!(n.to_string())),
                _ => value.clone(),
            };
        };
        let key = value.as_str().and_then(|text| text.parse::<Uuid>().ok());
        match (key, self.catalog.entities.get(name)) {
            (Some(key), Some(entity)) => json!(global_id::encode(entity.tag, key)),
            _ => Json::Null,
        }
    }

    fn query(
        &self,
        compiler: &mut Compiler<'a>,
        field: &Selected<'a>,
        fails: &mut Vec<Fail>,
    ) -> Result<Part, Fail> {
        let mut parts = vec![];
        for root in self.collect(&field.sets, "Query")? {
            let path = [self.field.key, field.key];
            let part = root_part(compiler, &root, None, &path, fails)?;
            parts.push((root.key.to_owned(), part));
        }
        Ok(Part::Object(parts))
    }

    fn user_errors(&self, field: &Selected<'a>, errors: &[UserError]) -> Result<Part, Fail> {
        let name = user_error_name(self.verb);
        let wanted = self.collect(&field.sets, &name)?;
        let list: Vec<Json> = errors
            .iter()
            .map(|error| {
                let pairs = wanted.iter().map(|part| {
                    let value = match part.name {
                        "__typename" => json!(name),
                        "message" => json!(error.message),
                        "code" => json!(error.code),
                        _ if error.field.is_empty() => Json::Null,
                        _ => json!(error.field),
                    };
                    (part.key.to_owned(), value)
                });
                Json::Object(pairs.collect())
            })
            .collect();
        Ok(Part::Text(Json::Array(list).to_string()))
    }

    fn collect(
        &self,
        sets: &[&'a async_graphql::parser::types::SelectionSet],
        type_name: &str,
    ) -> Result<Vec<Selected<'a>>, Fail> {
        self.operation
            .collect(sets, type_name, false)
            .map_err(|error| Fail::new("GRAPHQL_VALIDATION_FAILED", error.0))
    }
}
