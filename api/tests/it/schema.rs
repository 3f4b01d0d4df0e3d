//! The schema that is checked in is the program's own, every part of it is described, and names follow the conventions.

use std::{fs, path::Path};

use async_graphql::parser::{
    parse_schema,
    types::{
        FieldDefinition, InputValueDefinition, ServiceDocument, TypeDefinition, TypeKind,
        TypeSystemDefinition,
    },
};
use async_graphql::{Name, Positioned};
use eventsphere::assemble;

fn sdl() -> String {
    assemble::engine(&assemble::verbs())
        .expect("an engine")
        .sdl()
}

fn document() -> ServiceDocument {
    parse_schema(sdl()).expect("a schema that parses")
}

fn types(document: &ServiceDocument) -> Vec<&TypeDefinition> {
    document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(found) => Some(&found.node),
            _ => None,
        })
        .collect()
}

fn fields(definition: &TypeDefinition) -> &[Positioned<FieldDefinition>] {
    match &definition.kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        _ => &[],
    }
}

fn inputs(definition: &TypeDefinition) -> &[Positioned<InputValueDefinition>] {
    match &definition.kind {
        TypeKind::InputObject(input) => &input.fields,
        _ => &[],
    }
}

/// Every (path, description) of the document.
fn described(document: &ServiceDocument) -> Vec<(String, Option<&str>)> {
    let mut out = vec![];
    for definition in types(document) {
        let name = &definition.name.node;
        out.push((name.to_string(), words(&definition.description)));
        for field in fields(definition) {
            let path = format!("{name}.{}", field.node.name.node);
            for argument in &field.node.arguments {
                out.push((
                    format!("{path}({})", argument.node.name.node),
                    words(&argument.node.description),
                ));
            }
            out.push((path, words(&field.node.description)));
        }
        for field in inputs(definition) {
            out.push((
                format!("{name}.{}", field.node.name.node),
                words(&field.node.description),
            ));
        }
        if let TypeKind::Enum(found) = &definition.kind {
            for value in &found.values {
                out.push((
                    format!("{name}.{}", value.node.value.node),
                    words(&value.node.description),
                ));
            }
        }
    }
    out
}

fn words(description: &Option<Positioned<String>>) -> Option<&str> {
    description.as_ref().map(|text| text.node.trim())
}

#[test]
fn the_checked_in_schema_is_the_programs_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let kept = fs::read_to_string(path).unwrap_or_default();
    // Not assert_eq: nobody reads two schemas of eight thousand lines.
    let first_difference = kept
        .lines()
        .zip(sdl().lines())
        .position(|(kept, made)| kept != made);
    assert!(
        kept == sdl(),
        "schema.graphql is not what the program serves (first difference near line {}); regenerate it with: \
         cargo run --bin eventsphere -- schema > schema.graphql",
        first_difference.map_or_else(|| kept.lines().count(), |line| line + 1)
    );
}

#[test]
fn everything_is_described() {
    let document = document();
    let all = described(&document);
    assert!(all.len() > 1000, "only {} elements", all.len());
    let mute: Vec<&String> = all
        .iter()
        .filter(|(_, words)| words.is_none_or(str::is_empty))
        .map(|(path, _)| path)
        .collect();
    assert!(mute.is_empty(), "without a description: {mute:#?}");
}

#[test]
fn names_follow_the_conventions() {
    let document = document();
    let mut odd = vec![];
    let mut check = |fits: bool, what: String| {
        if !fits {
            odd.push(what);
        }
    };
    for definition in types(&document) {
        let name = &definition.name.node;
        check(is_pascal(name), format!("type {name}"));
        for field in fields(definition) {
            let field = &field.node;
            check(
                is_camel(&field.name.node),
                format!("field {name}.{}", field.name.node),
            );
            for argument in &field.arguments {
                check(
                    is_camel(&argument.node.name.node),
                    format!(
                        "argument {name}.{}({})",
                        field.name.node, argument.node.name.node
                    ),
                );
            }
        }
        for field in inputs(definition) {
            check(
                is_camel(&field.node.name.node),
                format!("input field {name}.{}", field.node.name.node),
            );
        }
        if let TypeKind::Enum(found) = &definition.kind {
            for value in &found.values {
                let value = &value.node.value.node;
                check(is_screaming(value), format!("enum value {name}.{value}"));
            }
        }
    }
    assert!(odd.is_empty(), "{odd:#?}");
}

/// One argument `input: VerbNounInput!`; a payload of nullable fields with `userErrors` and `query`.
#[test]
fn mutations_have_one_shape() {
    let document = document();
    let all = types(&document);
    let named = |name: &str| {
        all.iter()
            .find(|definition| definition.name.node == name)
            .unwrap_or_else(|| panic!("there is no type {name}"))
    };
    for field in fields(named("Mutation")) {
        let field = &field.node;
        let stem = {
            let name = field.name.node.as_str();
            name[..1].to_uppercase() + &name[1..]
        };
        let arguments: Vec<String> = field
            .arguments
            .iter()
            .map(|argument| format!("{}: {}", argument.node.name.node, argument.node.ty.node))
            .collect();
        assert_eq!(arguments, [format!("input: {stem}Input!")], "{stem}");
        assert!(!inputs(named(&format!("{stem}Input"))).is_empty());
        let payload = named(&format!("{stem}Payload"));
        assert_eq!(
            field.ty.node.to_string().trim_end_matches('!'),
            payload.name.node.as_str()
        );
        for gives in fields(payload) {
            let written = gives.node.ty.node.to_string();
            match gives.node.name.node.as_str() {
                "userErrors" => {
                    assert_eq!(written, format!("[{}UserError!]!", error_stem(&written)))
                }
                "query" => assert_eq!(written, "Query"),
                // Lists may be empty, so they need not be null.
                other => assert!(
                    !written.ends_with('!')
                        || (written.starts_with('[') && written.ends_with("!]!")),
                    "{stem}Payload.{other} is {written}"
                ),
            }
        }
    }
}

fn error_stem(written: &str) -> &str {
    written
        .trim_start_matches('[')
        .trim_end_matches("UserError!]!")
}

/// Connections page forwards and backwards, and count.
#[test]
fn connections_are_relays() {
    let document = document();
    let all = types(&document);
    let mut connections = 0;
    for definition in all
        .iter()
        .filter(|one| one.name.node.ends_with("Connection"))
    {
        let names: Vec<&Name> = fields(definition)
            .iter()
            .map(|field| &field.node.name.node)
            .collect();
        for needed in ["edges", "nodes", "pageInfo", "totalCount"] {
            assert!(
                names.iter().any(|name| *name == needed),
                "{}.{needed}",
                definition.name.node
            );
        }
        connections += 1;
    }
    assert!(connections > 10);
    for field in all.iter().flat_map(|definition| fields(definition)) {
        let field = &field.node;
        if field
            .ty
            .node
            .to_string()
            .trim_end_matches('!')
            .ends_with("Connection")
        {
            for needed in ["first", "after", "last", "before"] {
                assert!(
                    field
                        .arguments
                        .iter()
                        .any(|argument| argument.node.name.node == needed),
                    "{} has no argument {needed}",
                    field.name.node
                );
            }
        }
    }
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_camel(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_screaming(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}
