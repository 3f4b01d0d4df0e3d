//! Registrations: placed, confirmed with signed tickets, some cancelled again, as guests would. A guest is known by a
//! secret made from the show and a number, so who is there already is found without any list of our own.

use std::collections::HashSet;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    names::{PEOPLE, guest},
    plan::{Fate, Show},
    stage::Staged,
};
use crate::{
    fault::Fault,
    outcome,
    state::App,
    statements::{self, all, first},
    tenancy::{Actor, Guest, SystemReason, TenantTx},
    tickets::{self, Admission, EventKey},
    vault::{Purpose, hex},
};

/// Registrations in one transaction: few enough that the locks it holds keep no visitor waiting.
const BATCH: usize = 20;

/// One guest of a show.
pub struct Visit {
    pub number: u32,
    pub secret_hash: [u8; 32],
}

/// Every guest that is planned for the show.
pub fn visits(app: &App, show: &Show, percent: u32) -> Result<Vec<Visit>, Fault> {
    let planned = (show.registrations * percent.min(100)).div_ceil(100);
    (0..planned)
        .map(|number| {
            let parts: [&[u8]; 3] = [b"demo", show.slug.as_bytes(), &number.to_be_bytes()];
            let secret_hash = app
                .vault
                .mac(Purpose::GuestSecrets, &parts)
                .map_err(Fault::internal)?;
            Ok(Visit {
                number,
                secret_hash,
            })
        })
        .collect()
}

/// Registers the guests that are missing; how many.
pub async fn sell(app: &App, show: &Show, event: &Staged, percent: u32) -> Result<u64, Fault> {
    if event.status != "published" {
        return Ok(0);
    }
    let mut missing = visits(app, show, percent)?;
    let there = there_already(app, &missing).await?;
    missing.retain(|visit| !there.contains(visit.secret_hash.as_slice()));
    if missing.is_empty() {
        return Ok(0);
    }
    let key = tickets::event_key(app, event.org_id, event.id).await?;
    let mut sold = 0;
    for batch in missing.chunks(BATCH) {
        let mut guests = Guest::default();
        guests.secret_hashes.push(batch[0].secret_hash);
        let actor = Actor::anonymous().with_guest(guests);
        let tx = app.door.begin_at(&actor, event.org_id).await?;
        for visit in batch {
            sold += u64::from(register(&tx, show, event, visit, &key).await?);
        }
        tx.commit().await?;
    }
    Ok(sold)
}

async fn there_already(app: &App, visits: &[Visit]) -> Result<HashSet<Vec<u8>>, Fault> {
    let hashes: Vec<Vec<u8>> = visits
        .iter()
        .map(|visit| visit.secret_hash.to_vec())
        .collect();
    let tx = app.door.system(SystemReason::DemoData).await?;
    let rows = all(
        &tx,
        "select secret_hash from registration_secrets where secret_hash = any($1)",
        [hashes.into()],
    )
    .await?;
    tx.commit().await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get("", "secret_hash"))
        .collect::<Result<_, _>>()?)
}

/// Whether the registration was placed; it is not when somebody else took the last places meanwhile.
async fn register(
    tx: &TenantTx,
    show: &Show,
    event: &Staged,
    visit: &Visit,
    key: &EventKey,
) -> Result<bool, Fault> {
    let number = visit.number;
    let quantity = [1, 2, 1, 1, 3, 2, 1, 2, 4, 1][number as usize % 10];
    // The factor has no divisor in common with the count of people: all come before one comes again.
    let first = number.wrapping_mul(7) + show.slug.len() as u32 * 131;
    let people: Vec<Json> = (0..quantity)
        .map(|n| person(guest(first + n * (PEOPLE / 3 + 1))))
        .collect();
    let wanted = show.offer_of(number);
    let Some(offer) = event.offers.get(wanted) else {
        return Ok(false);
    };
    let mut items =
        vec![json!({ "ticket_type_id": offer, "quantity": quantity, "attendees": people })];
    // Every third takes an add-on along, every fourth knows the code.
    let add_on = show.prices.add_ons.iter().find(|(_, to)| *to == wanted);
    if let Some((add_on, _)) = add_on.filter(|_| number.is_multiple_of(3)) {
        items.push(json!({ "ticket_type_id": event.offers.get(*add_on), "quantity": 1 }));
    }
    let code = show.prices.code.as_ref().filter(|_| number % 4 == 1);
    let request = json!({
        "event_id": event.id,
        "buyer": people[0],
        "items": items,
        "code": code.map(|code| code.text),
        "idempotency_key": format!("demo-{}-{number}", show.slug),
        "argument_hash": hex(&visit.secret_hash),
        "guest_secret_hash": hex(&visit.secret_hash),
    });
    let Some(registration) = place(tx, request).await? else {
        return Ok(false);
    };
    confirm(tx, registration, key).await?;
    // About one in twenty-five does not come after all.
    if number % 25 == 13 && show.fate != Fate::CalledOff {
        let request = json!({ "registration_id": registration, "reason": "cannot come after all" });
        statements::call(tx, "cancel_registration", request)
            .await
            .map_err(outcome::fault)?;
    }
    Ok(true)
}

/// Two places for the attendee of the demo sign-ins, unless there are some.
pub async fn sell_to(app: &App, show: &Show, event: &Staged, user_id: Uuid) -> Result<u64, Fault> {
    if event.status != "published" {
        return Ok(0);
    }
    let key = tickets::event_key(app, event.org_id, event.id).await?;
    let actor = Actor::attendee(user_id, Uuid::nil());
    let tx = app.door.begin_at(&actor, event.org_id).await?;
    let known = first(
        &tx,
        "select id from registrations where event_id = $1 and user_id = $2 limit 1",
        [event.id.into(), user_id.into()],
    )
    .await?;
    let (Some(offer), None) = (event.offers.first(), known) else {
        return Ok(0);
    };
    let people = [
        json!({ "name": "Wilma Rainsparrow", "email": "attendee@guests.example" }),
        person(guest(7)),
    ];
    let request = json!({
        "event_id": event.id,
        "buyer": people[0],
        "items": [{ "ticket_type_id": offer, "quantity": people.len(), "attendees": people }],
        "idempotency_key": format!("demo-{}-attendee", show.slug),
        "argument_hash": hex(user_id.as_bytes()),
    });
    let Some(registration) = place(&tx, request).await? else {
        return Ok(0);
    };
    confirm(&tx, registration, &key).await?;
    tx.commit().await?;
    Ok(1)
}

async fn place(tx: &TenantTx, request: Json) -> Result<Option<Uuid>, Fault> {
    let answer = statements::call(tx, "place_registration", request)
        .await
        .map_err(outcome::fault)?;
    match outcome::word(&answer) {
        "placed" => Ok(Some(outcome::key(&answer, "registration_id")?)),
        "sold_out" | "sale_not_open" | "code_used_up" | "code_used_by_buyer" => Ok(None),
        _ => Err(Fault::Internal(format!("a demo registration: {answer}"))),
    }
}

async fn confirm(tx: &TenantTx, registration: Uuid, key: &EventKey) -> Result<(), Fault> {
    let rows = all(
        tx,
        "select item_id, event_id, occurrence_id from public.registration_items_to_issue($1)",
        [registration.into()],
    )
    .await
    .map_err(outcome::fault)?;
    let mut issued = vec![];
    for row in rows {
        let item_id: Uuid = row.try_get("", "item_id")?;
        let admission = Admission {
            ticket_id: Uuid::now_v7(),
            event_id: row.try_get("", "event_id")?,
            occurrence_id: row.try_get("", "occurrence_id")?,
            key_number: key.number,
        };
        let code = tickets::sign(&admission, *Uuid::new_v4().as_bytes(), &key.pair);
        issued.push(json!({ "ticket_id": admission.ticket_id, "item_id": item_id, "code": code }));
    }
    let request = json!({ "registration_id": registration, "tickets": issued });
    let answer = statements::call(tx, "confirm_registration", request)
        .await
        .map_err(outcome::fault)?;
    match outcome::word(&answer) {
        "confirmed" | "pending_approval" | "pending_payment" => Ok(()),
        _ => Err(Fault::Internal(format!("a demo registration: {answer}"))),
    }
}

fn person((name, email): (String, String)) -> Json {
    json!({ "name": name, "email": email })
}
