//! What must be true of the database: at every moment of a storm, and of everything that anybody was told after it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::ask::{Kept, is_done};

/// What is sold beyond what there is, counted from what was bought and not from the books of stock: pools with what is
/// set aside in them, tiers, and codes in all and by buyer.
const OVERSOLD: &str = "
with live as materialized (
  select r.id, r.occurrence_id, r.promo_code_id, r.buyer_email, i.ticket_type_id, i.tier_id
  from registrations r
  join registration_items i on i.registration_id = r.id
  where i.cancelled_at is null
    and (
      r.status in ('confirmed', 'pending_payment')
      or (r.status = 'pending_approval' and not r.waits_without_stock)
      or (r.status = 'held' and r.expires_at > es.clock())
    )
)
select 'pool ' || p.name || ' of ' || e.slug || ': ' || x.units || ' of ' || p.capacity
from capacity_pools p
join events e on e.id = p.event_id
cross join lateral (
  select (
    select count(*)
    from live
    join ticket_type_pools l on l.ticket_type_id = live.ticket_type_id
    where l.pool_id = p.id
      and (p.occurrence_id is null or p.occurrence_id = live.occurrence_id)
  ) + (
    select coalesce(sum(c.quantity), 0)
    from pool_claims c
    where c.pool_id = p.id
      and c.registration_id is null
      and c.released_at is null
      and (c.expires_at is null or c.expires_at > es.clock())
  ) as units
) x
where p.kind = 'stock'
  and x.units > p.capacity
union all
select 'tier ' || t.name
from price_tiers t
where t.quantity < (select count(*) from live where live.tier_id = t.id)
union all
select 'code ' || k.code
from promo_codes k
where k.max_uses < (
  select case k.counted_by when 'ticket' then count(*) else count(distinct live.id) end
  from live
  where live.promo_code_id = k.id
)
union all
select 'code ' || k.code || ' by ' || live.buyer_email
from promo_codes k
join live on live.promo_code_id = k.id
group by k.id, live.buyer_email
having count(distinct live.id) > k.max_uses_per_buyer";

const FAULTS: &str =
    "select concat_ws(' ', fault, object_id::text, detail) from check_stock_integrity()";

/// Nothing is oversold and the books of stock are right, at this moment.
pub async fn whole(database: &Client) {
    for sql in [OVERSOLD, FAULTS] {
        let rows = database.query(sql, &[]).await.expect("checked");
        let said: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(said, Vec::<String>::new());
    }
}

/// What the calls on one registration said, all of them together.
#[derive(Debug, Default)]
struct Told {
    units: i64,
    added: i64,
    taken_out: i64,
    /// The verbs that were done to it, and the states that were told of it.
    done: BTreeSet<&'static str>,
    statuses: BTreeSet<String>,
}

/// One row of a registration.
#[derive(Debug)]
struct Row {
    status: String,
    units: i64,
    live: i64,
    tickets: i64,
}

/// Everything that was told is there, once, and nothing else is.
pub async fn told(database: &Client, book: &[Kept]) {
    registrations(database, book).await;
    counted(database, book).await;
    holds(database, book).await;
    keys(database, book).await;
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn quantity(lines: &Value) -> i64 {
    let lines = lines.as_array().into_iter().flatten();
    lines.filter_map(|line| line["quantity"].as_i64()).sum()
}

/// By confirmation number.
fn summary(book: &[Kept]) -> BTreeMap<String, Told> {
    let mut wanted = BTreeMap::new();
    for one in book.iter().filter(|one| one.verb == "joinWaitlist") {
        let entry = text(&one.told["waitlistEntry"]["id"]);
        wanted.insert(entry, quantity(&one.input["lines"]));
    }
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    let done = || book.iter().filter(|one| is_done(&one.told));
    for one in done() {
        let units = match one.verb {
            "placeRegistration" => quantity(&one.input["lines"]),
            "acceptWaitlistOffer" => wanted[&text(&one.input["waitlistEntryId"])],
            _ => continue,
        };
        let registration = &one.told["registration"];
        let number = text(&registration["confirmationNumber"]);
        numbers.insert(text(&registration["id"]), number.clone());
        told.entry(number).or_default().units = units;
    }
    for one in book {
        let many = one.told["registrations"].as_array();
        let ids = match many {
            Some(many) => many.iter().map(|each| text(&each["id"])).collect(),
            None if is_done(&one.told) => vec![text(&one.told["registration"]["id"])],
            None => vec![],
        };
        for id in ids {
            let Some(number) = numbers.get(&id) else {
                continue;
            };
            let Some(of) = told.get_mut(number) else {
                continue;
            };
            of.done.insert(one.verb);
            of.statuses.insert(one.status.clone());
            of.added += quantity(&one.input["add"]);
            let out = one.input["itemIds"].as_array().map_or(0, Vec::len);
            of.taken_out += i64::try_from(out).expect("few");
        }
    }
    told
}

async fn registrations(database: &Client, book: &[Kept]) {
    let sql = "
        select r.confirmation_number, r.status,
          (select count(*) from registration_items i where i.registration_id = r.id),
          (select count(*) from registration_items i where i.registration_id = r.id and i.cancelled_at is null),
          (select count(*) from tickets t where t.registration_id = r.id and t.status = 'valid')
        from registrations r";
    let rows = database.query(sql, &[]).await.expect("registrations");
    let mut rows: BTreeMap<String, Row> = rows
        .iter()
        .map(|row| {
            let found = Row {
                status: row.get(1),
                units: row.get(2),
                live: row.get(3),
                tickets: row.get(4),
            };
            (row.get(0), found)
        })
        .collect();
    for (number, told) in summary(book) {
        let row = rows.remove(&number);
        let row = row.unwrap_or_else(|| panic!("{number} was told and is not there: {told:?}"));
        let here = format!("{number}: {row:?} although {told:?}");
        let any = |verbs: &[&str]| verbs.iter().any(|verb| told.done.contains(verb));
        let cancelled = any(&["cancelRegistration"]);
        assert_eq!(row.units, told.units + told.added, "{here}");
        if row.status != "cancelled" {
            assert_eq!(row.live, row.units - told.taken_out, "{here}");
        }
        let expected = match row.status.as_str() {
            "confirmed" => any(&[
                "confirmRegistration",
                "approveRegistration",
                "approveRegistrations",
            ]),
            "cancelled" => cancelled,
            "rejected" => any(&["rejectRegistration", "rejectRegistrations"]),
            "pending_approval" | "pending_payment" => any(&["confirmRegistration"]),
            "held" | "expired" => true,
            _ => false,
        };
        assert!(expected, "{here}");
        // What was told is not taken back by the clock, but for what is held and what is not paid.
        for (said, may_be) in [
            ("CONFIRMED", &["confirmed", "cancelled"][..]),
            (
                "PENDING_APPROVAL",
                &["pending_approval", "confirmed", "cancelled", "rejected"],
            ),
            (
                "PENDING_PAYMENT",
                &["pending_payment", "confirmed", "cancelled", "expired"],
            ),
        ] {
            let stands = !told.statuses.contains(said) || may_be.contains(&row.status.as_str());
            assert!(stands, "{here}");
        }
        let tickets = if row.status == "confirmed" {
            row.live
        } else {
            0
        };
        assert_eq!(row.tickets, tickets, "{here}");
    }
    assert!(rows.is_empty(), "nobody was told of {rows:?}");
}

/// What was made is there as often as it was told, and each new code of a ticket.
async fn counted(database: &Client, book: &[Kept]) {
    let ids = |verb: &str, entity: &str| -> BTreeSet<String> {
        book.iter()
            .filter(|one| one.verb == verb && is_done(&one.told))
            .map(|one| text(&one.told[entity]["id"]))
            .collect()
    };
    for (table, verb, entity) in [
        ("waitlist_entries", "joinWaitlist", "waitlistEntry"),
        ("stock_holds", "createHold", "hold"),
        ("ticket_transfers", "transferTicket", "transfer"),
        ("tickets where received", "acceptTransfer", "ticket"),
        (
            "waitlist_entries where status = 'accepted'",
            "acceptWaitlistOffer",
            "waitlistEntry",
        ),
    ] {
        let sql = format!("select count(*) from {table}");
        let row = database.query_one(&sql, &[]).await.expect("counted");
        let found: i64 = row.get(0);
        let told = ids(verb, entity).len();
        assert_eq!(usize::try_from(found).expect("some"), told, "{verb}");
    }
    let codes: Vec<String> = book
        .iter()
        .filter(|one| one.verb == "acceptTransfer" && is_done(&one.told))
        .map(|one| text(&one.told["ticket"]["code"]))
        .collect();
    let sql = "select count(*) from unnest($1::text[]) as told (code) where not exists (
                 select from tickets t where t.code = told.code)";
    let missing: i64 = database
        .query_one(sql, &[&codes])
        .await
        .expect("codes")
        .get(0);
    assert_eq!(missing, 0, "codes of tickets that are not there");
}

/// A hold keeps what was said last, and is released when that was told.
async fn holds(database: &Client, book: &[Kept]) {
    let sql = "select h.quantity, h.status, h.expires_at is null
               from idempotency_keys k
               join stock_holds h on h.id = (k.outcome ->> 'hold_id')::uuid
               where k.key = $1";
    let done = || book.iter().filter(|one| is_done(&one.told));
    for made in done().filter(|one| one.verb == "createHold") {
        let id = &made.told["hold"]["id"];
        let of = |verb: &'static str| {
            done().filter(move |one| one.verb == verb && one.input["holdId"] == *id)
        };
        let last = of("changeHold").next_back().unwrap_or(made);
        let key = text(&made.input["idempotencyKey"]);
        let row = database.query_one(sql, &[&key]).await.expect("the hold");
        let (quantity, status, endless): (i32, String, bool) = (row.get(0), row.get(1), row.get(2));
        assert_eq!(json!(quantity), last.input["quantity"], "{made:?}");
        let released = of("releaseHold").count() > 0;
        // One that has run out stays so, whatever is asked of it.
        let fits = match status.as_str() {
            "released" => released,
            "expired" => !endless,
            _ => !released,
        };
        assert!(fits, "{status}: {made:?}");
    }
}

/// One row a key, whose outcome is what was told.
async fn keys(database: &Client, book: &[Kept]) {
    const DONE: [&str; 18] = [
        "placed",
        "confirmed",
        "pending_approval",
        "pending_payment",
        "extended",
        "cancelled",
        "units_cancelled",
        "changed",
        "created",
        "released",
        "reserved",
        "joined",
        "accepted",
        "declined",
        "left",
        "offered",
        "decided",
        "refused",
    ];
    let sql = "select k.key, count(*), min(coalesce(k.outcome ->> 'outcome', '?')), min(r.confirmation_number)
               from idempotency_keys k
               left join registrations r on r.id = (k.outcome ->> 'registration_id')::uuid
               group by k.key";
    let rows = database.query(sql, &[]).await.expect("keys");
    let rows: BTreeMap<String, (i64, String, Option<String>)> = rows
        .iter()
        .map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3))))
        .collect();
    for one in book {
        let Some((count, word, number)) = rows.get(&text(&one.input["idempotencyKey"])) else {
            assert!(!is_done(&one.told), "told, and not written down: {one:?}");
            continue;
        };
        assert_eq!(*count, 1, "a key used twice: {one:?}");
        let many = ["decided", "refused"].contains(&word.as_str());
        assert!(
            many || DONE.contains(&word.as_str()) == is_done(&one.told),
            "{word} is written down, and told was {one:?}"
        );
        if let Some(told) = one.told["registration"]["confirmationNumber"].as_str() {
            assert_eq!(number.as_deref(), Some(told), "{one:?}");
        }
    }
}
