//! The whole of the matrix: every coordinate of the schema that is served was asked by somebody who has no business
//! there, and showed something to whose it is. What is new in the schema and in no case of the matrix fails here by name.

use std::{collections::BTreeMap, pin::Pin};

use eventsphere_graphql::catalog::Field;
use tokio::sync::OnceCell;

use super::{
    aggregates,
    ask::WAYS,
    filters,
    ledger::{self, Kind, Mark, Sdl},
    live, orders, reads, related, roots, secrets, shared, till,
    world::reading,
    writes,
};
use crate::protocol::reply::Reply;

type Run = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// A part of the matrix.
pub struct Part {
    done: OnceCell<()>,
    run: Run,
}

impl Part {
    /// Not run yet.
    pub const fn new(run: Run) -> Self {
        Self {
            done: OnceCell::const_new(),
            run,
        }
    }

    /// Runs it, unless it was; waits for whoever does.
    pub async fn run(&self) {
        self.done.get_or_init(|| (self.run)()).await;
    }
}

const PARTS: [&Part; 20] = [
    &aggregates::OWNERS,
    &aggregates::STRANGERS,
    &filters::OWNERS,
    &filters::STRANGERS,
    &live::OWNERS,
    &live::STRANGERS,
    &orders::ORDERS,
    &reads::BY_ID,
    &reads::GUESTS,
    &reads::OWNERS,
    &reads::WALKS,
    &related::RELATED,
    &roots::FUNCTIONS,
    &roots::LISTS,
    &secrets::OWNERS,
    &secrets::STRANGERS,
    &shared::ONE_HASH,
    &till::OWNERS,
    &writes::OWNERS,
    &writes::STRANGERS,
];

/// What cannot leak, and why. Everything else is asked and answered.
enum Rule {
    /// Neither asked nor answered.
    Nothing(&'static str),
    /// Asked by strangers; there may be nobody to whom it shows anything.
    Unanswered(&'static str),
}

fn rule(sdl: &Sdl, coordinate: &str) -> Option<Rule> {
    if let Some(directive) = coordinate.strip_prefix('@') {
        let name = directive.split('(').next().unwrap_or_default();
        let (_, in_requests) = &sdl.directives[name];
        return (!in_requests).then_some(Rule::Nothing(
            "it stands in the schema, and nobody can send it",
        ));
    }
    let (owner, member) = coordinate.split_once('.').unwrap_or_default();
    // Empty where something was done.
    let owner = match sdl.output(owner, member) {
        Some(field) if field.leads_to.ends_with("UserError") => &field.leads_to,
        _ => owner,
    };
    match &sdl.types.get(owner) {
        Some(Kind::Enum(_)) if sdl.is_answered_with(owner) => Some(Rule::Nothing(
            "a word of the schema: it says something where a field, filter or argument has it, and these are asked",
        )),
        Some(Kind::Fields(..)) if owner.ends_with("UserError") => Some(Rule::Unanswered(
            "sentences and words of the program about what was sent; the owner of things gets none",
        )),
        _ => None,
    }
}

/// What is not as it must be with that coordinate.
fn wanting(coordinate: &str, mark: &Mark, rule: Option<&Rule>) -> Option<String> {
    let not = match (rule, mark.ways.is_empty(), mark.answered) {
        (Some(Rule::Nothing(_)), ..) | (_, false, true) => return None,
        (Some(Rule::Unanswered(_)), false, _) => return None,
        (_, true, false) => "neither asked nor answered",
        (_, true, true) => "never asked by a stranger",
        (_, false, false) => "never answered to its owner",
    };
    Some(format!("{coordinate}: {not}"))
}

#[tokio::test]
async fn every_coordinate_is_asked_by_strangers_and_answered_to_its_owner() {
    for part in PARTS {
        part.run().await;
    }
    let (app, _) = reading().await;
    let served = Reply::of(app.http().get(format!("{}/schema.graphql", app.url))).await;
    let sdl = Sdl::read(&served.text);
    let (all, marks) = (sdl.coordinates(), ledger::marks());
    let nothing = Mark::default();
    let mut wanted = vec![];
    let mut ruled: BTreeMap<&str, usize> = BTreeMap::new();
    for coordinate in &all {
        let rule = rule(&sdl, coordinate);
        if let Some(Rule::Nothing(why) | Rule::Unanswered(why)) = &rule {
            *ruled.entry(why).or_default() += 1;
        }
        let mark = marks.get(coordinate).unwrap_or(&nothing);
        wanted.extend(wanting(coordinate, mark, rule.as_ref()));
    }
    // Whatever a row shows, by whichever way the document came.
    for entity in app.app.engine.catalog.entities.values() {
        for (field, shown) in &entity.fields {
            let coordinate = format!("{}.{field}", entity.name);
            let ways = marks.get(&coordinate).map_or(&[][..], |mark| &mark.ways);
            let row = !matches!(shown, Field::Relation(_));
            if row && ways.len() < WAYS.len() {
                wanted.push(format!("{coordinate}: asked by {ways:?} only"));
            }
        }
    }
    println!("coordinates: {}, of them by rule: {ruled:#?}", all.len());
    let list = wanted.join("\n");
    assert!(
        wanted.is_empty(),
        "{} of {}:\n{list}",
        wanted.len(),
        all.len()
    );
}
