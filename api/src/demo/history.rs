//! Gives what was filled in a past: registrations of the last weeks, an event that took place last month. Nobody may
//! write a past, so this goes through the cross-tenant door. Only registrations of the demo's own guests and attendee are touched, each once;
//! `created_at` and the journal keep telling when they were really written.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    plan::{Fate, House, Show},
    sales::{Visit, visits},
    stage::Staged,
};
use crate::{
    fault::Fault,
    state::App,
    statements::run,
    tenancy::{SystemReason, TenantTx},
};

/// For so long before its start (or before today, when that lies ahead) a show is on sale.
const ON_SALE: TimeDelta = TimeDelta::days(40);

/// Puts the show and its registrations where they belong in time.
pub async fn tell(
    app: &App,
    house: &House,
    show: &Show,
    event: &Staged,
    attendee: Uuid,
) -> Result<(), Fault> {
    let now = app.clock.now();
    let (begins, ends) = show.dates(house, now)?;
    let closes = match show.fate {
        Fate::Over => begins,
        _ => ends.min(now),
    } - TimeDelta::minutes(5);
    let opens = closes - ON_SALE;
    let guests = visits(app, show, 100)?;
    let instants = instants(&guests, opens, closes)?;
    let hashes: Vec<Vec<u8>> = guests
        .iter()
        .map(|visit| visit.secret_hash.to_vec())
        .collect();
    let tx = app.door.system(SystemReason::DemoData).await?;
    run(
        &tx,
        REGISTRATIONS,
        [
            hashes.into(),
            instants.into(),
            house.time_zone.into(),
            event.id.into(),
            attendee.into(),
            (closes - ON_SALE / 4).into(),
        ],
    )
    .await?;
    run(&tx, TICKETS, [event.id.into()]).await?;
    run(
        &tx,
        "update events set published_at = $2 where id = $1 and published_at > created_at - interval '1 minute'",
        [event.id.into(), opens.into()],
    )
    .await?;
    if show.fate == Fate::Over {
        put_behind(&tx, event, begins, ends).await?;
        run(&tx, SCANS, [event.id.into()]).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// When each guest registered.
fn instants(
    guests: &[Visit],
    opens: DateTime<Utc>,
    closes: DateTime<Utc>,
) -> Result<Vec<DateTime<Utc>>, Fault> {
    let count = i32::try_from(guests.len().max(1)).map_err(Fault::internal)?;
    let share = (closes - opens) / count;
    Ok(guests
        .iter()
        .map(|visit| {
            let place = i32::try_from(visit.number).unwrap_or(count);
            // Nobody registers to the beat of a clock.
            let scattered = TimeDelta::seconds(i64::from(visit.number * 7919 % 3000));
            (opens + share * place + scattered).min(closes)
        })
        .collect())
}

const REGISTRATIONS: &str = "
update registrations r
set
  placed_at = w.at,
  confirmed_at = case when r.confirmed_at is not null then w.at + interval '70 seconds' end,
  cancelled_at = case when r.cancel_reason = 'event_cancelled' then r.cancelled_at
    when r.cancelled_at is not null then w.at + interval '3 hours' end,
  confirmation_number = 'REG-' || w.day || '-' || w.random || es.luhn32(w.day || w.random)
from (
  select
    given.registration_id,
    given.at,
    to_char(given.at at time zone $3, 'YYYYMMDD') as day,
    substr(known.confirmation_number, 14, 8) as random
  from (
    select s.registration_id, g.at
    from unnest($1::bytea[], $2::timestamptz[]) as g (hash, at)
    join registration_secrets s on s.secret_hash = g.hash
    union all
    select mine.id, $6
    from registrations mine
    where mine.event_id = $4
      and mine.user_id = $5
  ) given
  join registrations known on known.id = given.registration_id
) w
where r.id = w.registration_id
  and r.placed_at > r.created_at - interval '1 minute'";

/// A ticket is issued in the instant of confirmation: those that differ belong to what was just put back.
const TICKETS: &str = "
update tickets t
set issued_at = r.confirmed_at
from registrations r
where r.id = t.registration_id
  and r.event_id = $1
  and t.issued_at <> r.confirmed_at";

/// Nine of ten come, most in the half hour before the start, and one in forty of them tries twice. The nonce is made of
/// the ticket, so that each is scanned once.
const SCANS: &str = "
insert into check_ins (org_id, event_id, list_id, ticket_id, direction, outcome, scanned_at, nonce)
select t.org_id, t.event_id, l.id, t.id, 'entry', s.outcome, e.starts_at + s.after, format('demo-%s-%s', s.outcome, t.id)
from tickets t
join events e on e.id = t.event_id
join check_in_lists l on l.event_id = t.event_id
cross join lateral (select abs(hashtext(t.code)::bigint) as number) dice
cross join lateral (
  values
    ('admitted', make_interval(secs => dice.number / 10 % 2400 - 1800), dice.number % 10 < 9),
    ('already_in', make_interval(secs => dice.number / 10 % 2400 - 1740), dice.number % 40 = 1)
) s (outcome, after, happened)
where t.event_id = $1
  and t.status = 'valid'
  and s.happened
on conflict (org_id, nonce) do nothing";

async fn put_behind(
    tx: &TenantTx,
    event: &Staged,
    begins: DateTime<Utc>,
    ends: DateTime<Utc>,
) -> Result<(), Fault> {
    run(
        tx,
        "update events set starts_at = $2, ends_at = $3 where id = $1 and starts_at > es.clock()",
        [event.id.into(), begins.into(), ends.into()],
    )
    .await?;
    run(
        tx,
        "update occurrences set starts_at = $2, ends_at = $3 where event_id = $1 and starts_at > es.clock()",
        [event.id.into(), begins.into(), ends.into()],
    )
    .await?;
    Ok(())
}
