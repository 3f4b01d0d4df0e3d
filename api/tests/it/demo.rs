//! Demo data: whole, in order, and the same after a second start.

use std::time::Duration;

use eventsphere::demo;

use crate::harness::TestApp;

const ROWS: &str = "select (select count(*) from registrations) + (select count(*) from tickets) \
     + (select count(*) from events) + (select count(*) from sessions) + (select count(*) from speakers) \
     + (select count(*) from venues) + (select count(*) from ticket_types) + (select count(*) from users) \
     + (select count(*) from organizations) + (select count(*) from members) + (select count(*) from outbox) \
     + (select count(*) from audit_log) + (select count(*) from check_ins)";

#[tokio::test]
async fn a_second_fill_adds_nothing() {
    let app = TestApp::start().await;
    let added = demo::fill(&app.app, 5).await.expect("a fill");
    assert!(added > 150, "only {added}");
    let rows = app.database.count(ROWS).await;
    let again = demo::fill(&app.app, 5).await.expect("a second fill");
    assert_eq!((again, app.database.count(ROWS).await), (0, rows));
    assert_eq!(app.database.stock_faults().await, 0);
    for (faults, what) in [
        (
            "select count(*) from registrations where not confirmation_number_is_well_formed(confirmation_number)",
            "numbers",
        ),
        (
            "select count(*) from registrations r join events e on e.id = r.event_id where r.placed_at > e.ends_at",
            "placed after the end",
        ),
        (
            "select count(*) from tickets t join registrations r on r.id = t.registration_id where t.issued_at <> r.confirmed_at",
            "instants of issue",
        ),
        (
            "select 5 - count(distinct status) from events where status in ('draft', 'published', 'completed', 'cancelled')",
            "one state is left out on purpose",
        ),
        (
            "select count(*) from events e where status = 'completed' and 10 * (
               select count(*) from check_ins c where c.event_id = e.id and outcome = 'admitted'
             ) not between 6 * (select count(*) from tickets t where t.event_id = e.id) and 100000",
            "few came to what is over",
        ),
        (
            "select count(*) from check_ins c join events e on e.id = c.event_id
             where c.scanned_at not between e.starts_at - interval '1 hour' and e.ends_at",
            "scanned before or after",
        ),
        (
            "select 2 - count(distinct default_currency) from organizations",
            "currencies",
        ),
    ] {
        let expected = i64::from(faults.starts_with("select 5"));
        assert_eq!(app.database.count(faults).await, expected, "{what}");
    }
}

#[tokio::test]
async fn a_fill_that_was_cut_off_goes_on() {
    let app = TestApp::start().await;
    for millis in [300, 700, 1200] {
        let cut =
            tokio::time::timeout(Duration::from_millis(millis), demo::fill(&app.app, 5)).await;
        if let Ok(done) = cut {
            done.expect("a fill");
        }
    }
    demo::fill(&app.app, 5).await.expect("the rest");
    let cut = (
        app.database
            .count("select count(*) from registrations")
            .await,
        app.database.count("select count(*) from tickets").await,
        app.database.count("select count(*) from events").await,
    );
    let whole = TestApp::start().await;
    demo::fill(&whole.app, 5).await.expect("a whole fill");
    let uncut = (
        whole
            .database
            .count("select count(*) from registrations")
            .await,
        whole.database.count("select count(*) from tickets").await,
        whole.database.count("select count(*) from events").await,
    );
    assert_eq!(cut, uncut);
    assert_eq!(app.database.stock_faults().await, 0);
}
