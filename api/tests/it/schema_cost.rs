//! The schema tells what an operation costs: whoever adds up its `@cost` and `@listSize` comes to what the server counts.

use std::collections::HashMap;

use async_graphql::{
    Positioned, Value as ConstValue,
    parser::{
        parse_query, parse_schema,
        types::{
            BaseType, ConstDirective, DocumentOperations, Selection, SelectionSet, Type, TypeKind,
            TypeSystemDefinition,
        },
    },
};
use eventsphere_graphql::catalog::{Cardinality, Catalog, Entity, Field};
use serde_json::{Value, json};

use crate::{
    fence::document::{relations, scalars, target},
    harness::TestApp,
};

/// What the definition says of a field.
#[derive(Debug)]
struct Priced {
    weight: Option<u64>,
    leads_to: String,
    list: Option<ListSize>,
}

#[derive(Clone, Debug)]
struct ListSize {
    assumed: u64,
    slicing: Vec<String>,
    sized: Vec<String>,
    /// From the description.
    most: u64,
}

/// The definition, as far as cost goes.
struct Prices {
    types: HashMap<String, u64>,
    fields: HashMap<(String, String), Priced>,
}

fn argument<'a>(directive: &'a ConstDirective, name: &str) -> Option<&'a ConstValue> {
    directive.get_argument(name).map(|value| &value.node)
}

fn found<'a>(
    directives: &'a [Positioned<ConstDirective>],
    name: &str,
) -> Option<&'a ConstDirective> {
    let mut all = directives.iter().map(|directive| &directive.node);
    all.find(|directive| directive.name.node == name)
}

fn weight(directives: &[Positioned<ConstDirective>]) -> Option<u64> {
    match argument(found(directives, "cost")?, "weight") {
        Some(ConstValue::Number(weight)) => weight.as_u64(),
        other => panic!("{other:?}"),
    }
}

fn list_size(directives: &[Positioned<ConstDirective>], description: &str) -> Option<ListSize> {
    let directive = found(directives, "listSize")?;
    let names = |name: &str| match argument(directive, name) {
        Some(ConstValue::List(names)) => names
            .iter()
            .map(|name| match name {
                ConstValue::String(name) => name.clone(),
                other => panic!("{other:?}"),
            })
            .collect(),
        _ => vec![],
    };
    let Some(ConstValue::Number(assumed)) = argument(directive, "assumedSize") else {
        panic!("{directive:?}");
    };
    let most = description
        .split_once("it counts as at most ")
        .and_then(|(_, rest)| rest.split(' ').next())
        .map_or(u64::MAX, |most| most.parse().expect("a number"));
    Some(ListSize {
        assumed: assumed.as_u64().expect("a whole number"),
        slicing: names("slicingArguments"),
        sized: names("sizedFields"),
        most,
    })
}

fn named(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => named(item),
    }
}

impl Prices {
    fn read(sdl: &str) -> Self {
        let (mut types, mut fields) = (HashMap::new(), HashMap::new());
        for definition in parse_schema(sdl).expect("a schema").definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let definition = definition.node;
            let name = definition.name.node.to_string();
            let object = match definition.kind {
                TypeKind::Object(object) => object,
                // What is found there is some object.
                TypeKind::Interface(_) => {
                    types.insert(name, 1);
                    continue;
                }
                _ => continue,
            };
            types.insert(name.clone(), weight(&definition.directives).unwrap_or(1));
            for field in object.fields.into_iter().map(|field| field.node) {
                let description = field.description.map(|text| text.node).unwrap_or_default();
                let priced = Priced {
                    weight: weight(&field.directives),
                    leads_to: named(&field.ty.node).to_owned(),
                    list: list_size(&field.directives, &description),
                };
                fields.insert((name.clone(), field.name.node.to_string()), priced);
            }
        }
        Self { types, fields }
    }

    /// What the first operation of the document costs. It has no fragments and no variables.
    fn cost(&self, document: &str) -> u64 {
        let parsed = parse_query(document).expect("a document");
        let DocumentOperations::Single(operation) = parsed.operations else {
            panic!("one operation");
        };
        let root = operation.node.ty.to_string();
        let root = root[..1].to_uppercase() + &root[1..];
        self.set(&root, &operation.node.selection_set.node, None)
    }

    fn set(&self, owner: &str, set: &SelectionSet, sized: Option<(&ListSize, u64)>) -> u64 {
        let mut cost = 0;
        for item in &set.items {
            let field = match &item.node {
                Selection::Field(field) => &field.node,
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().expect("a type");
                    cost += self.set(&on.node.on.node, &inline.node.selection_set.node, sized);
                    continue;
                }
                Selection::FragmentSpread(_) => panic!("no fragments here"),
            };
            let name = field.name.node.as_str();
            if name == "__typename" {
                continue;
            }
            let priced = &self.fields[&(owner.to_owned(), name.to_owned())];
            let own = priced.list.as_ref().map(|list| {
                let given = field.arguments.iter().find_map(|(name, value)| {
                    let slices = list
                        .slicing
                        .iter()
                        .any(|known| *known == name.node.as_str());
                    let rows = value.node.clone().into_const()?.into_json().ok()?;
                    rows.as_u64().filter(|_| slices)
                });
                (list, given.unwrap_or(list.assumed).min(list.most))
            });
            let times = match (&own, sized) {
                (Some((list, rows)), _) if list.sized.is_empty() => *rows,
                (_, Some((list, rows))) if list.sized.iter().any(|known| known == name) => rows,
                _ => 1,
            };
            let of_type = self.types.get(&priced.leads_to).copied().unwrap_or(0);
            let below = self.set(&priced.leads_to, &field.selection_set.node, own);
            cost += times * (priced.weight.unwrap_or(of_type) + below);
        }
        cost
    }
}

/// One relation after the other, with further ones below, in every way in which a page is asked for.
fn documents(catalog: &Catalog) -> Vec<String> {
    let mut out = vec![];
    for entity in catalog.entities.values() {
        let Some(root) = &entity.root_many else {
            continue;
        };
        let inner = scalars(entity);
        out.push(format!("{{ {root} {{ nodes {{ {inner} }} }} }}"));
        out.push(format!(
            "{{ {root}(last: 7) {{ totalCount pageInfo {{ endCursor }} edges {{ cursor node {{ {inner} }} }} }} }}"
        ));
        out.extend(
            below(catalog, entity)
                .map(|inner| format!("{{ {root}(first: 3) {{ nodes {{ {inner} }} }} }}")),
        );
    }
    out
}

fn below<'a>(catalog: &'a Catalog, entity: &'a Entity) -> impl Iterator<Item = String> + 'a {
    relations(entity).map(|relation| {
        let reached = target(catalog, relation);
        let mut inner = scalars(reached);
        let many = reached.fields.values().find_map(|field| match field {
            Field::Relation(next) if next.cardinality == Cardinality::ToMany => Some(&next.field),
            _ => None,
        });
        if let Some(next) = many {
            inner += &format!("{next}(first: 100) {{ totalCount nodes {{ id }} }}");
        }
        match relation.cardinality {
            Cardinality::ToMany => format!(
                "{0}(first: 2) {{ nodes {{ id }} edges {{ node {{ {inner} }} }} }} \
                 more: {0} {{ nodes {{ id }} }} most: {0}(last: 100) {{ nodes {{ id }} }}",
                relation.field
            ),
            _ => format!("{} {{ {inner} }}", relation.field),
        }
    })
}

#[tokio::test]
async fn what_the_schema_says_is_what_the_server_counts() {
    let app = TestApp::start().await;
    let organizer = app.organizer("north").await;
    let engine = &app.app.engine;
    let prices = Prices::read(&engine.sdl());
    let mut documents = documents(&engine.catalog);
    assert!(documents.len() > 50, "only {} documents", documents.len());
    let id = organizer.organization["id"].as_str().expect("an id");
    documents.extend([
        "{ viewer { id } currentOrganization { name events { totalCount } } }".to_owned(),
        "{ eventBySlug(organizationSlug: \"a\", slug: \"b\") { ticketTypes { nodes { available saleStatus } } } }"
            .to_owned(),
        "{ myRegistrations { nodes { id } } }".to_owned(),
        format!("{{ node(id: \"{id}\") {{ ... on Organization {{ name events {{ nodes {{ id }} }} }} }} }}"),
        "mutation { createVenue(input: {name: \"A\"}) { userErrors { code } venue { name organization { slug } } \
         query { viewer { id } events(first: 3) { totalCount nodes { id } } } } }"
            .to_owned(),
    ]);
    for document in documents {
        let answer = organizer.caller.send(&document, json!({})).await;
        assert_eq!(answer.get("errors"), None, "{document} {answer:#}");
        let counted = &answer["extensions"]["cost"]["requested"];
        assert_eq!(*counted, Value::from(prices.cost(&document)), "{document}");
    }
    for verb in engine.catalog.verbs.values() {
        let field = &prices.fields[&("Mutation".to_owned(), verb.name.clone())];
        assert_eq!(field.weight, Some(u64::from(verb.cost)), "{}", verb.name);
    }
}
