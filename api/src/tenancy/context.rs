//! What a transaction is told of its actor before anything else runs in it. Reads and verbs travel over two drivers;
//! this is said once, so that no policy can ever read a setting that one of them forgot.

use uuid::Uuid;

use tokio_postgres::types::{ToSql, Type};

use super::{
    actor::{ANONYMOUS, Actor, Role},
    wire::Step,
};

/// Who asks, and what else is set with it.
macro_rules! person {
    ($more:literal) => {
        concat!(
            "select set_config('es.user', $1, true), set_config('es.org', $2, true), \
             set_config('es.permissions', $3, true), set_config('es.actor', $4, true)",
            $more
        )
    };
}

/// Everything that policies read, in one statement. (`set local role` takes no parameter; set_config does the same.)
pub(super) const SETTINGS: &str = person!(
    ", set_config('es.guest', '', true), set_config('es.revealed', '', true), set_config('role', $5, true)"
);

/// The same over a connection that has its role and stands for nobody, see [`of_nobody`].
const PERSON: &str = person!("");

/// The same before a statement that is asked with keys alone. Left to itself PostgreSQL plans such a statement anew each
/// time where the kept plan merely looks dearer, and planning it takes ten times as long as running it.
const PERSON_BY_KEY: &str = person!(", set_config('plan_cache_mode', 'force_generic_plan', true)");

/// Opens registrations by the hashes of guest secrets.
pub(super) const OPEN_AS_GUEST: &str = "select es.open_as_guest($1)";

/// Nobody holds more registrations in one request, and each costs a look-up.
const MOST_SECRETS: usize = 10;

/// The parameters of [`SETTINGS`], in their order; an empty text is an absent value.
pub(super) fn of_actor(actor: &Actor, org_id: Option<Uuid>) -> [String; 5] {
    [
        text(actor.user_id()),
        text(org_id),
        actor.permissions().join(","),
        actor.audit_name(),
        actor.role().name().to_owned(),
    ]
}

/// The same for a transaction that crosses tenants.
pub(super) fn of_system(audit_name: String) -> [String; 5] {
    [
        String::new(),
        String::new(),
        String::new(),
        audit_name,
        Role::System.name().to_owned(),
    ]
}

/// [`SETTINGS`] as the first step of a flight.
pub(super) fn settings_step(settings: &[String; 5]) -> Step<'_> {
    step(SETTINGS, settings)
}

/// What a connection that only ever reads as one role starts with, and falls back to whenever a transaction ends: that
/// role, and nobody. A flight that says nothing sees what any visitor may see, or, as another role, nothing.
pub(super) fn of_nobody(role: Role) -> [(&'static str, &'static str); 7] {
    [
        ("es.user", ""),
        ("es.org", ""),
        ("es.permissions", ""),
        ("es.actor", ANONYMOUS),
        ("es.guest", ""),
        ("es.revealed", ""),
        ("role", role.name()),
    ]
}

/// Who asks, as the first step of a flight over such a connection; `by_key` as of [`eventsphere_graphql::plan::Flight`].
pub(super) fn person_step(settings: &[String; 5], by_key: bool) -> Step<'_> {
    let sql = if by_key { PERSON_BY_KEY } else { PERSON };
    step(sql, &settings[..4])
}

fn step<'a>(sql: &'static str, values: &'a [String]) -> Step<'a> {
    let value = |text| (text as &(dyn ToSql + Sync), Type::TEXT);
    Step {
        sql,
        values: values.iter().map(value).collect(),
        keep: true,
    }
}

/// [`OPEN_AS_GUEST`] as a step of a flight.
pub(super) fn guest_step(hashes: &Vec<Vec<u8>>) -> Step<'_> {
    Step {
        sql: OPEN_AS_GUEST,
        values: vec![(hashes, Type::BYTEA_ARRAY)],
        keep: true,
    }
}

/// The same for one that serves many actors of one organization.
pub(super) fn of_system_at(audit_name: String, org_id: Uuid) -> [String; 5] {
    let [user, _, permissions, actor, role] = of_system(audit_name);
    [user, org_id.to_string(), permissions, actor, role]
}

/// The parameter of [`OPEN_AS_GUEST`]; `None` when no secret came along.
pub(super) fn guest_hashes(actor: &Actor) -> Option<Vec<Vec<u8>>> {
    let hashes = &actor.guest.secret_hashes;
    (!hashes.is_empty()).then(|| {
        hashes
            .iter()
            .take(MOST_SECRETS)
            .map(|hash| hash.to_vec())
            .collect()
    })
}

fn text(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}
