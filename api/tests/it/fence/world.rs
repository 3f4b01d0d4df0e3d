//! Two organizations, Aachen and Bilbao, of exactly the same shape, made through the API once and copied for each
//! test. Every text of theirs carries their name, so that a foreign one is recognised wherever it turns up.

mod door;
pub mod events;
mod jobs;
mod messages;
mod money;
pub mod people;
pub mod prices;
pub mod queue;
mod sales;
mod webhooks;

use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::ask::Who;
use crate::harness::{Database, TestApp};

static READ: OnceCell<TestApp> = OnceCell::const_new();
static BUILT: OnceCell<(Database, World)> = OnceCell::const_new();

/// Both sides.
pub struct World {
    /// Whose people ask.
    pub a: Side,
    /// Whose things are asked about.
    pub b: Side,
}

/// One organization with everybody around it.
pub struct Side {
    /// `aachen`, `bilbao`.
    pub tag: &'static str,
    /// Key of the organization.
    pub org: Uuid,
    /// Members by the key of their role, the custom role (`auditor`) last.
    pub members: Vec<(String, Who)>,
    /// An API token with few scopes.
    pub token: Who,
    /// The owner, signed in without acting in the organization.
    pub owner_alone: Who,
    /// Somebody with an account who bought here.
    pub buyer: Who,
    /// Somebody without an account who has a confirmed registration.
    pub guest: Who,
    /// Somebody without an account who has a hold.
    pub other_guest: Who,
}

/// Scopes of the API token.
pub const TOKEN_SCOPES: [&str; 2] = ["events:read", "attendees:read"];
/// Permissions of the custom role.
pub const AUDITOR: [&str; 3] = ["audit:read", "organization:read", "tokens:read"];

impl Side {
    /// The member with that role.
    pub fn member(&self, role: &str) -> &Who {
        let found = self.members.iter().find(|(key, _)| key == role);
        &found.unwrap_or_else(|| panic!("no {role}")).1
    }

    /// Everybody here who acts for the organization.
    pub fn insiders(&self) -> Vec<Who> {
        let members = self.members.iter().map(|(_, who)| who.clone());
        members.chain([self.token.clone()]).collect()
    }

    /// Everybody here who does not.
    pub fn outsiders(&self) -> Vec<Who> {
        vec![
            self.buyer.clone(),
            self.guest.clone(),
            self.other_guest.clone(),
            self.owner_alone.clone(),
        ]
    }

    /// Whoever has a right to something here.
    pub fn everybody(&self) -> Vec<Who> {
        let mut all = self.insiders();
        all.extend(self.outsiders());
        all
    }
}

impl World {
    /// Everybody who has no business with B's closed things.
    pub fn strangers(&self) -> Vec<Who> {
        let mut all = self.a.everybody();
        all.push(Who {
            turn: all.len(),
            ..Who::anonymous()
        });
        all
    }
}

/// Access tokens name who issued them; all servers of the world go by one name, so that tokens are good at each.
/// Tests that fill whole pools from one address or organization may.
const SETTINGS: [(&str, &str); 4] = [
    ("PUBLIC_URL", "https://world.example"),
    ("VISITOR_CONCURRENCY", "100"),
    ("TENANT_CONCURRENCY", "100"),
    ("PAYMENT_SANDBOX", "on"),
];

/// A server over a copy of the world.
pub async fn world() -> (TestApp, &'static World) {
    world_with(&[]).await
}

/// The same, with some settings of its own.
pub async fn world_with(settings: &[(&str, &str)]) -> (TestApp, &'static World) {
    let (database, world) = BUILT.get_or_init(build).await;
    let settings = [&SETTINGS, settings].concat();
    (TestApp::over(database.copy().await, &settings).await, world)
}

/// Thousands of questions come to one server; and on one connection what is planned for the first who asks serves all.
const FOR_ALL: [(&str, &str); 9] = [
    ("DATABASE_POOL_SIZE", "1"),
    ("VISITOR_POINTS", "1000000000"),
    ("VISITOR_POINTS_PER_SECOND", "1000000000"),
    ("USER_POINTS", "1000000000"),
    ("USER_POINTS_PER_SECOND", "1000000000"),
    ("TOKEN_POINTS", "1000000000"),
    ("TOKEN_POINTS_PER_SECOND", "1000000000"),
    ("TENANT_POINTS", "1000000000"),
    ("TENANT_POINTS_PER_SECOND", "1000000000"),
];

/// The one server over a copy of the world for all who only read.
pub async fn reading() -> (TestApp, &'static World) {
    let (database, world) = BUILT.get_or_init(build).await;
    let app = READ.get_or_init(|| async {
        let database = database.copy().await;
        let admin = database.admin().await;
        admin
            .batch_execute(
                "do $$ begin execute format('alter database %I set plan_cache_mode = force_generic_plan', \
                 current_database()); end $$",
            )
            .await
            .expect("a setting");
        TestApp::apart(database, [&SETTINGS[..], &FOR_ALL].concat()).await
    });
    (app.await.again(), world)
}

async fn build() -> (Database, World) {
    let app = TestApp::start_with(&SETTINGS).await;
    let a = side(&app, "aachen").await;
    let b = side(&app, "bilbao").await;
    let database = app.database.copy().await;
    (database, World { a, b })
}

async fn side(app: &TestApp, tag: &'static str) -> Side {
    let founder = people::Founder::new(app, tag).await;
    let shop = events::fill(&founder).await;
    let sales = sales::fill(&founder, &shop).await;
    door::fill(&founder).await;
    webhooks::fill(&founder).await;
    jobs::fill(&founder).await;
    messages::fill(&founder, &shop).await;
    let staff = people::staff(&founder).await;
    let mut side = Side {
        tag,
        org: founder.org,
        members: staff.members,
        token: staff.token,
        owner_alone: founder.alone.clone(),
        buyer: sales.buyer,
        guest: sales.guest,
        other_guest: sales.other_guest,
    };
    let all = side.members.iter_mut().map(|(_, who)| who);
    let others = [
        &mut side.token,
        &mut side.buyer,
        &mut side.guest,
        &mut side.other_guest,
        &mut side.owner_alone,
    ];
    for (turn, who) in all.chain(others).enumerate() {
        who.turn = turn;
    }
    side
}

/// Sends one mutation that must succeed; the payload.
pub(super) async fn does(
    app: &TestApp,
    who: &Who,
    verb: &str,
    selection: &str,
    input: Value,
) -> Value {
    let mut type_name = verb.to_owned();
    type_name[..1].make_ascii_uppercase();
    let query = format!(
        "mutation($input: {type_name}Input!) {{ {verb}(input: $input) {{ {selection} userErrors {{ code message field }} }} }}"
    );
    let answer = who.ask(app, &query, &json!({ "input": input })).await;
    let mut body = answer.json();
    assert!(
        body.get("errors").is_none() && body["data"][verb]["userErrors"] == json!([]),
        "{} {verb} {input}: {}",
        who.name,
        answer.text
    );
    body["data"][verb].take()
}
