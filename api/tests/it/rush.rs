//! The rush on a sale, through HTTP: many more buyers than places, with holds that run out meanwhile.

use serde_json::{Value, json};

use crate::harness::{EventSetup, TestApp, at_once, key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_five_hundred_at_once_on_a_hundred_places_end_with_exactly_a_hundred() {
    // All of them behind one address, as a stadium is.
    let app = TestApp::start_with(&[("VISITOR_CONCURRENCY", "1000")]).await;
    let organizer = app.organizer("north").await;
    let setup = EventSetup {
        places: 100,
        hold_seconds: 60,
        ..EventSetup::default()
    };
    let event = organizer.event(&setup).await;
    let visitor = app.visitor();

    // Thirty places are held by people who never come back.
    for _ in 0..3 {
        let held = visitor.place(&event, &event["types"][0], 10).await;
        assert_eq!(held["userErrors"], json!([]), "{held:#}");
    }
    let (rush, sale) = (visitor.clone(), event.clone());
    let buying = tokio::spawn(at_once(500, move |number| {
        let (visitor, event) = (rush.clone(), sale.clone());
        async move {
            loop {
                let ticket_type = event["types"][number % 2].clone();
                let placed = visitor.place_as(&event, &ticket_type, 1, &key()).await;
                if let Some(secret) = placed["guestSecret"].as_str() {
                    let guest = visitor.with_guest(secret);
                    let confirmed = guest.confirm(&placed["registration"]["id"]).await;
                    match confirmed["userErrors"][0]["code"].as_str() {
                        None => return "confirmed".to_owned(),
                        // The clock was moved past this hold: the buyer tries again, as people do.
                        Some("HOLD_EXPIRED") => continue,
                        Some(code) => return code.to_owned(),
                    }
                }
                return placed["userErrors"][0]["code"]
                    .as_str()
                    .unwrap_or("?")
                    .to_owned();
            }
        }
    }));
    // In the middle of it the abandoned holds run out.
    while app
        .database
        .count("select count(*) from registrations where status = 'confirmed'")
        .await
        < 20
    {
        tokio::task::yield_now().await;
    }
    app.database.advance(61).await;
    let answers = buying.await.unwrap();
    let confirmed = answers
        .iter()
        .filter(|answer| *answer == "confirmed")
        .count();
    assert!(
        answers.iter().all(|a| a == "confirmed" || a == "SOLD_OUT"),
        "{answers:?}"
    );
    let mut sold = confirmed as i64;
    // Who was told "sold out" before the abandoned holds ran out left places behind: they sell now.
    loop {
        let placed = visitor.place(&event, &event["types"][0], 1).await;
        let Some(secret) = placed["guestSecret"].as_str() else {
            assert_eq!(placed["userErrors"][0]["code"], "SOLD_OUT");
            break;
        };
        let confirmed = visitor
            .with_guest(secret)
            .confirm(&placed["registration"]["id"])
            .await;
        assert_eq!(confirmed["userErrors"], json!([]));
        sold += 1;
    }
    assert_eq!(sold, 100);
    let tickets = "select count(*) from tickets where status = 'valid'";
    assert_eq!(app.database.count(tickets).await, 100);
    let codes = "select count(distinct code) from tickets";
    assert_eq!(app.database.count(codes).await, 100);
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_sent_many_times_at_once_is_one_registration() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let event = organizer.event(&EventSetup::default()).await;
    let (visitor, sale, key) = (app.visitor(), event.clone(), key());
    let answers: Vec<Value> = at_once(20, move |_| {
        let (visitor, event, key) = (visitor.clone(), sale.clone(), key.clone());
        async move { visitor.place_as(&event, &event["types"][0], 1, &key).await }
    })
    .await;
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:#?}"
    );
    assert_eq!(answers[0]["userErrors"], json!([]));
    let registrations = "select count(*) from registrations";
    assert_eq!(app.database.count(registrations).await, 1);
    assert_eq!(app.database.stock_faults().await, 0);
}
