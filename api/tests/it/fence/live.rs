//! Subscriptions, generated from the catalog: whoever has no business with a thing is told that there is none to watch, in the
//! words for a thing that does not exist, and never hears of what happened to it, not even by a cursor from before it did.

use std::{sync::Arc, time::Duration};

use eventsphere_graphql::{
    Scalar, Subscription,
    catalog::{Argument, Catalog},
};
use serde_json::{Value, json};

use super::{
    ask::{Answer, Way, Who},
    document::scalars,
    ledger::{self, Asked},
    reads::{Secrets, of_nothing},
    world::{Side, World, world},
};
use crate::{harness::TestApp, live::socket::Socket};

part!(
    nobody_is_told_of_what_happens_to_another,
    STRANGERS,
    strangers
);
part!(
    everybody_is_told_of_what_happens_to_their_own,
    OWNERS,
    owners
);

/// How long nothing must come where nothing tells of the end.
const SILENCE: Duration = Duration::from_millis(400);
/// Things of each entity that are asked about.
const THINGS: usize = 3;

fn entity(argument: &Argument) -> &str {
    match &argument.scalar {
        Scalar::Id(entity) => entity,
        other => panic!("{} is {other:?}", argument.name),
    }
}

/// Everything that its messages hold, about the thing of that argument.
fn document(catalog: &Catalog, of: &Subscription, about: Option<&Argument>) -> String {
    let thing = scalars(&catalog.entities[&of.entity]);
    let (declared, given) = match about {
        None => (String::new(), String::new()),
        Some(argument) => {
            let needed = if argument.required { "!" } else { "" };
            let name = &argument.name;
            (format!("$of: ID{needed}, "), format!("{name}: $of, "))
        }
    };
    format!(
        "subscription({declared}$after: String) {{ {}({given}after: $after) \
         {{ id type version at cursor {} {{ {thing} }} }} }}",
        of.field, of.object
    )
}

async fn open(app: &TestApp, who: &Who) -> Socket {
    let mut payload = json!({});
    if let Some(token) = &who.token {
        payload["Authorization"] = json!(format!("Bearer {token}"));
    }
    if let Some(guest) = &who.guest {
        payload["X-Guest-Secret"] = json!(guest);
    }
    Socket::of(&app.url, payload).await
}

/// What comes of a subscription: until it is refused, or nothing more comes.
async fn watched(app: &TestApp, who: &Who, query: &str, variables: &Value) -> Vec<Answer> {
    ledger::schema(|| app.app.engine.sdl());
    let asked = Arc::new(Asked {
        query: query.to_owned(),
        variables: variables.clone(),
        way: Way::PostText,
    });
    let mut socket = open(app, who).await;
    socket.begin("1", query, variables.clone()).await;
    let mut answers = vec![];
    while let Ok(Some(message)) = tokio::time::timeout(SILENCE, socket.heard()).await {
        let refused = message["type"] == "error";
        let text = match refused {
            true => json!({ "errors": words(&message["payload"]) }).to_string(),
            false => message["payload"].to_string(),
        };
        if who.name.contains("bilbao") && !refused {
            ledger::note_answered(&asked, &text);
        }
        answers.push(Answer {
            status: 200,
            text,
            asked: asked.clone(),
        });
        if refused {
            break;
        }
    }
    answers
}

/// Errors without the number of the request.
fn words(errors: &Value) -> Vec<Value> {
    let each = errors.as_array().into_iter().flatten();
    each.map(|error| json!([error["message"], error["extensions"]["code"]]))
        .collect()
}

/// A cursor from before anything of the world was passed on; then all of it is.
async fn from_the_start(app: &TestApp, world: &World) -> Value {
    let query = "subscription { eventChanged { cursor } }";
    let answers = watched(app, world.b.member("owner"), query, &json!({})).await;
    let cursor = answers[0].json()["data"]["eventChanged"]["cursor"].take();
    assert!(cursor.is_string());
    let admin = app.database.admin().await;
    let relay = "select relay_outbox('{\"limit\": 100000, \"consumers\": []}')";
    admin.execute(relay, &[]).await.expect("passed on");
    cursor
}

async fn strangers() {
    let (app, world) = world().await;
    let catalog = &app.app.engine.catalog;
    let secrets = Secrets::read(&app, world).await;
    let start = from_the_start(&app, world).await;
    let (mut asked, mut own) = (0, 0);
    for subscription in catalog.subscriptions.values() {
        for argument in &subscription.arguments {
            let closed = secrets.closed(&catalog.entities[entity(argument)]);
            assert!(
                !closed.is_empty(),
                "nothing to be closed for {}",
                argument.name
            );
            let query = document(catalog, subscription, Some(argument));
            for who in world.strangers() {
                for id in closed.iter().take(THINGS) {
                    for after in [&Value::Null, &start] {
                        let foreign = json!({ "of": id, "after": after });
                        let foreign = watched(&app, &who, &query, &foreign).await;
                        let nothing = json!({ "of": of_nothing(id), "after": after });
                        let nothing = watched(&app, &who, &query, &nothing).await;
                        assert_eq!(foreign, nothing, "{} {query}", who.name);
                        assert_eq!(foreign.len(), 1, "{} {query}", who.name);
                        assert!(
                            foreign[0].json()["errors"].is_array(),
                            "{}",
                            foreign[0].text
                        );
                        secrets.of(world, &who).check(&who, &query, &foreign[0]);
                        asked += 1;
                    }
                }
            }
        }
        // Without a thing: whatever comes is of their own organization.
        let needs_one = subscription
            .arguments
            .iter()
            .any(|argument| argument.required);
        let query = document(catalog, subscription, None);
        for who in world.strangers().iter().filter(|_| !needs_one) {
            for answer in watched(&app, who, &query, &json!({ "after": start })).await {
                secrets.of(world, who).check(who, &query, &answer);
                own += usize::from(answer.json()["data"].is_object());
            }
        }
    }
    // They were told of their own, so they would have been told of others'.
    assert!(own >= 20, "{own} messages of their own");
    println!("subscriptions refused: {asked}, messages looked through: {own}");
}

/// Whether a message has the thing in it.
fn tells(answer: &Answer, of: &Subscription) -> bool {
    answer.json()["data"][&of.field][&of.object].is_object()
}

async fn owners() {
    let (app, world) = world().await;
    let catalog = &app.app.engine.catalog;
    let secrets = Secrets::read(&app, world).await;
    let start = from_the_start(&app, world).await;
    let side: &Side = &world.b;
    let owner = side.member("owner");
    for subscription in catalog.subscriptions.values() {
        for argument in &subscription.arguments {
            let closed = secrets.closed(&catalog.entities[entity(argument)]);
            let query = document(catalog, subscription, Some(argument));
            let mut told = 0;
            for id in &closed {
                for after in [&Value::Null, &start] {
                    let given = json!({ "of": id, "after": after });
                    let answers = watched(&app, owner, &query, &given).await;
                    told += answers
                        .iter()
                        .filter(|answer| tells(answer, subscription))
                        .count();
                }
                if told > 3 {
                    break;
                }
            }
            assert!(
                told > 0,
                "{} tells the owner nothing by {}",
                subscription.field,
                argument.name
            );
        }
    }
    // A guest and a buyer hear of what is theirs.
    let mine = document(
        catalog,
        &catalog.subscriptions["registrationChanged"],
        catalog.subscriptions["registrationChanged"]
            .arguments
            .first(),
    );
    for who in [&side.guest, &side.other_guest, &side.buyer] {
        let mut told = 0;
        for id in secrets.closed(&catalog.entities["Registration"]) {
            let answers = watched(&app, who, &mine, &json!({ "of": id, "after": start })).await;
            let subscription = &catalog.subscriptions["registrationChanged"];
            told += answers
                .iter()
                .filter(|answer| tells(answer, subscription))
                .count();
            if told > 0 {
                break;
            }
        }
        assert!(told > 0, "{} hears nothing of their own", who.name);
    }
}
