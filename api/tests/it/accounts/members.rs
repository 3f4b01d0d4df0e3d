//! Members, roles and invitations.

use serde_json::{Value, json};

use crate::harness::{Caller, Organizer, TestApp};

async fn role(organizer: &Organizer, key: &str) -> Value {
    let data = organizer
        .caller
        .ask("{ roles(first: 50) { nodes { id key } } }", json!({}))
        .await;
    data["roles"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["key"] == key)
        .unwrap_or_else(|| panic!("no role {key}"))["id"]
        .clone()
}

/// Somebody new, invited with that role and come in.
async fn joined(app: &TestApp, organizer: &Organizer, email: &str, key: &str) -> (Caller, Value) {
    let (person, _) = app.person(email).await;
    let role = role(organizer, key).await;
    organizer
        .caller
        .does(
            "inviteMember",
            "invitation { id status }",
            json!({ "email": email, "roleId": role }),
        )
        .await;
    let code = app.mailed_code(email).await;
    let accepted = person
        .does(
            "acceptInvitation",
            "accessToken member { id role { key } }",
            json!({ "code": code }),
        )
        .await;
    assert_eq!(accepted["member"]["role"]["key"], key);
    (
        app.with_token(accepted["accessToken"].as_str().unwrap()),
        accepted["member"]["id"].clone(),
    )
}

#[tokio::test]
async fn an_invited_person_comes_in_with_the_role_and_no_more() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let (viewer, _) = joined(&app, &organizer, "vi@example.org", "viewer").await;
    viewer.ask("{ events { totalCount } }", json!({})).await;
    let create =
        "mutation($i: CreateSpeakerInput!) { createSpeaker(input: $i) { userErrors { code } } }";
    assert_eq!(
        viewer
            .fails(create, json!({ "i": { "name": "Grace" } }))
            .await,
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn an_invitation_is_for_its_address_alone() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    app.person("ann@example.org").await;
    let (other, _) = app.person("eve@example.org").await;
    let role = role(&organizer, "staff").await;
    organizer
        .caller
        .does(
            "inviteMember",
            "",
            json!({ "email": "ann@example.org", "roleId": role }),
        )
        .await;
    let code = app.mailed_code("ann@example.org").await;
    let refused = other
        .tries("acceptInvitation", "member { id }", json!({ "code": code }))
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "EMAIL_MISMATCH");
}

#[tokio::test]
async fn nobody_grants_more_than_they_hold_and_the_last_owner_stays() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let (manager, _) = joined(&app, &organizer, "mo@example.org", "manager").await;
    // A manager holds no members:write at all.
    let owner_role = role(&organizer, "owner").await;
    let invite =
        "mutation($i: InviteMemberInput!) { inviteMember(input: $i) { userErrors { code } } }";
    assert_eq!(
        manager
            .fails(
                invite,
                json!({ "i": { "email": "x@example.org", "roleId": owner_role } })
            )
            .await,
        "FORBIDDEN"
    );
    // A custom role that may invite, but holds little else.
    let custom = organizer
        .caller
        .does(
            "createRole",
            "role { id }",
            json!({ "name": "Host", "permissions": ["members:read", "members:write"] }),
        )
        .await["role"]["id"]
        .clone();
    let members = organizer
        .caller
        .ask("{ members { nodes { id user { email } } } }", json!({}))
        .await;
    let id_of = |email: &str| {
        members["members"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|member| member["user"]["email"] == email)
            .unwrap()["id"]
            .clone()
    };
    organizer
        .caller
        .does(
            "changeMemberRole",
            "member { role { name } }",
            json!({ "memberId": id_of("mo@example.org"), "roleId": custom }),
        )
        .await;
    // At once: the next request of the same token already acts under the new role.
    let up = manager
        .tries(
            "inviteMember",
            "",
            json!({ "email": "x@example.org", "roleId": owner_role }),
        )
        .await;
    assert_eq!(up["userErrors"][0]["code"], "EXCEEDS_OWN_PERMISSIONS");
    let down = organizer
        .caller
        .tries(
            "changeMemberRole",
            "",
            json!({ "memberId": id_of(&organizer.email), "roleId": custom }),
        )
        .await;
    assert_eq!(down["userErrors"][0]["code"], "LAST_OWNER");
}

#[tokio::test]
async fn a_removed_member_is_out_at_once() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let (staff, member) = joined(&app, &organizer, "st@example.org", "staff").await;
    staff.ask("{ events { totalCount } }", json!({})).await;
    organizer
        .caller
        .does("removeMember", "deletedId", json!({ "memberId": member }))
        .await;
    assert_eq!(
        staff.fails("{ events { totalCount } }", json!({})).await,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn one_person_switches_between_organizations_and_none() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let south = app.organizer("south").await;
    let other = organizer
        .caller
        .does(
            "createOrganization",
            "accessToken organization { id }",
            json!({ "name": "East", "slug": "east" }),
        )
        .await;
    let east = app.with_token(other["accessToken"].as_str().unwrap());
    let current = "{ currentOrganization { slug } }";
    assert_eq!(
        east.ask(current, json!({})).await["currentOrganization"]["slug"],
        "east"
    );
    let back = east
        .does(
            "switchOrganization",
            "accessToken",
            json!({ "organizationId": organizer.organization["id"] }),
        )
        .await;
    let back = app.with_token(back["accessToken"].as_str().unwrap());
    assert_eq!(
        back.ask(current, json!({})).await["currentOrganization"]["slug"],
        "north"
    );
    let none = back
        .does(
            "switchOrganization",
            "accessToken",
            json!({ "organizationId": null }),
        )
        .await;
    let none = app.with_token(none["accessToken"].as_str().unwrap());
    assert_eq!(
        none.ask(current, json!({})).await["currentOrganization"],
        Value::Null
    );
    let foreign = back
        .tries(
            "switchOrganization",
            "accessToken",
            json!({ "organizationId": south.organization["id"] }),
        )
        .await;
    assert_eq!(foreign["userErrors"][0]["code"], "NOT_A_MEMBER");
}
