//! Errors null the right field and keep the rest. Each test bears the name of a fault that async-graphql's own executor
//! has or had; ours never executes by it, and this holds that it stays so.

use serde_json::{Value, json};

use crate::harness::{EventSetup, Organizer, TestApp, key};

/// The field `available` of this ticket type divides by zero; those of others answer.
async fn break_for(app: &TestApp, ticket_type: &Value) {
    let id = ticket_type.as_str().expect("an id");
    let (_, key) = eventsphere_graphql::global_id::decode(id).expect("an id of ours");
    let sql = format!(
        "create or replace function public.ticket_type_available(p_ticket_type uuid) returns integer
         language sql stable as $$ select 1 / (p_ticket_type <> '{key}')::int $$"
    );
    let admin = app.database.admin().await;
    admin.batch_execute(&sql).await.expect("a function");
}

/// That function, of any arguments, raises.
async fn fail_always(app: &TestApp, function: &str) {
    let sql = format!(
        "create or replace function {function} language plpgsql stable as $$ begin raise 'no'; end $$"
    );
    let admin = app.database.admin().await;
    admin.batch_execute(&sql).await.expect("a function");
}

/// Code and path of every error, in the order of the answer.
fn errors(answer: &Value) -> Vec<(String, String)> {
    let errors = answer["errors"].as_array();
    errors
        .into_iter()
        .flatten()
        .map(|error| {
            let code = error["extensions"]["code"].as_str().expect("a code");
            (code.to_owned(), error["path"].to_string())
        })
        .collect()
}

fn told(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(code, path)| ((*code).to_owned(), (*path).to_owned()))
        .collect()
}

fn keys(data: &Value) -> Vec<&str> {
    let fields = data.as_object().expect("an object");
    fields.keys().map(String::as_str).collect()
}

/// An organizer, a published event, and a function that fails for the first of its ticket types.
async fn broken() -> (TestApp, Organizer, Value) {
    let app = TestApp::start().await;
    let organizer = app.organizer("acme").await;
    let event = organizer.event(&EventSetup::default()).await;
    break_for(&app, &event["types"][0]).await;
    (app, organizer, event)
}

const BOTH: &str = "query($id: ID!, $fails: ID!, $works: ID!) {
  zebra: event(id: $id) { title }
  works: node(id: $works) { ... on TicketType { available } }
  fails: node(id: $fails) { ... on TicketType { name available } }
  middle: __typename
  apple: events { totalCount }
}";

async fn asked(organizer: &Organizer, event: &Value) -> Value {
    let variables =
        json!({ "id": event["id"], "fails": event["types"][0], "works": event["types"][1] });
    organizer.caller.send(BOTH, variables).await
}

#[tokio::test]
async fn any_error_nulls_the_whole_data_in_7_0_and_8_0() {
    let (_app, organizer, event) = broken().await;
    let answer = asked(&organizer, &event).await;
    assert_eq!(
        answer["data"],
        json!({
            "zebra": { "title": "Rust Day" }, "works": { "available": 1 },
            "fails": { "name": "Standard", "available": null },
            "middle": "Query", "apple": { "totalCount": 1 },
        }),
        "{answer}"
    );
    let path = r#"["fails","available"]"#;
    assert_eq!(errors(&answer), told(&[("INTERNAL", path)]));
    assert_eq!(
        answer["errors"][0]["locations"],
        json!([{ "line": 4, "column": 54 }])
    );
}

#[tokio::test]
async fn the_failing_key_is_left_out_and_others_come_as_they_complete_in_7_2() {
    let (_app, organizer, event) = broken().await;
    let answer = asked(&organizer, &event).await;
    assert_eq!(
        keys(&answer["data"]),
        ["zebra", "works", "fails", "middle", "apple"]
    );
}

#[tokio::test]
async fn issue_1577_nulls_in_lists_of_objects_are_resolved_anyway() {
    let (_app, organizer, event) = broken().await;
    let query =
        "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on TicketType { name } } }";
    let ids = json!(["nonsense", event["types"][1], ""]);
    let answer = organizer.caller.send(query, json!({ "ids": ids })).await;
    let shown = json!({ "__typename": "TicketType", "id": event["types"][1], "name": "Student" });
    assert_eq!(answer["data"], json!({ "nodes": [null, shown, null] }));
    assert_eq!(errors(&answer), []);
}

#[tokio::test]
async fn issue_1449_there_are_no_partial_results_beside_several_errors() {
    let (app, organizer, event) = broken().await;
    let query = "query($id: ID!, $fails: ID!) {
      one: node(id: $fails) { ... on TicketType { available } }
      two: event(id: $id) { title ticketTypes { nodes { name available } } }
      three: event(id: $id) { title ticketTypes { nodes { name } } }
    }";
    let variables = json!({ "id": event["id"], "fails": event["types"][0] });
    let types = json!({ "nodes": [{ "name": "Standard" }, { "name": "Student" }] });
    // Which row it failed for is not told by PostgreSQL: the field is null in all of them.
    let unknown = json!({ "nodes": [
        { "name": "Standard", "available": null }, { "name": "Student", "available": null },
    ] });
    let expected = json!({
        "one": { "available": null },
        "two": { "title": "Rust Day", "ticketTypes": unknown },
        "three": { "title": "Rust Day", "ticketTypes": types },
    });
    for caller in [&organizer.caller, &app.visitor()] {
        let answer = caller.send(query, variables.clone()).await;
        assert_eq!(answer["data"], expected);
        assert_eq!(
            errors(&answer),
            told(&[
                ("INTERNAL", r#"["one","available"]"#),
                ("INTERNAL", r#"["two","ticketTypes","nodes",0,"available"]"#),
                ("INTERNAL", r#"["two","ticketTypes","nodes",1,"available"]"#),
            ])
        );
    }
}

#[tokio::test]
async fn a_field_that_is_never_null_fails_and_its_nearest_nullable_parent_is_null() {
    let (app, organizer, event) = broken().await;
    // `saleStatus`, `nodes` and `ticketTypes` are never null: what can be is the root field, and every one can.
    fail_always(
        &app,
        "public.ticket_type_sale_status(p_ticket_type uuid) returns text",
    )
    .await;
    let query = "query($id: ID!) {
      event(id: $id) { title ticketTypes { nodes { name saleStatus } } }
      types: nodes(ids: [$id]) { ... on Event { title ticketTypes { totalCount } } }
    }";
    let answer = organizer
        .caller
        .send(query, json!({ "id": event["id"] }))
        .await;
    let beside = json!([{ "title": "Rust Day", "ticketTypes": { "totalCount": 2 } }]);
    assert_eq!(answer["data"], json!({ "event": null, "types": beside }));
    let path = r#"["event","ticketTypes","nodes",0,"saleStatus"]"#;
    assert_eq!(errors(&answer), told(&[("INTERNAL", path)]));
    let sdl = app.app.engine.sdl();
    let query = sdl.split("\ntype Query ").nth(1).expect("the query type");
    let query = query.split("\n}").next().expect("its end");
    let never: Vec<&str> = query
        .lines()
        .filter(|line| {
            line.starts_with('\t')
                && !line.starts_with("\t\t")
                && line
                    .split(" @")
                    .next()
                    .is_some_and(|shown| shown.ends_with('!') && shown.contains(':'))
        })
        .collect();
    assert_eq!(
        never, [""; 0],
        "an error in one of these would null everything"
    );
}

#[tokio::test]
async fn of_several_functions_the_one_that_fails_is_null_and_the_others_answer() {
    let app = TestApp::start().await;
    let organizer = app.organizer("acme").await;
    let event = organizer.event(&EventSetup::default()).await;
    let dated =
        "public.ticket_type_available_at(p_ticket_type uuid, p_occurrence uuid) returns integer";
    fail_always(&app, dated).await;
    let query = "query($id: ID!, $day: ID!) {
      event(id: $id) { ...types registrations { aggregates { groups { count } } } }
      works: event(id: $id) { title }
    }
    fragment types on Event { ticketTypes { nodes { left: available saleStatus dated: availableAt(occurrenceId: $day) } } }";
    let day = organizer
        .caller
        .ask(
            "query($id: ID!) { event(id: $id) { occurrences { nodes { id } } } }",
            json!({ "id": event["id"] }),
        )
        .await["event"]["occurrences"]["nodes"][0]["id"]
        .clone();
    let variables = json!({ "id": event["id"], "day": day });
    let fewer = query.replace(" registrations { aggregates { groups { count } } }", "");
    let answer = organizer.caller.send(&fewer, variables.clone()).await;
    let each = json!({ "left": 5, "saleStatus": "ON_SALE", "dated": null });
    assert_eq!(
        answer["data"],
        json!({
            "event": { "ticketTypes": { "nodes": [each, each] } },
            "works": { "title": "Rust Day" },
        }),
        "{answer}"
    );
    let paths = [0, 1].map(|row| format!(r#"["event","ticketTypes","nodes",{row},"dated"]"#));
    let expected = paths.each_ref().map(|path| ("INTERNAL", path.as_str()));
    assert_eq!(errors(&answer), told(&expected));
    // Of more than three, all are given up together: here one of them is never null, and takes the event along.
    let answer = organizer.caller.send(query, variables).await;
    assert_eq!(
        answer["data"],
        json!({ "event": null, "works": { "title": "Rust Day" } }),
        "{answer}"
    );
    let paths = ["left", "saleStatus"]
        .map(|field| format!(r#"["event","ticketTypes","nodes",0,"{field}"]"#));
    let expected = paths.each_ref().map(|path| ("INTERNAL", path.as_str()));
    assert_eq!(errors(&answer), told(&expected));
    // What no function did is told of the whole root field.
    fail_always(
        &app,
        "es.money_text(p_minor bigint, p_currency text) returns text",
    )
    .await;
    let query = "query($id: ID!) {
      event(id: $id) { ticketTypes { nodes { price { amount } saleStatus } } }
      works: event(id: $id) { title }
    }";
    let answer = organizer
        .caller
        .send(query, json!({ "id": event["id"] }))
        .await;
    assert_eq!(
        answer["data"],
        json!({ "event": null, "works": { "title": "Rust Day" } })
    );
    assert_eq!(errors(&answer), told(&[("INTERNAL", r#"["event"]"#)]));
}

#[tokio::test]
async fn a_failing_aggregate_leaves_its_page() {
    let (app, organizer, event) = broken().await;
    fail_always(
        &app,
        "es.money_text(p_minor bigint, p_currency text) returns text",
    )
    .await;
    let placed = app.visitor().place(&event, &event["types"][0], 1).await;
    assert_eq!(placed["userErrors"], json!([]));
    let query = "{ registrations { totalCount aggregates { groups { totalSum { amount } } } nodes { status } } }";
    let answer = organizer.caller.send(query, json!({})).await;
    let page = json!({ "totalCount": 1, "aggregates": null, "nodes": [{ "status": "HELD" }] });
    assert_eq!(answer["data"]["registrations"], page, "{answer}");
    let path = r#"["registrations","aggregates"]"#;
    assert_eq!(errors(&answer), told(&[("INTERNAL", path)]));
}

#[tokio::test]
async fn a_denied_field_is_null_and_says_so_at_its_path() {
    let (app, _, event) = broken().await;
    let (attendee, _) = app.person("ann@guests.example").await;
    let query = "query($id: ID!) {
      before: event(id: $id) { title }
      list: apiTokens { nodes { id } }
      below: event(id: $id) { title capacityPools { totalCount } }
      after: __typename
    }";
    let answer = attendee.send(query, json!({ "id": event["id"] })).await;
    assert_eq!(
        answer["data"],
        json!({ "before": { "title": "Rust Day" }, "list": null, "below": null, "after": "Query" }),
        "{answer}"
    );
    assert_eq!(keys(&answer["data"]), ["before", "list", "below", "after"]);
    assert_eq!(
        errors(&answer),
        told(&[
            ("FORBIDDEN", r#"["list"]"#),
            ("FORBIDDEN", r#"["below","capacityPools"]"#)
        ])
    );
}

#[tokio::test]
async fn a_failing_second_mutation_leaves_the_first_done_and_told() {
    let (app, organizer, event) = broken().await;
    let place = |quantity: i64, key: &str| {
        let attendees: Vec<Value> = (0..quantity)
            .map(|_| json!({ "name": "Ann", "email": "ann@example.org" }))
            .collect();
        let line = json!({ "ticketTypeId": event["types"][1], "quantity": quantity, "attendees": attendees });
        json!({
            "eventId": event["id"], "buyer": { "name": "Ann", "email": "ann@example.org" },
            "lines": [line], "idempotencyKey": key,
        })
    };
    let key = key();
    let query = "mutation($speaker: CreateSpeakerInput!, $one: PlaceRegistrationInput!, $two: PlaceRegistrationInput!) {
      first: createSpeaker(input: $speaker) { speaker { name } userErrors { code } }
      second: placeRegistration(input: $one) { registration { status } userErrors { code } }
      third: placeRegistration(input: $two) { registration { status } userErrors { code } }
      fourth: __typename
      fifth: createSpeaker(input: $speaker) { speaker { name } }
    }";
    // The second has the key of the first and means something else.
    let variables =
        json!({ "speaker": { "name": "Ada" }, "one": place(1, &key), "two": place(2, &key) });
    let answer = organizer.caller.send(query, variables).await;
    let ada = json!({ "name": "Ada" });
    assert_eq!(
        answer["data"],
        json!({
            "first": { "speaker": ada, "userErrors": [] },
            "second": { "registration": { "status": "HELD" }, "userErrors": [] },
            "third": null,
            "fourth": "Mutation",
            "fifth": { "speaker": ada },
        }),
        "{answer}"
    );
    assert_eq!(
        keys(&answer["data"]),
        ["first", "second", "third", "fourth", "fifth"]
    );
    assert_eq!(errors(&answer), told(&[("CONFLICT", r#"["third"]"#)]));
    let speakers = "select count(*) from speakers where name = 'Ada'";
    assert_eq!(app.database.count(speakers).await, 2);
    let placed = "select count(*) from registrations";
    assert_eq!(app.database.count(placed).await, 1);
}

#[tokio::test]
async fn a_field_of_a_payload_that_cannot_be_read_leaves_the_others_and_the_effect() {
    let (app, organizer, event) = broken().await;
    let query = "mutation($speaker: CreateSpeakerInput!, $id: ID!, $type: ID!) {
      made: createSpeaker(input: $speaker) {
        before: speaker { name }
        query { works: event(id: $id) { title } fails: node(id: $type) { ... on TicketType { available } } name: __typename }
        userErrors { code }
        after: speaker { name organization { slug } }
      }
    }";
    let variables =
        json!({ "speaker": { "name": "Ada" }, "id": event["id"], "type": event["types"][0] });
    let answer = organizer.caller.send(query, variables).await;
    assert_eq!(
        answer["data"]["made"],
        json!({
            "before": { "name": "Ada" },
            "query": { "works": { "title": "Rust Day" }, "fails": { "available": null }, "name": "Query" },
            "userErrors": [],
            "after": { "name": "Ada", "organization": { "slug": "acme" } },
        }),
        "{answer}"
    );
    assert_eq!(
        keys(&answer["data"]["made"]),
        ["before", "query", "userErrors", "after"]
    );
    assert_eq!(
        errors(&answer),
        told(&[("INTERNAL", r#"["made","query","fails","available"]"#)])
    );
    let speakers = "select count(*) from speakers where name = 'Ada'";
    assert_eq!(app.database.count(speakers).await, 1);
}

#[tokio::test]
async fn typename_alone_is_answered() {
    let (app, organizer, _) = broken().await;
    for caller in [&organizer.caller, &app.visitor()] {
        let answer = caller
            .send("{ __typename again: __typename }", json!({}))
            .await;
        assert_eq!(
            answer["data"],
            json!({ "__typename": "Query", "again": "Query" })
        );
        let answer = caller.send("mutation { __typename }", json!({})).await;
        assert_eq!(answer["data"], json!({ "__typename": "Mutation" }));
    }
}

#[tokio::test]
async fn issue_1818_a_variable_that_is_left_out_counts_as_null() {
    let (_app, organizer, _) = broken().await;
    let made = organizer
        .caller
        .does(
            "createVenue",
            "venue { id country city }",
            json!({ "name": "Hall", "country": "DE", "city": "Berlin", "timeZone": "Europe/Berlin" }),
        )
        .await;
    let id = &made["venue"]["id"];
    let query = "mutation($id: ID!, $country: String) {
      updateVenue(input: {id: $id, country: $country}) { venue { country city } userErrors { code } }
    }";
    for (variables, country) in [
        (json!({ "id": id }), json!("DE")),
        (json!({ "id": id, "country": "KR" }), json!("KR")),
        (json!({ "id": id }), json!("KR")),
        (json!({ "id": id, "country": null }), json!(null)),
    ] {
        let data = organizer.caller.ask(query, variables).await;
        assert_eq!(
            data["updateVenue"],
            json!({ "venue": { "country": country, "city": "Berlin" }, "userErrors": [] })
        );
    }
    // In a filter: left out there is no condition, null is refused.
    let query = "query($title: String, $first: Int = 1) {
      events(first: $first, filter: {title: {eq: $title}}) { totalCount nodes { title } }
    }";
    let data = organizer.caller.ask(query, json!({})).await;
    assert_eq!(data["events"]["totalCount"], 1);
    let data = organizer
        .caller
        .ask(query, json!({ "title": "Other" }))
        .await;
    assert_eq!(data["events"]["totalCount"], 0);
    let null = json!({ "title": null });
    assert_eq!(organizer.caller.fails(query, null).await, "BAD_USER_INPUT");
}
