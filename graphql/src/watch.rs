//! Subscriptions: compiled once as they begin; the same statement then reads the thing that changed each time that
//! something happened to it, under the policies of whoever asks.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use async_graphql::parser::types::OperationType;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{
    answer::{self, Denial, Fail, Part},
    catalog::{Catalog, Scalar},
    collect::{Operation, Selected},
    compile::Compiler,
    document::Document,
    engine::{Host, ReadFailure},
    execute::{Engine, Incoming, compile_fail, read_fail},
    front::META,
    given::{Given, Variables},
    global_id,
    plan::{Slot, Statement},
    rows::{Shape, Step},
    subscription::{AFTER, Subscription},
    values,
};

/// The variable that brings the thing: no document can have one of that name.
const THING: &str = "0thing";

/// A subscription that may begin.
#[derive(Debug)]
pub struct Watch {
    /// Name of its root field.
    pub field: String,
    /// The ids that it was given, by argument: entity and key. An id of another type, or none of ours, is the nil key,
    /// which nothing has.
    pub about: Vec<About>,
    /// The cursor that it goes on behind.
    pub after: Option<String>,
    /// Points of one message.
    pub cost: u64,
    /// What tells it from others of the same document and operation: the values that its messages depend on.
    pub distinct: String,
    key: String,
    pieces: Vec<(String, Piece)>,
    /// Reads the thing where nothing of it is selected: what cannot be seen is not told of either.
    probe: Option<Shape>,
    statement: Option<Statement>,
    denials: Vec<Denial>,
    variables: Map<String, Json>,
    tag: u8,
}

/// An id that a subscription was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Name of the argument.
    pub argument: String,
    /// Entity that it names.
    pub entity: String,
    /// Key in it.
    pub key: Uuid,
}

/// A piece of a message.
#[derive(Debug)]
enum Piece {
    Typename(String),
    Meta(usize),
    Thing(Shape),
}

/// A message, written.
#[derive(Clone, Debug)]
pub struct Message {
    /// The whole response, JSON.
    pub body: String,
    /// A hash of what it says of the thing: the same as long as nothing of that has changed.
    pub thing: u64,
}

/// What a message tells.
#[derive(Clone, Debug)]
pub struct Told {
    /// Key of what happened.
    pub id: String,
    /// What happened.
    pub event_type: String,
    /// Version of that.
    pub version: i32,
    /// When, RFC 3339.
    pub at: String,
    /// Where it stands in all that happens.
    pub cursor: String,
    /// The thing that it happened to; in a first message perhaps none.
    pub thing: Option<Uuid>,
}

impl Told {
    /// The value of a field by its place in [`META`].
    fn meta(&self, index: usize) -> Json {
        match META[index].0 {
            "id" => json!(self.id),
            "type" => json!(self.event_type),
            "version" => json!(self.version),
            "at" => json!(self.at),
            _ => json!(self.cursor),
        }
    }
}

impl Engine {
    /// Compiles the subscription that the request means, for this caller; nothing is read for it yet.
    pub fn watch(
        &self,
        document: &Document,
        incoming: &Incoming,
        host: &dyn Host,
    ) -> Result<Watch, Fail> {
        let (name, definition) = document.named(incoming.operation_name.as_deref())?;
        let definition = &definition.node;
        if definition.ty != OperationType::Subscription {
            return Err(Fail::new("BAD_USER_INPUT", "this is no subscription"));
        }
        let bad = |error: values::BadValue| Fail::new("BAD_USER_INPUT", error.0);
        let variables = self.coerced(definition, incoming).map_err(bad)?;
        let operation = Operation {
            document: &document.parsed,
            name,
            variables: &variables,
        };
        let roots = operation
            .collect(&[&definition.selection_set.node], "Subscription", false)
            .map_err(bad)?;
        let [root] = &roots[..] else {
            return Err(Fail::new("BAD_USER_INPUT", "name one field to subscribe"));
        };
        let declared = self.catalog.subscriptions.get(root.name).ok_or_else(|| {
            Fail::new(
                "GRAPHQL_VALIDATION_FAILED",
                format!("no subscription {}", root.name),
            )
        })?;
        let given = |argument: &str| {
            let value = root.argument(argument, &variables)?;
            let value = value.resolve(&variables).into_owned();
            (!value.is_null()).then_some(value)
        };
        let after = given(AFTER).map(|value| values::text(&value, "`after`"));
        let after = after.transpose().map_err(bad)?;
        let mut about = vec![];
        for argument in &declared.arguments {
            if let (Scalar::Id(entity), Some(value)) = (&argument.scalar, given(&argument.name)) {
                about.push(About {
                    argument: argument.name.clone(),
                    key: values::key(&self.catalog, entity, &value),
                    entity: entity.clone(),
                });
            }
        }
        // From here on what is read of the variables is what messages depend on.
        drop(variables.take_needs());
        let compiled = compiled(&self.catalog, operation, (root, declared), host)
            .map_err(|fail| fail.at(root.pos, &[root.key]))?;
        let read = variables.noted();
        let mut used = variables.values().clone();
        used.retain(|name, _| read.contains(name));
        let keys: Vec<Uuid> = about.iter().map(|about| about.key).collect();
        let named: Vec<&str> = about.iter().map(|about| about.argument.as_str()).collect();
        Ok(Watch {
            field: root.name.to_owned(),
            distinct: json!([document.number, name, named, keys, used]).to_string(),
            about,
            after,
            key: root.key.to_owned(),
            variables: used,
            tag: self
                .catalog
                .entities
                .get(&declared.entity)
                .map_or(0, |entity| entity.tag),
            ..compiled
        })
    }

    /// The message where that could not be read.
    pub fn unread(&self, watch: &Watch, failure: &ReadFailure, request_id: &str) -> String {
        let fail = Fail {
            path: vec![Step::Key(watch.key.clone())],
            ..read_fail(failure, request_id)
        };
        let data = format!("{{{}:null}}", json!(watch.key));
        answer::message(&data, &[fail], request_id)
    }

    /// Whether what a subscription is about is there for the caller.
    pub async fn sees(
        &self,
        document: &Document,
        about: &About,
        host: &dyn Host,
    ) -> Result<bool, ReadFailure> {
        let variables = Variables::default();
        let operation = Operation {
            document: &document.parsed,
            name: None,
            variables: &variables,
        };
        let mut compiler = Compiler::new(&self.catalog, operation, host);
        let shape = compiler.row_by_key(&about.entity, about.key, &[]);
        let flight = shape.and_then(|shape| {
            let flight = compiler.flight()?;
            Ok(shape.zip(flight))
        });
        // Whoever may not read such things at all sees none.
        let Ok(Some((shape, (statement, flight)))) = flight else {
            return Ok(false);
        };
        let row = host.read(&flight).await?;
        let part = Part::from(shape);
        let text = part.render(Some(&statement), &*row, &mut 0, (&[], &[]), &mut vec![])?;
        Ok(text != "null")
    }

    /// The message, as this caller may see it. `None` where the thing is not there for them.
    pub async fn watched(
        &self,
        watch: &Watch,
        told: &Told,
        host: &dyn Host,
    ) -> Result<Option<Message>, ReadFailure> {
        let mut values = watch.variables.clone();
        let thing = told.thing.map(|key| global_id::encode(watch.tag, key));
        values.insert(THING.to_owned(), json!(thing));
        let variables = Variables::new(values);
        let statement = watch.statement.as_ref().filter(|_| thing.is_some());
        let flight = statement
            .map(|statement| statement.flight(&self.catalog, &variables))
            .transpose()
            .map_err(|_| {
                ReadFailure::Malformed(crate::rows::Malformed("a value that fits no more"))
            })?;
        let row = match &flight {
            Some(flight) => Some(host.read(flight).await?),
            None => None,
        };
        let (mut parts, mut fails, mut seen) = (vec![], vec![], thing.is_none());
        let mut digest = DefaultHasher::new();
        let read = |shape: &Shape, path: &[&str], fails: &mut Vec<Fail>| match &row {
            Some(row) => Part::from(shape.clone()).render(
                watch.statement.as_ref(),
                &**row,
                &mut 0,
                (&watch.denials, path),
                fails,
            ),
            None => Ok("null".to_owned()),
        };
        for (key, piece) in &watch.pieces {
            let text = match piece {
                Piece::Typename(name) => json!(name).to_string(),
                Piece::Meta(index) => told.meta(*index).to_string(),
                Piece::Thing(shape) => {
                    let text = read(shape, &[&watch.key, key], &mut fails)?;
                    seen |= text != "null";
                    text.hash(&mut digest);
                    text
                }
            };
            parts.push(format!("{}:{text}", json!(key)));
        }
        if let Some(probe) = &watch.probe {
            seen |= read(probe, &[], &mut vec![])? != "null";
        }
        if !seen {
            return Ok(None);
        }
        let data = format!("{{{}:{{{}}}}}", json!(watch.key), parts.join(","));
        Ok(Some(Message {
            body: answer::message(&data, &fails, host.request_id()),
            thing: digest.finish(),
        }))
    }
}

/// The pieces of a message and the statement behind them; what only the root field says is left empty.
fn compiled<'a>(
    catalog: &'a Catalog,
    operation: Operation<'a>,
    (root, declared): (&Selected<'a>, &'a Subscription),
    host: &'a dyn Host,
) -> Result<Watch, Fail> {
    let mut compiler = Compiler::new(catalog, operation, host);
    let thing = || Slot::Key(Given::variable(THING), declared.entity.clone());
    let mut pieces = vec![];
    let selected = operation
        .collect(&root.sets, &declared.message, false)
        .map_err(|error| Fail::new("GRAPHQL_VALIDATION_FAILED", error.0))?;
    for field in &selected {
        let piece = if field.name == "__typename" {
            Piece::Typename(declared.message.clone())
        } else if field.name == declared.object {
            let shape = compiler.row_of(&declared.entity, thing(), &field.sets);
            Piece::Thing(shape.map_err(compile_fail)?)
        } else {
            let index = META.iter().position(|(name, ..)| *name == field.name);
            Piece::Meta(index.ok_or_else(|| {
                Fail::new(
                    "GRAPHQL_VALIDATION_FAILED",
                    format!("no field {}", field.name),
                )
            })?)
        };
        pieces.push((field.key.to_owned(), piece));
    }
    let is_read = pieces
        .iter()
        .any(|(_, piece)| matches!(piece, Piece::Thing(_)));
    let probe = match is_read {
        true => None,
        false => {
            let probe = compiler.row_of(&declared.entity, thing(), &[]);
            Some(probe.map_err(compile_fail)?)
        }
    };
    let (cost, denials) = (compiler.cost, compiler.denials());
    let statement = compiler
        .finish(host.stands_for_nobody())
        .map_err(compile_fail)?;
    Ok(Watch {
        field: String::new(),
        about: vec![],
        after: None,
        cost,
        distinct: String::new(),
        key: String::new(),
        pieces,
        probe,
        statement,
        denials,
        variables: Map::new(),
        tag: 0,
    })
}
