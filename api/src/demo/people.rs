//! Demo sign-ins: an owner for each house, a staff member, an attendee. Accounts are written through the cross-tenant
//! door, for nobody reads the mail that would verify them; organizations are made by their owners.

use serde_json::json;
use uuid::Uuid;

use super::{
    HOUSES,
    plan::{House, Person},
};
use crate::{
    fault::Fault,
    http::DemoSignIn,
    outcome,
    state::App,
    statements::{self, first, run},
    tenancy::{Actor, ActorKind, Guest, SystemReason, permissions},
};

/// Of all demo sign-ins. It is printed and published: what it opens is made up, on a database that is nobody's.
pub const PASSWORD: &str = "open-sesame-demo";

const STAFF: Person = Person {
    name: "Sorrel Nettlefold",
    email: "staff@larkspur.example",
};

const ATTENDEE: Person = Person {
    name: "Wilma Rainsparrow",
    email: "attendee@guests.example",
};

/// Who may be signed in as, in the order in which people are told.
pub fn sign_ins() -> Vec<DemoSignIn> {
    let sign_in = |who, person: &Person, organization| DemoSignIn {
        who,
        email: person.email,
        password: PASSWORD,
        organization,
    };
    let mut all: Vec<DemoSignIn> = HOUSES
        .iter()
        .map(|house| sign_in("organizer", &house.owner, Some(house.slug)))
        .collect();
    all.push(sign_in("staff", &STAFF, Some(HOUSES[0].slug)));
    all.push(sign_in("attendee", &ATTENDEE, None));
    all
}

/// What people are told when the server is ready.
pub fn welcome(url: &str) -> String {
    let lines: String = sign_ins()
        .iter()
        .map(|one| {
            let organization = one.organization.unwrap_or("(none)");
            format!("    {:<11}{:<34}{organization}\n", one.who, one.email)
        })
        .collect();
    format!(
        "\nEventSphere is ready.\n\n  \
         Playground   {url}/playground\n  \
         Mailbox      {url}/dev/mailbox\n  \
         Schema       {url}/schema.graphql\n\n  \
         Demo sign-ins, all with the password {PASSWORD}\n    \
         {:<11}{:<34}organization\n{lines}\n  \
         What is missing of the demo data is filled in meanwhile. Ctrl-C stops everything; the next start keeps the data.\n\n",
        "who", "e-mail"
    )
}

/// Makes the sign-ins and organizations that are missing; the attendee's key.
pub async fn ensure(app: &App) -> Result<Uuid, Fault> {
    for house in HOUSES {
        let owner = account(app, &house.owner).await?;
        if organization(app, house.slug).await?.is_none() {
            found(app, house, owner).await?;
        }
    }
    let staff = account(app, &STAFF).await?;
    employ(app, HOUSES[0].slug, staff).await?;
    account(app, &ATTENDEE).await
}

/// The owner of the house, acting in it.
pub async fn organizer(app: &App, house: &House) -> Result<Actor, Fault> {
    let user_id = account(app, &house.owner).await?;
    let org_id = organization(app, house.slug)
        .await?
        .ok_or_else(|| Fault::Internal(format!("there is no organization {}", house.slug)))?;
    let permissions = permissions::permissions_of(permissions::OWNER);
    Ok(Actor {
        kind: ActorKind::Member {
            user_id,
            session_id: Uuid::nil(),
            org_id,
            permissions: permissions.into_iter().map(str::to_owned).collect(),
        },
        guest: Guest::default(),
    })
}

async fn account(app: &App, person: &Person) -> Result<Uuid, Fault> {
    let find = "select id from users where email = $1";
    let tx = app.door.system(SystemReason::DemoData).await?;
    let known = first(&tx, find, [person.email.into()]).await?;
    tx.commit().await?;
    if let Some(row) = known {
        return Ok(row.try_get("", "id")?);
    }
    let hash = app.accounts.passwords.hash(PASSWORD.to_owned()).await?;
    let tx = app.door.system(SystemReason::DemoData).await?;
    let row = first(
        &tx,
        "with made as (insert into users (email, name, email_verified_at) values ($1, $2, es.clock()) returning id) \
         insert into user_secrets (user_id, password_hash) select id, $3 from made returning user_id as id",
        [person.email.into(), person.name.into(), hash.into()],
    )
    .await?;
    tx.commit().await?;
    let row = row.ok_or_else(|| Fault::Internal("no account was made".to_owned()))?;
    Ok(row.try_get("", "id")?)
}

async fn organization(app: &App, slug: &str) -> Result<Option<Uuid>, Fault> {
    let tx = app.door.system(SystemReason::DemoData).await?;
    let row = first(
        &tx,
        "select id from organizations where slug = $1",
        [slug.into()],
    )
    .await?;
    tx.commit().await?;
    Ok(row.map(|row| row.try_get("", "id")).transpose()?)
}

async fn found(app: &App, house: &House, owner: Uuid) -> Result<(), Fault> {
    let tx = app.door.begin(&Actor::attendee(owner, Uuid::nil())).await?;
    let request = json!({
        "name": house.name,
        "slug": house.slug,
        "country": house.country,
        "default_currency": house.currency,
        "time_zone": house.time_zone,
        "support_email": house.owner.email,
    });
    let answer = statements::call(&tx, "create_organization", request)
        .await
        .map_err(outcome::fault)?;
    tx.commit().await?;
    match outcome::word(&answer) {
        "created" => Ok(()),
        _ => Err(Fault::Internal(format!(
            "organization {}: {answer}",
            house.slug
        ))),
    }
}

async fn employ(app: &App, organization: &str, user_id: Uuid) -> Result<(), Fault> {
    let tx = app.door.system(SystemReason::DemoData).await?;
    run(
        &tx,
        "insert into members (org_id, user_id, role_id) \
         select o.id, $2, r.id from organizations o join roles r on r.org_id = o.id and r.key = 'staff' \
         where o.slug = $1 on conflict on constraint members_user_key do nothing",
        [organization.into(), user_id.into()],
    )
    .await?;
    tx.commit().await?;
    Ok(())
}
