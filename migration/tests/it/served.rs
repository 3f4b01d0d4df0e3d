//! Every filterable column by every operator that an index can serve, and every orderable column both ways, under every
//! role that may read the table. PostgreSQL is asked what it can do, not what it finds cheapest: scans of whole tables
//! and sorts are switched off, so what still shows one cannot be served. (`ne` and `notIn` are served by no index.)

use eventsphere_graphql::{
    Scalar,
    catalog::{Cardinality, Column, Entity, Field},
};
use sqlx::PgConnection;

use crate::{
    common::{Database, run, texts},
    plans::{ORG, fill},
};

const ROLES: [&str; 3] = ["es_member", "es_attendee", "es_public"];

/// A row of a parent.
const PARENT: &str = "00000000-0000-7000-8000-000000000009";

/// What each operator makes of the column.
fn conditions(column: &Column) -> Vec<String> {
    let name = &column.name;
    // The type, and values beyond all rows at either end: an index pays where few rows are met.
    let (of, low, high) = match column.scalar {
        Scalar::Id(_) => ("uuid", PARENT, PARENT),
        Scalar::DateTime => ("timestamptz", "1900-01-01", "2100-01-01"),
        Scalar::Date => ("date", "1900-01-01", "2100-01-01"),
        Scalar::String | Scalar::Enum(_) => ("text", " ", "x"),
        Scalar::Int => ("int4", "-1", "2000"),
        Scalar::BigInt => ("int8", "-1", "2000"),
        Scalar::Boolean | Scalar::StringList => return vec![format!("{name} = true")],
    };
    let mut out = vec![
        format!("{name} = '{high}'::{of}"),
        format!("{name} = any ('{{{high},{high}}}'::{of}[])"),
    ];
    let ranged = matches!(
        column.scalar,
        Scalar::DateTime | Scalar::Date | Scalar::String | Scalar::Int | Scalar::BigInt
    );
    if ranged {
        for (operator, end) in [("<", low), ("<=", low), (">", high), (">=", high)] {
            out.push(format!("{name} {operator} '{end}'::{of}"));
        }
    }
    if column.scalar == Scalar::String {
        out.push(format!("{name} ^@ '{high}'::{of}"));
    }
    if column.nullable {
        out.push(format!("{name} is null"));
    }
    out
}

/// The columns by which rows are reached from a parent.
fn parents(entities: &[Entity], table: &str) -> Vec<String> {
    let fields = entities.iter().flat_map(|entity| entity.fields.values());
    let mut found: Vec<String> = fields
        .filter_map(|field| match field {
            Field::Relation(relation)
                if relation.target_table == table
                    && relation.cardinality == Cardinality::ToMany
                    && relation.through.is_none() =>
            {
                Some(relation.to_column.clone())
            }
            _ => None,
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Whether that parent leads to so few rows by its declaration that a sort of them is none to speak of.
fn is_short(entities: &[Entity], entity: &Entity, source: &str) -> bool {
    let fields = entities.iter().flat_map(|entity| entity.fields.values());
    fields.into_iter().any(|field| {
        matches!(field, Field::Relation(relation)
            if relation.target_table == entity.table
                && source.starts_with(&format!("{} ", relation.to_column))
                && relation.fan_out <= 20)
    })
}

async fn take(connection: &mut PgConnection, role: &str, entity: &Entity) {
    let scope = entity.scope.clone().unwrap_or_default();
    run(
        connection,
        &format!(
            "begin;
             set local enable_seqscan = off; set local enable_sort = off;
             select set_config('es.org', '{}', true), set_config('es.user', '{ORG}', true),
               set_config('es.guest', '{ORG}', true), set_config('es.permissions', '{scope}', true),
               set_config('role', '{role}', true)",
            if role == "es_member" { ORG } else { "" }
        ),
    )
    .await;
}

/// From where the rows of the entity are asked: all of them, and those of each parent.
fn sources(entities: &[Entity], entity: &Entity, role: &str) -> Vec<String> {
    let mut out = vec![];
    // Visitors and attendees of no organization have one list of their own; the others are short, or behind a parent.
    if entity.root_many.is_some() && (role == "es_member" || entity.table == "events") {
        out.push("true".to_owned());
    }
    for parent in parents(entities, &entity.table) {
        if parent != "org_id" || role == "es_member" {
            out.push(format!("{parent} = '{PARENT}'"));
        }
    }
    out
}

#[tokio::test]
async fn filters_and_orders_are_served_for_every_role_that_reads() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let declared = eventsphere_entities::declarations();
    let entities: Vec<Entity> = declared.into_iter().map(|one| one.entity).collect();
    for entity in &entities {
        fill(&mut connection, &entity.table).await;
    }
    let (mut unserved, mut sorted, mut asked) = (vec![], vec![], 0);
    for entity in &entities {
        for role in ROLES {
            let reads = format!(
                "select 'yes' where has_any_column_privilege('{role}', '{}', 'select')",
                entity.table
            );
            if texts(&mut connection, &reads).await.is_empty() {
                continue;
            }
            take(&mut connection, role, entity).await;
            for source in sources(&entities, entity, role) {
                for column in entity.columns.iter().filter(|column| column.filterable) {
                    for condition in conditions(column) {
                        if source.starts_with(&format!("{} ", column.name)) {
                            continue;
                        }
                        let sql = format!(
                            "explain select id from {} where {source} and {condition}",
                            entity.table
                        );
                        let plan = texts(&mut connection, &sql).await;
                        asked += 1;
                        let by = |name: &str| {
                            plan.iter().any(|line| {
                                line.contains("Index Cond:") && line.contains(&format!("({name} "))
                            })
                        };
                        // The rows of one parent are few enough to be read.
                        let parent = source.split(' ').next().unwrap_or_default();
                        if !by(&column.name) && (source == "true" || !by(parent)) {
                            unserved.push(format!("{role}: {sql}\n{}", plan.join("\n")));
                        }
                    }
                }
                for column in entity.columns.iter().filter(|column| column.orderable) {
                    for direction in ["", " desc"] {
                        let sql = format!(
                            "explain select id from {} where {source} order by {}{direction}, id{direction} limit 21",
                            entity.table, column.name
                        );
                        let plan = texts(&mut connection, &sql).await;
                        asked += 1;
                        let sorts = |line: &String| {
                            line.contains("Sort  (") && !line.contains("Incremental Sort")
                        };
                        if plan.iter().any(sorts) && !is_short(&entities, entity, &source) {
                            sorted.push(format!("{role}: {sql}\n{}", plan.join("\n")));
                        }
                    }
                }
            }
            run(&mut connection, "rollback").await;
        }
    }
    let (many, more) = (unserved.len(), sorted.len());
    println!("{asked} plans asked for, {many} filters and {more} orders unserved");
    assert!(unserved.is_empty(), "{}", unserved.join("\n\n"));
    assert!(sorted.is_empty(), "{}", sorted.join("\n\n"));
    assert!(asked > 500, "{asked}");
    drop(connection);
    database.end().await;
}
