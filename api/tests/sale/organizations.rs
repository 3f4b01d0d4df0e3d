//! Creating an organization: whole or not at all.

use eventsphere_entities::permissions::ROLES;
use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{As, Db, code, outcome},
    shop::{Shop, sign_up},
};

#[tokio::test]
async fn an_organization_begins_with_its_roles_its_owner_and_its_branding() {
    let shop = Shop::draft().await;
    for role in ROLES {
        let sql = format!(
            "select name || '|' || description || '|' || array_to_string(permissions, ',') \
             from roles where built_in and key = '{}'",
            role.key
        );
        let mut permissions = role.permissions();
        permissions.sort_unstable();
        let expected = format!(
            "{}|{}|{}",
            role.name,
            role.description,
            permissions.join(",")
        );
        assert_eq!(shop.db.ask(&sql).await, Some(expected));
    }
    let roles = shop.db.ask_number("select count(*) from roles").await;
    assert_eq!(usize::try_from(roles), Ok(ROLES.len()));
    let owner = "select m.user_id::text from members m join roles r on r.id = m.role_id where r.key = 'owner'";
    assert_eq!(shop.db.ask(owner).await, Some(shop.user.to_string()));
    assert_eq!(shop.db.ask_number("select count(*) from branding").await, 1);
}

#[tokio::test]
async fn a_name_that_is_taken_and_a_value_that_is_wrong_are_values() {
    let db = Db::new().await;
    let user = sign_up(&db).await;
    let founder = As {
        org: None,
        ..As::attendee(user, Uuid::nil())
    };
    let request = json!({ "name": "Acme", "slug": "acme", "support_email": " Help@Acme.example " });
    assert_eq!(
        outcome(&db.call(&founder, "create_organization", &request).await),
        "created"
    );
    assert_eq!(
        outcome(&db.call(&founder, "create_organization", &request).await),
        "slug_taken"
    );
    for wrong in [
        json!({ "name": "A", "slug": "Not A Slug" }),
        json!({ "name": " ", "slug": "b" }),
        json!({ "name": "A", "slug": "c", "time_zone": "Europe/Nowhere" }),
        json!({ "name": "A", "slug": "d", "default_currency": "euro" }),
        json!({ "slug": "e" }),
    ] {
        let answer = db.call(&founder, "create_organization", &wrong).await;
        assert_eq!(outcome(&answer), "invalid", "{wrong}: {answer}");
    }
    assert_eq!(db.ask_number("select count(*) from organizations").await, 1);

    let nobody = As {
        user: None,
        ..founder
    };
    let error = db
        .try_call(&nobody, "create_organization", &request)
        .await
        .unwrap_err();
    assert_eq!(code(&error), "ES401");
}
