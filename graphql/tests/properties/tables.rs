//! The tables, functions and rows of a world in PostgreSQL.

use eventsphere_graphql::{
    Scalar,
    catalog::{Computed, Field},
};
use tokio_postgres::{Client, types::ToSql};

use crate::world::World;

fn pg_type(scalar: &Scalar) -> String {
    match scalar {
        // Text is compared by its bytes, so that we can too.
        Scalar::String | Scalar::Enum(_) => "text collate \"C\"".to_owned(),
        other => other.pg_type().to_owned(),
    }
}

pub async fn make(world: &World, client: &Client) {
    let mut sql = format!("create schema {0}; set search_path = {0};\n", world.schema);
    for entity in &world.entities {
        let columns: Vec<String> = entity
            .columns
            .iter()
            .map(|column| {
                let unique = world.is_unique(&entity.table, &column.name);
                let own = match (column.name == entity.key, column.nullable) {
                    (true, _) => " primary key",
                    (_, false) => " not null",
                    (_, true) if unique => " unique",
                    _ => "",
                };
                format!("{} {}{own}", column.name, pg_type(&column.scalar))
            })
            .collect();
        sql += &format!("create table {} ({});\n", entity.table, columns.join(", "));
    }
    for table in world.links.keys() {
        sql += &format!("create table {table} (a uuid, b uuid, primary key (a, b));\n");
    }
    for entity in &world.entities {
        for field in entity.fields.values() {
            if let Field::Computed(computed) = field {
                sql += &shows(world, computed);
            }
        }
    }
    for (function, call) in &world.calls {
        sql += &call.sql(function, world);
    }
    client
        .batch_execute(&sql)
        .await
        .unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    for (entity, rows) in world.entities.iter().zip(&world.rows) {
        let places: Vec<String> = (1..=entity.columns.len())
            .map(|n| format!("${n}"))
            .collect();
        let insert = format!(
            "insert into {} values ({})",
            entity.table,
            places.join(", ")
        );
        let insert = client.prepare(&insert).await.expect("an insert");
        for row in rows {
            let values: Vec<_> = row
                .iter()
                .zip(&entity.columns)
                .map(|(value, column)| value.to_sql(&column.scalar))
                .collect();
            let params: Vec<&(dyn ToSql + Sync)> = values
                .iter()
                .map(|value| value.as_ref() as &(dyn ToSql + Sync))
                .collect();
            client.execute(&insert, &params).await.expect("a row");
        }
    }
    for (table, pairs) in &world.links {
        let insert = format!("insert into {table} values ($1, $2)");
        for (a, b) in pairs {
            client.execute(&insert, &[a, b]).await.expect("a link");
        }
    }
}

fn shows(world: &World, computed: &Computed) -> String {
    let (entity, column) = world.shows[&computed.function];
    let entity = &world.entities[entity];
    let (function, column) = (&computed.function, &entity.columns[column]);
    let of = column.scalar.pg_type();
    let shown = format!(
        "select {} from {}.{} where {} = $1",
        column.name, world.schema, entity.table, entity.key
    );
    let (takes, body) = match computed.arguments.first() {
        None => ("uuid".to_owned(), shown),
        Some(argument) if argument.name == "when" => (
            "uuid, bool".to_owned(),
            format!("{shown} and coalesce($2, true)"),
        ),
        Some(_) => (format!("uuid, {of}"), "select $2".to_owned()),
    };
    format!(
        "create function {function}({takes}) returns {of} stable language sql as $$ {body} $$;\n"
    )
}
