//! Search: what is found, in which order, by whom, and that its pages hold together.

use serde_json::{Value, json};

use crate::harness::{Caller, EventSetup, Organizer, TestApp};

const SEARCH: &str = "query($text: String!, $first: Int, $after: String, $filter: EventFilter, $by: [EventOrderBy!]) {
    searchEvents(text: $text, first: $first, after: $after, filter: $filter, orderBy: $by) {
        totalCount nodes { slug } pageInfo { hasNextPage endCursor }
    } }";

async fn found(caller: &Caller, text: &str) -> Vec<String> {
    let data = caller
        .ask(SEARCH, json!({ "text": text, "first": 100 }))
        .await;
    let found = slugs(&data["searchEvents"]);
    assert_eq!(data["searchEvents"]["totalCount"], found.len(), "{text}");
    found
}

fn slugs(connection: &Value) -> Vec<String> {
    let nodes = connection["nodes"].as_array().expect("rows");
    let slug = |node: &Value| node["slug"].as_str().expect("a slug").to_owned();
    nodes.iter().map(slug).collect()
}

async fn event(
    owner: &Organizer,
    slug: &str,
    title: &str,
    summary: &str,
    description: &str,
) -> Value {
    let input = json!({
        "title": title, "slug": slug, "summary": summary, "description": description,
        "timeZone": "UTC", "currency": "EUR",
        "startsAt": "2027-05-04T09:00:00Z", "endsAt": "2027-05-04T18:00:00Z",
    });
    owner
        .caller
        .does("createEvent", "event { id }", input)
        .await["event"]["id"]
        .clone()
}

/// Published and public.
async fn open(owner: &Organizer, slug: &str, title: &str, summary: &str, description: &str) {
    let id = event(owner, slug, title, summary, description).await;
    let price = json!({ "minorUnits": "0", "currencyCode": "EUR" });
    let input = json!({ "eventId": id, "name": "Standard", "price": price });
    owner.caller.does("createTicketType", "", input).await;
    owner
        .caller
        .does("publishEvent", "", json!({ "eventId": id }))
        .await;
}

async fn library(app: &TestApp) -> Organizer {
    let owner = app.organizer("library").await;
    for (slug, title, summary, description) in [
        (
            "jazz",
            "Jazz in the Park",
            "Open air, all evening",
            "Bring a blanket.",
        ),
        (
            "poetry",
            "Poetry Night",
            "Readings and some jazz",
            "Verses by the river.",
        ),
        (
            "chess",
            "Chess Open",
            "Nine rounds",
            "Quiet, but there is jazz in the breaks.",
        ),
        (
            "cafe",
            "Café Électronique",
            "Synthesizers",
            "Patch cables everywhere.",
        ),
        ("seoul", "서울 재즈 축제", "한강", "여름 밤"),
        ("kino", "Кино Под Открытым Небом", "", ""),
    ] {
        open(&owner, slug, title, summary, description).await;
    }
    owner
}

#[tokio::test]
async fn words_are_found_wherever_they_stand_the_title_first() {
    let app = TestApp::start().await;
    library(&app).await;
    let visitor = app.visitor();
    for (text, expected) in [
        ("jazz", vec!["jazz", "poetry", "chess"]),
        ("JAZZ park", vec!["jazz"]),
        ("jazz -park", vec!["poetry", "chess"]),
        ("\"some jazz\"", vec!["poetry"]),
        ("rounds or synthesizers", vec!["chess", "cafe"]),
        // Accents and capitals make no difference, in any script.
        ("cafe electronique", vec!["cafe"]),
        ("CAFÉ", vec!["cafe"]),
        ("кино", vec!["kino"]),
        ("НЕБОМ", vec!["kino"]),
        ("재즈", vec!["seoul"]),
        // While it is being typed.
        ("poe", vec!["poetry"]),
        ("blank", vec!["jazz"]),
        ("서", vec!["seoul"]),
        // Slips of the finger.
        ("Potry Nigt", vec!["poetry"]),
        ("elektronique", vec!["cafe"]),
        ("ches open", vec!["chess"]),
        ("zzzzzz", vec![]),
    ] {
        let mut found = found(&visitor, text).await;
        if text.contains(" or ") {
            found.sort();
            found.reverse();
            let mut expected = expected.clone();
            expected.sort_unstable();
            expected.reverse();
            assert_eq!(found, expected, "{text}");
            continue;
        }
        assert_eq!(found, expected, "{text}");
    }
}

#[tokio::test]
async fn everybody_searches_what_they_may_see() {
    let app = TestApp::start().await;
    let ours = app.organizer("ours").await;
    let theirs = app.organizer("theirs").await;
    open(&ours, "ours-open", "Quokka Days", "", "").await;
    event(&ours, "ours-draft", "Quokka Plans", "", "").await;
    open(&theirs, "theirs-open", "Quokka Nights", "", "").await;
    event(&theirs, "theirs-draft", "Quokka Secrets", "", "").await;
    for (visibility, slug) in [
        ("UNLISTED", "theirs-unlisted"),
        ("PRIVATE", "theirs-private"),
    ] {
        let setup = EventSetup {
            slug: slug.to_owned(),
            visibility,
            ..EventSetup::default()
        };
        let made = theirs.event(&setup).await;
        let input = json!({ "eventId": made["id"], "title": "Quokka Lair" });
        theirs.caller.does("updateEvent", "", input).await;
    }
    let (person, _) = app.person("walker@example.org").await;
    let sorted = |mut slugs: Vec<String>| {
        slugs.sort();
        slugs
    };
    let public = ["ours-open", "theirs-open"];
    assert_eq!(sorted(found(&app.visitor(), "quokka").await), public);
    assert_eq!(sorted(found(&person, "quokka").await), public);
    // A slip finds no more than the word does.
    assert_eq!(sorted(found(&app.visitor(), "quoka").await), public);
    assert_eq!(
        sorted(found(&ours.caller, "quokka").await),
        ["ours-draft", "ours-open"]
    );
    assert_eq!(
        sorted(found(&theirs.caller, "quokka").await),
        [
            "theirs-draft",
            "theirs-open",
            "theirs-private",
            "theirs-unlisted"
        ]
    );
    // A token that may not read events may not search them.
    let input = json!({ "name": "n", "scopes": ["attendees:read"] });
    let token = theirs.caller.does("createApiToken", "token", input).await["token"].clone();
    let narrow = app.with_token(token.as_str().expect("a token"));
    assert_eq!(
        narrow.fails(SEARCH, json!({ "text": "quokka" })).await,
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn a_buyer_finds_the_private_event_they_are_registered_for() {
    let app = TestApp::start().await;
    let owner = app.organizer("club").await;
    let setup = EventSetup {
        visibility: "UNLISTED",
        ..EventSetup::default()
    };
    let made = owner.event(&setup).await;
    let (buyer, _) = app.person("vera@example.org").await;
    buyer.place(&made, &made["types"][0], 1).await;
    let input = json!({ "eventId": made["id"], "visibility": "PRIVATE" });
    owner.caller.does("updateEvent", "", input).await;
    assert_eq!(found(&buyer, "rust").await, ["rust-day"]);
    assert!(found(&app.visitor(), "rust").await.is_empty());
}

#[tokio::test]
async fn what_is_found_is_a_connection_like_any_other() {
    let app = TestApp::start().await;
    let owner = app.organizer("many").await;
    for number in 0..7 {
        let summary = if number % 2 == 0 {
            "lantern lantern"
        } else {
            ""
        };
        event(
            &owner,
            &format!("e{number}"),
            &format!("Lantern {number}"),
            summary,
            "",
        )
        .await;
    }
    let all = found(&owner.caller, "lantern").await;
    assert_eq!(all.len(), 7);
    // Page by page it is the same list.
    for size in [1, 2, 3, 6] {
        let (mut paged, mut after) = (vec![], Value::Null);
        loop {
            let variables = json!({ "text": "lantern", "first": size, "after": after });
            let data = owner.caller.ask(SEARCH, variables).await;
            let page = &data["searchEvents"];
            assert_eq!(page["totalCount"], 7);
            paged.extend(slugs(page));
            if page["pageInfo"]["hasNextPage"] != json!(true) {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(paged, all, "{size}");
    }
    let backward = "query { searchEvents(text: \"lantern\", last: 3) { nodes { slug } pageInfo { hasPreviousPage } } }";
    let data = owner.caller.ask(backward, json!({})).await;
    assert_eq!(slugs(&data["searchEvents"]), all[4..]);
    // Filtered, ordered and counted.
    let variables = json!({
        "text": "lantern", "filter": { "title": { "lt": "Lantern 4" } }, "by": ["TITLE_DESC"],
    });
    let data = owner.caller.ask(SEARCH, variables).await;
    assert_eq!(slugs(&data["searchEvents"]), ["e3", "e2", "e1", "e0"]);
    assert_eq!(data["searchEvents"]["totalCount"], 4);
    let grouped = "{ searchEvents(text: \"lantern\") { aggregates(groupBy: [STATUS]) { groups { status count } } } }";
    let data = owner.caller.ask(grouped, json!({})).await;
    assert_eq!(
        data["searchEvents"]["aggregates"]["groups"],
        json!([{ "status": "DRAFT", "count": 7 }])
    );
    // A cursor of the search is none of a list by title.
    let page = owner
        .caller
        .ask(SEARCH, json!({ "text": "lantern", "first": 1 }))
        .await;
    let cursor = &page["searchEvents"]["pageInfo"]["endCursor"];
    let variables = json!({ "text": "lantern", "after": cursor, "by": ["TITLE_ASC"] });
    assert_eq!(owner.caller.fails(SEARCH, variables).await, "BAD_CURSOR");
}

#[tokio::test]
async fn any_text_is_answered() {
    let app = TestApp::start().await;
    library(&app).await;
    let long = "jazz ".repeat(40);
    for text in [
        "",
        " ",
        "'",
        "\"",
        "\\",
        "-",
        "-jazz",
        "or",
        "or or",
        "&",
        "|",
        "!",
        ":*",
        "a:*",
        "()",
        "(",
        "jazz &",
        "%",
        "_",
        "' or 1=1 --",
        "jazz'); drop table events; --",
        "😀",
        "\u{1}",
        "<->",
        "-\"jazz park\"",
        "재",
        long.trim(),
    ] {
        let data = app.visitor().ask(SEARCH, json!({ "text": text })).await;
        assert!(data["searchEvents"]["totalCount"].is_number(), "{text}");
    }
    assert!(found(&app.visitor(), "-jazz").await.is_empty());
    for wrong in [
        json!("x".repeat(201)),
        json!("a\u{0}"),
        json!(null),
        json!(1),
    ] {
        let code = app.visitor().fails(SEARCH, json!({ "text": wrong })).await;
        assert_eq!(code, "BAD_USER_INPUT", "{wrong}");
    }
    assert_eq!(
        app.visitor()
            .fails("{ searchEvents { totalCount } }", json!({}))
            .await,
        "GRAPHQL_VALIDATION_FAILED"
    );
}

/// What a filter means must not be lost behind better matches that it does not mean.
#[tokio::test]
async fn a_filter_finds_what_a_thousand_others_match_better() {
    let app = TestApp::start().await;
    let owner = app.organizer("crowd").await;
    open(&owner, "seed", "Seed", "", "").await;
    let admin = app.database.admin().await;
    admin
        .execute(
            "insert into events (org_id, slug, title, summary, time_zone, currency, starts_at, ends_at, status, visibility)
             select e.org_id, 'loud-' || n, 'Jazz', '', 'UTC', 'EUR', e.starts_at, e.ends_at, 'published', 'public'
             from events e, generate_series(1, 1200) n
             union all
             select e.org_id, 'quiet-' || n, 'An evening in the garden', 'with some jazz', 'UTC', 'EUR',
               e.starts_at + interval '9 days', e.ends_at + interval '9 days', 'published', 'public'
             from events e, generate_series(1, 3) n",
            &[],
        )
        .await
        .expect("events");
    let ask = async |filter: Value| {
        let variables = json!({ "text": "jazz", "first": 2, "filter": filter });
        app.visitor().ask(SEARCH, variables).await["searchEvents"].clone()
    };
    let quiet = ask(json!({ "startsAt": { "gt": "2027-05-10T00:00:00Z" } })).await;
    assert_eq!(quiet["totalCount"], 3, "{quiet}");
    assert!(slugs(&quiet).iter().all(|slug| slug.starts_with("quiet-")));
    assert_eq!(ask(json!({})).await["totalCount"], 1203);
}
