//! What is really there, read behind the fence: whose row each row is, which texts give it away, whether it changed.

use std::collections::{BTreeSet, HashMap, HashSet};

use eventsphere_graphql::{
    catalog::{Catalog, Entity},
    global_id,
};
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{ask::Answer, ask::Who, ledger, world::Side};

/// Rows that visitors may see of anybody: the default is none, so a new table is closed until somebody says here why
/// its rows are public. `{public}` is the condition on an event.
const PUBLIC: &[(&str, &str)] = &[
    ("organizations", "true"),
    ("branding", "true"),
    ("events", "{events}"),
    (
        "occurrences",
        "event_id in (select id from events where {events})",
    ),
    (
        "sessions",
        "event_id in (select id from events where {events})",
    ),
    (
        "session_speakers",
        "event_id in (select id from events where {events})",
    ),
    (
        "ticket_types",
        "active and not hidden and event_id in (select id from events where {events})",
    ),
    // What goes with what is as public as both are.
    (
        "ticket_type_add_ons",
        "2 = (select count(*) from ticket_types t where t.id in (ticket_type_id, add_on_id) and t.active and not t.hidden \
         and t.event_id in (select id from events where {events}))",
    ),
    (
        "speakers",
        "id in (select speaker_id from session_speakers where event_id in (select id from events where {events}))",
    ),
    (
        "venues",
        "id in (select venue_id from events where {events})",
    ),
];
const PUBLIC_EVENTS: &str =
    "status in ('published', 'completed', 'cancelled') and visibility = 'public'";

/// People of an organization: the matrix has nobody who belongs to both sides.
fn people(org: Uuid) -> String {
    format!(
        "select user_id from members where org_id = '{org}' \
         union select user_id from registrations where org_id = '{org}' and user_id is not null"
    )
}

/// The condition under which a row of that table belongs to the organization.
pub fn belongs(table: &str, columns: &[String], org: Uuid) -> Option<String> {
    let has = |name: &str| columns.iter().any(|column| column == name);
    match table {
        "organizations" => Some(format!("id = '{org}'")),
        // The others count tiers and codes, and nobody is shown them.
        "capacity_pools" => Some(format!("org_id = '{org}' and kind = 'stock'")),
        "users" => Some(format!("id in ({})", people(org))),
        // Also kept outside any organization, by the person.
        _ if has("user_id") && (!has("org_id") || table == "device_sessions") => {
            Some(format!("user_id in ({})", people(org)))
        }
        _ if has("org_id") => Some(format!("org_id = '{org}'")),
        "refresh_tokens" => Some(format!(
            "session_id in (select id from device_sessions where user_id in ({}))",
            people(org)
        )),
        _ => None,
    }
}

/// All tables with their columns.
pub async fn tables(admin: &Client) -> Vec<(String, Vec<String>)> {
    let rows = admin
        .query(
            "select c.relname::text, array_agg(a.attname::text order by a.attnum)
             from pg_class c
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
             group by c.relname
             order by c.relname",
            &[],
        )
        .await
        .expect("the tables");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// The rows of one side, by table: key (where it is one UUID `id`) and the row as JSON.
pub struct Rows {
    by_table: HashMap<String, Vec<(Option<Uuid>, Value)>>,
}

impl Rows {
    /// Reads all rows of the side.
    pub async fn read(admin: &Client, side: &Side) -> Self {
        Self::read_where(admin, side, |_| Some("true".to_owned())).await
    }

    /// Reads those that visitors may see.
    pub async fn public(admin: &Client, side: &Side) -> Self {
        Self::read_where(admin, side, |table| {
            let rule = PUBLIC.iter().find(|(known, _)| *known == table)?;
            Some(rule.1.replace("{events}", PUBLIC_EVENTS))
        })
        .await
    }

    /// Reads what this one registration opens to whoever holds it, beyond what is public.
    pub async fn of_registrations(admin: &Client, side: &Side, condition: &str) -> Self {
        let own = format!("select r.id from registrations r where {condition}");
        let items =
            format!("select i.id from registration_items i where i.registration_id in ({own})");
        let events = format!("select r.event_id from registrations r where {condition}");
        Self::read_where(admin, side, |table| {
            Some(match table {
                "registrations" => format!("id in ({own})"),
                "registration_items" | "registration_item_charges" | "tickets" | "payments" | "refunds" | "invoices"
                | "invoice_lines" | "invoice_taxes" => {
                    format!("registration_id in ({own})")
                }
                "ticket_transfers" => format!(
                    "ticket_id in (select t.id from tickets t where t.registration_id in ({own}))"
                ),
                "ticket_type_add_ons" => format!(
                    "2 = (select count(*) from ticket_types t where t.id in (ticket_type_id, add_on_id) \
                     and (t.id in (select i.ticket_type_id from registration_items i where i.id in ({items})) \
                     or t.active and not t.hidden and t.event_id in ({events})))"
                ),
                "check_ins" => format!(
                    "outcome = 'admitted' \
                     and ticket_id in (select t.id from tickets t where t.registration_id in ({own}))"
                ),
                "attendees" => format!(
                    "id in (select i.attendee_id from registration_items i where i.id in ({items}))"
                ),
                "ticket_types" => format!(
                    "id in (select i.ticket_type_id from registration_items i where i.id in ({items})) \
                     or active and not hidden and event_id in ({events})"
                ),
                "events" => format!("id in ({events})"),
                "occurrences" | "sessions" | "session_speakers" => format!("event_id in ({events})"),
                "venues" => format!("id in (select e.venue_id from events e where e.id in ({events}))"),
                "speakers" => format!(
                    "id in (select s.speaker_id from session_speakers s where s.event_id in ({events}))"
                ),
                "event_online_access" => format!(
                    "event_id in (select r.event_id from registrations r where r.status = 'confirmed' and {condition})"
                ),
                _ => return None,
            })
        })
        .await
    }

    async fn read_where(
        admin: &Client,
        side: &Side,
        condition: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut by_table = HashMap::new();
        for (table, columns) in tables(admin).await {
            let (Some(whose), Some(which)) =
                (belongs(&table, &columns, side.org), condition(&table))
            else {
                continue;
            };
            let key = match columns.iter().any(|column| column == "id") && table != "signing_keys" {
                true => "t.id",
                false => "null::uuid",
            };
            let sql = format!(
                "select {key}, to_jsonb(t) from (select * from {table} where ({whose}) and ({which})) t order by 1"
            );
            let rows = admin
                .query(&sql, &[])
                .await
                .unwrap_or_else(|error| panic!("{error}: {sql}"));
            let rows = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            by_table.insert(table, rows);
        }
        Self { by_table }
    }

    /// Keys of that entity.
    pub fn keys(&self, entity: &Entity) -> Vec<Uuid> {
        self.of(entity).iter().filter_map(|(key, _)| *key).collect()
    }

    /// Keys of that table.
    pub fn keys_of(&self, table: &str) -> Vec<Uuid> {
        let rows = self.by_table.get(table).map_or(&[][..], Vec::as_slice);
        rows.iter().filter_map(|(key, _)| *key).collect()
    }

    /// The rows of that entity.
    pub fn of(&self, entity: &Entity) -> &[(Option<Uuid>, Value)] {
        self.by_table.get(&entity.table).map_or(&[], Vec::as_slice)
    }

    /// Every text in them that could show up in an answer.
    pub fn texts(&self, catalog: &Catalog) -> HashSet<String> {
        let mut texts = HashSet::new();
        for (table, rows) in &self.by_table {
            for (key, row) in rows {
                leaves(row, &mut texts);
                if let (Some(key), Some(entity)) = (key, catalog.entity_of_table(table)) {
                    texts.insert(global_id::encode(entity.tag, *key));
                }
            }
        }
        texts
    }
}

/// Texts of a row that tell whose it is: everything of the world that is not a mere word has a number or a name in it.
pub fn leaves(value: &Value, texts: &mut HashSet<String>) {
    let telling = |text: &str| {
        text.len() >= 5
            && (text.contains(|c: char| c.is_ascii_digit())
                || ["aachen", "bilbao"].iter().any(|tag| text.contains(tag)))
    };
    match value {
        Value::String(text) if telling(text) => {
            texts.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(fields) => fields.values().for_each(|item| leaves(item, texts)),
        _ => {}
    }
}

/// What must not be in an answer to somebody.
pub struct Forbidden {
    texts: HashSet<String>,
    /// The name of the other side, for those who may see nothing of it at all.
    tag: Option<&'static str>,
    /// Answers that were looked through.
    checked: ledger::Seen,
}

impl Forbidden {
    /// Everything of `theirs` that is not also in one of `allowed`.
    pub fn new(
        theirs: &HashSet<String>,
        allowed: &[&HashSet<String>],
        tag: Option<&'static str>,
    ) -> Self {
        let texts = theirs
            .iter()
            .filter(|text| !allowed.iter().any(|allowed| allowed.contains(*text)))
            .cloned()
            .collect();
        Self {
            texts,
            tag,
            checked: ledger::Seen::default(),
        }
    }

    /// Whether that text gives something away.
    pub fn contains(&self, text: &str) -> bool {
        self.texts.contains(text)
    }

    /// Fails when the answer holds something of it: as a whole value, or as a word of any text, error messages too.
    pub fn check(&self, who: &Who, question: &str, answer: &Answer) {
        ledger::note_asked(&answer.asked);
        if !self.checked.is_new(&answer.text) {
            return;
        }
        if let Some(found) = self.found_in(&answer.text) {
            panic!(
                "{} learns {found}\nby {question}\n{}",
                who.name, answer.text
            );
        }
    }

    fn found_in(&self, text: &str) -> Option<String> {
        if let Some(tag) = self.tag.filter(|tag| text.contains(tag)) {
            return Some(tag.to_owned());
        }
        let word = |c: char| !(c.is_ascii_alphanumeric() || "-_@.:/".contains(c));
        let found = text.split(word).find(|word| self.texts.contains(*word));
        if let Some(found) = found {
            return Some(found.to_owned());
        }
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let mut values = HashSet::new();
        leaves(&value, &mut values);
        values.into_iter().find(|value| self.texts.contains(value))
    }
}

/// A picture of every row of the side, to see later whether anything changed.
pub async fn snapshot(admin: &Client, side: &Side) -> BTreeSet<(String, String)> {
    let mut parts = vec![];
    for (table, columns) in tables(admin).await {
        if let Some(whose) = belongs(&table, &columns, side.org) {
            parts.push(format!(
                "select '{table}' as t, \
                 count(*) || ' ' || coalesce(md5(string_agg(t::text || t.xmin::text, ' ' order by t::text)), '') as s \
                 from {table} t where {whose}"
            ));
        }
    }
    let sql = parts.join(" union all ");
    let rows = admin
        .query(&sql, &[])
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}
