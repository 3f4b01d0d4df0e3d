//! What is deprecated in a catalog is marked in its schema, and found in the operations that really use it.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use async_graphql::async_trait::async_trait;
use eventsphere_graphql::{
    Catalog, Deprecation, Engine, Incoming, InputType, PayloadType, RootFunction, Scalar, Verb,
    catalog::{Entity as Shown, EnumType, EnumValue},
    declare,
    declare::Docs,
    engine::{Columns, Denied, FieldError, Gate, Host, Outcome, ReadFailure},
    guard::Limits,
    plan::Flight,
};
use serde_json::{Value, json};

mod things {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "things")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub title: String,
        pub summary: Option<String>,
        pub position: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

const DOCS: Docs = Docs {
    entity: "A thing.",
    columns: &[
        ("id", "Key."),
        ("title", "Title."),
        ("summary", "Summary."),
        ("position", "Position."),
    ],
};

fn soon() -> Deprecation {
    Deprecation::new("2026-11-21", "2027-07-01", "Use `title`.")
}

/// A catalog without deprecations but that of `things.summary`, when it is wanted.
fn catalog(deprecated: bool) -> Catalog {
    use things::{Column, Entity};
    let mut declaration = declare::<Entity>("Thing", 1, &DOCS)
        .root("thing", "things")
        .filter([Column::Title, Column::Summary])
        .order([Column::Position, Column::Summary])
        .creates("things:write", [Column::Title, Column::Summary], &[])
        .updates("things:write", [Column::Title, Column::Summary]);
    if deprecated {
        declaration = declaration.deprecated(Column::Summary, soon());
    }
    let mut catalog = Catalog::default();
    catalog.declare(declaration.done()).unwrap();
    catalog.add_enum(EnumType {
        name: "Colour".to_owned(),
        description: "Colours.".to_owned(),
        values: ["red", "blue"]
            .map(|name| EnumValue {
                stored: name.to_owned(),
                shown: name.to_uppercase(),
                description: format!("It is {name}."),
            })
            .to_vec(),
    });
    catalog
        .add_verb(
            Verb::new("paintThing", "Paints.")
                .takes(
                    "colour",
                    InputType::Scalar(Scalar::Enum("Colour".to_owned())),
                    "Colour.",
                )
                .gives("thing", PayloadType::Entity("Thing".to_owned()), "It."),
        )
        .unwrap();
    catalog
        .add_function(RootFunction {
            field: "thingCalled".to_owned(),
            description: "The thing of that title.".to_owned(),
            arguments: vec![],
            entity: "Thing".to_owned(),
            condition: "true".to_owned(),
            prelude: None,
            many: false,
            source: None,
        })
        .unwrap();
    catalog
}

struct Nobody;

impl Gate for Nobody {
    fn admit(&self, _: &Shown) -> Result<(), Denied> {
        Ok(())
    }

    fn reaches(&self, _: &Shown) -> bool {
        true
    }

    fn holds(&self, _: &str) -> Result<(), Denied> {
        Ok(())
    }

    fn standing(&self) -> std::sync::Arc<str> {
        "nobody".into()
    }

    fn counts_stop(&self) -> bool {
        false
    }

    fn cost_ceiling(&self) -> u64 {
        u64::MAX
    }

    fn may_introspect(&self) -> bool {
        true
    }
}

#[async_trait]
impl Host for Nobody {
    async fn read(&self, _: &Flight) -> Result<Box<dyn Columns>, ReadFailure> {
        Ok(Box::new(()))
    }

    async fn verb(
        &self,
        _: &Verb,
        _: Value,
    ) -> Result<(Outcome, Option<Box<dyn Host>>), FieldError> {
        Ok((Outcome::new(), None))
    }

    fn request_id(&self) -> &str {
        "test"
    }
}

/// The coordinates that the operation uses, joined; and whether the document was suspected of it.
async fn used_in(engine: &Engine, query: &str, variables: Value) -> (bool, String) {
    let document = engine
        .document(query, &Nobody)
        .await
        .unwrap_or_else(|refused| panic!("{query}: {}", refused.body));
    let incoming = Incoming {
        operation_name: None,
        variables: variables.as_object().cloned().unwrap_or_default(),
    };
    let used = engine.deprecated(&document, &incoming);
    let names: Vec<&str> = used.iter().map(|one| one.coordinate.as_str()).collect();
    (document.may_use_deprecated, names.join(" "))
}

fn engine() -> Engine {
    let mut catalog = catalog(true);
    for coordinate in [
        "Query.thingCalled",
        "Query.things(last:)",
        "Mutation.paintThing",
        "Colour.RED",
    ] {
        catalog.deprecate(coordinate, soon()).unwrap();
    }
    Engine::new(catalog, Limits::default()).unwrap()
}

#[test]
fn everything_that_a_column_has_in_the_schema_is_marked() {
    let sdl = engine().sdl();
    let notice = "@deprecated(reason: \"Use `title`. To be removed on 2027-07-01.\")";
    for line in [
        "\tsummary: String ",
        "\tsummary: StringValueFilter ",
        "\tSUMMARY_ASC ",
        "\tSUMMARY_DESC ",
        "\tRED ",
        "\t\tlast: Int ",
        "\tthingCalled: Thing ",
        "): PaintThingPayload ",
    ] {
        assert!(
            sdl.contains(&format!("{line}{notice}")),
            "{line:?} in\n{sdl}"
        );
    }
    // The object, create, update, filter, two orders, and the four others.
    assert_eq!(sdl.matches(notice).count(), 10);
}

#[tokio::test]
async fn what_an_operation_selects_is_found() {
    let engine = engine();
    for (query, used) in [
        ("{ things { nodes { title } } }", ""),
        ("{ things { nodes { s: summary } } }", "Thing.summary"),
        (
            "{ ...q } fragment q on Query { things { edges { node { ... on Node { ...t } } } } } \
             fragment t on Thing { summary }",
            "Thing.summary",
        ),
        ("{ thingCalled { id } }", "Query.thingCalled"),
        ("{ things(last: 2) { totalCount } }", "Query.things(last:)"),
        (
            "{ things(filter: {or: [{not: {summary: {eq: \"a\"}}}]}) { totalCount } }",
            "ThingFilter.summary",
        ),
        (
            "{ things(orderBy: [POSITION_ASC, SUMMARY_DESC]) { totalCount } }",
            "ThingOrderBy.SUMMARY_DESC",
        ),
        (
            "mutation { paintThing(input: {colour: RED}) { thing { summary } } }",
            "Colour.RED Mutation.paintThing Thing.summary",
        ),
        (
            "mutation { createThing(input: {title: \"a\", summary: \"b\"}) { query { things { nodes { summary } } } } }",
            "CreateThingInput.summary Thing.summary",
        ),
        (
            "{ things { nodes { summary @skip(if: true) title @include(if: true) } } }",
            "",
        ),
        (
            "{ things { nodes { ... @include(if: false) { summary } } } }",
            "",
        ),
        (
            "{ __type(name: \"Thing\") { fields(includeDeprecated: true) { name } } }",
            "",
        ),
    ] {
        assert_eq!(used_in(&engine, query, json!({})).await.1, used, "{query}");
    }
}

#[tokio::test]
async fn what_comes_in_variables_is_found() {
    let engine = engine();
    let query = "query($f: ThingFilter, $o: [ThingOrderBy!] = [SUMMARY_ASC], $l: Int, $s: Boolean! = false) {
        things(filter: $f, orderBy: $o, last: $l) { nodes { title summary @include(if: $s) } }
    }";
    for (variables, used) in [
        (json!({}), "ThingOrderBy.SUMMARY_ASC"),
        (json!({ "o": [] }), ""),
        (json!({ "o": ["POSITION_ASC"], "s": true }), "Thing.summary"),
        (json!({ "o": [], "l": 3 }), "Query.things(last:)"),
        (
            json!({ "o": ["SUMMARY_DESC"] }),
            "ThingOrderBy.SUMMARY_DESC",
        ),
        (
            json!({ "o": [], "f": { "and": [{ "title": { "eq": "summary" } }] } }),
            "",
        ),
        (
            json!({ "o": [], "f": { "and": [{ "summary": { "isNull": true } }] } }),
            "ThingFilter.summary",
        ),
    ] {
        assert_eq!(
            used_in(&engine, query, variables.clone()).await.1,
            used,
            "{variables}"
        );
    }
    let paint =
        "mutation($in: PaintThingInput!) { paintThing(input: $in) { userErrors { code } } }";
    let used = used_in(&engine, paint, json!({ "in": { "colour": "RED" } })).await;
    assert_eq!(used.1, "Colour.RED Mutation.paintThing");
}

#[tokio::test]
async fn a_document_that_cannot_use_anything_deprecated_is_never_looked_at_again() {
    let engine = engine();
    for (query, suspected) in [
        ("{ things { nodes { title } } }", false),
        (
            "query($n: Int) { things(first: $n) { nodes { title } } }",
            false,
        ),
        (
            "query($f: ThingFilter) { things(filter: $f) { nodes { title } } }",
            true,
        ),
        (
            "query($s: Boolean!) { things { nodes { summary @skip(if: $s) } } }",
            true,
        ),
    ] {
        let found = used_in(&engine, query, json!({ "s": true })).await;
        assert_eq!(found, (suspected, String::new()), "{query}");
    }
    let plain = Engine::new(catalog(false), Limits::default()).unwrap();
    let query = "query($f: ThingFilter) { things(filter: $f, last: 1) { nodes { summary } } }";
    assert_eq!(
        used_in(&plain, query, json!({})).await,
        (false, String::new())
    );
}

#[test]
fn a_promise_that_cannot_be_kept_stops_the_program() {
    let refused = |coordinate: &str, deprecation: Deprecation| {
        let mut catalog = catalog(false);
        catalog.deprecate(coordinate, deprecation).unwrap();
        match Engine::new(catalog, Limits::default()) {
            Ok(_) => panic!("{coordinate} was taken"),
            Err(error) => error.to_string(),
        }
    };
    assert!(refused("Thing.sumary", soon()).contains("the schema has no such thing"));
    assert!(refused("Query.things(size:)", soon()).contains("no such thing"));
    assert!(refused("CreateThingInput.title", soon()).contains("make it optional first"));
    assert!(refused("Mutation.paintThing(input:)", soon()).contains("make it optional first"));
    let early = Deprecation::new("2026-11-21", "2027-04-01", "Use `title`.");
    assert!(refused("Thing.summary", early).contains("less than 6 months"));
}
