//! Bad input to mutations: refused with a code, and not one row more than before.

use serde_json::{Value, json};

use crate::harness::{EventSetup, TestApp, key};

/// Rows of all tables together; but that a refusal is remembered for its idempotency key is meant.
const ROWS: &str = "select sum((xpath('/row/c/text()', query_to_xml(
    format('select count(*) as c from public.%I', tablename), false, true, '')))[1]::text::int8)::int8
  from pg_tables where schemaname = 'public' and tablename <> 'idempotency_keys'";

/// The same input with one thing changed.
fn with(input: &Value, path: &[&str], value: Value) -> Value {
    let mut out = input.clone();
    let last = path.len() - 1;
    let mut at = &mut out;
    for part in &path[..last] {
        at = match part.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[*part],
        };
    }
    at[path[last]] = value;
    out
}

fn without(input: &Value, field: &str) -> Value {
    let mut out = input.clone();
    out.as_object_mut().expect("an object").remove(field);
    out
}

struct Bench {
    app: TestApp,
    caller: crate::harness::Caller,
    rows: i64,
}

impl Bench {
    async fn new(app: TestApp, caller: crate::harness::Caller) -> Self {
        let rows = app.database.count(ROWS).await;
        Self { app, caller, rows }
    }

    /// Refused as a whole, or told as a user error with no entity beside it; nothing written either way.
    async fn refuses(&self, mutation: &str, entity: &str, input: Value) -> String {
        let mut type_name = mutation.to_owned();
        type_name[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {type_name}Input!) {{ {mutation}(input: $input) {{ done: {entity} {{ id }} userErrors {{ code field }} }} }}"
        );
        let answer = self.caller.send(&query, json!({ "input": input })).await;
        let text = answer.to_string();
        for word in [
            "INTERNAL",
            "constraint",
            "insert into",
            "public.",
            "sqlx",
            "panicked",
        ] {
            assert!(!text.contains(word), "{mutation} {input}: {text}");
        }
        let code = match &answer["errors"][0] {
            Value::Null => {
                let payload = &answer["data"][mutation];
                assert_eq!(payload["done"], Value::Null, "{mutation} {input}: {text}");
                &payload["userErrors"][0]["code"]
            }
            error => {
                assert!(error["extensions"]["requestId"].is_string(), "{text}");
                &error["extensions"]["code"]
            }
        };
        let code = code
            .as_str()
            .unwrap_or_else(|| panic!("{mutation} {input} was done: {text}"));
        assert_eq!(
            self.app.database.count(ROWS).await,
            self.rows,
            "{mutation} {input} wrote: {text}"
        );
        code.to_owned()
    }

    async fn refuses_all(&self, mutation: &str, entity: &str, code: &str, inputs: Vec<Value>) {
        for input in inputs {
            let told = self.refuses(mutation, entity, input.clone()).await;
            assert_eq!(told, code, "{mutation} {input}");
        }
    }
}

/// A visitor before an event, what they would send, the event and another organization's.
async fn at_the_till() -> (Bench, Value, Value, Value) {
    let app = TestApp::start().await;
    let ours = app.organizer("acme").await;
    let event = ours.event(&EventSetup::default()).await;
    let others = app.organizer("globex").await;
    let theirs = others.event(&EventSetup::default()).await;
    let visitor = app.visitor();
    let good = json!({
        "eventId": event["id"], "buyer": { "name": "Vera", "email": "vera@example.org" }, "idempotencyKey": key(),
        "lines": [{
            "ticketTypeId": event["types"][0], "quantity": 1,
            "attendees": [{ "name": "Ada", "email": "ada@example.org" }],
        }],
    });
    (Bench::new(app, visitor).await, good, event, theirs)
}

#[tokio::test]
async fn a_registration_of_the_wrong_form_is_refused_as_a_whole() {
    let (bench, good, event, _) = at_the_till().await;
    let quantity = |value: Value| with(&good, &["lines", "0", "quantity"], value);
    let line = good["lines"][0].clone();
    let wrong = vec![
        quantity(json!(2_147_483_648_i64)),
        quantity(json!(1.0)),
        quantity(json!(1.5)),
        quantity(json!("1")),
        quantity(json!(null)),
        quantity(json!(true)),
        quantity(json!([1])),
        quantity(json!(1e300)),
        with(&good, &["lines"], json!(null)),
        with(&good, &["lines"], json!([null])),
        with(&good, &["lines"], json!("x")),
        with(&good, &["lines"], Value::Array(vec![line.clone(); 1001])),
        with(&good, &["buyer"], json!(null)),
        with(&good, &["buyer"], json!([])),
        with(&good, &["buyer", "name"], json!("a\u{0}b")),
        with(&good, &["buyer", "name"], json!(5)),
        with(&good, &["buyer", "nothing"], json!(1)),
        with(&good, &["buyer", "email"], json!("a\u{0}@b.example")),
        with(&good, &["idempotencyKey"], json!(5)),
        with(&good, &["idempotencyKey"], json!(null)),
        with(&good, &["idempotencyKey"], json!("0123456789abcdef\u{0}")),
        with(&good, &["nothing"], json!(1)),
        with(&good, &["eventId"], json!(null)),
        with(&good, &["eventId"], json!([event["id"]])),
        with(&good, &["eventId"], json!({ "id": event["id"] })),
        with(&good, &["lines", "0", "attendees"], json!([null])),
        with(&good, &["lines", "0", "attendees"], json!([{ "name": 5 }])),
        without(&good, "eventId"),
        without(&good, "lines"),
        without(&good, "buyer"),
        without(&good, "idempotencyKey"),
        json!(null),
        json!([]),
        json!("x"),
    ];
    bench
        .refuses_all("placeRegistration", "registration", "BAD_USER_INPUT", wrong)
        .await;
}

#[tokio::test]
async fn a_registration_that_cannot_be_meant_is_told_as_data() {
    let (bench, good, event, theirs) = at_the_till().await;
    let quantity = |value: Value| with(&good, &["lines", "0", "quantity"], value);
    let line = good["lines"][0].clone();
    let attendee = line["attendees"][0].clone();
    for input in [
        quantity(json!(0)),
        quantity(json!(-1)),
        quantity(json!(-2_147_483_648_i64)),
        quantity(json!(2_147_483_647)),
        with(&good, &["lines"], json!([])),
        with(&good, &["buyer", "name"], json!("")),
        with(&good, &["buyer", "name"], json!("x".repeat(5_000))),
        with(&good, &["buyer", "email"], json!("nobody")),
        with(&good, &["buyer", "email"], json!("")),
        with(&good, &["idempotencyKey"], json!("short")),
        with(&good, &["idempotencyKey"], json!("k".repeat(201))),
        with(&good, &["eventId"], json!("nonsense")),
        with(&good, &["eventId"], json!("")),
        with(&good, &["eventId"], event["types"][0].clone()),
        with(&good, &["lines", "0", "ticketTypeId"], event["id"].clone()),
        with(
            &good,
            &["lines", "0", "ticketTypeId"],
            theirs["types"][0].clone(),
        ),
        with(&good, &["lines", "0", "ticketTypeId"], json!("nonsense")),
        with(&good, &["occurrenceId"], event["id"].clone()),
        with(
            &good,
            &["lines", "0", "attendees"],
            json!([attendee, attendee]),
        ),
        with(
            &good,
            &["lines", "0", "attendees", "0", "email"],
            json!("nobody"),
        ),
        with(&good, &["lines"], Value::Array(vec![line; 900])),
    ] {
        bench
            .refuses("placeRegistration", "registration", input)
            .await;
    }
    let again = with(&good, &["idempotencyKey"], json!(key()));
    let done = bench
        .caller
        .tries("placeRegistration", "registration { status }", again)
        .await;
    assert_eq!(done["registration"]["status"], "HELD");
}

/// An organizer with an event, the event, another organization's event and speaker.
async fn at_the_desk() -> (Bench, Value, Value, Value) {
    let app = TestApp::start().await;
    let ours = app.organizer("acme").await;
    let event = ours.event(&EventSetup::default()).await;
    let others = app.organizer("globex").await;
    let theirs = others.event(&EventSetup::default()).await;
    let zoe = json!({ "name": "Zoe" });
    let made = others
        .caller
        .does("createSpeaker", "speaker { id }", zoe)
        .await;
    let bench = Bench::new(app, ours.caller.clone()).await;
    (bench, event, theirs, made["speaker"]["id"].clone())
}

#[tokio::test]
async fn texts_and_foreign_keys_are_checked_before_a_setting_is_written() {
    let (bench, event, theirs, speaker) = at_the_desk().await;
    let text = vec![
        json!({}),
        json!({ "name": null }),
        json!({ "name": 5 }),
        json!({ "name": "a\u{0}b" }),
        json!({ "name": ["a"] }),
        json!({ "name": "a", "nothing": 1 }),
        json!({ "name": "a", "id": "x" }),
        json!({ "name": "a", "orgId": theirs["id"] }),
    ];
    bench
        .refuses_all("createSpeaker", "speaker", "BAD_USER_INPUT", text)
        .await;
    let invalid = vec![
        json!({ "name": "" }),
        json!({ "name": "x".repeat(201) }),
        json!({ "name": "a", "photoUrl": "javascript:1" }),
    ];
    bench
        .refuses_all("createSpeaker", "speaker", "INVALID", invalid)
        .await;

    let foreign = [
        theirs["id"].clone(),
        event["pool"].clone(),
        json!("nonsense"),
        json!(""),
        json!(7),
    ];
    let session = |event: &Value| json!({ "eventId": event, "title": "S", "startsAt": "2027-05-04T09:00:00Z", "endsAt": "2027-05-04T10:00:00Z" });
    bench
        .refuses_all(
            "createSession",
            "session",
            "NOT_FOUND",
            foreign.iter().map(session).collect(),
        )
        .await;
    for id in [
        speaker.clone(),
        event["id"].clone(),
        json!("nonsense"),
        json!(""),
        json!(0),
    ] {
        assert_eq!(
            bench
                .refuses(
                    "updateSpeaker",
                    "speaker",
                    json!({ "id": id, "name": "Mine" })
                )
                .await,
            "NOT_FOUND"
        );
        let query = "mutation($id: ID!) { deleteSpeaker(input: { id: $id }) { deletedId userErrors { code } } }";
        let data = bench.caller.ask(query, json!({ "id": id })).await;
        assert_eq!(
            data["deleteSpeaker"],
            json!({ "deletedId": null, "userErrors": [{ "code": "NOT_FOUND" }] })
        );
    }
}

#[tokio::test]
async fn money_of_the_wrong_form_is_refused() {
    let (bench, event, _, _) = at_the_desk().await;
    let money = |minor: Value, currency: Value| json!({ "eventId": event["id"], "name": "T", "price": { "minorUnits": minor, "currencyCode": currency } });
    let wrong = vec![
        money(json!(1.5), json!("EUR")),
        money(json!("1.5"), json!("EUR")),
        money(json!("9223372036854775808"), json!("EUR")),
        money(json!(null), json!("EUR")),
        money(json!("1"), json!("eur")),
        money(json!("1"), json!("EURO")),
        money(json!("1"), json!(978)),
        money(json!("1"), json!("E\u{0}R")),
        money(json!(true), json!("EUR")),
        json!({ "eventId": event["id"], "name": "T", "price": "12.50" }),
        json!({ "eventId": event["id"], "name": "T", "price": { "amount": "12.50" } }),
    ];
    bench
        .refuses_all("createTicketType", "ticketType", "BAD_USER_INPUT", wrong)
        .await;
    let wrong = vec![
        money(json!("-1"), json!("EUR")),
        // Not in the event's currency.
        money(json!("1"), json!("USD")),
        money(json!("9223372036854775807"), json!("EUR")),
    ];
    bench
        .refuses_all("createTicketType", "ticketType", "INVALID", wrong)
        .await;
}

#[tokio::test]
async fn an_event_is_made_whole_or_not_at_all() {
    let (bench, _, theirs, _) = at_the_desk().await;
    let events = |changes: Value| {
        let mut input = json!({ "title": "E", "slug": "e", "startsAt": "2027-05-04T09:00:00Z", "endsAt": "2027-05-05T09:00:00Z" });
        changes
            .as_object()
            .expect("an object")
            .iter()
            .for_each(|(name, value)| input[name] = value.clone());
        input
    };
    let wrong = vec![
        events(json!({ "startsAt": "tomorrow" })),
        events(json!({ "startsAt": "2027-05-04" })),
        events(json!({ "startsAt": 0 })),
        events(json!({ "startsAt": "0000-01-01T00:00:00Z" })),
        events(json!({ "holdSeconds": 3e9 })),
        events(json!({ "visibility": "SECRET" })),
        events(json!({ "visibility": 1 })),
        events(json!({ "requiresApproval": "true" })),
        events(json!({ "title": null })),
        events(json!({ "slug": "a\u{0}" })),
    ];
    bench
        .refuses_all("createEvent", "event", "BAD_USER_INPUT", wrong)
        .await;
    for changes in [
        json!({ "title": "" }),
        json!({ "title": "x".repeat(300) }),
        json!({ "slug": "No Slug" }),
        json!({ "slug": "rust-day" }),
        json!({ "timeZone": "Mars/Base" }),
        json!({ "currency": "eur" }),
        json!({ "endsAt": "2027-05-04T08:00:00Z" }),
        json!({ "holdSeconds": -5 }),
        json!({ "holdSeconds": 0 }),
        json!({ "maxTicketsPerRegistration": 0 }),
        json!({ "venueId": theirs["id"] }),
        json!({ "venueId": "nonsense" }),
        json!({ "description": "x".repeat(20_001) }),
    ] {
        bench.refuses("createEvent", "event", events(changes)).await;
    }
}

#[tokio::test]
async fn the_first_mutation_is_not_done_when_the_second_cannot_be_meant() {
    let app = TestApp::start().await;
    let ours = app.organizer("acme").await;
    let rows = app.database.count(ROWS).await;
    let good = "one: createSpeaker(input: { name: \"Ada\" }) { speaker { id } }";
    for second in [
        "two: createSpeaker(input: { name: \"a\\u0000\" }) { speaker { id } }",
        "two: createSpeaker(input: { name: \"B\" }) { query { events(first: -1) { totalCount } } }",
        "two: createSpeaker(input: { name: \"B\" }) { query { events(after: \"x\") { nodes { id } } } }",
        "two: createSpeaker(input: { name: \"B\" }) { speaker { organization { registrations(first: 100) { nodes { tickets(first: 100) { nodes { event { tickets(first: 100) { nodes { id } } } } } } } } } }",
    ] {
        let answer = ours
            .caller
            .send(&format!("mutation {{ {good} {second} }}"), json!({}))
            .await;
        assert!(answer.get("data").is_none(), "{answer}");
        assert_eq!(app.database.count(ROWS).await, rows, "{second}");
    }
}
