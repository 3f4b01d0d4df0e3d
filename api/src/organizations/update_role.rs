//! updateRole: for everybody who has it, from their next request on.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    answer::{ask, fails_with},
    create_role::role_errors,
    permission_codes,
};
use crate::{
    accounts::input::{self, Problems},
    fault::Fault,
    verbs::{Call, Done, Handle},
};

/// The verb.
pub struct UpdateRole;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    role_id: Uuid,
    name: Option<String>,
    description: Option<String>,
    permissions: Option<Vec<String>>,
}

#[async_trait]
impl Handle for UpdateRole {
    type Input = Input;

    fn describe() -> Verb {
        let verb = Verb::new(
            "updateRole",
            "Changes a role of the organization's own. What is null or left out stays.",
        )
        .takes(
            "roleId",
            InputType::Scalar(Scalar::Id("Role".to_owned())),
            "The role. Built-in roles do not change.",
        )
        .may_take(
            "name",
            InputType::Scalar(Scalar::String),
            "Name for people, 1 to 100 characters.",
        )
        .may_take(
            "description",
            InputType::Scalar(Scalar::String),
            "What the role is for, at most 500 characters.",
        )
        .may_take(
            "permissions",
            InputType::List(Scalar::String),
            "All codes of the permissions that it gives from now on, 1 to 50. One must hold those oneself that come \
             or go.",
        )
        .gives(
            "role",
            PayloadType::Entity("Role".to_owned()),
            "The changed role.",
        )
        .scope("members:write");
        role_errors(fails_with(
            verb,
            &["role_not_found", "role_built_in", "exceeds_own_permissions"],
        ))
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = match checked(input) {
            Ok(request) => request,
            Err(refused) => return Ok((*refused).into()),
        };
        let answer = ask(call, "update_role", request).await?;
        if answer.outcome() != "updated" {
            return Ok(answer.refused()?.into());
        }
        call.app.accounts.standing.forget_members();
        Ok(Outcome::new().entity("role", answer.id("role_id")?).into())
    }
}

/// The request of the function: only what is to change.
fn checked(input: Input) -> Result<Value, Box<Outcome>> {
    let mut request = json!({ "role_id": input.role_id });
    let mut problems = Problems::default();
    if let Some(name) = input.name {
        request["name"] = json!(problems.check("name", input::name(&name, 100)));
    }
    if let Some(description) = input.description {
        let description = problems.check("description", input::text(&description, 500));
        request["description"] = json!(description);
    }
    if problems.any() {
        return Err(Box::new(problems.outcome()));
    }
    if let Some(permissions) = input.permissions {
        if let Some(refused) = permission_codes::problem(&permissions, "permissions") {
            return Err(Box::new(refused));
        }
        request["permissions"] = json!(permissions);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_changes() {
        let input = |json| serde_json::from_value::<Input>(json).unwrap();
        let id = Uuid::nil();
        let request = checked(input(json!({ "roleId": id, "name": null }))).unwrap();
        assert_eq!(request, json!({ "role_id": id }));
        let given = json!({ "roleId": id, "permissions": ["events:read"] });
        let request = checked(input(given)).unwrap();
        assert_eq!(request["permissions"], json!(["events:read"]));
        assert!(checked(input(json!({ "roleId": id, "permissions": [] }))).is_err());
        assert!(checked(input(json!({ "roleId": id, "name": " " }))).is_err());
    }
}
