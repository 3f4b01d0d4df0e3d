//! What may be filtered, ordered or walked to has an index that serves it.

use std::collections::BTreeMap;

use eventsphere_graphql::catalog::{Cardinality, Entity, Field};

use crate::common::{Database, texts};

/// Columns of every index, by table.
async fn indexes(database: &Database) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut connection = database.connect().await;
    let lines = texts(
        &mut connection,
        "select format('%s %s', i.indrelid::regclass, string_agg(a.attname, ',' order by k.place))
         from pg_index i, unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
         join pg_attribute a on a.attnum = k.attnum
         where a.attrelid = i.indrelid
           -- Whoever looks a column up by a value needs no rows where it is null.
           and (
             i.indpred is null
             or pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', (
               select c.attname from pg_attribute c where c.attrelid = i.indrelid and c.attnum = i.indkey[0]
             ))
           )
         group by i.indexrelid, i.indrelid",
    )
    .await;
    let mut found: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for line in lines {
        let (table, columns) = line.split_once(' ').expect("two words");
        let columns = columns.split(',').map(str::to_owned).collect();
        found.entry(table.to_owned()).or_default().push(columns);
    }
    found
}

/// Columns that name the tenant or a parent.
fn parents(entity: &Entity) -> Vec<&str> {
    entity
        .columns
        .iter()
        .filter(|column| {
            matches!(column.scalar, eventsphere_graphql::Scalar::Id(_)) && column.name != entity.key
        })
        .map(|column| column.name.as_str())
        .collect()
}

fn starts(index: &[String], wanted: &[&str]) -> bool {
    index.len() >= wanted.len()
        && index
            .iter()
            .zip(wanted)
            .all(|(found, wanted)| found == wanted)
}

#[tokio::test]
async fn filters_orders_and_relations_are_served_by_an_index() {
    let database = Database::migrated().await;
    let indexes = indexes(&database).await;
    let declarations = eventsphere_entities::declarations();
    let mut missing = vec![];
    for entity in declarations.iter().map(|declaration| &declaration.entity) {
        let ours = indexes.get(&entity.table).cloned().unwrap_or_default();
        let parents = parents(entity);
        let behind_a_parent = |wanted: &[&str]| {
            parents.iter().any(|parent| {
                let mut whole = vec![*parent];
                whole.extend(wanted);
                ours.iter().any(|index| starts(index, &whole))
            })
        };
        for column in &entity.columns {
            let name = column.name.as_str();
            if column.filterable
                && !behind_a_parent(&[name])
                && !ours.iter().any(|index| starts(index, &[name]))
            {
                missing.push(format!("filter {}.{name}", entity.table));
            }
            let unique = parents
                .iter()
                .any(|parent| ours.iter().any(|index| index == &[*parent, name]));
            if column.orderable && !unique && !behind_a_parent(&[name, entity.key.as_str()]) {
                missing.push(format!("order {}.{name}", entity.table));
            }
        }
        for field in entity.fields.values() {
            let Field::Relation(relation) = field else {
                continue;
            };
            let (table, column) = match &relation.through {
                Some((link, our_key, _)) => (link, our_key),
                None if relation.cardinality == Cardinality::ToOne => continue,
                None => (&relation.target_table, &relation.to_column),
            };
            let served = indexes
                .get(table)
                .is_some_and(|indexes| indexes.iter().any(|index| starts(index, &[column])));
            if !served {
                missing.push(format!(
                    "{}.{} walks {table}.{column}",
                    entity.name, relation.field
                ));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    database.end().await;
}

#[tokio::test]
async fn a_root_connection_is_ordered_by_an_index_for_members_and_for_visitors() {
    let database = Database::migrated().await;
    let indexes = indexes(&database).await;
    for declaration in eventsphere_entities::declarations() {
        let entity = declaration.entity;
        if entity.root_many.is_none() {
            continue;
        }
        let ours = &indexes[&entity.table];
        let (column, _) = &entity.default_order[0];
        assert!(
            ours.iter().any(|index| starts(index, &["org_id", column])),
            "members ask {} by {column}",
            entity.table
        );
        if entity.table == "events" {
            for column in entity.columns.iter().filter(|column| column.orderable) {
                assert!(
                    ours.iter()
                        .any(|index| starts(index, &[&column.name, "id"])),
                    "visitors ask {} of all organizations by {}",
                    entity.table,
                    column.name
                );
            }
        }
    }
    database.end().await;
}
