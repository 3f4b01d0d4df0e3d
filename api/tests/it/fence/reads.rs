//! Every field and every relation of every entity, asked by its id: foreign ids and ids of nothing are answered with
//! the same bytes, and whatever can be walked to from one's own things leads to nothing of others.

use std::collections::{BTreeMap, BTreeSet};

use eventsphere_graphql::{
    catalog::{Catalog, Entity},
    global_id,
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ask::{Answer, Who},
    document::{relations, scalars, two_steps},
    ledger::says_something,
    rows::{Forbidden, Rows},
    world::{Side, World, reading},
};
use crate::harness::TestApp;

/// Requests under way at once.
pub const AT_ONCE: usize = 6;

/// What each stranger must not learn of B.
pub struct Secrets {
    /// All rows of B.
    pub rows: Rows,
    /// All rows of A.
    pub own: Rows,
    outside: Forbidden,
    inside: Forbidden,
}

impl Secrets {
    /// Reads both sides.
    pub async fn read(app: &TestApp, world: &World) -> Self {
        let catalog = &app.app.engine.catalog;
        let admin = app.database.admin().await;
        let rows = Rows::read(&admin, &world.b).await;
        let own = Rows::read(&admin, &world.a).await;
        let public = Rows::public(&admin, &world.b).await.texts(catalog);
        let (theirs, ours) = (rows.texts(catalog), own.texts(catalog));
        Self {
            outside: Forbidden::new(&theirs, &[&ours, &public], None),
            inside: Forbidden::new(&theirs, &[&ours], Some(world.b.tag)),
            rows,
            own,
        }
    }

    /// Members and tokens of A see nothing of B at all; everybody else what is public of it.
    pub fn of(&self, world: &World, who: &Who) -> &Forbidden {
        let inside = world
            .a
            .insiders()
            .iter()
            .any(|known| known.name == who.name);
        if inside { &self.inside } else { &self.outside }
    }

    /// Everything of B that is not public.
    pub fn outsider(&self) -> &Forbidden {
        &self.outside
    }

    /// Ids of B's rows of that entity that are closed to everybody else.
    pub fn closed(&self, entity: &Entity) -> Vec<String> {
        let keys = self.rows.keys(entity);
        let ids = keys.iter().map(|key| global_id::encode(entity.tag, *key));
        ids.filter(|id| self.outside.contains(id)).collect()
    }
}

/// An id of the same type as that one, of nothing. Close to it, so that orders by key cannot tell the two apart.
pub fn of_nothing(id: &str) -> String {
    let (tag, key) = global_id::decode(id).expect("an id");
    let mut bytes = *key.as_bytes();
    bytes[15] ^= 1;
    global_id::encode(tag, Uuid::from_bytes(bytes))
}

/// Asks many questions, a few at once.
pub async fn ask_all(
    app: &TestApp,
    questions: Vec<(Who, String, Value)>,
) -> Vec<(Who, String, Answer)> {
    stream::iter(
        questions
            .into_iter()
            .map(|(who, query, variables)| async move {
                let answer = who.asks(app, &query, &variables).await;
                (who, query, answer)
            }),
    )
    .buffered(AT_ONCE)
    .collect()
    .await
}

pub(super) fn by_id(entity: &Entity) -> String {
    let (name, own) = (&entity.name, scalars(entity));
    let mut query = format!(
        "query($id: ID!, $ids: [ID!]!) {{ node(id: $id) {{ __typename ... on {name} {{ {own} }} }} \
         nodes(ids: $ids) {{ __typename id @skip(if: false) ... on {name} @include(if: true) {{ {own} }} }} "
    );
    if let Some(root) = &entity.root_one {
        query += &format!("{root}(id: $id) {{ {own} }} ");
    }
    query + "}"
}

part!(
    a_foreign_id_is_answered_like_one_of_nothing,
    BY_ID,
    foreign_ids
);
part!(
    no_way_leads_from_ones_own_things_to_those_of_another,
    WALKS,
    strangers_walk
);
part!(
    guests_and_buyers_of_one_organization_see_nothing_of_each_other,
    GUESTS,
    guests_walk
);
part!(
    every_field_and_relation_shows_something_to_its_rightful_owner,
    OWNERS,
    owners_walk
);

async fn foreign_ids() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let secrets = Secrets::read(&app, world).await;
    let mut questions = vec![];
    for entity in catalog.entities.values() {
        let closed = secrets.closed(entity);
        // Nothing of these two is closed once the organization shows itself to visitors.
        assert!(
            !closed.is_empty() || matches!(entity.name.as_str(), "Organization" | "Branding"),
            "the world has no {} that strangers must not see",
            entity.name
        );
        let ids = closed.iter().take(20).cloned().collect::<Vec<_>>();
        let query = by_id(entity);
        for who in world.strangers() {
            let insider = is_insider(&world.a, &who);
            let ids = match (ids.is_empty(), insider) {
                (false, _) => ids.clone(),
                (true, true) => secrets
                    .rows
                    .keys(entity)
                    .iter()
                    .map(|key| global_id::encode(entity.tag, *key))
                    .collect(),
                (true, false) => continue,
            };
            let nothing: Vec<_> = ids.iter().map(|id| of_nothing(id)).collect();
            for ids in [ids, nothing] {
                questions.push((
                    who.clone(),
                    query.clone(),
                    json!({ "id": ids[0], "ids": ids }),
                ));
            }
        }
    }
    let answers = ask_all(&app, questions).await;
    for pair in answers.chunks(2) {
        let (who, query, foreign) = &pair[0];
        secrets.of(world, who).check(who, query, foreign);
        assert_eq!(*foreign, pair[1].2, "{} {query}", who.name);
    }
}

/// The whole of some rows, two steps far.
fn walk(catalog: &Catalog, entity: &Entity, relation: Option<usize>, wide: bool) -> String {
    let first = if wide { 10 } else { 4 };
    let mut inner = scalars(entity);
    for (index, next) in relations(entity).enumerate() {
        if relation.is_none_or(|only| only == index) {
            inner += &two_steps(catalog, next, first, wide);
        }
    }
    format!(
        "query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {} {{ {inner} }} }} }}",
        entity.name
    )
}

/// Rows that are asked for as they are, at once.
const ROWS: usize = 20;
/// Rows that are walked from at once.
const WALKED: usize = 5;
/// Documents of so many rows of an entity, from the first to the last, for everybody but owners, who may do everything.
const SPREAD: usize = 2;

/// Rows of an entity, as somebody met them: those that they do not see, and those that they do.
type Met<'a> = (&'a Entity, &'a Who, [Vec<&'a String>; 2]);

/// Asks for all of these rows as each of these people; then walks from those that they see, and from a few that they do
/// not: nothing leads from what is not there.
async fn walks(
    app: &TestApp,
    rows: &[&Rows],
    people: &[Who],
    world: &World,
    entities: &[&Entity],
) -> Vec<(Who, String, Answer)> {
    let catalog = &app.app.engine.catalog;
    let (mut questions, mut asked) = (vec![], vec![]);
    for entity in entities {
        let ids: Vec<String> = rows
            .iter()
            .flat_map(|rows| rows.keys(entity))
            .map(|key| global_id::encode(entity.tag, key))
            .collect();
        let query = format!(
            "query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {} {{ {} }} }} }}",
            entity.name,
            scalars(entity)
        );
        for who in people {
            for ids in ids.chunks(ROWS) {
                questions.push((who.clone(), query.clone(), json!({ "ids": ids })));
                asked.push((*entity, ids.to_vec()));
            }
        }
    }
    let mut answers = ask_all(app, questions).await;
    let mut seen: BTreeMap<_, Met<'_>> = BTreeMap::new();
    for ((entity, ids), (who, _, answer)) in asked.iter().zip(&answers) {
        let at = (entity.name.as_str(), who.name.as_str());
        let (.., known) = seen
            .entry(at)
            .or_insert_with(|| (entity, who, Default::default()));
        for id in ids {
            known[usize::from(answer.text.contains(id))].push(id);
        }
    }
    let mut questions = vec![];
    for (entity, who, [hidden, seen]) in seen.into_values() {
        let acting = is_insider(&world.a, who) || is_insider(&world.b, who);
        let steps: Vec<_> = match acting {
            true => vec![None],
            // Visitors may ask for less at once.
            false => (0..relations(entity).count()).map(Some).collect(),
        };
        let every = match acting && who.name.starts_with("owner-") {
            true => 1,
            false => seen.len().div_ceil(WALKED * SPREAD).max(1),
        };
        let seen: Vec<_> = seen.into_iter().step_by(every).collect();
        for ids in seen.chunks(WALKED).chain(hidden.chunks(WALKED).take(1)) {
            for step in &steps {
                let query = walk(catalog, entity, *step, acting);
                questions.push((who.clone(), query, json!({ "ids": ids })));
            }
        }
    }
    let further = ask_all(app, questions).await;
    answers.extend(further);
    answers
}

fn is_insider(side: &Side, who: &Who) -> bool {
    side.insiders().iter().any(|known| known.name == who.name)
}

async fn strangers_walk() {
    let (app, world) = reading().await;
    let secrets = Secrets::read(&app, world).await;
    let admin = app.database.admin().await;
    let public = Rows::public(&admin, &world.b).await;
    let strangers = world.strangers();
    let entities: Vec<_> = app.app.engine.catalog.entities.values().collect();
    let rows = [&secrets.own, &public];
    for (who, query, answer) in walks(&app, &rows, &strangers, world, &entities).await {
        secrets.of(world, &who).check(&who, &query, &answer);
    }
}

async fn guests_walk() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let admin = app.database.admin().await;
    let side = &world.b;
    let rows = Rows::read(&admin, side).await;
    let everything = rows.texts(catalog);
    let entities: Vec<_> = catalog.entities.values().collect();
    let public = Rows::public(&admin, side).await.texts(catalog);
    let email = |name: &str| format!("r.buyer_email = '{name}@{}.example'", side.tag);
    for (who, own) in [
        (&side.guest, email("guest")),
        (&side.other_guest, email("other-guest")),
        (&side.buyer, email("buyer")),
        (&Who::anonymous(), "false".to_owned()),
    ] {
        let opened = Rows::of_registrations(&admin, side, &own)
            .await
            .texts(catalog);
        let mine = match own == email("buyer") {
            true => person(&admin, catalog, "buyer", side).await,
            false => Default::default(),
        };
        let forbidden = Forbidden::new(&everything, &[&public, &opened, &mine], None);
        let mut seen = 0;
        let who = std::slice::from_ref(who);
        for (who, query, answer) in walks(&app, &[&rows], who, world, &entities).await {
            forbidden.check(&who, &query, &answer);
            seen += opened
                .iter()
                .filter(|text| answer.text.contains(*text))
                .count();
        }
        assert!(
            seen > 0 || opened.is_empty(),
            "{} sees nothing of their own",
            who[0].name
        );
    }
}

/// Texts of a person's account and devices.
async fn person(
    admin: &tokio_postgres::Client,
    catalog: &Catalog,
    name: &str,
    side: &Side,
) -> std::collections::HashSet<String> {
    let email = format!("{name}@{}.example", side.tag);
    let rows = admin
        .query(
            "select to_jsonb(u) || jsonb_build_object('devices', (select jsonb_agg(to_jsonb(s)) from device_sessions s \
             where s.user_id = u.id)), u.id, array(select s.id from device_sessions s where s.user_id = u.id) \
             from users u where u.email = $1",
            &[&email],
        )
        .await
        .expect("the person");
    let mut texts = std::collections::HashSet::new();
    for row in &rows {
        super::rows::leaves(&row.get(0), &mut texts);
        texts.insert(global_id::encode(catalog.entities["User"].tag, row.get(1)));
        for key in row.get::<_, Vec<Uuid>>(2) {
            texts.insert(global_id::encode(
                catalog.entities["DeviceSession"].tag,
                key,
            ));
        }
    }
    texts
}

async fn owners_walk() {
    let (app, world) = reading().await;
    let catalog = &app.app.engine.catalog;
    let admin = app.database.admin().await;
    let rows = Rows::read(&admin, &world.b).await;
    for entity in catalog.entities.values() {
        for id in rows.keys(entity).into_iter().take(6) {
            let id = global_id::encode(entity.tag, id);
            let variables = json!({ "id": id, "ids": [id] });
            let owner = world.b.member("owner");
            owner.asks(&app, &by_id(entity), &variables).await;
        }
    }
    let coordinates = |entity: &Entity| -> Vec<String> {
        let fields = entity.fields.keys();
        fields
            .map(|field| format!("{}.{field}", entity.name))
            .collect()
    };
    let mut missing: BTreeSet<String> = catalog.entities.values().flat_map(coordinates).collect();
    let all = missing.len();
    // The owner comes first and sees nearly everything; the others are asked for what is left.
    for who in world.b.everybody() {
        let wanted = |entity: &&Entity| coordinates(entity).iter().any(|one| missing.contains(one));
        let entities: Vec<_> = catalog.entities.values().filter(wanted).collect();
        for (_, _, answer) in walks(&app, &[&rows], &[who], world, &entities).await {
            let body = answer.json();
            for node in body["data"]["nodes"].as_array().into_iter().flatten() {
                let Some((tag, _)) = node["id"].as_str().and_then(global_id::decode) else {
                    continue;
                };
                let entity = catalog.entity_of_tag(tag).expect("an entity");
                let fields = node.as_object().into_iter().flatten();
                for (field, _) in fields.filter(|(_, value)| says_something(value)) {
                    missing.remove(&format!("{}.{field}", entity.name));
                }
            }
        }
    }
    println!("fields and relations: {} of {all}", all - missing.len());
    assert!(missing.is_empty(), "never shown to anybody: {missing:?}");
}
