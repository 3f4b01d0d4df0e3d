//! Lists of permission codes as people send them, for roles and for scopes of API tokens.

use eventsphere_graphql::engine::Outcome;

use crate::tenancy::permissions::unknown_codes;

/// The most that there can sensibly be.
const MOST: usize = 50;

/// The user error about a list of codes, if something is wrong with it. Whether the caller holds them all is judged
/// by the database.
pub fn problem(codes: &[String], field: &str) -> Option<Outcome> {
    if codes.is_empty() || codes.len() > MOST {
        return Some(Outcome::refused(
            "PERMISSIONS_COUNT",
            &format!("Give 1 to {MOST} permissions."),
            &[field],
        ));
    }
    let unknown = unknown_codes(codes.iter().map(String::as_str));
    let first = unknown.first()?;
    // Cut, for it is given back: an answer is no place for a megabyte of the caller's own text.
    let shown: String = first.chars().take(60).collect();
    Some(Outcome::refused(
        "PERMISSION_UNKNOWN",
        &format!("There is no permission `{shown}`."),
        &[field],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(codes: &[&str]) -> Option<String> {
        let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
        problem(&codes, "scopes").map(|outcome| outcome.user_errors[0].code.clone())
    }

    #[test]
    fn only_permissions_that_exist_are_taken() {
        assert_eq!(code(&["events:read", "events:write"]), None);
        assert_eq!(code(&[]).as_deref(), Some("PERMISSIONS_COUNT"));
        let many = vec!["events:read"; 51];
        assert_eq!(code(&many).as_deref(), Some("PERMISSIONS_COUNT"));
        for wrong in [
            "",
            "*",
            "events:*",
            "EVENTS:READ",
            "events:read,members:write",
        ] {
            let found = code(&["events:read", wrong]);
            assert_eq!(found.as_deref(), Some("PERMISSION_UNKNOWN"), "{wrong}");
        }
    }
}
