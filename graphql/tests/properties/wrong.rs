//! Documents that ask for aggregates, related rows and functions in ways that cannot be meant, each with the reason for
//! which it must be refused as a whole.

use eventsphere_graphql::{
    Scalar,
    catalog::{Cardinality, Field, Relation},
};
use serde_json::{Value, json};

use crate::{ground::Ground, offers::Source, world::World};

const BAD: &str = "BAD_USER_INPUT";
const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";

/// Document, variables, code, words of the message.
type Question = (String, Value, &'static str, &'static str);

pub fn questions(ground: &Ground<'_>) -> Vec<Question> {
    let world = &ground.world;
    let mut out = vec![];
    for (index, entity) in world.entities.iter().enumerate() {
        if let Some(root) = &entity.root_many {
            aggregates(world, index, root, &mut out);
            related(world, index, root, &mut out);
        }
        found(ground, index, &mut out);
    }
    arguments(world, &mut out);
    out
}

fn aggregates(world: &World, index: usize, root: &str, out: &mut Vec<Question>) {
    let entity = &world.entities[index];
    let ask = |with: &str| format!("{{ {root} {{ aggregates{with} {{ groups {{ count }} }} }} }}");
    let Some(aggregates) = &entity.aggregates else {
        out.push((ask(""), Value::Null, INVALID, "aggregates"));
        return;
    };
    for first in ["0", "1001", "-1"] {
        let text = ask(&format!("(first: {first})"));
        out.push((text, Value::Null, BAD, "`first` must be from 1 to 1000"));
    }
    let order = ask("(orderBy: COUNT)");
    out.push((order, Value::Null, INVALID, "orderBy"));
    let keys: Vec<String> = aggregates.groupings.iter().map(|key| key.shown()).collect();
    let Some(key) = keys.first() else {
        let text = ask("(groupBy: [X])");
        out.push((text, Value::Null, INVALID, "groupBy"));
        return;
    };
    let text = ask(&format!("(groupBy: [{key}, {key}])"));
    out.push((text, Value::Null, BAD, "twice"));
    let text = ask("(groupBy: [NO_SUCH_KEY])");
    out.push((text, Value::Null, INVALID, "groupBy"));
    let by = |with: &str| format!("query($k: [{}GroupBy!]) {}", entity.name, ask(with));
    let variable = by("(groupBy: $k)");
    out.push((variable.clone(), json!({ "k": [key, key] }), BAD, "twice"));
    out.push((
        variable.clone(),
        json!({ "k": ["NO_SUCH_KEY"] }),
        BAD,
        "GroupBy",
    ));
    if keys.len() > 3 {
        out.push((variable, json!({ "k": keys[..4] }), BAD, "at most 3"));
    }
}

fn related(world: &World, index: usize, root: &str, out: &mut Vec<Question>) {
    let entity = &world.entities[index];
    let relations = entity.fields.values().filter_map(|field| match field {
        Field::Relation(relation) => Some(relation),
        _ => None,
    });
    for relation in relations {
        let name = &relation.field;
        let ask =
            |filter: &str| format!("{{ {root}(filter: {{{name}: {filter}}}) {{ totalCount }} }}");
        if !relation.filterable {
            out.push((ask("{}"), Value::Null, INVALID, ""));
            continue;
        }
        let to_many = relation.cardinality == Cardinality::ToMany;
        let words = match to_many {
            true => ask("{every: {}}"),
            false => ask("{some: {}}"),
        };
        out.push((words, Value::Null, INVALID, ""));
        let meets = if to_many { "{some: {}}" } else { "{}" };
        let each = format!("{{{name}: {meets}}}");
        let twenty_one = format!(
            "{{ {root}(filter: {{or: [{}]}}) {{ totalCount }} }}",
            vec![each; 21].join(", ")
        );
        out.push((twenty_one, Value::Null, BAD, "at most 20 conditions"));
        let deep = deep(world, relation, to_many);
        let deep =
            format!("{{ {root}(filter: {{not: {{not: {{{name}: {deep}}}}}}}) {{ totalCount }} }}");
        out.push((deep, Value::Null, BAD, "nests more than 3 deep"));
    }
}

/// A condition on what the relation leads to that goes two deep.
fn deep(world: &World, relation: &Relation, to_many: bool) -> String {
    let target = world.by_table(&relation.target_table);
    let columns = &world.entities[target].columns;
    let column = columns.iter().find(|column| column.filterable);
    let column = column.map_or("", |column| column.field.as_str());
    let inner = format!("{{not: {{{column}: {{isNull: true}}}}}}");
    match to_many {
        true => format!("{{some: {inner}}}"),
        false => inner,
    }
}

/// Cursors by rank are none of another order.
fn found(ground: &Ground<'_>, index: usize, out: &mut Vec<Question>) {
    let Some(seeker) = ground.world.seeker(index) else {
        return;
    };
    let cursors = ground.cursors(index, &[crate::ground::BEST_FIRST.to_owned()]);
    let entity = &ground.world.entities[index];
    let ordered = entity.columns.iter().find(|column| column.orderable);
    if let (Some(cursor), Some(column)) = (cursors.first(), ordered) {
        let query = format!(
            "query($c: String) {{ {}(orderBy: [{}_ASC], after: $c) {{ totalCount }} }}",
            seeker.field,
            column.name.to_uppercase()
        );
        out.push((query, json!({ "c": cursor }), "BAD_CURSOR", "cursor"));
    }
}

fn arguments(world: &World, out: &mut Vec<Question>) {
    for function in &world.functions {
        let below = if function.many { "totalCount" } else { "id" };
        let ask = |with: &str| format!("{{ {}{with} {{ {below} }} }}", function.field);
        out.push((ask("(no: 1)"), Value::Null, INVALID, "no"));
        let taken = &world.takes[&function.field][0];
        if !taken.required {
            continue;
        }
        out.push((ask(""), Value::Null, INVALID, "by"));
        out.push((ask("(by: null)"), Value::Null, INVALID, ""));
        let Source::Column(entity, at) = taken.of else {
            continue;
        };
        let longest = function.arguments[0].longest;
        if let (Scalar::String, Some(longest)) =
            (&world.entities[entity].columns[at].scalar, longest)
        {
            let text = "ä".repeat(longest + 1);
            let long = ask(&format!("(by: \"{text}\")"));
            out.push((long, Value::Null, BAD, "at most"));
        }
    }
}
