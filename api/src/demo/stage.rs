//! An event with its programme and what is on sale: made in one transaction of its organizer, so it is there whole or
//! not at all.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{
    plan::{Fate, House, Show},
    prices,
};
use crate::{
    fault::Fault,
    outcome,
    state::App,
    statements::{self, all, first},
    tenancy::{Actor, TenantTx},
};

/// What sales need to know of an event that is there.
pub struct Staged {
    pub org_id: Uuid,
    pub id: Uuid,
    pub status: String,
    /// In the order of the plan.
    pub offers: Vec<Uuid>,
}

/// The event, made when it is missing.
pub async fn ensure(
    app: &App,
    house: &House,
    show: &Show,
    organizer: &Actor,
) -> Result<Staged, Fault> {
    let tx = app.door.begin(organizer).await?;
    if find(&tx, show.slug).await?.is_none() {
        make(&tx, house, show, organizer, app.clock.now()).await?;
    }
    let (id, status) = find(&tx, show.slug)
        .await?
        .ok_or_else(|| Fault::Internal(format!("event {} is missing", show.slug)))?;
    let names: Vec<String> = show
        .offers
        .iter()
        .map(|offer| offer.name.to_owned())
        .collect();
    let rows = all(
        &tx,
        "select id from ticket_types where event_id = $1 and name = any($2) order by array_position($2, name)",
        [id.into(), names.into()],
    )
    .await?;
    let offers = rows
        .iter()
        .map(|row| row.try_get("", "id"))
        .collect::<Result<_, _>>()?;
    tx.commit().await?;
    Ok(Staged {
        org_id: org_of(organizer)?,
        id,
        status,
        offers,
    })
}

/// Takes the event where it stands in the end. Sold first, for nobody buys at an event that is over.
pub async fn end(app: &App, show: &Show, event: &Staged, organizer: &Actor) -> Result<(), Fault> {
    if event.status != "published" {
        return Ok(());
    }
    let tx = app.door.begin(organizer).await?;
    match show.fate {
        Fate::Over => change_status(&tx, event.id, "completed").await?,
        Fate::CalledOff => call_off(&tx, event.id).await?,
        Fate::Draft | Fate::OnSale => {}
    }
    tx.commit().await?;
    app.jobs.wake();
    Ok(())
}

/// A worker cancels the registrations after that, one by one.
async fn call_off(tx: &TenantTx, event_id: Uuid) -> Result<(), Fault> {
    let request = json!({ "event_id": event_id });
    let answer = statements::call(tx, "cancel_event", request)
        .await
        .map_err(outcome::fault)?;
    match outcome::word(&answer) {
        "changed" | "unchanged" => Ok(()),
        _ => Err(Fault::Internal(format!("cancelled: {answer}"))),
    }
}

fn org_of(organizer: &Actor) -> Result<Uuid, Fault> {
    organizer
        .org_id()
        .ok_or_else(|| Fault::Internal("the organizer acts nowhere".to_owned()))
}

async fn find(tx: &TenantTx, slug: &str) -> Result<Option<(Uuid, String)>, Fault> {
    let row = first(
        tx,
        "select id, status from events where slug = $1",
        [slug.into()],
    )
    .await?;
    match row {
        Some(row) => Ok(Some((row.try_get("", "id")?, row.try_get("", "status")?))),
        None => Ok(None),
    }
}

async fn make(
    tx: &TenantTx,
    house: &House,
    show: &Show,
    organizer: &Actor,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let org_id = org_of(organizer)?;
    let venue_id = match show.venue {
        Some(name) => Some(venue(tx, house, org_id, name).await?),
        None => None,
    };
    let (begins, ends) = show.dates(house, now)?;
    // What is over was sold while it lay ahead; `history` moves it to its true date.
    let shift = match show.fate {
        Fate::Over => TimeDelta::days(2) - (begins - now),
        _ => TimeDelta::zero(),
    };
    let request = json!({
        "title": show.title, "slug": show.slug, "summary": show.summary, "description": show.description,
        "format": show.format, "visibility": show.visibility, "venue_id": venue_id,
        "starts_at": begins + shift, "ends_at": ends + shift,
        "requires_approval": show.needs_approval, "max_tickets_per_registration": 10,
        // Long, so that a demo shows registrations that wait for money.
        "hold_seconds": if show.offers.iter().any(|offer| offer.price_minor > 0) { 86_400 } else { 900 },
    });
    let answer = statements::call(tx, "create_event", request)
        .await
        .map_err(outcome::fault)?;
    if outcome::word(&answer) != "created" {
        return Err(Fault::Internal(format!("event {}: {answer}", show.slug)));
    }
    let event_id = outcome::key(&answer, "event_id")?;
    let of_event = json!({ "org_id": org_id, "event_id": event_id });
    if let Some(join_url) = show.join_url {
        let row = json!({ "join_url": join_url, "instructions": "The room opens a quarter of an hour before the start." });
        insert(
            tx,
            "event_online_access",
            "OnlineAccess",
            with(&of_event, row),
        )
        .await?;
    }
    let occurrence_id = outcome::key(&answer, "occurrence_id")?;
    programme(tx, house, show, &of_event, occurrence_id, begins).await?;
    let offers = sale(tx, house, show, &of_event).await?;
    prices::make(tx, house, show, &of_event, &offers, now).await?;
    if show.fate != Fate::Draft {
        change_status(tx, event_id, "published").await?;
    }
    Ok(())
}

async fn venue(tx: &TenantTx, house: &House, org_id: Uuid, name: &str) -> Result<Uuid, Fault> {
    let known = first(tx, "select id from venues where name = $1", [name.into()]).await?;
    if let Some(row) = known {
        return Ok(row.try_get("", "id")?);
    }
    let planned = house
        .venues
        .iter()
        .find(|venue| venue.name == name)
        .ok_or_else(|| Fault::Internal(format!("no venue {name} is planned")))?;
    let row = json!({
        "org_id": org_id, "name": planned.name, "address_line": planned.address_line, "city": planned.city,
        "postal_code": planned.postal_code, "country": house.country, "time_zone": house.time_zone,
    });
    insert(tx, "venues", "Venue", row).await
}

async fn speaker(tx: &TenantTx, house: &House, org_id: &Json, name: &str) -> Result<Uuid, Fault> {
    let known = first(tx, "select id from speakers where name = $1", [name.into()]).await?;
    if let Some(row) = known {
        return Ok(row.try_get("", "id")?);
    }
    let planned = house
        .speakers
        .iter()
        .find(|speaker| speaker.name == name)
        .ok_or_else(|| Fault::Internal(format!("no speaker {name} is planned")))?;
    let row = json!({
        "org_id": org_id, "name": planned.name, "title": planned.title, "company": planned.company, "bio": planned.bio,
    });
    insert(tx, "speakers", "Speaker", row).await
}

async fn programme(
    tx: &TenantTx,
    house: &House,
    show: &Show,
    of_event: &Json,
    occurrence_id: Uuid,
    begins: DateTime<Utc>,
) -> Result<(), Fault> {
    for (position, talk) in show.talks.iter().enumerate() {
        let starts_at = begins + TimeDelta::minutes(talk.after);
        let row = json!({
            "occurrence_id": occurrence_id, "title": talk.title, "room": talk.room, "track": talk.track,
            "starts_at": starts_at, "ends_at": starts_at + TimeDelta::minutes(talk.minutes), "position": position,
        });
        let session_id = insert(tx, "sessions", "Session", with(of_event, row)).await?;
        for (position, name) in talk.speakers.iter().enumerate() {
            let speaker_id = speaker(tx, house, &of_event["org_id"], name).await?;
            let row =
                json!({ "session_id": session_id, "speaker_id": speaker_id, "position": position });
            insert(
                tx,
                "session_speakers",
                "SessionSpeaker",
                with(of_event, row),
            )
            .await?;
        }
    }
    Ok(())
}

async fn sale(
    tx: &TenantTx,
    house: &House,
    show: &Show,
    of_event: &Json,
) -> Result<Vec<Uuid>, Fault> {
    let mut pools = vec![];
    let mut offers = vec![];
    for (name, capacity) in show.pools {
        let row = json!({ "name": name, "capacity": capacity });
        pools.push(insert(tx, "capacity_pools", "CapacityPool", with(of_event, row)).await?);
    }
    for (position, offer) in show.offers.iter().enumerate() {
        let row = json!({
            "name": offer.name, "description": offer.description, "price_minor": offer.price_minor,
            "currency": house.currency, "position": position,
        });
        let ticket_type_id = insert(tx, "ticket_types", "TicketType", with(of_event, row)).await?;
        for pool in offer.pools {
            let row = json!({ "ticket_type_id": ticket_type_id, "pool_id": pools[*pool] });
            insert(
                tx,
                "ticket_type_pools",
                "TicketTypePool",
                with(of_event, row),
            )
            .await?;
        }
        offers.push(ticket_type_id);
    }
    let row = json!({ "name": "Main entrance" });
    insert(tx, "check_in_lists", "CheckInList", with(of_event, row)).await?;
    Ok(offers)
}

async fn change_status(tx: &TenantTx, event_id: Uuid, to: &str) -> Result<(), Fault> {
    let row = first(
        tx,
        "select public.change_event_status($1, $2) as answer",
        [event_id.into(), to.into()],
    )
    .await
    .map_err(outcome::fault)?
    .ok_or_else(|| Fault::Internal("change_event_status answered nothing".to_owned()))?;
    let answer: Json = row.try_get("", "answer")?;
    match outcome::word(&answer) {
        "changed" | "unchanged" => Ok(()),
        _ => Err(Fault::Internal(format!("{to}: {answer}"))),
    }
}

pub(super) fn with(of_event: &Json, row: Json) -> Json {
    let merged = [of_event, &row]
        .into_iter()
        .filter_map(Json::as_object)
        .flatten()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Map<_, _>>();
    Json::Object(merged)
}

/// Writes a row as the member, policies and grants of columns included, with its audit entry: what a generated
/// mutation does. Names of tables and columns are this file's own.
pub(super) async fn insert(
    tx: &TenantTx,
    table: &str,
    entity: &str,
    row: Json,
) -> Result<Uuid, Fault> {
    let columns: Vec<&str> = row
        .as_object()
        .map(|row| row.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let columns = columns.join(", ");
    let sql = format!(
        "insert into {table} ({columns}) select {columns} from jsonb_populate_record(null::{table}, $1) returning id"
    );
    let made = first(tx, &sql, [row.clone().into()])
        .await?
        .ok_or_else(|| Fault::Internal(format!("nothing was written to {table}")))?;
    let id: Uuid = made.try_get("", "id")?;
    first(
        tx,
        "select public.audit_write($1, $2, $3, $4)",
        [
            format!("{table}.created").into(),
            entity.into(),
            id.into(),
            row.into(),
        ],
    )
    .await?;
    Ok(id)
}
