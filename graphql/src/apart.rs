//! After an SQL error: what was asked together is asked again in parts, so that one of them cannot take the others along.
//! First each root field in a flight of its own; then, for one that fails by itself, without the functions and aggregates
//! in it, which are what can fail by their values. If that is answered, they are null, each at its path.
//!
//! PostgreSQL does not say which expression of a statement failed, nor in which row: a function that failed for one row
//! is null in all of them.

use async_graphql::Pos;

use crate::{
    answer::{Denial, Fail, Part},
    catalog::Catalog,
    collect::{Operation, Selected},
    compile::{CompileError, Compiler},
    engine::{Host, ReadFailure},
    execute::{compile_fail, read_fail},
    plan::{Flight, Plan, Statement},
};

/// Suspects of which each is left out by itself; of more, all are left out together.
const MOST_SINGLED_OUT: usize = 3;
/// Statements in search of what failed that one operation may cost besides asking each of its parts again.
const MOST_TRIES: usize = 4;

/// A piece of an answer with the flight that reads it.
pub(crate) struct Compiled {
    part: Part,
    denials: Vec<Denial>,
    suspects: Vec<Pos>,
    flight: Option<(Statement, Flight)>,
}

/// How often it may still be searched for what failed.
pub(crate) struct Tries(usize);

impl Tries {
    /// Those of one operation.
    pub(crate) fn new() -> Self {
        Self(MOST_TRIES)
    }
}

impl Compiled {
    /// The piece that this compiler made, for this request only.
    pub(crate) fn new(mut compiler: Compiler<'_>, part: Part) -> Result<Self, CompileError> {
        Ok(Self {
            part,
            denials: compiler.denials(),
            suspects: compiler.suspects(),
            flight: compiler.flight()?,
        })
    }

    /// Whether the database is asked at all.
    pub(crate) fn reads(&self) -> bool {
        self.flight.is_some()
    }

    /// The piece as JSON, by a flight of its own. `path` is where its own paths begin; what it costs besides
    /// its objects is added to `points`.
    pub(crate) async fn read(
        &self,
        path: &[&str],
        host: &dyn Host,
        points: &mut u64,
        fails: &mut Vec<Fail>,
    ) -> Result<String, ReadFailure> {
        let denied = (self.denials.as_slice(), path);
        let Some((statement, flight)) = &self.flight else {
            return Ok(self.part.render(None, &(), points, denied, fails)?);
        };
        let row = host.read(flight).await?;
        Ok(self
            .part
            .render(Some(statement), &*row, points, denied, fails)?)
    }
}

/// Whether a function or an aggregate may have raised this: not the server that is out of something or stops, nor a time
/// that ran out, which it would again.
fn may_be_a_fields(failure: &ReadFailure) -> bool {
    match failure {
        ReadFailure::Sql { code, .. } => {
            !["08", "25", "26", "40", "53", "57", "58", "XX"].contains(&code.get(..2).unwrap_or(""))
        }
        ReadFailure::Unavailable(_) | ReadFailure::Malformed(_) => false,
    }
}

/// What `whole` gives without the fields that fail; `None` when it fails without them too. `made` compiles it without the
/// fields that stand there in the document.
pub(crate) async fn without_what_fails(
    (whole, failure): (&Compiled, &ReadFailure),
    made: impl Fn(&[Pos]) -> Option<Compiled>,
    (path, host): (&[&str], &dyn Host),
    tries: &mut Tries,
    fails: &mut Vec<Fail>,
) -> Option<String> {
    let suspects = &whole.suspects;
    if suspects.is_empty() || !may_be_a_fields(failure) {
        return None;
    }
    let singled_out = match suspects.len() {
        1 => 0,
        few if few <= MOST_SINGLED_OUT => few,
        _ => 0,
    };
    // All of them first: if it fails without them, nothing else is worth a try.
    let each = suspects.chunks(1).take(singled_out);
    let mut found = None;
    for left_out in std::iter::once(suspects.as_slice()).chain(each) {
        if tries.0 == 0 {
            break;
        }
        tries.0 -= 1;
        let mut compiled = made(left_out)?;
        if let Some((_, flight)) = &mut compiled.flight {
            flight.fresh = true;
        }
        let mut told = vec![];
        match compiled.read(path, host, &mut 0, &mut told).await {
            Ok(text) => {
                let is_first = found.is_none();
                found = Some((text, told));
                if !is_first {
                    break;
                }
            }
            Err(_) if found.is_none() => return None,
            Err(_) => {}
        }
    }
    let (text, told) = found?;
    // The client is told of the fields only; the log has why.
    let _ = read_fail(failure, host.request_id());
    fails.extend(told);
    Some(text)
}

/// The root fields of a query of which the whole failed.
pub(crate) async fn one_by_one(
    catalog: &Catalog,
    operation: Operation<'_>,
    (selected, parts): (&[Selected<'_>], &Part),
    (plan, failure): (&Plan, &ReadFailure),
    host: &dyn Host,
) -> (Part, Vec<Fail>) {
    let mut parts = match parts {
        Part::Object(parts) => parts.clone(),
        _ => vec![],
    };
    let mut fails = plan.fails.clone();
    let mut tries = Tries::new();
    let is_read = |part: &Part| matches!(part, Part::Read(_));
    let asked = parts.iter().filter(|(_, part)| is_read(part)).count();
    for (field, (_, part)) in selected.iter().zip(&mut parts) {
        if !is_read(part) {
            continue;
        }
        let path = [field.key];
        let made = |left_out: &[Pos]| {
            let mut compiler = Compiler::new(catalog, operation, host).without(left_out);
            let part = Part::from(compiler.root(field).ok()?);
            Compiled::new(compiler, part).ok()
        };
        let whole = made(&[]);
        let again = match &whole {
            // Alone it was asked already.
            Some(whole) if asked > 1 => whole
                .read(&path, host, &mut 0, &mut fails)
                .await
                .map_err(Some),
            _ => Err(None),
        };
        *part = match again {
            Ok(text) => Part::Text(text),
            Err(own) => {
                let failure = own.as_ref().unwrap_or(failure);
                let text = match &whole {
                    Some(whole) => {
                        let (failed, at) = ((whole, failure), (&path[..], host));
                        without_what_fails(failed, made, at, &mut tries, &mut fails).await
                    }
                    None => None,
                };
                text.map_or_else(
                    || {
                        let fail = read_fail(failure, host.request_id());
                        fails.push(fail.at(field.pos, &path));
                        Part::null()
                    },
                    Part::Text,
                )
            }
        };
    }
    (Part::Object(parts), fails)
}

/// The text of one part of a payload, read by itself.
pub(crate) async fn alone(
    made: impl Fn(&[Pos]) -> Result<Compiled, Fail>,
    failure: &ReadFailure,
    (path, reader): (&[&str], &dyn Host),
    tries: &mut Tries,
    fails: &mut Vec<Fail>,
) -> Result<String, Fail> {
    let whole = made(&[])?;
    // Without a connection nothing else would come of it.
    if let (true, ReadFailure::Unavailable(_)) = (whole.reads(), failure) {
        return Err(unread(failure, reader));
    }
    let failure = match whole.read(path, reader, &mut 0, fails).await {
        Ok(text) => return Ok(text),
        Err(failure) => failure,
    };
    let made = |left_out: &[Pos]| made(left_out).ok();
    without_what_fails((&whole, &failure), made, (path, reader), tries, fails)
        .await
        .ok_or_else(|| unread(&failure, reader))
}

/// The effect stands, so "try again" would be wrong advice.
fn unread(failure: &ReadFailure, reader: &dyn Host) -> Fail {
    read_fail(failure, reader.request_id()).retry_after(None)
}

/// The piece that this compiler made, or why there is none.
pub(crate) fn compiled(compiler: Compiler<'_>, part: Part) -> Result<Compiled, Fail> {
    Compiled::new(compiler, part).map_err(compile_fail)
}
