//! Every filterable column with every operator, asked with values of another organization: what is found is one's
//! own, and a value that exists elsewhere is answered with the same bytes as one that exists nowhere.

use eventsphere_graphql::{
    catalog::{Catalog, Column, Entity, Scalar},
    global_id,
};
use serde_json::{Value, json};

use super::{
    ask::Who,
    document::{Path, all_paths, is_filterable, scalars},
    reads::{Secrets, ask_all, of_nothing},
    rows::Rows,
    world::{World, reading},
};
use crate::harness::TestApp;

/// More than one condition a field and twenty conditions an operation are refused.
pub(super) const A_DOCUMENT: usize = 18;
const LONG_AGO: &str = "1999-01-01T00:00:00Z";
const FAR_AHEAD: &str = "2999-01-01T00:00:00Z";

/// One operator on one column of one connection, with a value of B that finds a row of B.
pub(super) struct Case<'a> {
    pub name: String,
    pub path: Path<'a>,
    pub entity: &'a Entity,
    pub parent: Option<String>,
    pub filter: Value,
    /// The same with a value that nothing has.
    pub of_nothing: Value,
    /// Whether everything of what it finds is asked for: which rows are found, their ids say.
    pub whole: bool,
}

/// Operators of a column with an operand that holds for the value, and one of nothing in its place.
fn operators(scalar: &Scalar, value: &Value, other: &Value) -> Vec<(&'static str, Value, Value)> {
    let mut all = vec![
        ("eq", value.clone(), other.clone()),
        ("in", json!([value]), json!([other])),
        ("ne", other.clone(), other.clone()),
        ("notIn", json!([other]), json!([other])),
        ("isNull", json!(false), json!(false)),
    ];
    let (least, most) = match scalar {
        Scalar::DateTime => (json!(LONG_AGO), json!(FAR_AHEAD)),
        Scalar::Date => (json!(&LONG_AGO[..10]), json!(&FAR_AHEAD[..10])),
        Scalar::String => (json!(""), json!("~~~~")),
        Scalar::Int => (json!(i32::MIN), json!(i32::MAX)),
        Scalar::BigInt => (json!(i64::MIN.to_string()), json!(i64::MAX.to_string())),
        _ => return all,
    };
    for (operator, operand) in [
        ("lt", &most),
        ("lte", &most),
        ("gt", &least),
        ("gte", &least),
    ] {
        all.push((operator, operand.clone(), operand.clone()));
    }
    if matches!(scalar, Scalar::String) {
        all.push(("startsWith", value.clone(), other.clone()));
    }
    all
}

/// A value of the column as a filter takes it, and one of the same kind that no row has.
pub(super) fn operand_of(
    catalog: &Catalog,
    column: &Column,
    row: &Value,
) -> Option<(Value, Value)> {
    let value = &row[&column.name];
    let text = value.as_str();
    Some(match &column.scalar {
        Scalar::Id(name) => {
            let tag = catalog.entities.get(name)?.tag;
            let id = global_id::encode(tag, text?.parse().ok()?);
            (json!(id), json!(of_nothing(&id)))
        }
        Scalar::String => (value.clone(), json!(format!("{}!", text?))),
        // Every organization has the same few: another one is no secret.
        Scalar::Enum(name) => {
            let known = &catalog.enums.get(name)?.values;
            let other = known
                .iter()
                .find(|item| Some(item.stored.as_str()) != text)?;
            (json!(text?.to_uppercase()), json!(other.shown))
        }
        Scalar::DateTime => (value.clone(), json!("2998-01-01T00:00:00Z")),
        Scalar::BigInt => (json!(value.to_string()), json!("-77")),
        Scalar::Date => (value.clone(), json!("2998-01-01")),
        Scalar::Int => (value.clone(), json!(-77)),
        Scalar::Boolean => (value.clone(), json!(!value.as_bool()?)),
        Scalar::StringList => return None,
    })
}

fn cases<'a>(catalog: &'a Catalog, secrets: &Secrets) -> Vec<Case<'a>> {
    let rows = &secrets.rows;
    let mut cases = vec![];
    for entity in catalog
        .entities
        .values()
        .filter(|entity| is_filterable(entity))
    {
        let closed = secrets.closed(entity);
        let hidden = |key: &Option<uuid::Uuid>| {
            key.is_some_and(|key| closed.contains(&global_id::encode(entity.tag, key)))
        };
        let before = cases.len();
        for path in all_paths(catalog, entity) {
            for column in entity.columns.iter().filter(|column| column.filterable) {
                let found = rows
                    .of(entity)
                    .iter()
                    .filter(|(key, _)| hidden(key))
                    .find_map(|(_, row)| {
                        let operands = operand_of(catalog, column, row)?;
                        Some((operands, parent(catalog, &path, row, rows)?))
                    });
                let ((value, other), parent) = found.unwrap_or_else(|| {
                    panic!(
                        "the world has no closed row to filter {} by {}",
                        path.name(),
                        column.field
                    )
                });
                for (operator, operand, nothing) in operators(&column.scalar, &value, &other) {
                    // Which rows a function gives is its own affair: what holds for all of them finds some.
                    if path.is_function() && !matches!(operator, "ne" | "isNull") {
                        continue;
                    }
                    // What both sides have is no sign of the other one.
                    let shared = secrets.own.of(entity).iter().any(|(_, row)| {
                        operand_of(catalog, column, row).is_some_and(|(ours, _)| ours == value)
                    });
                    let nothing = if shared { operand.clone() } else { nothing };
                    cases.push(Case {
                        name: format!("{}({}.{operator})", path.name(), column.field),
                        path: path.clone(),
                        entity,
                        parent: parent.clone(),
                        filter: json!({ &column.field: { operator: operand } }),
                        of_nothing: json!({ &column.field: { operator: nothing } }),
                        whole: false,
                    });
                }
            }
        }
        if let Some(first) = cases.get(before) {
            let joined = joined(first);
            cases.extend(joined);
        }
    }
    cases
}

/// The same condition, said together with others.
fn joined<'a>(case: &Case<'a>) -> Vec<Case<'a>> {
    let join = |way: &str, filter: &Value| match way {
        "not" => json!({ "not": { "not": filter } }),
        way => json!({ way: [filter] }),
    };
    let each = ["and", "or", "not"].map(|way| Case {
        name: format!("{} {way}", case.name),
        path: case.path.clone(),
        entity: case.entity,
        parent: case.parent.clone(),
        filter: join(way, &case.filter),
        of_nothing: join(way, &case.of_nothing),
        whole: way == "and",
    });
    each.into()
}

/// The id of the parent through which the path leads to this row; `Some(None)` for a root field.
pub fn parent(
    catalog: &Catalog,
    path: &Path<'_>,
    row: &Value,
    rows: &Rows,
) -> Option<Option<String>> {
    let (parent, relation) = match path {
        Path::Root(_) | Path::Function(_) => return Some(None),
        // Of the closed event, where there is one.
        Path::Rows(parent, _) => {
            let closed = |row: &Value| {
                row["slug"]
                    .as_str()
                    .is_none_or(|slug| slug.ends_with("-closed-day"))
            };
            let (key, _) = rows.of(parent).iter().find(|(_, row)| closed(row))?;
            return Some(Some(global_id::encode(parent.tag, (*key)?)));
        }
        Path::Of(parent, relation) => (parent, relation),
    };
    let key = match &relation.through {
        None => row[&relation.to_column].as_str()?.to_owned(),
        Some((link, ours, theirs)) => {
            let link = catalog.entity_of_table(link)?;
            let links = rows.of(link).iter();
            links
                .map(|(_, link)| link)
                .find(|link| link[theirs] == row[&relation.to_column])?[ours]
                .as_str()?
                .to_owned()
        }
    };
    let key = key.parse().ok()?;
    // A person is seen by fellow members, devices by the person alone: the one who does both is the owner.
    let owner = |(known, person): &(Option<uuid::Uuid>, Value)| {
        *known == Some(key)
            && person["email"]
                .as_str()
                .is_some_and(|email| email.starts_with("owner@"))
    };
    if parent.table == "users" && !rows.of(parent).iter().any(owner) {
        return None;
    }
    Some(Some(global_id::encode(parent.tag, key)))
}

/// A document for several cases; `parent` chooses which parent each is asked through.
fn document(
    cases: &[Case<'_>],
    filter: impl Fn(&Case<'_>) -> Value,
    parent: impl Fn(&Case<'_>) -> Option<String>,
) -> (String, Value) {
    let (mut header, mut body, mut variables) = (String::new(), String::new(), json!({}));
    for (index, case) in cases.iter().enumerate() {
        let alias = format!("c{index}");
        header += &format!(
            "${alias}: {}Filter {} ",
            case.entity.name,
            case.path.variable(&alias)
        );
        let arguments = format!("first: 5, filter: ${alias}");
        let shown = match case.whole {
            true => scalars(case.entity),
            false => "id".to_owned(),
        };
        let inner = format!("totalCount nodes {{ {shown} }}");
        body += &case.path.ask(&alias, &arguments, &inner);
        variables[&alias] = filter(case);
        if let Some(parent) = parent(case) {
            variables[format!("{alias}_parent")] = json!(parent);
        }
    }
    (format!("query({header}) {{ {body} }}"), variables)
}

/// Every case as these people: with B's value and with one of nothing, the answers pairwise after each other.
async fn pairs(
    app: &TestApp,
    cases: &[Case<'_>],
    people: &[Who],
    size: usize,
    parent: impl Fn(&Case<'_>) -> Option<String> + Copy,
    world: &World,
    secrets: &Secrets,
) {
    let mut questions = vec![];
    for chunk in cases.chunks(size) {
        let foreign = document(chunk, |case| case.filter.clone(), parent);
        let nothing = document(chunk, |case| case.of_nothing.clone(), parent);
        for who in people {
            for (query, variables) in [&foreign, &nothing] {
                questions.push((who.clone(), query.clone(), variables.clone()));
            }
        }
    }
    let asked: Vec<Value> = questions
        .iter()
        .map(|(_, _, variables)| variables.clone())
        .collect();
    let answers = ask_all(app, questions).await;
    for (pair, variables) in answers.chunks(2).zip(asked.chunks(2)) {
        let (who, query, foreign) = &pair[0];
        secrets
            .of(world, who)
            .check(who, &format!("{query} {}", variables[0]), foreign);
        assert_eq!(*foreign, pair[1].2, "{} {query} {}", who.name, variables[0]);
    }
}

part!(
    a_filter_by_a_foreign_value_finds_what_one_by_no_value_finds,
    STRANGERS,
    strangers
);
part!(
    every_filter_finds_something_for_its_rightful_owner,
    OWNERS,
    owners
);

async fn strangers() {
    let (app, world) = reading().await;
    let secrets = Secrets::read(&app, world).await;
    let cases = cases(&app.app.engine.catalog, &secrets);
    nobody_tells_them_apart(&app, world, &secrets, cases, A_DOCUMENT).await;
}

/// Asks every case as every stranger, so many in a document.
pub(super) async fn nobody_tells_them_apart(
    app: &TestApp,
    world: &World,
    secrets: &Secrets,
    cases: Vec<Case<'_>>,
    size: usize,
) {
    let (roots, nested): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .partition(|case| case.path.parent().is_none());
    let nobody = |_: &Case<'_>| None;
    let (insiders, outsiders) = split(world);
    let few = size * 4 / 9;
    pairs(app, &roots, &insiders, size, nobody, world, secrets).await;
    pairs(app, &roots, &outsiders, few, nobody, world, secrets).await;
    // Through a parent: B's own, and one of A.
    let theirs = |case: &Case<'_>| case.parent.clone();
    let ours = |case: &Case<'_>| {
        let parent = case.path.parent()?;
        let key = *secrets.own.keys(parent).first()?;
        Some(global_id::encode(parent.tag, key))
    };
    let some = [world.a.member("owner").clone(), world.a.token.clone()];
    pairs(app, &nested, &some, size, theirs, world, secrets).await;
    pairs(app, &nested, &some[..1], size, ours, world, secrets).await;
    pairs(
        app,
        &nested,
        std::slice::from_ref(&world.a.guest),
        few,
        theirs,
        world,
        secrets,
    )
    .await;
}

/// Members and tokens of A; everybody else.
pub fn split(world: &World) -> (Vec<Who>, Vec<Who>) {
    let mut outsiders = world.a.outsiders();
    outsiders.push(Who::anonymous());
    (world.a.insiders(), outsiders)
}

async fn owners() {
    let (app, world) = reading().await;
    let secrets = Secrets::read(&app, world).await;
    let cases = cases(&app.app.engine.catalog, &secrets);
    the_owner_finds_something(&app, world, &cases, A_DOCUMENT).await;
}

/// The positive control of each case.
pub(super) async fn the_owner_finds_something(
    app: &TestApp,
    world: &World,
    cases: &[Case<'_>],
    size: usize,
) {
    let mut questions = vec![];
    for chunk in cases.chunks(size) {
        let (query, variables) = document(
            chunk,
            |case| case.filter.clone(),
            |case| case.parent.clone(),
        );
        questions.push((world.b.member("owner").clone(), query, variables));
    }
    let answers = ask_all(app, questions).await;
    let mut barren = vec![];
    for (chunk, (_, _, answer)) in cases.chunks(size).zip(&answers) {
        let data = &answer.json()["data"];
        for (index, case) in chunk.iter().enumerate() {
            let found = case.path.connection(data, &format!("c{index}"));
            if found["nodes"].as_array().is_none_or(Vec::is_empty) {
                barren.push(&case.name);
            }
        }
    }
    println!("filters: {} of {}", cases.len() - barren.len(), cases.len());
    assert!(barren.is_empty(), "found nothing for the owner: {barren:?}");
}
