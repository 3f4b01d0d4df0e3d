//! Everything that the served schema has a coordinate for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_graphql::Positioned;
use async_graphql::parser::{
    parse_schema,
    types::{
        BaseType, DirectiveLocation, FieldDefinition, InputValueDefinition, Type, TypeKind,
        TypeSystemDefinition,
    },
};

/// A field of an object or interface.
pub struct Output {
    /// Named types of its arguments.
    pub arguments: HashMap<String, String>,
    /// Named type that it leads to.
    pub leads_to: String,
}

/// A type of the schema.
pub enum Kind {
    /// An object or an interface, with the interfaces that it implements.
    Fields(HashMap<String, Output>, Vec<String>),
    /// An input object: named types of its fields.
    Input(HashMap<String, String>),
    /// An enum.
    Enum(BTreeSet<String>),
    /// A union.
    Union(BTreeSet<String>),
    /// A scalar.
    Scalar,
}

/// The schema as far as coordinates go.
#[derive(Default)]
pub struct Sdl {
    /// By name.
    pub types: BTreeMap<String, Kind>,
    /// Arguments of directives, and whether a request can carry the directive.
    pub directives: BTreeMap<String, (Vec<String>, bool)>,
}

/// What a request can say of a thing by a directive.
const IN_REQUESTS: [DirectiveLocation; 7] = [
    DirectiveLocation::Query,
    DirectiveLocation::Mutation,
    DirectiveLocation::Subscription,
    DirectiveLocation::Field,
    DirectiveLocation::FragmentDefinition,
    DirectiveLocation::FragmentSpread,
    DirectiveLocation::InlineFragment,
];

fn named(described: &Type) -> String {
    match &described.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(item) => named(item),
    }
}

fn given(fields: &[Positioned<InputValueDefinition>]) -> HashMap<String, String> {
    let each = fields.iter().map(|field| &field.node);
    each.map(|field| (field.name.node.to_string(), named(&field.ty.node)))
        .collect()
}

fn outputs(fields: &[Positioned<FieldDefinition>]) -> HashMap<String, Output> {
    let each = fields.iter().map(|field| {
        let field = &field.node;
        let output = Output {
            arguments: given(&field.arguments),
            leads_to: named(&field.ty.node),
        };
        (field.name.node.to_string(), output)
    });
    each.collect()
}

impl Sdl {
    /// Reads the definition.
    pub fn read(text: &str) -> Self {
        let mut sdl = Self::default();
        let names = |all: &[Positioned<async_graphql::Name>]| {
            all.iter()
                .map(|name| name.node.to_string())
                .collect::<Vec<_>>()
        };
        for definition in parse_schema(text).expect("a schema").definitions {
            match definition {
                TypeSystemDefinition::Type(described) => {
                    let name = described.node.name.node.to_string();
                    let kind = match described.node.kind {
                        TypeKind::Object(it) => {
                            Kind::Fields(outputs(&it.fields), names(&it.implements))
                        }
                        TypeKind::Interface(it) => {
                            Kind::Fields(outputs(&it.fields), names(&it.implements))
                        }
                        TypeKind::InputObject(it) => Kind::Input(given(&it.fields)),
                        TypeKind::Enum(it) => {
                            let values = it
                                .values
                                .iter()
                                .map(|value| value.node.value.node.to_string());
                            Kind::Enum(values.collect())
                        }
                        TypeKind::Union(it) => {
                            Kind::Union(names(&it.members).into_iter().collect())
                        }
                        TypeKind::Scalar => Kind::Scalar,
                    };
                    sdl.types.insert(name, kind);
                }
                TypeSystemDefinition::Directive(directive) => {
                    let directive = directive.node;
                    let arguments = given(&directive.arguments).into_keys().collect();
                    let sent = directive
                        .locations
                        .iter()
                        .any(|place| IN_REQUESTS.contains(&place.node));
                    sdl.directives
                        .insert(directive.name.node.to_string(), (arguments, sent));
                }
                TypeSystemDefinition::Schema(_) => {}
            }
        }
        sdl
    }

    /// The field of that type.
    pub fn output(&self, type_name: &str, field: &str) -> Option<&Output> {
        match self.types.get(type_name)? {
            Kind::Fields(fields, _) => fields.get(field),
            _ => None,
        }
    }

    /// Whether the object implements the interface, or is of the union.
    pub fn is_of(&self, object: &str, wider: &str) -> bool {
        let implements = matches!(self.types.get(object),
            Some(Kind::Fields(_, wide)) if wide.iter().any(|name| name == wider));
        implements
            || matches!(self.types.get(wider), Some(Kind::Union(members)) if members.contains(object))
    }

    /// Whether some field is answered with values of the enum.
    pub fn is_answered_with(&self, name: &str) -> bool {
        self.types.values().any(|kind| match kind {
            Kind::Fields(fields, _) => fields.values().any(|field| field.leads_to == name),
            _ => false,
        })
    }

    /// All coordinates, by the specification of schema coordinates; `Wide>Member` for what an interface or union can be.
    pub fn coordinates(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (name, kind) in &self.types {
            match kind {
                Kind::Fields(fields, wide) => {
                    all.extend(wide.iter().map(|wide| format!("{wide}>{name}")));
                    for (field, output) in fields {
                        all.insert(format!("{name}.{field}"));
                        let arguments = output.arguments.keys();
                        all.extend(arguments.map(|one| format!("{name}.{field}({one}:)")));
                    }
                }
                Kind::Input(fields) => {
                    all.extend(fields.keys().map(|field| format!("{name}.{field}")));
                }
                Kind::Enum(values) => {
                    all.extend(values.iter().map(|value| format!("{name}.{value}")))
                }
                Kind::Union(members) => {
                    all.extend(members.iter().map(|member| format!("{name}>{member}")));
                }
                Kind::Scalar => {}
            }
        }
        for (name, (arguments, _)) in &self.directives {
            all.extend(
                arguments
                    .iter()
                    .map(|argument| format!("@{name}({argument}:)")),
            );
        }
        all
    }
}
