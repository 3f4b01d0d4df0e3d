//! Who asks for the organizer list: a person with a real account, signed in through the API, who owns the
//! organizations of the ten large events.

use std::{net::SocketAddr, time::SystemTime};

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::shapes::{key_text, organization_id};
use crate::{
    Failure,
    ground::{Ground, told},
    http,
};

const EMAIL: &str = "organizer@bench.example";
const PASSWORD: &str = "a password for the bench only";
/// What the peer's tokens are signed with.
pub const TOKEN_SECRET: &str = "the bench signs and verifies with this, nobody else";
/// Large events are the first ones, each in the organization of its number.
pub const LARGE: u64 = 10;

/// One organization, as the person who acts there.
#[derive(Clone, Debug)]
pub struct Member {
    /// Key of the account.
    pub user: String,
    /// As the transaction is told them.
    pub permissions: String,
    /// Access token of our server, good for a quarter of an hour.
    pub token: String,
    /// The peer's, which says the same.
    pub peer_token: String,
}

/// Signs in, once for each of the organizations. The account is made where it is missing.
pub async fn sign_in(ground: &Ground) -> Result<Vec<Member>, Failure> {
    let address = ground.server.address;
    let (user, permissions) = account(ground, LARGE).await?;
    let alone = alone(address).await?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let mut members = vec![];
    for n in 1..=LARGE {
        let input = json!({ "organizationId": organization_id(n) });
        let acting = does(
            address,
            Some(&alone),
            "switchOrganization",
            "accessToken",
            input,
        )
        .await?;
        let claims = json!({
            "sub": user, "org": key_text(1, n), "permissions": permissions, "aud": "bench",
            "iat": now, "exp": now + 3600,
        });
        members.push(Member {
            user: user.clone(),
            permissions: permissions.clone(),
            token: text(&acting["accessToken"])?,
            peer_token: jsonwebtoken::encode(
                &Header::default(),
                &claims,
                &EncodingKey::from_secret(TOKEN_SECRET.as_bytes()),
            )?,
        });
    }
    Ok(members)
}

/// The same person, who owns the organizations of so many first events, acting in none of them.
pub async fn owner(ground: &Ground, organizations: u64) -> Result<String, Failure> {
    account(ground, organizations).await?;
    alone(ground.server.address).await
}

async fn alone(address: SocketAddr) -> Result<String, Failure> {
    let input = json!({ "email": EMAIL, "password": PASSWORD });
    let session = does(address, None, "signIn", "accessToken", input).await?;
    text(&session["accessToken"])
}

async fn account(ground: &Ground, organizations: u64) -> Result<(String, String), Failure> {
    let admin = ground.admin().await?;
    let find = "select id::text from users where email = $1";
    if admin.query_opt(find, &[&EMAIL]).await?.is_none() {
        let address = ground.server.address;
        let input = json!({ "email": EMAIL, "password": PASSWORD, "name": "An organizer" });
        does(address, None, "signUp", "", input).await?;
        let code: String = admin
            .query_one(
                "select variables ->> 'code' from mail_messages where recipient = $1",
                &[&EMAIL],
            )
            .await?
            .get(0);
        does(address, None, "verifyEmail", "", json!({ "code": code })).await?;
        admin
            .execute(
                "insert into members (org_id, user_id, role_id)
                 select r.org_id, u.id, r.id
                 from roles r, users u
                 where u.email = $1
                   and r.key = 'owner'
                   and r.org_id = any (array(select org_id from events order by id limit $2))",
                &[&EMAIL, &i64::try_from(organizations)?],
            )
            .await
            .map_err(|error| told(&error))?;
    }
    let row = admin
        .query_one(
            "select u.id::text, array_to_string(r.permissions, ',')
             from users u
             join members m on m.user_id = u.id
             join roles r on r.id = m.role_id
             where u.email = $1
             limit 1",
            &[&EMAIL],
        )
        .await?;
    Ok((row.get(0), row.get(1)))
}

fn text(value: &Value) -> Result<String, Failure> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| "an answer without its token".into())
}

/// One mutation that must succeed; its payload.
pub async fn does(
    address: SocketAddr,
    token: Option<&str>,
    verb: &str,
    selection: &str,
    input: Value,
) -> Result<Value, Failure> {
    let mut type_name = verb.to_owned();
    type_name[..1].make_ascii_uppercase();
    let query = format!(
        "mutation($input: {type_name}Input!) {{ {verb}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
    );
    let body = json!({ "query": query, "variables": { "input": input } }).to_string();
    let answer = http::once(address, &http::post("/graphql", token, &body)).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    match (&answer["errors"], &answer["data"][verb]["userErrors"]) {
        (Value::Null, Value::Array(none)) if none.is_empty() => Ok(answer["data"][verb].clone()),
        _ => Err(format!("{verb}: {answer}").into()),
    }
}
