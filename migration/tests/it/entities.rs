//! Entities against live columns, and declarations against the catalog, the grants and the constraints.

use std::collections::{BTreeMap, BTreeSet};

use eventsphere_entities::permissions;
use eventsphere_graphql::{
    Catalog,
    catalog::{Entity, Field},
    declare::camel_case,
};
use sea_orm::{ColumnTrait, ColumnType, EntityTrait, IdenStatic as _, Iterable as _};
use sqlx::PgConnection;

use crate::common::{Database, texts};

/// Name, type, nullability and presence of a default, in one line.
type Columns = BTreeSet<String>;

fn described<E: EntityTrait>() -> (String, Columns)
where
    E::Column: sea_orm::Iterable,
{
    let columns = E::Column::iter()
        .map(|column| {
            let definition = column.def();
            let nullable = if definition.is_null() {
                "null"
            } else {
                "not null"
            };
            format!(
                "{} {} {nullable}",
                column.as_str(),
                type_name(definition.get_column_type())
            )
        })
        .collect();
    (E::default().table_name().to_owned(), columns)
}

fn type_name(column_type: &ColumnType) -> String {
    match column_type {
        ColumnType::Uuid => "uuid".to_owned(),
        ColumnType::Text => "text".to_owned(),
        ColumnType::Boolean => "boolean".to_owned(),
        ColumnType::SmallInteger => "smallint".to_owned(),
        ColumnType::Integer => "integer".to_owned(),
        ColumnType::BigInteger => "bigint".to_owned(),
        ColumnType::TimestampWithTimeZone => "timestamp with time zone".to_owned(),
        ColumnType::VarBinary(_) => "bytea".to_owned(),
        ColumnType::JsonBinary => "jsonb".to_owned(),
        ColumnType::Array(inner) => match inner.as_ref() {
            ColumnType::String(_) | ColumnType::Text => "text[]".to_owned(),
            other => format!("{other:?}[]"),
        },
        other => format!("{other:?}"),
    }
}

macro_rules! all {
    ($($module:ident),+ $(,)?) => {
        BTreeMap::from([$(described::<eventsphere_entities::$module::Entity>()),+])
    };
}

fn entities() -> BTreeMap<String, Columns> {
    all![
        api_token_secrets,
        api_tokens,
        attendees,
        audit_log,
        branding,
        capacity_pools,
        check_in_list_ticket_types,
        check_in_lists,
        check_ins,
        deprecated_uses,
        device_sessions,
        discount_rules,
        disputes,
        event_cancellations,
        event_online_access,
        event_signing_keys,
        events,
        fee_rules,
        hold_secrets,
        idempotency_keys,
        invitation_secrets,
        invitations,
        invoice_lines,
        invoice_series,
        invoice_taxes,
        invoices,
        job_kinds,
        job_schedules,
        job_workers,
        jobs,
        ledger_entries,
        mail_messages,
        members,
        message_account_secrets,
        message_accounts,
        message_deliveries,
        message_reminder_runs,
        message_reminders,
        message_suppressions,
        message_templates,
        occurrences,
        one_time_codes,
        organizations,
        outbox,
        outbox_sequences,
        payment_account_secrets,
        payment_accounts,
        payment_events,
        payments,
        permission_rows,
        platform_fee_terms,
        pool_claims,
        price_tiers,
        promo_code_ticket_types,
        promo_codes,
        reconciliation_differences,
        reconciliations,
        refresh_tokens,
        refunds,
        registration_item_charges,
        registration_items,
        registration_secrets,
        registration_sources,
        registrations,
        roles,
        sandbox_disputes,
        sandbox_payments,
        sandbox_refunds,
        session_speakers,
        sessions,
        signing_keys,
        speakers,
        stock_holds,
        tax_rules,
        ticket_secrets,
        ticket_transfer_secrets,
        ticket_transfers,
        ticket_type_add_ons,
        ticket_type_pools,
        ticket_types,
        tickets,
        trusted_documents,
        user_secrets,
        users,
        venues,
        waitlist_entries,
        waitlist_lines,
        waitlist_offers,
        waitlist_secrets,
        webhook_attempts,
        webhook_deliveries,
        webhook_endpoint_secrets,
        webhook_endpoints,
    ]
}

#[tokio::test]
async fn entities_say_what_the_tables_are() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let tables = texts(
        &mut connection,
        "select relname::text
         from pg_class
         where relnamespace = 'public'::regnamespace
           and relkind in ('r', 'p')
           and relname <> 'seaql_migrations'
         order by relname",
    )
    .await;
    let entities = entities();
    assert_eq!(
        tables,
        entities.keys().cloned().collect::<Vec<_>>(),
        "one entity a table"
    );
    for (table, columns) in &entities {
        let live: Columns = texts(
            &mut connection,
            &format!(
                "select format(
                   '%s %s %s', attname, format_type(atttypid, null), case when attnotnull then 'not null' else 'null' end
                 )
                 from pg_attribute
                 where attrelid = '{table}'::regclass
                   and attnum > 0
                   and not attisdropped"
            ),
        )
        .await
        .into_iter()
        .collect();
        assert_eq!(&live, columns, "{table}");
    }
    drop(connection);
    database.end().await;
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for declaration in eventsphere_entities::declarations() {
        catalog.add_entity(declaration.entity).expect("unique");
        for enum_type in declaration.enums {
            catalog.add_enum(enum_type);
        }
    }
    catalog
}

#[test]
fn declarations_make_a_catalog_with_a_word_on_everything() {
    let catalog = catalog();
    catalog.check().expect("a sound catalog");
    assert_eq!(catalog.entities.len(), 63);
    let mut silent = vec![];
    for entity in catalog.entities.values() {
        for column in &entity.columns {
            if column.description.is_empty() {
                silent.push(format!("{}.{}", entity.table, column.name));
            }
            assert!(
                !column.description.contains('\n'),
                "{}.{}",
                entity.table,
                column.name
            );
        }
        if let Some(scope) = &entity.scope {
            assert!(
                permissions::permission(scope).is_some(),
                "{} asks for {scope}",
                entity.name
            );
        }
        if let Some(writes) = &entity.writes {
            assert!(
                permissions::permission(&writes.scope).is_some(),
                "{}",
                entity.name
            );
        }
        for (name, field) in &entity.fields {
            if let Field::Relation(relation) = field
                && let Some(target) = catalog.entity_of_table(&relation.target_table)
                && relation.required
                && let (Some(ours), Some(theirs)) = (&entity.scope, &target.scope)
            {
                assert_eq!(
                    ours, theirs,
                    "{}.{name} may be invisible: it must be nullable",
                    entity.name
                );
            }
        }
    }
    assert!(silent.is_empty(), "{silent:?}");
    for enum_type in catalog.enums.values() {
        assert!(!enum_type.description.is_empty(), "{}", enum_type.name);
        assert!(
            enum_type
                .values
                .iter()
                .all(|value| !value.description.is_empty()),
            "{}",
            enum_type.name
        );
    }
}

#[tokio::test]
async fn enums_have_the_words_that_the_tables_accept() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let catalog = catalog();
    let mut checked = 0;
    for entity in catalog.entities.values() {
        for column in &entity.columns {
            let eventsphere_graphql::Scalar::Enum(name) = &column.scalar else {
                continue;
            };
            let accepted: BTreeSet<String> = texts(
                &mut connection,
                &format!(
                    "select word[1]
                     from pg_constraint c, regexp_matches(pg_get_constraintdef(c.oid), '''(\\w+)''', 'g') as word
                     where c.contype = 'c'
                       and c.conrelid = '{table}'::regclass
                       and c.conkey = array[
                         (select attnum from pg_attribute where attrelid = '{table}'::regclass and attname = '{column}')
                       ]",
                    table = entity.table,
                    column = column.name
                ),
            )
            .await
            .into_iter()
            .collect();
            let declared: BTreeSet<String> = catalog.enums[name]
                .values
                .iter()
                .map(|value| value.stored.clone())
                .collect();
            assert_eq!(accepted, declared, "{}.{}", entity.table, column.name);
            checked += 1;
        }
    }
    assert_eq!(checked, 43);
    drop(connection);
    database.end().await;
}

/// Columns of the table that es_member may write that way.
async fn granted(connection: &mut PgConnection, table: &str, privilege: &str) -> BTreeSet<String> {
    texts(
        connection,
        &format!(
            "select attname::text
             from pg_attribute
             where attrelid = '{table}'::regclass
               and attnum > 0
               and not attisdropped
               and has_column_privilege('es_member', attrelid, attnum, '{privilege}')"
        ),
    )
    .await
    .into_iter()
    .collect()
}

#[tokio::test]
async fn members_may_write_exactly_what_the_api_offers() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    for entity in catalog().entities.values() {
        let writes = entity.writes.clone().unwrap_or_default();
        let mut create: BTreeSet<String> = writes.create.iter().cloned().collect();
        if !create.is_empty() {
            create.insert(entity.key.clone());
            create.extend(writes.filled.iter().map(|(column, _)| column.clone()));
        }
        assert_eq!(
            granted(&mut connection, &entity.table, "insert").await,
            create,
            "create {}",
            entity.name
        );
        let update: BTreeSet<String> = writes.update.iter().cloned().collect();
        assert_eq!(
            granted(&mut connection, &entity.table, "update").await,
            update,
            "update {}",
            entity.name
        );
        let deletes = texts(
            &mut connection,
            &format!(
                "select has_table_privilege('es_member', '{}', 'delete')::text",
                entity.table
            ),
        )
        .await;
        assert_eq!(
            deletes,
            [writes.delete.to_string()],
            "delete {}",
            entity.name
        );
    }
    drop(connection);
    database.end().await;
}

fn inputs(entity: &Entity) -> BTreeSet<String> {
    let writes = entity.writes.clone().unwrap_or_default();
    let mut fields: BTreeSet<String> = writes
        .create
        .iter()
        .chain(&writes.update)
        .map(|column| camel_case(column))
        .collect();
    for field in entity.fields.values() {
        if let Field::Money(money) = field {
            fields.insert(money.field.clone());
        }
    }
    // `id` is what update and delete name the row by; none: about the whole input.
    fields.extend([String::new(), "id".to_owned()]);
    fields
}

#[tokio::test]
async fn every_constraint_that_a_generated_write_can_meet_is_explained() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    for entity in catalog().entities.values() {
        let Some(writes) = &entity.writes else {
            continue;
        };
        let inputs = inputs(entity);
        for (constraint, (field, message)) in &writes.constraints {
            assert!(
                inputs.contains(field),
                "{constraint} speaks of {field}, no input of {}",
                entity.name
            );
            assert!(message.ends_with('.'), "{constraint}");
        }
        let columns: Vec<String> = writes
            .create
            .iter()
            .chain(&writes.update)
            .map(|column| format!("'{column}'"))
            .collect();
        let met: BTreeSet<String> = texts(
            &mut connection,
            &format!(
                "select distinct c.conname::text
                 from pg_constraint c
                 join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
                 where c.conrelid = '{table}'::regclass
                   and c.contype in ('c', 'f', 'u')
                   and (a.attname in ({columns}) or c.contype = 'u' and a.attname = 'org_id' and cardinality(c.conkey) = 1)
                   -- Holds by its first half: the key alone is unique.
                   and not (c.contype = 'u' and exists (
                     select from pg_attribute k where k.attrelid = c.conrelid and k.attnum = any (c.conkey) and k.attname = 'id'
                   ))",
                table = entity.table,
                columns = columns.join(", ")
            ),
        )
        .await
        .into_iter()
        .collect();
        let explained: BTreeSet<String> = writes.constraints.keys().cloned().collect();
        let silent: Vec<_> = met.difference(&explained).collect();
        assert!(silent.is_empty(), "{}: {silent:?}", entity.name);
        for constraint in explained.difference(&met) {
            let exists = texts(
                &mut connection,
                &format!(
                    "select conname::text from pg_constraint
                     where conname = '{constraint}'
                       and (
                         confrelid = '{table}'::regclass
                         -- Or it is met by a row that triggers keep beside each of ours, as the pool of a tier.
                         or array[conrelid, confrelid] && array(
                           select beside.confrelid
                           from pg_constraint beside
                           join pg_index i on i.indrelid = beside.conrelid and i.indnatts = 1
                           join pg_attribute k on k.attrelid = beside.conrelid and k.attnum = i.indkey[0]
                           where beside.conrelid = '{table}'::regclass
                             and beside.contype = 'f'
                             and k.attnum = any (beside.conkey)
                             and i.indisunique
                             and not i.indisprimary
                             and k.attname not in ({columns})
                         )
                       )",
                    table = entity.table,
                    columns = columns.join(", ")
                ),
            )
            .await;
            assert_eq!(exists.len(), 1, "{}: there is no {constraint}", entity.name);
        }
        if writes.delete {
            let blocking = texts(
                &mut connection,
                &format!(
                    "select conname::text from pg_constraint
                     where contype = 'f' and confrelid = '{}'::regclass and confdeltype in ('a', 'r')",
                    entity.table
                ),
            )
            .await;
            for constraint in blocking {
                assert!(
                    explained.contains(&constraint),
                    "delete of {} meets {constraint}",
                    entity.name
                );
            }
        }
    }
    drop(connection);
    database.end().await;
}

/// `createX` may leave out what has a default; the entity must know which columns these are.
#[tokio::test]
async fn defaults_of_writable_columns_are_known() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let known = defaults();
    for entity in catalog().entities.values() {
        let Some(writes) = &entity.writes else {
            continue;
        };
        for column in &writes.create {
            let live = texts(
                &mut connection,
                &format!(
                    "select atthasdef::text from pg_attribute
                     where attrelid = '{}'::regclass and attname = '{column}'",
                    entity.table
                ),
            )
            .await;
            let declared = known.contains(&(entity.table.clone(), column.clone()));
            assert_eq!(live, [declared.to_string()], "{}.{column}", entity.table);
        }
    }
    drop(connection);
    database.end().await;
}

fn defaults() -> BTreeSet<(String, String)> {
    fn of<E: EntityTrait>(into: &mut BTreeSet<(String, String)>)
    where
        E::Column: sea_orm::Iterable,
    {
        for column in E::Column::iter() {
            if column.def().get_column_default().is_some() {
                into.insert((
                    E::default().table_name().to_owned(),
                    column.as_str().to_owned(),
                ));
            }
        }
    }
    use eventsphere_entities as e;
    let mut found = BTreeSet::new();
    of::<e::branding::Entity>(&mut found);
    of::<e::venues::Entity>(&mut found);
    of::<e::event_online_access::Entity>(&mut found);
    of::<e::sessions::Entity>(&mut found);
    of::<e::speakers::Entity>(&mut found);
    of::<e::session_speakers::Entity>(&mut found);
    of::<e::capacity_pools::Entity>(&mut found);
    of::<e::check_in_lists::Entity>(&mut found);
    of::<e::check_in_list_ticket_types::Entity>(&mut found);
    of::<e::ticket_types::Entity>(&mut found);
    of::<e::ticket_type_pools::Entity>(&mut found);
    of::<e::ticket_type_add_ons::Entity>(&mut found);
    of::<e::price_tiers::Entity>(&mut found);
    of::<e::discount_rules::Entity>(&mut found);
    of::<e::promo_codes::Entity>(&mut found);
    of::<e::promo_code_ticket_types::Entity>(&mut found);
    of::<e::tax_rules::Entity>(&mut found);
    of::<e::fee_rules::Entity>(&mut found);
    of::<e::message_suppressions::Entity>(&mut found);
    of::<e::message_reminders::Entity>(&mut found);
    found
}
