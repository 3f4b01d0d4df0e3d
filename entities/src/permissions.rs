//! The table permissions x roles: the one source for row level security, built-in roles, scopes of tokens, documents
//! and the isolation matrix.

/// Something that a member or an API token may do in its organization. The code is also the scope of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// `resource:read` or `resource:write`.
    pub code: &'static str,
    /// What it allows, for people.
    pub description: &'static str,
    /// Keys of the built-in roles that hold it.
    pub roles: &'static [&'static str],
}

impl Permission {
    /// Whether the built-in role holds it.
    pub fn held_by(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }
}

/// A role that every organization has from its first day and cannot change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltInRole {
    /// Stable key, unique in an organization.
    pub key: &'static str,
    /// Name shown to people.
    pub name: &'static str,
    /// What the role is for.
    pub description: &'static str,
}

impl BuiltInRole {
    /// Codes of its permissions, in the order of [`PERMISSIONS`].
    pub fn permissions(&self) -> Vec<&'static str> {
        permissions_of(self.key)
    }
}

/// The role of whoever creates an organization.
pub const OWNER: &str = "owner";

/// The built-in roles, from strong to weak.
pub const ROLES: &[BuiltInRole] = &[
    BuiltInRole {
        key: OWNER,
        name: "Owner",
        description: "Everything, and the only role that can hand the organization over or close it.",
    },
    BuiltInRole {
        key: "admin",
        name: "Administrator",
        description: "Everything in daily business, members and API tokens included.",
    },
    BuiltInRole {
        key: "manager",
        name: "Event manager",
        description: "Plans and sells events and looks after the people who come.",
    },
    BuiltInRole {
        key: "staff",
        name: "Staff",
        description: "Looks after registrations and attendees of events that others plan.",
    },
    BuiltInRole {
        key: "check_in",
        name: "Check-in",
        description: "Lets people in at the door, and sees no more than that takes.",
    },
    BuiltInRole {
        key: "viewer",
        name: "Viewer",
        description: "Reads events and who comes, changes nothing.",
    },
];

/// Every permission there is.
pub const PERMISSIONS: &[Permission] = &[
    Permission {
        code: "organization:read",
        description: "Read the settings and the branding of the organization.",
        roles: &["owner", "admin", "manager", "staff", "viewer"],
    },
    Permission {
        code: "organization:write",
        description: "Change the settings and the branding of the organization.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "members:read",
        description: "See members, their roles and open invitations.",
        roles: &["owner", "admin", "manager"],
    },
    Permission {
        code: "members:write",
        description: "Invite and remove members and change their roles.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "tokens:read",
        description: "See which API tokens exist; their secrets are shown once, when they are made.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "tokens:write",
        description: "Make and revoke API tokens.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "documents:read",
        description: "See which GraphQL documents the organization trusts.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "documents:write",
        description: "Register GraphQL documents that tokens bound to such may execute, and remove them.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "events:read",
        description: "See all events of the organization, drafts included, with venues, programme and what is on sale.",
        roles: &["owner", "admin", "manager", "staff", "check_in", "viewer"],
    },
    Permission {
        code: "events:write",
        description: "Create, change, publish and cancel events with venues, programme, what is on sale and check-in lists.",
        roles: &["owner", "admin", "manager"],
    },
    Permission {
        code: "promo_codes:read",
        description: "See promo codes and how often they are used.",
        roles: &["owner", "admin", "manager", "staff"],
    },
    Permission {
        code: "promo_codes:write",
        description: "Make, change and remove promo codes.",
        roles: &["owner", "admin", "manager"],
    },
    Permission {
        code: "registrations:read",
        description: "See registrations with their items and tickets.",
        roles: &["owner", "admin", "manager", "staff", "check_in", "viewer"],
    },
    Permission {
        code: "registrations:write",
        description: "Approve, change and cancel registrations and reissue tickets.",
        roles: &["owner", "admin", "manager", "staff"],
    },
    Permission {
        code: "attendees:read",
        description: "See attendees with their names and e-mail addresses.",
        roles: &["owner", "admin", "manager", "staff", "check_in", "viewer"],
    },
    Permission {
        code: "attendees:write",
        description: "Correct names and e-mail addresses of attendees.",
        roles: &["owner", "admin", "manager", "staff"],
    },
    Permission {
        code: "payments:read",
        description: "See payments, refunds and the books.",
        roles: &["owner", "admin", "manager", "staff"],
    },
    Permission {
        code: "payments:write",
        description: "Give money back to buyers.",
        roles: &["owner", "admin", "manager"],
    },
    Permission {
        code: "payment_accounts:read",
        description: "See at which payment providers the organization has accounts; their keys are shown to nobody.",
        roles: &["owner", "admin", "manager"],
    },
    Permission {
        code: "payment_accounts:write",
        description: "Add and change accounts at payment providers.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "check_ins:read",
        description: "See who was let in, and refused scans.",
        roles: &["owner", "admin", "manager", "staff", "check_in"],
    },
    Permission {
        code: "check_ins:write",
        description: "Scan tickets and let people in and out.",
        roles: &["owner", "admin", "manager", "staff", "check_in"],
    },
    Permission {
        code: "messages:read",
        description: "See what people are sent: texts, reminders, what went to whom, and who must not be written to.",
        roles: &["owner", "admin", "manager", "staff"],
    },
    Permission {
        code: "messages:write",
        description: "Change texts and reminders, try them out, and take addresses off the list of those not written to.",
        roles: &["owner", "admin", "manager"],
    },
    Permission {
        code: "jobs:read",
        description: "See the background work of the organization: how far it is, and what failed.",
        roles: &["owner", "admin", "manager"],
    },
    Permission {
        code: "jobs:write",
        description: "Let background work that failed for good run again.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "webhooks:read",
        description: "See where events are sent, and what came of each delivery.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "webhooks:write",
        description: "Have events sent to other systems, and send them again.",
        roles: &["owner", "admin"],
    },
    Permission {
        code: "audit:read",
        description: "Read who changed what in the organization.",
        roles: &["owner", "admin"],
    },
];

/// The permission with that code.
pub fn permission(code: &str) -> Option<&'static Permission> {
    PERMISSIONS
        .iter()
        .find(|permission| permission.code == code)
}

/// The built-in role with that key.
pub fn role(key: &str) -> Option<&'static BuiltInRole> {
    ROLES.iter().find(|role| role.key == key)
}

/// Codes that a built-in role holds, in the order of [`PERMISSIONS`]; none for an unknown key.
pub fn permissions_of(role: &str) -> Vec<&'static str> {
    PERMISSIONS
        .iter()
        .filter(|permission| permission.held_by(role))
        .map(|permission| permission.code)
        .collect()
}

/// The codes of `asked` that do not exist: what a role or an API token must not carry.
pub fn unknown_codes<'a>(asked: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    asked
        .into_iter()
        .filter(|code| permission(code).is_none())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = HashSet::new();
        for permission in PERMISSIONS {
            assert!(seen.insert(permission.code), "{} twice", permission.code);
            let (resource, right) = permission.code.split_once(':').expect("resource:right");
            assert!(!resource.is_empty() && matches!(right, "read" | "write"));
            assert!(permission.description.ends_with('.'));
            for key in permission.roles {
                assert!(role(key).is_some(), "{} names no role", key);
            }
        }
    }

    #[test]
    fn owner_and_administrator_hold_everything() {
        let all: Vec<_> = PERMISSIONS
            .iter()
            .map(|permission| permission.code)
            .collect();
        assert_eq!(permissions_of(OWNER), all);
        assert_eq!(permissions_of("admin"), all);
    }

    #[test]
    fn whoever_may_write_may_read() {
        for permission in PERMISSIONS {
            let Some(resource) = permission.code.strip_suffix(":write") else {
                continue;
            };
            let read = super::permission(&format!("{resource}:read")).expect("its read");
            for key in permission.roles {
                assert!(read.held_by(key), "{key} writes {resource} blindly");
            }
        }
    }

    #[test]
    fn the_door_sees_no_more_than_it_needs() {
        assert_eq!(
            permissions_of("check_in"),
            [
                "events:read",
                "registrations:read",
                "attendees:read",
                "check_ins:read",
                "check_ins:write"
            ]
        );
        assert_eq!(
            unknown_codes(["events:read", "events:everything"]),
            ["events:everything"]
        );
    }
}
