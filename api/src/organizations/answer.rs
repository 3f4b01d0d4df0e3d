//! What the SQL functions of this slice answer, and the user errors that their refusals become: said in one place, for
//! the schema and for the answer.

use eventsphere_graphql::{Verb, engine::Outcome};
use serde_json::Value;
use uuid::Uuid;

use crate::{fault::Fault, outcome, statements, tenancy::TenantTx, verbs::Call};

/// What a function answered: the name of the outcome and what came with it.
#[derive(Clone, Debug)]
pub struct Answer {
    body: Value,
}

impl Answer {
    /// The answer that a function would have given.
    pub fn of(outcome: &'static str) -> Self {
        Self {
            body: serde_json::json!({ "outcome": outcome }),
        }
    }

    /// The name of the outcome.
    pub fn outcome(&self) -> &str {
        outcome::word(&self.body)
    }

    /// A text that came with it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// A key that came with it.
    pub fn id(&self, name: &str) -> Result<Uuid, Fault> {
        outcome::key(&self.body, name)
    }

    /// The user error of a refusal.
    pub fn refused(&self) -> Result<Outcome, Fault> {
        if self.outcome() == "forbidden" {
            return Err(outcome::forbidden());
        }
        let refusal = refusal(self.outcome())
            .ok_or_else(|| Fault::Internal(format!("unknown outcome {}", self.body)))?;
        Ok(Outcome::refused(
            &code(refusal.outcome),
            refusal.message,
            refusal.field,
        ))
    }
}

/// Asks the function in a transaction of the caller. Refusals are committed too: some note what they found expired.
pub async fn ask(call: Call<'_>, function: &'static str, request: Value) -> Result<Answer, Fault> {
    let tx = call.app.door.begin(call.actor).await?;
    let answer = ask_in(&tx, function, request).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Asks the function in this transaction.
pub async fn ask_in(
    tx: &TenantTx,
    function: &'static str,
    request: Value,
) -> Result<Answer, Fault> {
    let body = statements::call(tx, function, request).await?;
    Ok(Answer { body })
}

/// Adds the user errors of these refusals to the description of a verb.
pub fn fails_with(verb: Verb, outcomes: &[&str]) -> Verb {
    outcomes
        .iter()
        .filter_map(|outcome| refusal(outcome))
        .fold(verb, |verb, refusal| {
            verb.fails(&code(refusal.outcome), refusal.message)
        })
}

/// A refusal of a function as a user error.
struct Refusal {
    outcome: &'static str,
    message: &'static str,
    field: &'static [&'static str],
}

fn refusal(outcome: &str) -> Option<&'static Refusal> {
    REFUSALS.iter().find(|refusal| refusal.outcome == outcome)
}

/// `role_not_found` -> `ROLE_NOT_FOUND`.
fn code(outcome: &str) -> String {
    outcome.to_ascii_uppercase()
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        outcome: "member_not_found",
        message: "There is no such member in this organization.",
        field: &["memberId"],
    },
    Refusal {
        outcome: "role_not_found",
        message: "There is no such role in this organization.",
        field: &["roleId"],
    },
    Refusal {
        outcome: "role_built_in",
        message: "Built-in roles cannot be changed or deleted.",
        field: &["roleId"],
    },
    Refusal {
        outcome: "role_in_use",
        message: "Members have this role, or invitations name it.",
        field: &["roleId"],
    },
    Refusal {
        outcome: "exceeds_own_permissions",
        message: "This needs permissions that you do not hold yourself; owners are made and removed by owners only.",
        field: &[],
    },
    Refusal {
        outcome: "last_owner",
        message: "An organization keeps at least one owner: make somebody else an owner first.",
        field: &[],
    },
    Refusal {
        outcome: "already_member",
        message: "This person is a member already.",
        field: &[],
    },
    Refusal {
        outcome: "already_invited",
        message: "This address is invited already: revoke that invitation first to send another.",
        field: &["email"],
    },
    Refusal {
        outcome: "invitation_not_found",
        message: "There is no such invitation in this organization.",
        field: &["invitationId"],
    },
    Refusal {
        outcome: "invitation_not_pending",
        message: "The invitation was accepted, revoked, or has expired already.",
        field: &["invitationId"],
    },
    Refusal {
        outcome: "invitation_invalid",
        message: "The code is unknown, used, revoked, or too old.",
        field: &["code"],
    },
    Refusal {
        outcome: "email_mismatch",
        message: "The invitation was sent to another address than the confirmed one of your account.",
        field: &["code"],
    },
    Refusal {
        outcome: "not_a_member",
        message: "You are no member of this organization (any more).",
        field: &[],
    },
    Refusal {
        outcome: "api_token_not_found",
        message: "There is no such API token in this organization.",
        field: &["apiTokenId"],
    },
    Refusal {
        outcome: "expires_in_the_past",
        message: "The token would have expired already.",
        field: &["expiresAt"],
    },
    Refusal {
        outcome: "slug_taken",
        message: "Another organization has this slug.",
        field: &["slug"],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const FUNCTIONS: &[&str] = &[
        include_str!("../../../sql/functions/accept_invitation.sql"),
        include_str!("../../../sql/functions/change_member_role.sql"),
        include_str!("../../../sql/functions/create_api_token.sql"),
        include_str!("../../../sql/functions/create_role.sql"),
        include_str!("../../../sql/functions/delete_role.sql"),
        include_str!("../../../sql/functions/invite_member.sql"),
        include_str!("../../../sql/functions/leave_organization.sql"),
        include_str!("../../../sql/functions/remove_member.sql"),
        include_str!("../../../sql/functions/revoke_api_token.sql"),
        include_str!("../../../sql/functions/revoke_invitation.sql"),
        include_str!("../../../sql/functions/update_role.sql"),
    ];

    const SUCCESSES: &[&str] = &[
        "accepted", "changed", "created", "deleted", "invited", "left", "removed", "revoked",
        "updated",
    ];

    fn outcomes(sql: &str) -> HashSet<&str> {
        sql.split("'outcome', '")
            .skip(1)
            .filter_map(|rest| rest.split('\'').next())
            .collect()
    }

    #[test]
    fn every_refusal_of_a_function_has_its_sentence() {
        let mut seen = HashSet::new();
        for sql in FUNCTIONS {
            for outcome in outcomes(sql) {
                let known = SUCCESSES.contains(&outcome)
                    || outcome == "forbidden"
                    || refusal(outcome).is_some();
                assert!(known, "{outcome} has no sentence");
                seen.insert(outcome);
            }
        }
        for refusal in REFUSALS {
            let known = refusal.outcome == "slug_taken" || seen.contains(refusal.outcome);
            assert!(known, "no function answers {}", refusal.outcome);
        }
    }

    #[test]
    fn every_function_judges_under_the_lock() {
        for sql in FUNCTIONS {
            let body = sql.split_once("$body$").map_or("", |(_, body)| body);
            let body = body.split_once("begin").map_or("", |(_, body)| body);
            let first = body.trim_start().lines().next().unwrap_or_default();
            assert!(first.contains("es.lock_members()"), "{first}");
        }
    }

    #[test]
    fn a_refusal_is_a_user_error_and_a_lost_right_is_a_fault() {
        let answer = Answer::of;
        let refused = answer("last_owner").refused().unwrap();
        assert_eq!(refused.user_errors[0].code, "LAST_OWNER");
        assert!(matches!(
            answer("forbidden").refused(),
            Err(Fault::Forbidden(_))
        ));
        assert!(matches!(
            answer("nonsense").refused(),
            Err(Fault::Internal(_))
        ));
        assert!(answer("created").id("role_id").is_err());
    }
}
