//! createRole: a set of permissions of the organization's own choosing.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;

use super::{
    answer::{ask, fails_with},
    permission_codes,
};
use crate::{
    accounts::input::{self, Problems},
    fault::Fault,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct CreateRole;

/// What it takes.
#[derive(Debug, Deserialize)]
pub struct Input {
    name: String,
    description: Option<String>,
    permissions: Vec<String>,
}

#[async_trait]
impl Handle for CreateRole {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "createRole",
            "Makes a role of the organization's own, beside the built-in ones.",
        )
        .takes(
            "name",
            InputType::Scalar(Scalar::String),
            "Name for people, 1 to 100 characters.",
        )
        .may_take(
            "description",
            InputType::Scalar(Scalar::String),
            "What the role is for, at most 500 characters.",
        )
        .takes(
            "permissions",
            InputType::List(Scalar::String),
            "Codes of the permissions that it gives, 1 to 50; one must hold them oneself.",
        )
        .gives(
            "role",
            PayloadType::Entity("Role".to_owned()),
            "The new role.",
        )
        .scope("members:write");
        role_errors(fails_with(verb, &["exceeds_own_permissions"]))
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let mut problems = Problems::default();
        let name = problems.check("name", input::name(&input.name, 100));
        let description = input.description.unwrap_or_default();
        let description = problems.check("description", input::text(&description, 500));
        let (Some(name), Some(description)) = (name, description) else {
            return Ok(problems.outcome().into());
        };
        if let Some(refused) = permission_codes::problem(&input.permissions, "permissions") {
            return Ok(refused.into());
        }
        let request = json!({
            "key": key_of(&name), "name": name, "description": description,
            "permissions": input.permissions,
        });
        let answer = ask(call, "create_role", request).await?;
        match answer.outcome() {
            "created" => Ok(Outcome::new().entity("role", answer.id("role_id")?).into()),
            _ => Ok(answer.refused()?.into()),
        }
    }
}

/// The user errors about the fields of a role.
pub(super) fn role_errors(verb: Verb) -> Verb {
    verb.fails(
        "NAME_INVALID",
        "The name is empty, too long or not on one line.",
    )
    .fails(
        "TEXT_INVALID",
        "The description is too long or has control characters.",
    )
    .fails(
        "PERMISSIONS_COUNT",
        "There are no permissions, or too many.",
    )
    .fails(
        "PERMISSION_UNKNOWN",
        "One of the permissions does not exist.",
    )
}

/// A stable key from the name: `a-z`, `0-9` and `_`, beginning with a letter.
fn key_of(name: &str) -> String {
    let key: String = slug::slugify(name)
        .replace('-', "_")
        .chars()
        .take(40)
        .collect();
    match key.chars().next() {
        Some(first) if first.is_ascii_lowercase() && key.len() > 1 => key,
        _ => format!("role_{key}").chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fit_the_shape_that_the_table_asks() {
        for name in [
            "Press desk",
            "2nd line",
            "X",
            "日本",
            "!",
            &"long ".repeat(20),
        ] {
            let key = key_of(name);
            let mut characters = key.chars();
            let first = characters.next();
            assert!(
                first.is_some_and(|first| first.is_ascii_lowercase()),
                "{key}"
            );
            assert!((2..=40).contains(&key.len()), "{key}");
            assert!(characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        }
        assert_eq!(key_of("Press desk"), "press_desk");
    }
}
