//! Rules that every table, policy and function obeys, asked of `pg_catalog`; and a proof that each rule can fail.

use crate::common::{Database, run, texts};

/// Name, and a query that lists offenders.
const RULES: &[(&str, &str)] = &[
    (
        "a table with org_id forces row level security and has a policy",
        "select c.relname::text
         from pg_class c
         where c.relnamespace = 'public'::regnamespace
           and c.relkind in ('r', 'p')
           and (
             c.relname = 'organizations'
             or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped)
           )
           and not (
             c.relrowsecurity
             and c.relforcerowsecurity
             and exists (select from pg_policy p where p.polrelid = c.oid)
           )",
    ),
    (
        "any other table of ours forces it too, but for the bookkeeping of migrations",
        "select c.relname::text
         from pg_class c
         where c.relnamespace = 'public'::regnamespace
           and c.relkind in ('r', 'p')
           and c.relname <> 'seaql_migrations'
           and not (c.relrowsecurity and c.relforcerowsecurity)",
    ),
    (
        "a key between two tenant tables contains org_id on both sides",
        "select format('%s.%s', c.conrelid::regclass, c.conname)
         from pg_constraint c
         join pg_attribute ours on ours.attrelid = c.conrelid and ours.attname = 'org_id' and not ours.attisdropped
         join pg_attribute theirs on theirs.attrelid = c.confrelid and not theirs.attisdropped
           and theirs.attname = case when c.confrelid = 'organizations'::regclass then 'id' else 'org_id' end
         where c.contype = 'f'
           and array_position(c.conkey, ours.attnum) is distinct from array_position(c.confkey, theirs.attnum)
            or c.contype = 'f' and array_position(c.conkey, ours.attnum) is null",
    ),
    (
        "nothing of ours is owned by a superuser",
        "select format('%s %s', owned.kind, owned.name)
         from (
           select 'relation' as kind, oid::regclass::text as name, relowner as owner, 'pg_class'::regclass as class, oid
           from pg_class
           where relnamespace in ('public'::regnamespace, 'es'::regnamespace)
           union all
           select 'function', oid::regprocedure::text, proowner, 'pg_proc'::regclass, oid
           from pg_proc
           where pronamespace in ('public'::regnamespace, 'es'::regnamespace)
           union all
           select 'schema', nspname::text, nspowner, 'pg_namespace'::regclass, oid
           from pg_namespace
           where nspname = 'es'
         ) as owned
         join pg_roles r on r.oid = owned.owner
         where (r.rolsuper or r.rolbypassrls)
           and not exists (
             select from pg_depend d where d.classid = owned.class and d.objid = owned.oid and d.deptype = 'e'
           )",
    ),
    (
        "a security definer function belongs to es_verbs or es_system",
        "select oid::regprocedure::text
         from pg_proc
         where pronamespace in ('public'::regnamespace, 'es'::regnamespace)
           and prosecdef
           and proowner not in ('es_verbs'::regrole, 'es_system'::regrole)
           -- Only an owner may analyze. It takes a number and reads no row of ours.
           and oid <> 'public.refresh_statistics(jsonb)'::regprocedure",
    ),
    (
        "a function of ours in a language bound late fixes a search path that ends in pg_temp",
        "select p.oid::regprocedure::text
         from pg_proc p
         where p.pronamespace in ('public'::regnamespace, 'es'::regnamespace)
           -- A body in standard form is bound when it is made.
           and p.prosqlbody is null
           and not exists (
             select
             from unnest(p.proconfig) as setting
             where setting ~ '^search_path=.*pg_temp$'
           )",
    ),
    (
        "nobody executes a function of ours by being anybody",
        "select p.oid::regprocedure::text
         from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
         where p.pronamespace in ('public'::regnamespace, 'es'::regnamespace)
           and acl.grantee = 0
           and acl.privilege_type = 'EXECUTE'",
    ),
    (
        "a policy names its roles, and reads settings inside (select ...) only",
        r"select format('%s on %s', p.polname, p.polrelid::regclass)
         from pg_policy p
         where p.polroles = '{0}'
            or regexp_replace(
                 coalesce(pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''),
                 '\( SELECT es\.\w+\([^()]*\) AS \w+\)', '', 'g'
               ) ~ '\mes\.|current_setting'",
    ),
    (
        "a role that acts for one organization is bound to it wherever there is one",
        "select format('%s on %s', p.polname, p.polrelid::regclass)
         from pg_policy p
         where p.polroles && array['es_verbs'::regrole::oid, 'es_member'::regrole::oid]
           -- A restrictive one opens nothing: it only narrows what these open.
           and p.polpermissive
           and (
             p.polrelid = 'organizations'::regclass
             or p.polrelid <> 'device_sessions'::regclass
             and exists (select from pg_attribute a where a.attrelid = p.polrelid and a.attname = 'org_id' and not a.attisdropped)
           )
           and not (
             coalesce(pg_get_expr(p.polqual, p.polrelid), 'es.current_org()') like '%es.current_org()%'
             and coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'es.current_org()') like '%es.current_org()%'
           )",
    ),
    (
        "nobody but the owner may truncate, refer to or put triggers on our tables",
        "select format('%s: %s to %s', c.relname, acl.privilege_type, acl.grantee::regrole)
         from pg_class c, aclexplode(c.relacl) as acl
         where c.relnamespace in ('public'::regnamespace, 'es'::regnamespace)
           and acl.grantee <> c.relowner
           and acl.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER')",
    ),
    (
        "every constraint that a client can meet has a name of our choosing",
        "select format('%s.%s', conrelid::regclass, conname)
         from pg_constraint
         where connamespace = 'public'::regnamespace
           and contype in ('c', 'f')
           and conname ~ '_(fkey|check)[0-9]*$'
           -- Filled by the program, never by a client.
           and conname not in (
             select conname
             from pg_constraint
             where contype = 'f' and confrelid in ('organizations'::regclass, 'users'::regclass)
           )
           and conrelid::regclass::text !~ 'secret|_keys$|refresh_tokens|one_time_codes'",
    ),
];

#[tokio::test]
async fn every_rule_holds() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    for (rule, offenders) in RULES {
        let found = texts(&mut connection, offenders).await;
        assert!(found.is_empty(), "{rule}: {found:#?}");
    }
    drop(connection);
    database.end().await;
}

/// One offender for each rule, in the order of [`RULES`].
const OFFENCES: &[&str] = &[
    "create table loose (id uuid primary key, org_id uuid)",
    "create table looser (id uuid primary key)",
    "set role es_owner; create table crossing (id uuid, org_id uuid, event_id uuid references events (id)); reset role",
    "create table taken (id uuid)",
    "create function taken() returns int language sql security definer as 'select 1'",
    "create function lost() returns int language plpgsql as 'begin return 1; end'",
    "create function open_to_all() returns int language sql as 'select 1'",
    "create policy wide on venues for select to es_member using (org_id = es.current_org())",
    "create policy wide on venues for select to es_member using (true)",
    "grant truncate on venues to es_member",
    "alter table sessions add check (position < 1000000)",
];

#[tokio::test]
async fn every_rule_can_fail() {
    assert_eq!(RULES.len(), OFFENCES.len());
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    for ((rule, offenders), offence) in RULES.iter().zip(OFFENCES) {
        run(&mut connection, "begin").await;
        run(&mut connection, offence).await;
        let found = texts(&mut connection, offenders).await;
        assert!(!found.is_empty(), "`{offence}` does not offend: {rule}");
        run(&mut connection, "rollback").await;
    }
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn tables_that_the_api_does_not_show_are_out_of_reach_of_the_weak_roles() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let shown: Vec<String> = eventsphere_entities::declarations()
        .into_iter()
        .map(|declaration| declaration.entity.table)
        // What each permission means is no secret.
        .chain(["permissions".to_owned()])
        .collect();
    let reachable = texts(
        &mut connection,
        "select format('%s', c.relname)
         from pg_class c, unnest(array['es_public', 'es_attendee', 'es_member']) as role, unnest(array['select', 'insert', 'update']) as privilege
         where c.relnamespace in ('public'::regnamespace, 'es'::regnamespace)
           and c.relkind in ('r', 'p', 'v', 'm')
           and (has_table_privilege(role, c.oid, privilege || ', delete') or has_any_column_privilege(role, c.oid, privilege))
         group by c.relname",
    )
    .await;
    let leaks: Vec<_> = reachable
        .iter()
        .filter(|table| !shown.contains(table))
        .collect();
    assert!(leaks.is_empty(), "{leaks:?}");
    for table in &shown {
        assert!(
            reachable.contains(table),
            "nobody can read {table}, which the API shows"
        );
    }
    drop(connection);
    database.end().await;
}

#[tokio::test]
async fn the_log_can_only_grow() {
    let database = Database::migrated().await;
    let mut connection = database.connect().await;
    let able = texts(
        &mut connection,
        "select format('%s may %s', role, privilege)
         from unnest(array['es_public', 'es_attendee', 'es_member', 'es_verbs', 'es_system']) as role,
           unnest(array['update', 'delete']) as privilege
         where has_table_privilege(role, 'audit_log', privilege)",
    )
    .await;
    assert!(able.is_empty(), "{able:?}");
    drop(connection);
    database.end().await;
}
