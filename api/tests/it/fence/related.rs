//! Every filter by related rows, asked with values of another organization's rows.

use eventsphere_graphql::{
    catalog::{Cardinality, Catalog, Entity, Relation},
    global_id,
};
use serde_json::{Value, json};

use super::{
    document::{paths, relations, target},
    filters::{
        A_DOCUMENT, Case, nobody_tells_them_apart, operand_of, parent, the_owner_finds_something,
    },
    reads::Secrets,
    rows::Rows,
    world::reading,
};

/// The rows that the relation leads to from this one.
fn reached<'r>(
    catalog: &Catalog,
    relation: &Relation,
    row: &Value,
    rows: &'r Rows,
) -> Vec<&'r Value> {
    let theirs = rows
        .of(target(catalog, relation))
        .iter()
        .map(|(_, row)| row);
    let ours = &row[&relation.from_column];
    let Some((link, our_key, their_key)) = &relation.through else {
        return theirs
            .filter(|row| row[&relation.to_column] == *ours)
            .collect();
    };
    let link = catalog.entity_of_table(link).expect("the link's entity");
    let links: Vec<&Value> = rows
        .of(link)
        .iter()
        .map(|(_, link)| link)
        .filter(|link| link[our_key] == *ours)
        .map(|link| &link[their_key])
        .collect();
    theirs
        .filter(|row| links.contains(&&row[&relation.to_column]))
        .collect()
}

/// The ways to say that a related row meets the condition.
fn said(relation: &Relation, condition: &Value) -> Vec<(&'static str, Value)> {
    let field = &relation.field;
    match relation.cardinality {
        Cardinality::ToMany => vec![
            ("some", json!({ field: { "some": condition } })),
            // The same again, so that the owner finds the row by it too.
            ("none", json!({ "not": { field: { "none": condition } } })),
        ],
        _ => vec![("is", json!({ field: condition }))],
    }
}

fn cases<'a>(catalog: &'a Catalog, secrets: &Secrets) -> Vec<Case<'a>> {
    let mut cases = vec![];
    for entity in catalog.entities.values() {
        for relation in relations(entity).filter(|relation| relation.filterable) {
            for path in paths(catalog, entity) {
                let found = found(catalog, entity, relation, secrets, |row| {
                    parent(catalog, &path, row, &secrets.rows)
                });
                assert!(
                    !found.is_empty(),
                    "the world has no closed row to filter {} by {}",
                    path.name(),
                    relation.field
                );
                for (column, value, nothing, parent) in found {
                    let of_value = said(relation, &json!({ &column: { "eq": value } }));
                    let of_nothing = said(relation, &json!({ &column: { "eq": nothing } }));
                    for ((way, filter), (_, of_nothing)) in of_value.into_iter().zip(of_nothing) {
                        cases.push(Case {
                            name: format!("{}({}.{way}.{column})", path.name(), relation.field),
                            path: path.clone(),
                            entity,
                            parent: parent.clone(),
                            filter,
                            of_nothing,
                            whole: false,
                        });
                    }
                }
            }
        }
    }
    cases
}

/// For each filterable column of the related entity: its field, a value of a row that a closed row of B is related to,
/// a value that nothing has, and the parent through which that row of B is listed.
fn found(
    catalog: &Catalog,
    entity: &Entity,
    relation: &Relation,
    secrets: &Secrets,
    parent: impl Fn(&Value) -> Option<Option<String>>,
) -> Vec<(String, Value, Value, Option<String>)> {
    let closed = secrets.closed(entity);
    let theirs = target(catalog, relation);
    let mut out = vec![];
    for column in theirs.columns.iter().filter(|column| column.filterable) {
        let first = secrets.rows.of(entity).iter().find_map(|(key, row)| {
            let id = global_id::encode(entity.tag, (*key)?);
            let parent = closed.contains(&id).then(|| parent(row)).flatten()?;
            let related = reached(catalog, relation, row, &secrets.rows);
            let operand = related
                .into_iter()
                .find_map(|row| operand_of(catalog, column, row))?;
            Some((operand, parent))
        });
        let Some(((value, nothing), parent)) = first else {
            continue;
        };
        // What both sides have is no sign of the other one.
        let shared = secrets.own.of(theirs).iter().any(|(_, row)| {
            operand_of(catalog, column, row).is_some_and(|(ours, _)| ours == value)
        });
        let nothing = if shared { value.clone() } else { nothing };
        out.push((column.field.clone(), value, nothing, parent));
    }
    out
}

part!(
    a_filter_by_foreign_related_rows_finds_what_one_by_none_finds,
    RELATED,
    related
);

async fn related() {
    let (app, world) = reading().await;
    let secrets = Secrets::read(&app, world).await;
    let cases = cases(&app.app.engine.catalog, &secrets);
    the_owner_finds_something(&app, world, &cases, A_DOCUMENT / 2).await;
    nobody_tells_them_apart(&app, world, &secrets, cases, A_DOCUMENT / 2).await;
}
