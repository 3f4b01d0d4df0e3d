//! Mutations that let in by a password or by a code that was mailed. Who has neither learns nothing by trying, not even
//! whether there is such a person; who reads their own mail gets in.

use std::collections::BTreeSet;

use eventsphere_graphql::{catalog::Catalog, global_id};
use serde_json::{Value, json};

use super::{
    ask::{Answer, Who},
    inputs::{Said, document, input},
    reads::{Secrets, of_nothing},
    world::{World, people::PASSWORD, world},
    writes::did,
};
use crate::harness::{TestApp, key};

/// What the owner of things cannot do with the ids of these alone.
pub const BY_SECRET: [&str; 13] = [
    "signUp",
    "verifyEmail",
    "resendVerification",
    "signIn",
    "signOut",
    "refreshSession",
    "requestPasswordReset",
    "resetPassword",
    "changePassword",
    "acceptInvitation",
    "leaveOrganization",
    "acceptTransfer",
    "declineTransfer",
];

part!(who_has_the_secret_gets_in, OWNERS, owners);
part!(who_has_not_learns_nothing_by_trying, STRANGERS, strangers);

/// Mutations one after the other.
struct Steps<'a> {
    app: &'a TestApp,
    catalog: &'a Catalog,
    done: BTreeSet<String>,
}

impl Steps<'_> {
    async fn tries(&self, who: &Who, verb: &str, input: &Value) -> Answer {
        let query = document(self.catalog, &self.catalog.verbs[verb]);
        who.ask(self.app, &query, &json!({ "input": input })).await
    }

    /// Does it; the payload.
    async fn does(&mut self, who: &Who, verb: &str, input: Value) -> Value {
        let answer = self.tries(who, verb, &input).await;
        assert!(did(&answer, verb), "{} {verb}: {}", who.name, answer.text);
        self.done.insert(verb.to_owned());
        answer.json()["data"][verb].take()
    }

    async fn signs_in(&mut self, name: &str, input: Value) -> (Who, Value) {
        let nobody = Who {
            name: name.to_owned(),
            ..Who::anonymous()
        };
        let session = self.does(&nobody, "signIn", input).await;
        (Who::with_token(name, &session["accessToken"]), session)
    }
}

async fn owners() {
    let (app, world) = world().await;
    let catalog = &app.app.engine.catalog;
    let tag = world.b.tag;
    let (name, email) = (format!("newcomer-{tag}"), format!("newcomer@{tag}.example"));
    let newcomer = Who {
        name: name.clone(),
        ..Who::anonymous()
    };
    let mut steps = Steps {
        app: &app,
        catalog,
        done: BTreeSet::new(),
    };
    let account =
        json!({ "email": email, "password": PASSWORD, "name": "New Comer", "locale": "en" });
    steps.does(&newcomer, "signUp", account).await;
    steps
        .does(&newcomer, "resendVerification", json!({ "email": email }))
        .await;
    let code = app.mailed_code(&email).await;
    steps
        .does(&newcomer, "verifyEmail", json!({ "code": code }))
        .await;
    let password = json!({ "email": email, "password": PASSWORD });
    let (somebody, session) = steps.signs_in(&name, password).await;
    let token = json!({ "refreshToken": session["refreshToken"] });
    steps.does(&newcomer, "refreshSession", token).await;

    joins_and_leaves(&mut steps, world, &somebody, &email).await;
    let other = "another horse battery staple";
    let change = json!({ "currentPassword": PASSWORD, "newPassword": other });
    steps.does(&somebody, "changePassword", change).await;
    steps
        .does(&newcomer, "requestPasswordReset", json!({ "email": email }))
        .await;
    let code = app.mailed_code(&email).await;
    let reset = json!({ "code": code, "newPassword": PASSWORD });
    steps.does(&newcomer, "resetPassword", reset).await;
    let password = json!({ "email": email, "password": PASSWORD });
    let (somebody, _) = steps.signs_in(&name, password).await;
    steps
        .does(&somebody, "signOut", json!({ "everywhere": true }))
        .await;
    is_handed_tickets(&mut steps, world, &newcomer).await;
    let left: Vec<_> = BY_SECRET
        .iter()
        .filter(|verb| !steps.done.contains(**verb))
        .collect();
    assert!(left.is_empty(), "never done: {left:?}");
}

/// Somebody with that address is invited by mail, acts in the organization, and leaves it.
async fn joins_and_leaves(steps: &mut Steps<'_>, world: &World, somebody: &Who, email: &str) {
    let (app, tag, owner) = (steps.app, world.b.tag, world.b.member("owner"));
    let name = &somebody.name;
    let newcomer = Who {
        name: name.clone(),
        ..Who::anonymous()
    };
    let role = "{ roles(first: 50) { nodes { id key } } }";
    let roles = owner.asks(app, role, &json!({})).await.json();
    let roles = roles["data"]["roles"]["nodes"].as_array().expect("roles");
    let viewer = roles.iter().find(|role| role["key"] == "viewer");
    let invited = json!({ "email": email, "roleId": viewer.expect("a viewer")["id"] });
    steps.does(owner, "inviteMember", invited).await;
    let code = json!({ "code": app.mailed_code(email).await });
    // Mailed to one person, it lets in nobody else.
    let buyer = &world.b.buyer;
    let other = steps.tries(buyer, "acceptInvitation", &code).await;
    assert!(!did(&other, "acceptInvitation"), "{}", other.text);
    let joined = steps.does(somebody, "acceptInvitation", code).await;
    let id = &joined["organization"]["id"];
    for by in [
        json!({ "organizationId": id }),
        json!({ "organizationSlug": format!("{tag}-society") }),
    ] {
        let mut input = json!({ "email": email, "password": PASSWORD });
        let by = by.as_object().expect("an object").clone();
        input.as_object_mut().expect("an object").extend(by);
        let (member, _) = steps.signs_in(name, input).await;
        let answer = member
            .asks(app, "{ currentOrganization { slug } }", &json!({}))
            .await;
        assert!(answer.text.contains(tag), "{}", answer.text);
    }
    let within = json!({ "email": email, "password": PASSWORD, "organizationId": id });
    let (member, session) = steps.signs_in(name, within).await;
    let token = json!({ "refreshToken": session["refreshToken"] });
    let again = steps.does(&newcomer, "refreshSession", token).await;
    assert_eq!(again["organization"]["id"], *id);
    steps
        .does(
            &member,
            "leaveOrganization",
            json!({ "clientMutationId": "leaving" }),
        )
        .await;
}

/// A ticket that was offered by mail is declined, offered again, and accepted by whoever read that mail.
async fn is_handed_tickets(steps: &mut Steps<'_>, world: &World, newcomer: &Who) {
    let (app, tag, owner) = (steps.app, world.b.tag, world.b.member("owner"));
    let email = format!("next-false@{tag}.example");
    let open = "{ ticketTransfers(first: 50) { nodes { recipientEmail ticket { id } } } }";
    let offers = owner.asks(app, open, &json!({})).await.json();
    let offers = offers["data"]["ticketTransfers"]["nodes"]
        .as_array()
        .expect("offers");
    let offered = offers
        .iter()
        .find(|offer| offer["recipientEmail"] == json!(email));
    let ticket = offered.expect("an offer")["ticket"]["id"].clone();
    let declined = json!({ "code": app.mailed_code(&email).await, "idempotencyKey": key() });
    steps.does(newcomer, "declineTransfer", declined).await;
    let again =
        json!({ "ticketId": ticket, "email": format!("again-{email}"), "idempotencyKey": key() });
    steps.does(owner, "transferTicket", again).await;
    let code = app.mailed_code(&format!("again-{email}")).await;
    let accepted = json!({ "code": code, "name": "New Comer", "idempotencyKey": key() });
    steps.does(newcomer, "acceptTransfer", accepted).await;
}

/// Whom a guess is about.
struct Target {
    email: String,
    slug: &'static str,
    org: String,
}

/// The inputs of one who knows the address of somebody, and no secret.
fn guesses(catalog: &Catalog, verb: &str, about: &Target) -> Vec<Value> {
    let verb = &catalog.verbs[verb];
    let mut by_id = input(catalog, verb, Said::All, &|_| Some(about.org.clone()));
    if by_id.get("email").is_some() {
        by_id["email"] = json!(about.email);
    }
    let mut by_slug = by_id.clone();
    let fields = by_slug.as_object_mut().expect("an object");
    if fields.remove("organizationId").is_none() {
        return vec![by_id];
    }
    by_slug["organizationSlug"] = json!(about.slug);
    vec![by_id, by_slug]
}

async fn strangers() {
    let (app, world) = world().await;
    let catalog = &app.app.engine.catalog;
    let secrets = Secrets::read(&app, world).await;
    let org = global_id::encode(catalog.entities["Organization"].tag, world.b.org);
    let steps = Steps {
        app: &app,
        catalog,
        done: BTreeSet::new(),
    };
    let somebody = Target {
        email: "owner@bilbao.example".to_owned(),
        slug: "bilbao-society",
        org,
    };
    let mut verbs = BY_SECRET;
    // The member goes last.
    verbs.sort_by_key(|verb| OF_ONESELF.contains(verb));
    // Tries are counted by address, so few people try.
    for who in [&Who::anonymous(), world.a.member("viewer")] {
        for verb in verbs {
            // Whoever signs up is somebody from then on.
            let nobody = Target {
                email: format!("{}@nowhere.example", verb.to_lowercase()),
                slug: "nothing-society",
                org: of_nothing(&somebody.org),
            };
            let foreign = guesses(catalog, verb, &somebody);
            let nothing = guesses(catalog, verb, &nobody);
            for (foreign, nothing) in foreign.iter().zip(&nothing) {
                let mut answer = steps.tries(who, verb, foreign).await;
                // What was said is said back.
                answer.text = answer.text.replace(&somebody.email, &nobody.email);
                secrets.of(world, who).check(who, verb, &answer);
                if OF_ONESELF.contains(&verb) {
                    continue;
                }
                let told_to_all = SAID_TO_ALL.contains(&verb);
                assert_eq!(did(&answer, verb), told_to_all, "{verb}: {}", answer.text);
                let nothing = steps.tries(who, verb, nothing).await;
                assert_eq!(answer, nothing, "{} {verb}", who.name);
            }
        }
    }
}

/// Take no word of anybody else: what they do is done to whoever asks.
const OF_ONESELF: [&str; 2] = ["leaveOrganization", "signOut"];

/// Answered alike to whoever names whatever address: what comes of it is in the mail.
const SAID_TO_ALL: [&str; 3] = ["signUp", "resendVerification", "requestPasswordReset"];
