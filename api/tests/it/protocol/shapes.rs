//! What the engine answers over a seeded event: ids, fragments, aliases, money, many-to-many, depth, payloads, and
//! errors that leave the other fields alone.

use serde_json::{Value, json};

use crate::harness::{EventSetup, Organizer, TestApp};

async fn acme(app: &TestApp) -> (Organizer, Value) {
    let organizer = app.organizer("acme").await;
    let setup = EventSetup {
        price: 1250,
        ..EventSetup::default()
    };
    let event = organizer.event(&setup).await;
    (organizer, event)
}

#[tokio::test]
async fn nodes_keep_their_order_and_tell_nothing_of_what_is_not_the_callers() {
    let app = TestApp::start().await;
    let (ours, event) = acme(&app).await;
    let others = app.organizer("globex").await;
    let draft = EventSetup {
        published: false,
        ..EventSetup::default()
    };
    let theirs = others.event(&draft).await;
    let unknown = eventsphere_graphql::global_id::encode(11, uuid::Uuid::from_u128(7));
    let no_type = eventsphere_graphql::global_id::encode(255, uuid::Uuid::from_u128(7));
    let ids = json!([
        event["types"][1],
        unknown,
        event["id"],
        theirs["id"],
        theirs["types"][0],
        "",
        "nonsense",
        no_type,
        5,
        event["types"][0],
        event["id"]
    ]);
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Event { title } ... on TicketType { name } ... on Node { same: id } } }";
    let data = ours.caller.ask(query, json!({ "ids": ids })).await;
    let ticket = |at: usize, name: &str| {
        let id = &event["types"][at];
        json!({ "__typename": "TicketType", "id": id, "name": name, "same": id })
    };
    let shown = json!({ "__typename": "Event", "id": event["id"], "title": "Rust Day", "same": event["id"] });
    assert_eq!(
        data["nodes"],
        json!([
            ticket(1, "Student"),
            null,
            shown,
            null,
            null,
            null,
            null,
            null,
            null,
            ticket(0, "Standard"),
            shown
        ])
    );
    let one = "query($id: ID!) { node(id: $id) { id } event(id: $id) { title } registration(id: $id) { status } }";
    for id in [
        &theirs["id"],
        &json!(unknown),
        &json!(""),
        &json!("nonsense"),
        &json!(5),
    ] {
        let data = ours.caller.ask(one, json!({ "id": id })).await;
        assert_eq!(
            data,
            json!({ "node": null, "event": null, "registration": null }),
            "{id}"
        );
    }
    let data = ours.caller.ask(one, json!({ "id": event["id"] })).await;
    assert_eq!(data["event"]["title"], "Rust Day");
    let many: Vec<Value> = vec![event["id"].clone(); 101];
    assert_eq!(
        ours.caller.fails(query, json!({ "ids": many })).await,
        "BAD_USER_INPUT"
    );
    let data = ours.caller.ask(query, json!({ "ids": many[..100] })).await;
    assert_eq!(data["nodes"].as_array().map(Vec::len), Some(100));
    assert_eq!(
        ours.caller.ask(query, json!({ "ids": [] })).await["nodes"],
        json!([])
    );
    assert_eq!(
        ours.caller.ask(query, json!({ "ids": event["id"] })).await["nodes"],
        json!([shown])
    );
}

#[tokio::test]
async fn aliases_fragments_and_directives_shape_the_answer() {
    let app = TestApp::start().await;
    let (ours, event) = acme(&app).await;
    let long = "a".repeat(200);
    let query = format!(
        "query($id: ID!, $yes: Boolean!, $no: Boolean = false, $asc: [SessionOrderBy!] = [STARTS_AT_ASC]) {{
          node(id: $id) {{ ...all ... on Venue {{ name }} ... on Node {{ ... on Event {{ twice: title }} }} }}
          {long}: event(id: $id) {{ {long}: title ...all }}
          gone: event(id: $id) @skip(if: $yes) {{ title }}
          gone2: event(id: $id) @include(if: $no) {{ title }}
        }}
        fragment all on Event {{
          __typename title @include(if: $yes) slug @skip(if: $yes)
          ... @include(if: $no) {{ summary }}
          first: sessions(first: 1, orderBy: $asc) {{ ...titles }}
          last: sessions(last: 1, orderBy: $asc) {{ ...titles }}
          first: sessions(first: 1, orderBy: $asc) {{ totalCount }}
        }}
        fragment titles on SessionConnection {{ nodes {{ title }} }}"
    );
    let data = ours
        .caller
        .ask(&query, json!({ "id": event["id"], "yes": true }))
        .await;
    let all = json!({
        "__typename": "Event", "title": "Rust Day",
        "first": { "nodes": [{ "title": "Opening" }], "totalCount": 2 }, "last": { "nodes": [{ "title": "Closing" }] },
    });
    let with = |key: &str, value: &str| {
        let mut all = all.clone();
        all[key] = json!(value);
        all
    };
    assert_eq!(
        data,
        json!({ "node": with("twice", "Rust Day"), long.as_str(): with(&long, "Rust Day") })
    );
    let empty = "{ events { nodes { title @skip(if: true) } } __typename @skip(if: true) }";
    assert_eq!(
        ours.caller.ask(empty, json!({})).await,
        json!({ "events": { "nodes": [{}] } })
    );
}

#[tokio::test]
async fn wide_selections_and_long_names_pass() {
    let app = TestApp::start().await;
    let (ours, event) = acme(&app).await;
    let plain = "id slug title summary description status visibility format timeZone currency startsAt endsAt holdSeconds \
                 maxTicketsPerRegistration requiresApproval calendarSequence publishedAt cancelledAt createdAt updatedAt";
    let aliases: Vec<String> = (0..30)
        .map(|n| format!("{}{n}: title", "x".repeat(70)))
        .collect();
    let more = "organization { name } venue { name } sessions { totalCount } ticketTypes { totalCount } tickets { totalCount }";
    let query = format!(
        "query($id: ID!) {{ event(id: $id) {{ {plain} {} {more} }} }}",
        aliases.join(" ")
    );
    let data = ours.caller.ask(&query, json!({ "id": event["id"] })).await;
    let fields = data["event"].as_object().expect("an object");
    assert_eq!(fields.len(), 55);
    assert_eq!(fields[&format!("{}29", "x".repeat(70))], "Rust Day");
    assert_eq!(fields["startsAt"], "2027-05-04T07:00:00.000000Z");
    assert_eq!(fields["status"], "PUBLISHED");
    assert_eq!(fields["format"], "IN_PERSON");
    assert_eq!(fields["tickets"]["totalCount"], 0);
    let keys: Vec<&String> = fields.keys().collect();
    assert_eq!(keys[..3], ["id", "slug", "title"]);
    assert_eq!(keys[54], "tickets");
}

#[tokio::test]
async fn relations_lead_both_ways_down_to_the_deepest_level() {
    let app = TestApp::start().await;
    let (ours, _) = acme(&app).await;
    let query = "{ events(first: 2) { nodes { sessions(first: 3) { nodes { title speakers(first: 3) { nodes { name sessions(first: 3, orderBy: [STARTS_AT_DESC]) { nodes { title speakers(first: 3) { nodes { organization { slug } } } } } } } } } } } }";
    let data = ours.caller.ask(query, json!({})).await;
    let back = |title: &str| json!({ "title": title, "speakers": { "nodes": [{ "organization": { "slug": "acme" } }] } });
    let grace = json!({ "nodes": [{ "name": "Grace", "sessions": { "nodes": [back("Closing"), back("Opening")] } }] });
    assert_eq!(
        data["events"]["nodes"][0]["sessions"]["nodes"],
        json!([{ "title": "Opening", "speakers": grace }, { "title": "Closing", "speakers": grace }])
    );
    let deeper = query.replace("slug", "events(first: 1) { totalCount }");
    assert_eq!(ours.caller.fails(&deeper, json!({})).await, "COST_EXCEEDED");
}

#[tokio::test]
async fn money_has_the_places_of_its_currency() {
    let app = TestApp::start().await;
    let (ours, event) = acme(&app).await;
    let query = "query($id: ID!) { event(id: $id) { ticketTypes(first: 1) { nodes { price { __typename amount minorUnits currencyCode } } } } }";
    let admin = app.database.admin().await;
    for (currency, amount) in [
        ("EUR", "12.50"),
        ("JPY", "1250"),
        ("KRW", "1250"),
        ("KWD", "1.250"),
        ("TND", "1.250"),
    ] {
        admin
            .execute("update events set currency = $1", &[&currency])
            .await
            .expect("another currency");
        let data = ours.caller.ask(query, json!({ "id": event["id"] })).await;
        let price = json!({ "__typename": "Money", "amount": amount, "minorUnits": "1250", "currencyCode": currency });
        assert_eq!(data["event"]["ticketTypes"]["nodes"][0]["price"], price);
    }
}

#[tokio::test]
async fn a_payload_reads_what_was_done_and_anything_else() {
    let app = TestApp::start().await;
    let (ours, event) = acme(&app).await;
    let mutation = "mutation($a: CreateSpeakerInput!, $b: CreateSpeakerInput!, $id: ID!) {
      __typename
      one: createSpeaker(input: $a) { speaker { ...s } userErrors { __typename code message field } query { ...q } }
      two: createSpeaker(input: $b) { s: speaker { ...s } again: speaker { name } userErrors { code } query { ...q node(id: $id) { id } } }
    }
    fragment s on Speaker { name organization { slug } }
    fragment q on Query { __typename events { nodes { organization { speakers(orderBy: [NAME_ASC]) { nodes { name } } } } } }";
    let variables =
        json!({ "a": { "name": "Ada" }, "b": { "name": "Barbara" }, "id": event["id"] });
    let data = ours.caller.ask(mutation, variables).await;
    let speakers = |names: &[&str]| -> Value {
        let nodes: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        json!({ "nodes": [{ "organization": { "speakers": { "nodes": nodes } } }] })
    };
    let acme = json!({ "slug": "acme" });
    assert_eq!(
        data,
        json!({
            "__typename": "Mutation",
            "one": { "speaker": { "name": "Ada", "organization": acme }, "userErrors": [],
                     "query": { "__typename": "Query", "events": speakers(&["Ada", "Grace"]) } },
            "two": { "s": { "name": "Barbara", "organization": acme }, "again": { "name": "Barbara" }, "userErrors": [],
                     "query": { "__typename": "Query", "events": speakers(&["Ada", "Barbara", "Grace"]), "node": { "id": event["id"] } } },
        })
    );
}

#[tokio::test]
async fn an_error_in_one_root_field_leaves_the_others() {
    let app = TestApp::start().await;
    let (_, event) = acme(&app).await;
    let admin = app.database.admin().await;
    let query = "query($id: ID!) {
      before: events { totalCount }
      broken: event(id: $id) { ticketTypes { nodes { available } } }
      denied: registrations { nodes { id } }
      nested: event(id: $id) { capacityPools { nodes { name } } }
      after: event(id: $id) { title }
      name: __typename
    }";
    // Where a function failed is found out by asking without it; what took too long is not asked again.
    let types =
        json!({ "ticketTypes": { "nodes": [{ "available": null }, { "available": null }] } });
    for (state, code, broken) in [
        ("57014", "TIMEOUT", json!(null)),
        ("22012", "INTERNAL", types),
    ] {
        admin
            .batch_execute(&format!(
                "create or replace function public.ticket_type_available(p_ticket_type uuid) returns integer language plpgsql stable
                 as $$ begin raise exception 'secret of the database' using errcode = '{state}'; end $$"
            ))
            .await
            .expect("a broken function");
        let answer = app
            .visitor()
            .send(query, json!({ "id": event["id"] }))
            .await;
        assert_eq!(
            answer["data"],
            json!({
                "before": { "totalCount": 1 }, "broken": broken, "denied": null, "nested": null,
                "after": { "title": "Rust Day" }, "name": "Query",
            }),
            "{answer}"
        );
        let mut errors: Vec<(&str, &str)> = answer["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|error| {
                (
                    error["path"][0].as_str().expect("a path"),
                    error["extensions"]["code"].as_str().expect("a code"),
                )
            })
            .collect();
        errors.sort_unstable();
        errors.dedup();
        assert_eq!(
            errors,
            [
                ("broken", code),
                ("denied", "UNAUTHENTICATED"),
                ("nested", "UNAUTHENTICATED")
            ]
        );
        assert!(!answer.to_string().contains("secret of the database"));
    }
    let alone = "query($id: ID!) { event(id: $id) { ticketTypes { nodes { available } } } }";
    let answer = app
        .visitor()
        .send(alone, json!({ "id": event["id"] }))
        .await;
    let types = json!({ "nodes": [{ "available": null }, { "available": null }] });
    assert_eq!(answer["data"], json!({ "event": { "ticketTypes": types } }));
}
