//! Who there is: a founder with an organization, a member of every role, an API token, somebody invited.

use std::sync::Arc;

use eventsphere::tenancy::{Actor, ActorKind, Guest};
use eventsphere_graphql::Deprecated;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{AUDITOR, TOKEN_SCOPES, does};
use crate::{fence::ask::Who, harness::TestApp};

pub const PASSWORD: &str = "correct horse battery staple";

/// Whoever makes the rest.
pub struct Founder<'a> {
    pub app: &'a TestApp,
    pub tag: &'static str,
    pub org: Uuid,
    /// Acting in the organization.
    pub owner: Who,
    /// Acting in none.
    pub alone: Who,
}

/// Members and token.
pub struct Staff {
    pub members: Vec<(String, Who)>,
    pub token: Who,
}

/// Somebody with a confirmed address, signed in, acting in no organization.
pub async fn person(app: &TestApp, tag: &str, role: &str) -> Who {
    let name = format!("{role}-{tag}");
    let email = format!("{role}@{tag}.example");
    let somebody = Who {
        name: name.clone(),
        ..Who::anonymous()
    };
    let input = json!({ "email": email, "password": PASSWORD, "name": format!("{role} of {tag}") });
    does(app, &somebody, "signUp", "", input).await;
    let code = app.mailed_code(&email).await;
    does(app, &somebody, "verifyEmail", "", json!({ "code": code })).await;
    sign_in(app, &name, &email).await
}

async fn sign_in(app: &TestApp, name: &str, email: &str) -> Who {
    let somebody = Who {
        name: name.to_owned(),
        ..Who::anonymous()
    };
    let input = json!({ "email": email, "password": PASSWORD });
    let session = does(app, &somebody, "signIn", "accessToken", input).await;
    Who::with_token(name, &session["accessToken"])
}

impl<'a> Founder<'a> {
    /// Signs up and founds.
    pub async fn new(app: &'a TestApp, tag: &'static str) -> Self {
        let alone = person(app, tag, "owner").await;
        // A device that was signed out again, so that there is one with a reason.
        let other_device = sign_in(
            app,
            &format!("owner-{tag}"),
            &format!("owner@{tag}.example"),
        )
        .await;
        does(app, &other_device, "signOut", "", json!({})).await;
        let made = does(
            app,
            &sign_in(
                app,
                &format!("owner-{tag}"),
                &format!("owner@{tag}.example"),
            )
            .await,
            "createOrganization",
            "accessToken organization { id branding { id } }",
            json!({
                "name": format!("{tag} society"), "slug": format!("{tag}-society"), "country": "DE",
                "timeZone": "Europe/Berlin", "supportEmail": format!("help@{tag}.example"),
            }),
        )
        .await;
        let founder = Self {
            app,
            tag,
            org: key(&made["organization"]["id"]),
            owner: Who::with_token(format!("owner-{tag}"), &made["accessToken"]),
            alone: Who {
                name: format!("owner-{tag}-alone"),
                ..alone
            },
        };
        let address = |what: &str| format!("https://{tag}.example/{what}");
        founder
            .does(
                "updateBranding",
                "",
                json!({
                    "id": made["organization"]["branding"]["id"], "logoUrl": address("logo"),
                    "termsUrl": address("terms"), "privacyUrl": address("privacy"),
                    "footerText": format!("{tag} footer"),
                }),
            )
            .await;
        founder
    }

    /// As the owner.
    pub async fn does(&self, verb: &str, selection: &str, input: Value) -> Value {
        does(self.app, &self.owner, verb, selection, input).await
    }
}

/// The key in a global id.
pub fn key(id: &Value) -> Uuid {
    let text = id.as_str().expect("an id");
    eventsphere_graphql::global_id::decode(text)
        .unwrap_or_else(|| panic!("{text} is no id"))
        .1
}

/// A member of every role and a token.
pub async fn staff(founder: &Founder<'_>) -> Staff {
    let (app, tag) = (founder.app, founder.tag);
    founder
        .does(
            "createRole",
            "role { id }",
            json!({ "name": "Auditor", "description": format!("{tag} auditors"), "permissions": AUDITOR }),
        )
        .await;
    founder
        .does(
            "createRole",
            "role { id }",
            json!({ "name": "Idle", "description": format!("{tag} idlers"), "permissions": ["events:read"] }),
        )
        .await;
    let roles = founder
        .owner
        .ask(app, "{ roles(first: 50) { nodes { id key } } }", &json!({}))
        .await
        .json();
    let roles = roles["data"]["roles"]["nodes"].as_array().expect("roles");
    let mut members = vec![("owner".to_owned(), founder.owner.clone())];
    for role in roles {
        let role_key = role["key"].as_str().expect("a key");
        if matches!(role_key, "owner" | "idle") {
            continue;
        }
        members.push((
            role_key.to_owned(),
            member(founder, role_key, &role["id"]).await,
        ));
    }
    let trusted = json!({ "documents": [{
        "text": format!("query {tag}Doors {{ currentOrganization {{ name }} }}"),
        "id": format!("{tag}-doors"), "name": format!("{tag} doors"),
    }] });
    founder
        .does("registerTrustedDocuments", "added", trusted)
        .await;
    let viewer = roles.iter().find(|role| role["key"] == "viewer");
    let invited = json!({ "email": format!("invited@{tag}.example"), "roleId": viewer.expect("viewer")["id"] });
    founder
        .does("inviteMember", "invitation { id }", invited)
        .await;
    let leaver = member(founder, "leaver", &viewer.expect("viewer")["id"]).await;
    members.push(("leaver".to_owned(), leaver));
    Staff {
        members,
        token: token(founder).await,
    }
}

async fn member(founder: &Founder<'_>, role: &str, role_id: &Value) -> Who {
    let (app, tag) = (founder.app, founder.tag);
    let person = person(app, tag, role).await;
    let email = format!("{role}@{tag}.example");
    founder
        .does(
            "inviteMember",
            "invitation { id }",
            json!({ "email": email, "roleId": role_id }),
        )
        .await;
    let code = app.mailed_code(&email).await;
    let joined = does(
        app,
        &person,
        "acceptInvitation",
        "organization { id }",
        json!({ "code": code }),
    )
    .await;
    let session = does(
        app,
        &person,
        "switchOrganization",
        "accessToken",
        json!({ "organizationId": joined["organization"]["id"] }),
    )
    .await;
    Who::with_token(format!("{role}-{tag}"), &session["accessToken"])
}

async fn token(founder: &Founder<'_>) -> Who {
    let (app, tag) = (founder.app, founder.tag);
    let mut made = vec![];
    for name in ["kiosk", "retired"] {
        let input = json!({
            "name": format!("{tag} {name}"), "scopes": TOKEN_SCOPES, "expiresAt": "2099-01-01T00:00:00Z",
        });
        let selection = "token apiToken { id }";
        made.push(founder.does("createApiToken", selection, input).await);
    }
    let who = Who::with_token(format!("token-{tag}"), &made[0]["token"]);
    who.ask(app, "{ events { totalCount } }", &json!({})).await;
    founder
        .does(
            "revokeApiToken",
            "",
            json!({ "apiTokenId": made[1]["apiToken"]["id"] }),
        )
        .await;
    uses_what_is_deprecated(founder, key(&made[0]["apiToken"]["id"])).await;
    who
}

/// Nothing that is really deprecated can be counted on; the counter is told of something that could be.
async fn uses_what_is_deprecated(founder: &Founder<'_>, token_id: Uuid) {
    let (app, tag) = (&founder.app.app, founder.tag);
    let actor = Actor {
        kind: ActorKind::Token {
            token_id,
            org_id: founder.org,
            permissions: vec![],
            trusted_only: false,
        },
        guest: Guest::default(),
    };
    let day = |text: &str| text.parse().expect("a day");
    let used = Arc::new(Deprecated {
        coordinate: format!("Event.{tag}Summary"),
        since: day("2026-11-21"),
        removal: day("2027-07-01"),
    });
    app.deprecated_uses.count(&actor, &[used], app.clock.now());
    let written = app.deprecated_uses.write(&app.door).await;
    written.expect("counted");
}
