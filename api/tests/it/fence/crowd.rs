//! Both organizations and visitors at once, with the same documents, over few connections: each answer is that which the
//! same question has alone, though others hang up in the middle.

use eventsphere_graphql::global_id;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::{
    ask::{Answer, Way, Who},
    document::{related, relations, scalars},
    gone::send,
    reads::Secrets,
    world::{World, world_with},
};
use crate::harness::TestApp;

const AT_ONCE: usize = 32;
const ROUNDS: usize = 2;
/// Of so many questions one is asked by somebody who does not wait for the answer.
const HANGS_UP: usize = 9;
/// Far fewer than are asked at once.
const SETTINGS: [(&str, &str); 1] = [("DATABASE_POOL_SIZE", "3")];

struct Question {
    who: Who,
    query: String,
    variables: Value,
}

/// The same text for everybody, about rows of both sides; the list is one's own.
fn questions(app: &TestApp, people: &[&Who], secrets: &Secrets) -> Vec<Question> {
    let catalog = &app.app.engine.catalog;
    let mut all = vec![];
    for entity in catalog.entities.values() {
        let sides = [&secrets.rows, &secrets.own];
        let keys = sides
            .iter()
            .flat_map(|rows| rows.keys(entity).into_iter().take(4));
        let ids: Vec<_> = keys.map(|key| global_id::encode(entity.tag, key)).collect();
        let mut inner = scalars(entity);
        for next in relations(entity).take(3) {
            inner += &related(next, 2, "__typename id");
        }
        let list = entity.root_many.as_ref().map_or(String::new(), |root| {
            format!("list: {root}(first: 5) {{ totalCount nodes {{ id }} }}")
        });
        let query = format!(
            "query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {} {{ {inner} }} }} {list} who: viewer {{ email }} }}",
            entity.name
        );
        for who in people {
            all.push(Question {
                who: (*who).clone(),
                query: query.clone(),
                variables: json!({ "ids": ids }),
            });
        }
    }
    all
}

impl Question {
    async fn ask(&self, app: &TestApp) -> Answer {
        let Self {
            who,
            query,
            variables,
        } = self;
        who.ask_by(Way::PostText, app, query, variables).await
    }
}

/// Somebody must be told something, and nobody what is not theirs, for the answers to say anything about others.
fn assert_worth_comparing(
    questions: &[Question],
    alone: &[Answer],
    secrets: &Secrets,
    world: &World,
) {
    let lists = alone
        .iter()
        .map(|answer| answer.text.contains("\"totalCount\""));
    let told = lists.filter(|told| *told).count();
    assert!(told > questions.len() / 4, "{told} of {}", questions.len());
    for (Question { who, query, .. }, answer) in questions.iter().zip(alone) {
        assert_eq!(answer.status, 200, "{} {}", who.name, answer.text);
        if !who.name.contains("bilbao") {
            secrets.of(world, who).check(who, query, answer);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_few_connections_is_told_what_each_is_told_alone() {
    let (app, world) = world_with(&SETTINGS).await;
    let secrets = Secrets::read(&app, world).await;
    let (a, b, anonymous) = (&world.a, &world.b, Who::anonymous());
    let people = [
        a.member("owner"),
        b.member("owner"),
        a.member("viewer"),
        b.member("viewer"),
        &a.token,
        &b.token,
        &a.guest,
        &b.guest,
        &a.buyer,
        &b.buyer,
        &a.owner_alone,
        &b.owner_alone,
        &anonymous,
    ];
    let questions = questions(&app, &people, &secrets);
    let mut alone = vec![];
    for question in &questions {
        alone.push(question.ask(&app).await);
    }
    assert_worth_comparing(&questions, &alone, &secrets, world);
    // Neighbours in line are of different sides, and no two rounds have the same neighbours.
    let many = questions.len();
    let order = (0..many * ROUNDS).map(|turn| (turn * 211 + turn / many * 97) % many);
    let hung_up = std::sync::atomic::AtomicUsize::new(0);
    let wrong: Vec<String> = stream::iter(order.enumerate())
        .map(async |(turn, index)| {
            let question = &questions[index];
            if let (0, Some(token)) = (turn % HANGS_UP, &question.who.token) {
                let (query, variables) = (&question.query, question.variables.clone());
                drop(send(&app, token, query, variables).await);
                hung_up.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            let answer = question.ask(&app).await;
            (answer != alone[index]).then(|| {
                let Question { who, query, .. } = question;
                format!(
                    "{} {query}\nalone: {}\nin the crowd: {}",
                    who.name, alone[index].text, answer.text
                )
            })
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(async |wrong| wrong)
        .collect()
        .await;
    println!(
        "questions in the crowd: {}, hung up: {hung_up:?}",
        many * ROUNDS
    );
    assert!(hung_up.into_inner() > 20);
    assert!(
        wrong.is_empty(),
        "{} of {}: {}",
        wrong.len(),
        many * ROUNDS,
        wrong[0]
    );
}
