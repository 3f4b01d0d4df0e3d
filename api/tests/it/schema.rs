//! The schema that is checked in is the program's own, every part of it is described, and names follow the conventions.

use std::{collections::BTreeSet, fs, path::Path};

use async_graphql::parser::{
    parse_schema,
    types::{
        BaseType, ConstDirective, FieldDefinition, InputValueDefinition, ServiceDocument,
        TypeDefinition, TypeKind, TypeSystemDefinition,
    },
};
use async_graphql::{Name, Positioned};
use eventsphere::assemble;
use eventsphere_entities::permissions::PERMISSIONS;
use eventsphere_graphql::catalog::Field;

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
    for definition in &document.definitions {
        let TypeSystemDefinition::Directive(directive) = definition else {
            continue;
        };
        let (name, directive) = (&directive.node.name.node, &directive.node);
        out.push((format!("@{name}"), words(&directive.description)));
        // The arguments of the standard's own directives are described by the standard.
        if matches!(
            name.as_str(),
            "include" | "skip" | "specifiedBy" | "deprecated"
        ) {
            continue;
        }
        for argument in &directive.arguments {
            out.push((
                format!("@{name}({}:)", argument.node.name.node),
                words(&argument.node.description),
            ));
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

/// A column is described once, beside itself: in its entity's file.
#[test]
fn fields_are_described_by_the_docs_of_their_columns() {
    let document = document();
    let all = described(&document);
    let mut compared = 0;
    for declaration in eventsphere_entities::declarations() {
        let entity = declaration.entity;
        for (name, field) in &entity.fields {
            if let Field::Column(index) = field {
                let path = format!("{}.{name}", entity.name);
                let found = all.iter().find(|(known, _)| *known == path);
                let doc = entity.columns[*index].description.as_str();
                assert!(!doc.is_empty(), "{path}");
                let shown = found.and_then(|(_, words)| *words).map(unfolded);
                assert_eq!(shown, Some(unfolded(doc)), "{path}");
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "only {compared} columns");
}

/// Without the indentation of the definition.
fn unfolded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a caller needs is in the definition and, because introspection shows no directives, in the description.
#[test]
fn required_scopes_are_told() {
    let engine = assemble::engine(&assemble::verbs()).expect("an engine");
    let document = document();
    let (all, types) = (described(&document), types(&document));
    let told = |path: &str, directives: &[Positioned<ConstDirective>]| {
        let directive = directives
            .iter()
            .find(|one| one.node.name.node == "requiresScopes")?;
        let scopes = directive.node.get_argument("scopes")?.node.to_string();
        let scope = scopes.trim_matches(['[', ']', '"']).to_owned();
        let words = all.iter().find(|(known, _)| known == path)?.1?;
        assert!(
            words.contains(&format!("needs the scope `{scope}`")),
            "{path}: {words}"
        );
        assert!(
            PERMISSIONS.iter().any(|known| known.code == scope),
            "{scope}"
        );
        Some(scope)
    };
    let of_type = |name: &str| {
        let found = types.iter().find(|one| one.name.node == name);
        *found.unwrap_or_else(|| panic!("no type {name}"))
    };
    let of_field = |owner: &str, name: &str| {
        let field = fields(of_type(owner))
            .iter()
            .find(|field| field.node.name.node == name);
        let field = field.unwrap_or_else(|| panic!("no field {owner}.{name}"));
        told(&format!("{owner}.{name}"), &field.node.directives)
    };
    for entity in engine.catalog.entities.values() {
        let shown = told(&entity.name, &of_type(&entity.name).directives);
        assert_eq!(shown, entity.scope, "{}", entity.name);
        for root in [&entity.root_one, &entity.root_many].into_iter().flatten() {
            assert_eq!(of_field("Query", root), entity.scope, "{root}");
        }
    }
    for function in engine.catalog.functions.values() {
        let scope = &engine.catalog.entities[&function.entity].scope;
        assert_eq!(of_field("Query", &function.field), *scope);
    }
    for verb in engine.catalog.verbs.values() {
        assert_eq!(
            of_field("Mutation", &verb.name),
            verb.scope,
            "{}",
            verb.name
        );
    }
}

/// Clients find nothing in the definition that they cannot get.
#[test]
fn every_type_is_reached() {
    let document = document();
    let all = types(&document);
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut waiting = vec!["Query", "Mutation", "Subscription"];
    while let Some(name) = waiting.pop() {
        if !found.insert(name) {
            continue;
        }
        let Some(definition) = all.iter().find(|one| one.name.node == name) else {
            continue;
        };
        for field in fields(definition).iter().map(|field| &field.node) {
            waiting.push(base(&field.ty.node.base));
            let arguments = field.arguments.iter();
            waiting.extend(arguments.map(|argument| base(&argument.node.ty.node.base)));
        }
        let given = inputs(definition).iter();
        waiting.extend(given.map(|field| base(&field.node.ty.node.base)));
        // A node can be anything that has an id.
        let implementing = all.iter().filter(|one| match &one.kind {
            TypeKind::Object(object) => object.implements.iter().any(|of| of.node == name),
            _ => false,
        });
        waiting.extend(implementing.map(|one| one.name.node.as_str()));
    }
    let lost: Vec<&Name> = all
        .iter()
        .map(|one| &one.name.node)
        .filter(|name| !found.contains(name.as_str()))
        .collect();
    assert!(lost.is_empty(), "nothing leads to {lost:?}");
}

fn base(of: &BaseType) -> &str {
    match of {
        BaseType::Named(name) => name,
        BaseType::List(item) => base(&item.base),
    }
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
