//! How visitors find things without an id: an event by its address, and what is the caller's own.

use eventsphere_graphql::{RootFunction, RowSource, Scalar, catalog::Argument};

fn text(name: &str, description: &str) -> Argument {
    Argument::needed(name, Scalar::String, description)
}

fn function(field: &str, entity: &str, condition: &str, description: &str) -> RootFunction {
    RootFunction {
        field: field.to_owned(),
        description: description.to_owned(),
        arguments: vec![],
        entity: entity.to_owned(),
        condition: condition.to_owned(),
        prelude: None,
        many: false,
        source: None,
    }
}

/// Root fields of this slice.
pub fn functions() -> Vec<RootFunction> {
    vec![
        RootFunction {
            arguments: vec![
                text("organizationSlug", "Name of the organization in addresses."),
                text("slug", "Name of the event in addresses."),
            ],
            // Whoever knows the address of an unlisted event may see it, for this one operation.
            prelude: Some("select es.reveal_event($1, $2)".to_owned()),
            ..function(
                "eventBySlug",
                "Event",
                "{t}.slug = {2} and {t}.org_id in (select o.id from organizations o where o.slug = {1})",
                "The event with this address, unlisted ones too; null when there is none for the caller.",
            )
        },
        RootFunction {
            arguments: vec![
                text(
                    "text",
                    "Words, \"exact phrases\", `or`, and -words that must not be there; at most 200 characters.",
                )
                .at_most(200),
            ],
            source: Some(RowSource::finding("public.search_events", 20)),
            many: true,
            ..function(
                "searchEvents",
                "Event",
                "true",
                "Events that the text finds by title, summary and description, slips of the finger forgiven, best \
                 first: for visitors those that are public, for members all of their organization. Of more than 10,000 \
                 the best; `filter`, `totalCount` and pages know only these.",
            )
        },
        function(
            "viewer",
            "User",
            "{t}.id = (select es.current_user_id())",
            "The signed-in person; null for visitors and tokens.",
        ),
        function(
            "currentOrganization",
            "Organization",
            "{t}.id = (select es.current_org())",
            "The organization acted in; null when there is none.",
        ),
        RootFunction {
            many: true,
            ..function(
                "myRegistrations",
                "Registration",
                "({t}.user_id = (select es.current_user_id()) \
                 or {t}.id = any ((select es.guest_registrations())::uuid[]))",
                "Registrations that the caller placed: as a signed-in person, or opened by guest secrets.",
            )
        },
    ]
}
