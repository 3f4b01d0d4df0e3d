//! createOrganization: a new tenant; whoever asks becomes its owner and acts in it from then on.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, ask_in, fails_with};
use crate::{
    accounts::{
        input::{self, Problem, Problems},
        rates::{self, Rule},
        session::{self, gives_tokens},
    },
    fault::Fault,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CreateOrganization;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    name: String,
    slug: Option<String>,
    country: Option<String>,
    default_currency: Option<String>,
    time_zone: Option<String>,
    support_email: Option<String>,
}

#[async_trait]
impl Handle for CreateOrganization {
    type Input = Input;

    fn describe() -> Verb {
        let text = || InputType::Scalar(Scalar::String);
        let verb = Verb::new(
            "createOrganization",
            "Creates an organization with the signed-in person as its owner, the built-in roles, and branding to \
             start with. The access token that comes back acts in it.",
        )
        .takes("name", text(), "Its name, 1 to 200 characters.")
        .may_take(
            "slug",
            text(),
            "Its name in addresses, unique over all organizations: 1 to 63 of `a-z`, `0-9` and inner hyphens. Made \
             from the name when left out.",
        )
        .may_take("country", text(), "Where it is at home, ISO 3166-1 alpha-2.")
        .may_take(
            "defaultCurrency",
            text(),
            "Currency that new events start with, ISO 4217. `EUR` when left out.",
        )
        .may_take(
            "timeZone",
            text(),
            "Zone that new events start with, an IANA name. `UTC` when left out.",
        )
        .may_take("supportEmail", text(), "Where attendees can write to.")
        .gives(
            "organization",
            PayloadType::Entity("Organization".to_owned()),
            "The new organization.",
        )
        .gives(
            "member",
            PayloadType::Entity("Member".to_owned()),
            "The signed-in person's membership, as owner.",
        );
        fails_with(gives_tokens(verb), &["slug_taken"])
            .fails(
                "NAME_INVALID",
                "The name is empty, too long or not on one line.",
            )
            .fails(
                "SLUG_INVALID",
                "The slug is too long or has other characters.",
            )
            .fails(
                "COUNTRY_INVALID",
                "This is not a country code of two letters.",
            )
            .fails(
                "CURRENCY_INVALID",
                "This is not a currency code of three letters.",
            )
            .fails("TIME_ZONE_INVALID", "This is not an IANA time zone.")
            .fails("EMAIL_INVALID", "This is not an e-mail address.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        session::person(call.actor)?;
        rates::count_client(call, Rule::SignUp).await?;
        let made_up = input.slug.is_none();
        let mut request = match checked(input) {
            Ok(request) => request,
            Err(problems) => return Ok(problems.outcome().into()),
        };
        let mut answer = create(call, &request).await?;
        if made_up && answer.outcome() == "slug_taken" {
            request["slug"] = json!(another(&request["slug"]));
            answer = create(call, &request).await?;
        }
        match answer.outcome() {
            "created" => {}
            "invalid" => {
                return Err(Fault::BadInput(
                    "input: the database takes no such organization".to_owned(),
                ));
            }
            _ => return Ok(answer.refused()?.into()),
        }
        let org_id = answer.id("organization_id")?;
        let issued = session::act_in(call.app, call.actor, Some(org_id))
            .await?
            .ok_or_else(|| Fault::Internal("an organization without its maker".to_owned()))?;
        let outcome = issued
            .fields(Outcome::new())
            .entity("organization", org_id)
            .entity("member", answer.id("member_id")?);
        Ok(Done {
            outcome,
            read_as: Some(issued.actor),
        })
    }
}

/// In a transaction outside any organization: what is made belongs to none that exists.
async fn create(call: Call<'_>, request: &Value) -> Result<Answer, Fault> {
    let tx = call.app.door.begin(&call.actor.as_buyer()).await?;
    let answer = ask_in(&tx, "create_organization", request.clone()).await?;
    tx.commit().await?;
    Ok(answer)
}

fn checked(input: Input) -> Result<Value, Problems> {
    let mut problems = Problems::default();
    let upper = |text: String| text.trim().to_ascii_uppercase();
    let name = problems.check("name", input::name(&input.name, 200));
    let slug = match input.slug {
        Some(slug) => problems.check("slug", valid_slug(slug)),
        None => name.as_deref().map(made_up_slug),
    };
    let country = input.country.map(upper);
    let country =
        country.map(|code| problems.check("country", letters(code, 2, "COUNTRY_INVALID")));
    let currency = input.default_currency.map(upper);
    let currency = currency
        .map(|code| problems.check("defaultCurrency", letters(code, 3, "CURRENCY_INVALID")));
    let zone = input.time_zone;
    let zone = zone.map(|zone| problems.check("timeZone", valid_zone(&zone)));
    let email = input.support_email;
    let email = email.map(|email| problems.check("supportEmail", input::email(&email)));
    if problems.any() {
        return Err(problems);
    }
    Ok(json!({
        "name": name, "slug": slug, "country": country.flatten(),
        "default_currency": currency.flatten(), "time_zone": zone.flatten(),
        "support_email": email.flatten(),
    }))
}

fn valid_slug(slug: String) -> Result<String, Problem> {
    let shaped = (1..=63).contains(&slug.len())
        && slug
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !slug.starts_with('-')
        && !slug.ends_with('-');
    match shaped {
        true => Ok(slug),
        false => Err(Problem::new(
            "SLUG_INVALID",
            "A slug has 1 to 63 of `a-z`, `0-9` and inner hyphens.",
        )),
    }
}

/// From the name; a name without a single letter that we can write gives a slug of chance.
fn made_up_slug(name: &str) -> String {
    let slug: String = slug::slugify(name).chars().take(50).collect();
    match slug.trim_matches('-') {
        "" => another(&json!("organization")),
        slug => slug.to_owned(),
    }
}

/// The slug with an end of chance.
fn another(slug: &Value) -> String {
    let chance = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}", slug.as_str().unwrap_or_default(), &chance[..6])
}

fn letters(code: String, length: usize, error: &'static str) -> Result<String, Problem> {
    match code.len() == length && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        true => Ok(code),
        false => Err(Problem::new(
            error,
            &format!("This code has {length} letters."),
        )),
    }
}

fn valid_zone(zone: &str) -> Result<String, Problem> {
    match zone.parse::<chrono_tz::Tz>() {
        Ok(zone) => Ok(zone.name().to_owned()),
        Err(_) => Err(Problem::new(
            "TIME_ZONE_INVALID",
            "This is not an IANA time zone such as `Europe/Berlin`.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_made_from_names_and_always_valid() {
        for name in [
            "Rust Days!",
            "Ünïcode & Söhne",
            "!!!",
            "日本",
            &"x y ".repeat(50),
        ] {
            let slug = made_up_slug(name);
            assert!(valid_slug(slug.clone()).is_ok(), "{name} -> {slug}");
            assert!(valid_slug(another(&json!(slug))).is_ok());
        }
        assert_eq!(made_up_slug("Rust Days!"), "rust-days");
    }

    #[test]
    fn every_wrong_field_is_named() {
        let problems = checked(Input {
            name: " ".into(),
            slug: Some("-a".into()),
            country: Some("deu".into()),
            default_currency: Some("€".into()),
            time_zone: Some("Mars/Olympus".into()),
            support_email: Some("nobody".into()),
        })
        .unwrap_err();
        let fields: Vec<String> = problems
            .outcome()
            .user_errors
            .into_iter()
            .map(|error| error.field.concat())
            .collect();
        let expected = [
            "name",
            "slug",
            "country",
            "defaultCurrency",
            "timeZone",
            "supportEmail",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_is_left_out_is_left_to_the_database() {
        let request = checked(Input {
            name: "Example".into(),
            slug: None,
            country: Some("de".into()),
            default_currency: None,
            time_zone: None,
            support_email: None,
        })
        .unwrap();
        assert_eq!(request["slug"], "example");
        assert_eq!(request["country"], "DE");
        assert_eq!(request["time_zone"], Value::Null);
    }
}
