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
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::{
    fault::Fault,
    http::Problem,
    state::App,
    statements::{all, first},
    tenancy::Actor,
};

const PRODUCT: &str = "-//EventSphere//EventSphere//EN";

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
    let mut calendar = calendar();
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

/// One date of an event, as calendars take it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Key of the date.
    pub id: Uuid,
    /// The registration that it is entered for; none in what everybody may read.
    pub registration_id: Option<Uuid>,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Whether it does not take place, or not for whom this is.
    pub cancelled: bool,
    /// Title.
    pub title: String,
    /// What it is about; may be empty.
    pub summary: String,
    /// Where; may be empty.
    pub place: String,
    /// Counts changes.
    pub sequence: u32,
    /// When this was said: the event's last change, or the letter's making.
    pub said_at: DateTime<Utc>,
    /// Name and address of whoever invites; none in what everybody may read.
    pub organizer: Option<(String, String)>,
    /// Where to find it as it is now.
    pub url: String,
}

impl Entry {
    /// The same for ever, so that a calendar changes its entry instead of adding a second. For each registration another:
    /// what a cancellation takes out stays out (calendars remember that), and the next registration enters the date anew.
    fn uid(&self) -> String {
        match self.registration_id {
            Some(registration) => format!("{}.{registration}@eventsphere", self.id),
            None => format!("{}@eventsphere", self.id),
        }
    }

    /// Times are in UTC, which every calendar shows in its owner's zone, summer time included.
    fn event(&self) -> Event {
        let mut entry = Event::new();
        entry
            .uid(&self.uid())
            .sequence(self.sequence)
            .timestamp(self.said_at)
            .summary(&self.title)
            .starts(self.starts_at)
            .ends(self.ends_at)
            .url(&self.url)
            .status(match self.cancelled {
                true => EventStatus::Cancelled,
                false => EventStatus::Confirmed,
            });
        if !self.summary.is_empty() {
            entry.description(&self.summary);
        }
        if !self.place.is_empty() {
            entry.location(&self.place);
        }
        if let Some((name, address)) = &self.organizer {
            // A name in quotes may hold anything but these and what breaks lines.
            let name: String = name
                .chars()
                .filter(|c| *c != '"' && !c.is_control())
                .collect();
            let mut organizer = Property::new("ORGANIZER", format!("mailto:{address}"));
            organizer.add_parameter("CN", &format!("\"{name}\""));
            entry.append_property(organizer.done());
        }
        entry.done()
    }

    /// A file with this date alone, to go with a mail: it enters the date, or takes it out again.
    pub fn file(&self) -> String {
        let mut calendar = calendar();
        calendar
            .append_property(("METHOD", if self.cancelled { "CANCEL" } else { "PUBLISH" }))
            .push(self.event());
        calendar.done().to_string()
    }
}

/// One with nothing in it yet. (`Calendar::new` names another product.)
fn calendar() -> Calendar {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", PRODUCT))
        .append_property(("CALSCALE", "GREGORIAN"));
    calendar
}

fn entry(row: &QueryResult, base: &str, organization: &str, slug: &str) -> Result<Event, Fault> {
    let sequence: i32 = row.try_get("", "calendar_sequence")?;
    let status: String = row.try_get("", "status")?;
    let date_status: String = row.try_get("", "date_status")?;
    let entry = Entry {
        id: row.try_get("", "id")?,
        registration_id: None,
        starts_at: row.try_get("", "starts_at")?,
        ends_at: row.try_get("", "ends_at")?,
        cancelled: status == "cancelled" || date_status == "cancelled",
        title: row.try_get("", "title")?,
        summary: row.try_get("", "summary")?,
        place: row.try_get("", "place")?,
        sequence: sequence.unsigned_abs(),
        said_at: row.try_get("", "updated_at")?,
        organizer: None,
        url: format!("{base}/calendar/{organization}/{slug}.ics"),
    };
    Ok(entry.event())
}
