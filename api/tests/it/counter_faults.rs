//! What goes wrong inside a batch: its connection is ended, it waits too long for a lock, meets another in a circle, or
//! answers nonsense. Everybody in it is served or told to come again, nobody waits for ever, and the next batch works.

use serde_json::{Value, json};

use crate::harness::{EventSetup, TestApp, at_once, key};

const BUYERS: usize = 24;

/// Backends of this database that run a batch.
const BATCHES: &str = "from pg_stat_activity where datname = current_database() and state = 'active' \
     and query like 'select public.%_registrations(%' and pid <> pg_backend_pid()";

async fn sale() -> (TestApp, Value) {
    let app = TestApp::start_with(&[("VISITOR_CONCURRENCY", "1000")]).await;
    let setup = EventSetup {
        places: 500,
        ..EventSetup::default()
    };
    let event = app.organizer("north").await.event(&setup).await;
    (app, event)
}

/// Puts a function in the place of the one for many, which is `place_really` from then on; `{n}` counts its calls.
async fn instead(app: &TestApp, body: &str) {
    let body = body.replace("{n}", "nextval('es_test.calls')");
    app.database
        .admin()
        .await
        .batch_execute(&format!(
            "create sequence es_test.calls;
             grant usage on sequence es_test.calls to public;
             alter function public.place_registrations(jsonb) rename to place_really;
             create function public.place_registrations(p_batch jsonb) returns jsonb language plpgsql
             as $$ begin {body} return public.place_really(p_batch); end $$"
        ))
        .await
        .unwrap();
}

/// The function for one would serve nobody.
async fn without_the_one(app: &TestApp) {
    app.database
        .admin()
        .await
        .batch_execute("drop function public.place_registration(jsonb)")
        .await
        .unwrap();
}

/// One buyer asks under that key: `placed`, or the code of an error.
async fn ask(http: &reqwest::Client, url: &str, event: &Value, key: &str) -> String {
    let query = "mutation($input: PlaceRegistrationInput!) { placeRegistration(input: $input) {
        registration { id } userErrors { code } } }";
    let input = json!({
        "eventId": event["id"], "buyer": { "name": "Vera", "email": "vera@example.org" },
        "lines": [{ "ticketTypeId": event["types"][0], "quantity": 1 }], "idempotencyKey": key,
    });
    let sent = http
        .post(format!("{url}/graphql"))
        .json(&json!({ "query": query, "variables": { "input": input } }))
        .send();
    let answer: Value = sent.await.unwrap().json().await.unwrap();
    match answer["errors"][0]["extensions"]["code"].as_str() {
        Some(code) => code.to_owned(),
        None => {
            let placed = &answer["data"]["placeRegistration"];
            assert_eq!(placed["userErrors"], json!([]), "{answer}");
            assert!(placed["registration"]["id"].is_string(), "{answer}");
            "placed".to_owned()
        }
    }
}

/// All buyers at once, each under a key of their own.
fn rush(app: &TestApp, event: &Value) -> (Vec<String>, impl Future<Output = Vec<String>> + use<>) {
    let keys: Vec<String> = (0..BUYERS).map(|_| key()).collect();
    let (http, url, event, theirs) = (
        app.http().clone(),
        app.url.clone(),
        event.clone(),
        keys.clone(),
    );
    let asking = at_once(BUYERS, move |number| {
        let (http, url, event) = (http.clone(), url.clone(), event.clone());
        let key = theirs[number].clone();
        async move { ask(&http, &url, &event, &key).await }
    });
    (keys, asking)
}

/// Everybody comes again under the same key and is placed, once.
async fn all_come_again(app: &TestApp, event: &Value, keys: Vec<String>) {
    let (http, url, event) = (app.http().clone(), app.url.clone(), event.clone());
    let said = at_once(BUYERS, move |number| {
        let (http, url, event, key) = (
            http.clone(),
            url.clone(),
            event.clone(),
            keys[number].clone(),
        );
        async move { ask(&http, &url, &event, &key).await }
    })
    .await;
    assert_eq!(said, vec!["placed"; BUYERS]);
    let registrations = app
        .database
        .count("select count(*) from registrations")
        .await;
    assert_eq!(registrations, BUYERS as i64);
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_whose_connection_is_ended_tells_everybody_to_come_again() {
    let (app, event) = sale().await;
    let mut holder = app.database.admin().await;
    let lock = holder.transaction().await.unwrap();
    lock.execute("select from capacity_pools for update", &[])
        .await
        .unwrap();
    let (keys, asking) = rush(&app, &event);
    let asking = tokio::spawn(asking);
    // Every batch that begins is ended, until nobody is left in the line.
    let database = app.database.admin().await;
    let end = format!("select pg_terminate_backend(pid) {BATCHES} and wait_event_type = 'Lock'");
    let mut ended = 0;
    while !asking.is_finished() {
        ended += database.query(&end, &[]).await.unwrap().len();
        tokio::task::yield_now().await;
    }
    lock.commit().await.unwrap();
    let said = asking.await.unwrap();
    assert!(ended > 0);
    assert_eq!(said, vec!["UNAVAILABLE"; BUYERS]);
    let nobody = app
        .database
        .count("select count(*) from registrations")
        .await;
    assert_eq!(nobody, 0);
    all_come_again(&app, &event, keys).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_end_at_any_instant_lose_and_double_nothing() {
    let (app, event) = sale().await;
    let (http, url) = (app.http().clone(), app.url.clone());
    let sale = event.clone();
    let buying = tokio::spawn(at_once(BUYERS, move |_| {
        let (http, url, event) = (http.clone(), url.clone(), sale.clone());
        async move {
            for _ in 0..6 {
                let key = key();
                loop {
                    match ask(&http, &url, &event, &key).await.as_str() {
                        "placed" => break,
                        "UNAVAILABLE" | "TIMEOUT" => {}
                        code => panic!("{code}"),
                    }
                }
            }
        }
    }));
    let database = app.database.admin().await;
    // Whatever they do: a batch, a single verb, the look-up of an event, a payload that is read.
    let end = "select pg_terminate_backend(pid) from (
                 select pid from pg_stat_activity
                 where datname = current_database() and backend_type = 'client backend' and state <> 'idle'
                   and usename <> current_user
                 order by random() limit 1) as one";
    let mut ended = 0;
    while !buying.is_finished() && ended < 60 {
        ended += database.query(end, &[]).await.unwrap().len();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    buying.await.unwrap();
    assert!(ended > 0);
    let registrations = app
        .database
        .count("select count(*) from registrations")
        .await;
    assert_eq!(registrations, 6 * BUYERS as i64);
    assert_eq!(app.database.stock_faults().await, 0);
}

/// What PostgreSQL may say of a whole batch, and what each buyer is told then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_the_same_for_each_is_told_to_all_at_once() {
    for (state, code) in [
        ("55P03", "TIMEOUT"),
        ("57014", "TIMEOUT"),
        ("57P01", "UNAVAILABLE"),
        ("53200", "UNAVAILABLE"),
        ("53300", "UNAVAILABLE"),
    ] {
        let (app, event) = sale().await;
        let fails = format!(
            "if not exists (select from es_test.clock where ahead > '0') then \
                             raise exception 'as it were' using errcode = '{state}'; end if;"
        );
        instead(&app, &fails).await;
        let (keys, asking) = rush(&app, &event);
        assert_eq!(asking.await, vec![code; BUYERS], "{state}");
        // It is over.
        app.database.advance(1).await;
        without_the_one(&app).await;
        all_come_again(&app, &event, keys).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_met_in_a_circle_are_tried_again() {
    for state in ["40P01", "40001"] {
        let (app, event) = sale().await;
        instead(
            &app,
            &format!(
                "if {{n}} % 3 <> 0 then raise exception 'met' using errcode = '{state}'; end if;"
            ),
        )
        .await;
        without_the_one(&app).await;
        let (keys, asking) = rush(&app, &event);
        assert_eq!(asking.await, vec!["placed"; BUYERS], "{state}");
        all_come_again(&app, &event, keys).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_always_meet_others_are_served_one_by_one() {
    let (app, event) = sale().await;
    instead(&app, "raise exception 'met' using errcode = '40P01';").await;
    let (keys, asking) = rush(&app, &event);
    assert_eq!(asking.await, vec!["placed"; BUYERS]);
    all_come_again(&app, &event, keys).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_answers_nonsense_is_our_fault_and_not_the_end() {
    for nonsense in ["return '[]';", "return null;", "return '{}';"] {
        let (app, event) = sale().await;
        let odd = format!(
            "if not exists (select from es_test.clock where ahead > '0') then {nonsense} end if;"
        );
        instead(&app, &odd).await;
        without_the_one(&app).await;
        let (keys, asking) = rush(&app, &event);
        assert_eq!(asking.await, vec!["INTERNAL"; BUYERS], "{nonsense}");
        app.database.advance(1).await;
        all_come_again(&app, &event, keys).await;
    }
}
