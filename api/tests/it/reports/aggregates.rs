//! Counts and sums by group: the numbers, the days, and who may see them.

use serde_json::{Value, json};

use super::stage::{Stage, event_of};
use crate::harness::TestApp;

const SEOUL: &str = "Asia/Seoul";
const NEW_YORK: &str = "America/New_York";

/// Instants around midnight, and the day that the calendar shows there. New York changes its clocks on 8 March (a day
/// of 23 hours) and 1 November (one of 25).
const MOMENTS: [(&str, &str, &str); 12] = [
    (SEOUL, "2026-05-03T14:59:59Z", "2026-05-03"),
    (SEOUL, "2026-05-03T15:00:00Z", "2026-05-04"),
    (SEOUL, "2026-05-04T14:59:59.999999Z", "2026-05-04"),
    (SEOUL, "2026-05-04T15:00:00Z", "2026-05-05"),
    (NEW_YORK, "2026-03-08T04:59:59Z", "2026-03-07"),
    (NEW_YORK, "2026-03-08T05:00:00Z", "2026-03-08"),
    (NEW_YORK, "2026-03-09T03:59:59Z", "2026-03-08"),
    (NEW_YORK, "2026-03-09T04:00:00Z", "2026-03-09"),
    (NEW_YORK, "2026-11-01T03:59:59Z", "2026-10-31"),
    (NEW_YORK, "2026-11-01T04:00:00Z", "2026-11-01"),
    (NEW_YORK, "2026-11-02T04:59:59Z", "2026-11-01"),
    (NEW_YORK, "2026-11-02T05:00:00Z", "2026-11-02"),
];

#[tokio::test]
async fn days_are_those_of_the_events_own_calendar() {
    let stage = Stage::open("clocks").await;
    let seoul = stage.event("seoul", SEOUL, "KRW").await;
    let new_york = stage.event("new-york", NEW_YORK, "USD").await;
    for (zone, at, _) in MOMENTS {
        let event = if zone == SEOUL { &seoul } else { &new_york };
        stage.registration(event, "confirmed", 100, at).await;
    }
    for (zone, event) in [(SEOUL, &seoul), (NEW_YORK, &new_york)] {
        let mut expected: Vec<Value> = vec![];
        for (_, _, day) in MOMENTS.iter().filter(|moment| moment.0 == zone) {
            match expected
                .iter_mut()
                .find(|known| known["placedAtDay"] == *day)
            {
                Some(known) => {
                    known["count"] = json!(known["count"].as_i64().expect("a count") + 1)
                }
                None => expected.push(json!({ "placedAtDay": day, "count": 1 })),
            }
        }
        let only = json!({ "eventId": { "eq": event.id } });
        let found = stage
            .groups(
                only.clone(),
                "groupBy: [PLACED_AT_DAY]",
                "placedAtDay count",
            )
            .await;
        assert_eq!(
            found,
            json!({ "truncated": false, "groups": expected }),
            "{zone}"
        );
        // The same below the event itself.
        let nested = stage
            .owner
            .caller
            .ask(
                "query($id: ID!) { event(id: $id) { registrations(first: 0) { \
                 aggregates(groupBy: [CONFIRMED_AT_DAY]) { groups { confirmedAtDay count } } } } }",
                json!({ "id": event.id }),
            )
            .await;
        let nested = nested["event"]["registrations"]["aggregates"]["groups"].to_string();
        assert_eq!(
            nested.replace("confirmedAtDay", "placedAtDay"),
            json!(expected).to_string()
        );
    }
    // Both calendars at once: each row by its own.
    let months = stage
        .groups(
            json!({}),
            "groupBy: [PLACED_AT_MONTH]",
            "placedAtMonth count",
        )
        .await;
    assert_eq!(
        months["groups"],
        json!([
            { "placedAtMonth": "2026-03-01", "count": 4 },
            { "placedAtMonth": "2026-05-01", "count": 4 },
            { "placedAtMonth": "2026-10-01", "count": 1 },
            { "placedAtMonth": "2026-11-01", "count": 3 },
        ])
    );
    // 2026-05-04 is a Monday in Seoul, when it is still Sunday in UTC.
    let weeks = stage
        .groups(
            json!({ "eventId": { "eq": seoul.id } }),
            "groupBy: [PLACED_AT_WEEK]",
            "placedAtWeek count",
        )
        .await;
    assert_eq!(
        weeks["groups"],
        json!([{ "placedAtWeek": "2026-04-27", "count": 1 }, { "placedAtWeek": "2026-05-04", "count": 3 }])
    );
}

/// Two events with 60 registrations of four states, worth different amounts in two currencies.
async fn sold(slug: &str) -> Stage {
    let stage = Stage::open(slug).await;
    let won = stage.event("won", SEOUL, "KRW").await;
    let euro = stage.event("euro", "Europe/Berlin", "EUR").await;
    let states = ["confirmed", "cancelled", "pending_payment", "expired"];
    for number in 0..60_i64 {
        let event = if number % 3 == 0 { &won } else { &euro };
        let state = states[usize::try_from(number % 7 % 4).expect("small")];
        let at = format!("2026-06-{:02}T{:02}:30:00Z", 1 + number % 9, number % 24);
        stage
            .registration(event, state, 1000 + 7 * number, &at)
            .await;
    }
    stage
}

#[tokio::test]
async fn groups_agree_with_plain_sql() {
    let stage = sold("ledger").await;
    let found = stage
        .groups(
            json!({ "status": { "ne": "EXPIRED" } }),
            "groupBy: [EVENT, STATUS, PLACED_AT_DAY], first: 1000",
            "event { slug } status placedAtDay count totalSum { minorUnits currencyCode amount } placedAtMin placedAtMax",
        )
        .await;
    let rows = stage
        .admin
        .query(
            "select coalesce(json_agg(row order by slug_key, status, day), '[]')::text from (
               select e.id as slug_key, r.status, (r.placed_at at time zone e.time_zone)::date as day,
                 json_build_object(
                   'event', json_build_object('slug', e.slug), 'status', upper(r.status),
                   'placedAtDay', (r.placed_at at time zone e.time_zone)::date, 'count', count(*),
                   'totalSum', json_build_array(json_build_object(
                     'minorUnits', sum(r.total_minor)::text, 'currencyCode', e.currency,
                     'amount', es.money_text(sum(r.total_minor)::int8, e.currency))),
                   'placedAtMin', to_char(min(r.placed_at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
                   'placedAtMax', to_char(max(r.placed_at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')
                 ) as row
               from registrations r join events e on e.id = r.event_id
               where r.status <> 'expired'
               group by e.id, r.status, (r.placed_at at time zone e.time_zone)::date
             ) g",
            &[],
        )
        .await
        .expect("groups");
    let expected: Value = serde_json::from_str(rows[0].get(0)).expect("JSON");
    assert!(expected.as_array().expect("a list").len() > 20);
    assert_eq!(found["groups"], expected);
    assert_eq!(found["truncated"], json!(false));
}

/// Two amounts that fit, whose sum does not.
#[tokio::test]
async fn a_sum_may_be_larger_than_any_amount() {
    let stage = Stage::open("hoard").await;
    let euro = stage.event("euro", "Europe/Berlin", "EUR").await;
    for minor in [i64::MAX, i64::MAX, 4] {
        let at = "2026-06-01T10:00:00Z";
        stage.registration(&euro, "confirmed", minor, at).await;
    }
    let found = stage
        .groups(
            json!({}),
            "first: 1",
            "totalSum { minorUnits currencyCode amount }",
        )
        .await;
    assert_eq!(
        found["groups"][0]["totalSum"],
        json!([{
            "minorUnits": "18446744073709551618", "currencyCode": "EUR", "amount": "184467440737095516.18",
        }])
    );
}

#[tokio::test]
async fn amounts_of_different_currencies_are_never_added() {
    let stage = sold("purse").await;
    let sums = stage
        .admin
        .query_one(
            "select sum(total_minor) filter (where currency = 'EUR')::text, sum(total_minor) filter (where currency = 'KRW')::text,
               (sum(total_minor) filter (where currency = 'EUR') / 100.0)::numeric(30, 2)::text
             from registrations",
            &[],
        )
        .await
        .expect("sums");
    let (euro, won, amount): (String, String, String) = (sums.get(0), sums.get(1), sums.get(2));
    let found = stage
        .groups(
            json!({}),
            "first: 1",
            "count totalSum { minorUnits currencyCode amount } again: totalSum { currencyCode } event { id } status placedAtDay",
        )
        .await;
    assert_eq!(
        found,
        json!({ "truncated": false, "groups": [{
            "count": 60,
            "totalSum": [
                { "minorUnits": euro, "currencyCode": "EUR", "amount": amount },
                { "minorUnits": won, "currencyCode": "KRW", "amount": won },
            ],
            "again": [{ "currencyCode": "EUR" }, { "currencyCode": "KRW" }],
            "event": null, "status": null, "placedAtDay": null,
        }] })
    );
}

#[tokio::test]
async fn an_aggregate_is_of_all_rows_that_the_filter_means_not_of_the_page() {
    let stage = sold("pages").await;
    let data = stage
        .owner
        .caller
        .ask(
            "query($filter: RegistrationFilter) {
               registrations(first: 2, filter: $filter) {
                 totalCount nodes { id } pageInfo { hasNextPage endCursor }
                 aggregates { groups { count } }
                 byStatus: aggregates(groupBy: [STATUS]) { groups { status count } }
               }
             }",
            json!({ "filter": { "placedAt": { "lt": "2026-06-05T00:00:00Z" } } }),
        )
        .await;
    let page = &data["registrations"];
    let total = page["totalCount"].as_i64().expect("a count");
    assert!(total > 10 && total < 60, "{total}");
    assert_eq!(page["nodes"].as_array().expect("rows").len(), 2);
    assert_eq!(page["aggregates"]["groups"], json!([{ "count": total }]));
    let by_status = page["byStatus"]["groups"].as_array().expect("groups");
    let sum: i64 = by_status
        .iter()
        .map(|group| group["count"].as_i64().expect("a count"))
        .sum();
    assert_eq!(sum, total);
    // A cursor moves the page and nothing else.
    let next = stage
        .owner
        .caller
        .ask(
            "query($after: String, $filter: RegistrationFilter) {
               registrations(first: 2, after: $after, filter: $filter) { totalCount aggregates { groups { count } } }
             }",
            json!({
                "after": page["pageInfo"]["endCursor"],
                "filter": { "placedAt": { "lt": "2026-06-05T00:00:00Z" } },
            }),
        )
        .await;
    assert_eq!(
        next["registrations"]["aggregates"]["groups"],
        json!([{ "count": total }])
    );
}

#[tokio::test]
async fn of_no_rows_there_is_one_group_and_by_key_there_is_none() {
    let stage = Stage::open("void").await;
    let fields = "count totalSum { minorUnits } placedAtMin placedAtMax";
    assert_eq!(
        stage.groups(json!({}), "first: 5", fields).await,
        json!({ "truncated": false, "groups": [{ "count": 0, "totalSum": [], "placedAtMin": null, "placedAtMax": null }] })
    );
    for keys in ["STATUS", "EVENT, PLACED_AT_DAY"] {
        let found = stage
            .groups(json!({}), &format!("groupBy: [{keys}]"), fields)
            .await;
        assert_eq!(found, json!({ "truncated": false, "groups": [] }), "{keys}");
    }
}

#[tokio::test]
async fn other_entities_count_too() {
    let app = TestApp::start().await;
    let owner = app.organizer("counters").await;
    let event = owner.event(&crate::harness::EventSetup::default()).await;
    for quantity in [1, 2] {
        let placed = app
            .visitor()
            .place(&event, &event["types"][0], quantity)
            .await;
        let secret = placed["guestSecret"].as_str().expect("a secret").to_owned();
        let id = &placed["registration"]["id"];
        let done = app.visitor().with_guest(&secret).confirm(id).await;
        assert_eq!(done["registration"]["status"], "CONFIRMED", "{done}");
    }
    let data = owner
        .caller
        .ask(
            "query($id: ID!) {
               event(id: $id) {
                 tickets { aggregates(groupBy: [TICKET_TYPE, STATUS]) { groups { ticketType { name } status count } } }
                 capacityPools { aggregates { groups { count capacitySum claimedSum } } }
                 registrations(first: 1) { nodes { items { aggregates(groupBy: [TICKET_TYPE]) {
                   groups { ticketType { name } count priceSum { minorUnits currencyCode } }
                 } } } }
               }
               events { aggregates(groupBy: [STATUS, STARTS_AT_MONTH]) { groups { status startsAtMonth count } } }
             }",
            json!({ "id": event["id"] }),
        )
        .await;
    assert_eq!(
        data["event"]["tickets"]["aggregates"]["groups"],
        json!([{ "ticketType": { "name": "Standard" }, "status": "VALID", "count": 3 }])
    );
    assert_eq!(
        data["event"]["capacityPools"]["aggregates"]["groups"],
        json!([{ "count": 1, "capacitySum": "5", "claimedSum": "3" }])
    );
    assert_eq!(
        data["event"]["registrations"]["nodes"][0]["items"]["aggregates"]["groups"],
        json!([{
            "ticketType": { "name": "Standard" }, "count": 2,
            "priceSum": [{ "minorUnits": "0", "currencyCode": "EUR" }],
        }])
    );
    assert_eq!(
        data["events"]["aggregates"]["groups"],
        json!([{ "status": "PUBLISHED", "startsAtMonth": "2027-05-01", "count": 1 }])
    );
}

#[tokio::test]
async fn each_organization_counts_its_own() {
    let stage = sold("left").await;
    let other = stage.app.organizer("right").await;
    let event = event_of(&other, &stage.admin, "theirs", "UTC", "EUR").await;
    stage
        .registration(&event, "confirmed", 1, "2026-06-01T00:00:00Z")
        .await;
    let query = "{ registrations { aggregates { groups { count totalSum { minorUnits } } } } }";
    let theirs = other.caller.ask(query, json!({})).await;
    assert_eq!(
        theirs["registrations"]["aggregates"]["groups"],
        json!([{ "count": 1, "totalSum": [{ "minorUnits": "1" }] }])
    );
    let ours = stage.owner.caller.ask(query, json!({})).await;
    assert_eq!(
        ours["registrations"]["aggregates"]["groups"][0]["count"],
        60
    );
    // Nor through the key of an event that is not theirs.
    let foreign = "query($id: ID) { registrations(filter: { eventId: { eq: $id } }) {
                     aggregates { groups { count } } } }";
    let none = stage
        .owner
        .caller
        .ask(foreign, json!({ "id": event.id }))
        .await;
    assert_eq!(
        none["registrations"]["aggregates"]["groups"],
        json!([{ "count": 0 }])
    );
}
