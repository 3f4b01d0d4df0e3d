//! One document, many callers: under the name that an organization registered it, by its hash, from where caches stand.

use serde_json::{Value, json};

use super::{
    ask::{Answer, WAYS, Way, Who},
    document::scalars,
    reads::{Secrets, by_id},
    world::{World, reading, world},
};
use crate::harness::TestApp;
use eventsphere_graphql::{catalog::Entity, global_id};

/// A read of everything of some rows, as the matrix asks it, and the list of them.
struct Document {
    name: String,
    text: String,
    variables: Value,
}

fn documents(app: &TestApp, secrets: &Secrets) -> Vec<Document> {
    let catalog = &app.app.engine.catalog;
    let each = catalog.entities.values().filter_map(|entity| {
        let keys = secrets.rows.keys(entity).into_iter().take(3);
        let own = secrets.own.keys(entity).into_iter().take(3);
        let ids: Vec<_> = keys
            .chain(own)
            .map(|key| global_id::encode(entity.tag, key))
            .collect();
        let variables = json!({ "id": ids.first()?, "ids": ids });
        Some(Document {
            name: format!("shared-{}", entity.table.replace('_', "-")),
            text: listing(entity),
            variables,
        })
    });
    each.collect()
}

fn listing(entity: &Entity) -> String {
    let read = by_id(entity);
    let read = read.trim_end().strip_suffix('}').expect("an end");
    match &entity.root_many {
        None => format!("{read}}}"),
        Some(root) => {
            format!(
                "{read} list: {root}(first: 3) {{ totalCount nodes {{ {} }} }} }}",
                scalars(entity)
            )
        }
    }
}

/// What is read of a name that nobody registered.
const UNKNOWN: &str = "nobody-registered-this";

async fn register(app: &TestApp, who: &Who, documents: Vec<Value>) {
    let query = "mutation($input: RegisterTrustedDocumentsInput!) { \
         registerTrustedDocuments(input: $input) { added userErrors { code message field } } }";
    let input = json!({ "input": { "documents": documents } });
    let answer = who.asks(app, query, &input).await.json();
    let told = &answer["data"]["registerTrustedDocuments"]["userErrors"];
    assert_eq!(*told, json!([]), "{} {answer}", who.name);
}

/// By name, both ways; the two say the same.
async fn by_name(app: &TestApp, who: &Who, document: &Document, name: &str) -> Answer {
    let named = (name, document.text.as_str());
    let posted = who.ask_named(false, app, named, &document.variables).await;
    let got = who.ask_named(true, app, named, &document.variables).await;
    assert_eq!(got, posted, "{} {name}", who.name);
    got
}

#[tokio::test]
async fn a_document_is_known_by_its_name_to_the_organization_that_registered_it_only() {
    let (app, world): (_, &World) = world().await;
    let secrets = Secrets::read(&app, world).await;
    let documents = documents(&app, &secrets);
    let owner = world.b.member("owner");
    let named = documents
        .iter()
        .map(|one| json!({ "id": one.name, "text": one.text }));
    register(&app, owner, named.collect()).await;
    let (ours, staff) = (world.a.member("owner"), world.b.member("staff"));
    let strangers = [
        ours,
        &world.a.token,
        &world.a.guest,
        &world.a.buyer,
        &world.b.guest,
        &world.b.owner_alone,
    ];
    for document in &documents {
        for who in [owner, staff, &world.b.token] {
            let by_text = who
                .ask_by(Way::PostText, &app, &document.text, &document.variables)
                .await;
            let by_name = by_name(&app, who, document, &document.name).await;
            assert_eq!(by_name, by_text, "{} {}", who.name, document.name);
        }
        let anonymous = Who::anonymous();
        for who in strangers.into_iter().chain([&anonymous]) {
            let foreign = by_name(&app, who, document, &document.name).await;
            secrets.outsider().check(who, &document.name, &foreign);
            assert_eq!(
                foreign.codes(),
                ["PERSISTED_QUERY_NOT_FOUND"],
                "{} {}",
                who.name,
                foreign.text
            );
            let nothing = by_name(&app, who, document, UNKNOWN).await;
            assert_eq!(foreign, nothing, "{} {}", who.name, document.name);
        }
    }
    // The same names for something else: each organization has its own.
    let other = documents.iter().enumerate().map(|(index, one)| {
        json!({ "id": one.name, "text": format!("query Own{index} {{ currentOrganization {{ slug }} }}") })
    });
    register(&app, ours, other.collect()).await;
    for document in &documents {
        let answer = by_name(&app, ours, document, &document.name).await;
        let slug = json!({ "currentOrganization": { "slug": "aachen-society" } });
        assert_eq!(answer.json()["data"], slug, "{}", answer.text);
        let theirs = by_name(&app, owner, document, &document.name).await;
        let by_text = owner
            .ask_by(Way::PostText, &app, &document.text, &document.variables)
            .await;
        assert_eq!(theirs, by_text, "{}", document.name);
    }
}

part!(
    one_hash_answers_everybody_with_their_own,
    ONE_HASH,
    one_hash
);

async fn one_hash() {
    let (app, world): (_, &World) = reading().await;
    let secrets = Secrets::read(&app, world).await;
    let anonymous = Who::anonymous();
    let (a, b) = (&world.a, &world.b);
    // Whoever sees most comes first: what they were told must not be kept for those after them.
    let turns = [
        b.member("owner"),
        &b.guest,
        &anonymous,
        a.member("owner"),
        &a.guest,
        &anonymous,
    ];
    for document in documents(&app, &secrets) {
        let (query, variables) = (&document.text, &document.variables);
        let mut alone = vec![];
        for who in turns {
            let answer = who.ask_by(Way::PostText, &app, query, variables).await;
            alone.push(answer.json()["data"].clone());
        }
        for way in WAYS {
            for (who, alone) in turns.iter().zip(&alone) {
                let answer = who.ask_by(way, &app, query, variables).await;
                assert_eq!(answer.status, 200, "{} {way:?} {}", who.name, answer.text);
                // What caches may keep holds nothing of the single request.
                assert_eq!(answer.json()["data"], *alone, "{} {way:?}", who.name);
                if who.name.contains("aachen") || who.name == anonymous.name {
                    secrets.of(world, who).check(who, query, &answer);
                }
            }
        }
    }
}
