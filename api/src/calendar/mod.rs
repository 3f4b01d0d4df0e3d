//! `.ics`: an event's dates for any calendar. `/calendar/{organization}/{event}.ics` is as public as the event's page:
//! public and unlisted events by their address, nothing else.

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus};
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::{
    fault::Fault,
    http::Problem,
    state::App,
    statements::{all, first},
    tenancy::Actor,
};

/// The route of this slice.
pub fn routes() -> Router<App> {
    Router::new().route("/calendar/{organization}/{file}", get(event_file))
}

async fn event_file(
    State(app): State<App>,
    Path((organization, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let missing = || Fault::NotFound("there is no such calendar".to_owned());
    let slug = file.strip_suffix(".ics").ok_or_else(missing)?;
    if organization.contains('\0') || slug.contains('\0') {
        return Err(missing().into());
    }
    let rows = read(&app, &organization, slug).await?;
    if rows.is_empty() {
        return Err(missing().into());
    }
    let mut calendar = Calendar::new();
    calendar.append_property(("PRODID", "-//EventSphere//EventSphere//EN"));
    for row in &rows {
        calendar.push(entry(row, &app.posture.public_url, &organization, slug)?);
        let title: String = row.try_get("", "title").map_err(Fault::from)?;
        let zone: String = row.try_get("", "time_zone").map_err(Fault::from)?;
        calendar
            .name(&title)
            .append_property(("X-WR-TIMEZONE", zone.as_str()));
    }
    let mut response = calendar.done().to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/calendar; charset=utf-8"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    Ok(response)
}

/// The event's dates, seen as a visitor sees them.
async fn read(app: &App, organization: &str, slug: &str) -> Result<Vec<QueryResult>, Fault> {
    let tx = app.door.begin(&Actor::anonymous()).await?;
    first(
        &tx,
        "select es.reveal_event($1, $2)",
        [organization.into(), slug.into()],
    )
    .await?;
    let rows = all(
        &tx,
        "select c.id, c.starts_at, c.ends_at, c.status as date_status, \
                e.title, e.summary, e.status, e.time_zone, e.calendar_sequence, e.updated_at, \
                concat_ws(', ', nullif(v.name, ''), nullif(v.address_line, ''), nullif(v.city, '')) as place \
         from organizations o \
         join events e on e.org_id = o.id \
         join occurrences c on c.event_id = e.id \
         left join venues v on v.id = e.venue_id \
         where o.slug = $1 and e.slug = $2 \
         order by c.starts_at",
        [organization.into(), slug.into()],
    )
    .await?;
    tx.commit().await?;
    Ok(rows)
}

/// One date. Times are in UTC, which every calendar shows in its owner's zone, summer time included.
fn entry(row: &QueryResult, base: &str, organization: &str, slug: &str) -> Result<Event, Fault> {
    let id: Uuid = row.try_get("", "id")?;
    let starts_at: DateTime<Utc> = row.try_get("", "starts_at")?;
    let ends_at: DateTime<Utc> = row.try_get("", "ends_at")?;
    let updated_at: DateTime<Utc> = row.try_get("", "updated_at")?;
    let sequence: i32 = row.try_get("", "calendar_sequence")?;
    let status: String = row.try_get("", "status")?;
    let date_status: String = row.try_get("", "date_status")?;
    let title: String = row.try_get("", "title")?;
    let summary: String = row.try_get("", "summary")?;
    let place: String = row.try_get("", "place")?;
    let cancelled = status == "cancelled" || date_status == "cancelled";
    let mut entry = Event::new();
    entry
        // The same for ever, so that a calendar changes its entry instead of adding a second.
        .uid(&format!("{id}@eventsphere"))
        .sequence(sequence.unsigned_abs())
        .timestamp(updated_at)
        .summary(&title)
        .starts(starts_at)
        .ends(ends_at)
        .url(&format!("{base}/calendar/{organization}/{slug}.ics"))
        .status(match cancelled {
            true => EventStatus::Cancelled,
            false => EventStatus::Confirmed,
        });
    if !summary.is_empty() {
        entry.description(&summary);
    }
    if !place.is_empty() {
        entry.location(&place);
    }
    Ok(entry.done())
}
