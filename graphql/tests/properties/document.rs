//! A document as we wrote it, so that the model need not trust anybody's parser.

use serde_json::{Map, Value, json};

/// A value in a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Lit {
    Null,
    Int(i64),
    Str(String),
    Bool(bool),
    Enum(String),
    List(Vec<Lit>),
    Obj(Vec<(String, Lit)>),
    Var(String),
}

/// A selection.
#[derive(Clone, Debug)]
pub enum Sel {
    Field(Field),
    Spread(String, Vec<Directive>),
    Inline(Option<String>, Vec<Directive>, Vec<Sel>),
}

/// A field. What is selected below it says itself whether it is a leaf.
#[derive(Clone, Debug)]
pub struct Field {
    pub alias: Option<String>,
    pub name: String,
    pub arguments: Vec<(String, Lit)>,
    pub directives: Vec<Directive>,
    pub below: Vec<Sel>,
}

impl Field {
    pub fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// `@skip(if:)` or `@include(if:)`.
#[derive(Clone, Debug)]
pub struct Directive {
    pub skip: bool,
    pub condition: Lit,
}

/// A variable with what was given for it.
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub of: String,
    pub default: Option<Lit>,
    pub given: Option<Lit>,
    /// What may be given instead.
    pub instead: Option<Lit>,
}

#[derive(Clone, Debug, Default)]
pub struct Document {
    pub selection: Vec<Sel>,
    /// Name, type condition, selection.
    pub fragments: Vec<(String, String, Vec<Sel>)>,
    pub variables: Vec<Variable>,
}

impl Document {
    pub fn variable(&self, name: &str) -> Option<&Lit> {
        let variable = self.variables.iter().find(|known| known.name == name)?;
        variable.given.as_ref().or(variable.default.as_ref())
    }

    /// The value with variables put in; `None` for one that was not given.
    pub fn resolve(&self, lit: &Lit) -> Option<Lit> {
        Some(match lit {
            Lit::Var(name) => self.variable(name)?.clone(),
            Lit::List(items) => Lit::List(
                items
                    .iter()
                    .map(|item| self.resolve(item).unwrap_or(Lit::Null))
                    .collect(),
            ),
            Lit::Obj(fields) => Lit::Obj(
                fields
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), self.resolve(value)?)))
                    .collect(),
            ),
            plain => plain.clone(),
        })
    }

    /// The same document with other values for those variables that the bits name; none where there are no others.
    pub fn with_others(&self, bits: usize) -> Option<Self> {
        let mut other = self.clone();
        let mut changed = false;
        for (at, variable) in other.variables.iter_mut().enumerate() {
            if variable.instead.is_some() && bits >> (at % 8) & 1 == 1 {
                std::mem::swap(&mut variable.given, &mut variable.instead);
                changed = true;
            }
        }
        changed.then_some(other)
    }

    /// Variables must be used; some were made for values that did not find a place.
    pub fn drop_unused(&mut self) {
        let mut body = self.clone();
        body.variables.clear();
        let body = body.text();
        self.variables.retain(|variable| {
            let name = format!("${}", variable.name);
            body.match_indices(&name).any(|(at, _)| {
                let after = body[at + name.len()..].chars().next();
                !after.is_some_and(|next| next.is_ascii_digit())
            })
        });
    }

    pub fn json_variables(&self) -> Map<String, Value> {
        self.variables
            .iter()
            .filter_map(|variable| Some((variable.name.clone(), variable.given.as_ref()?.json())))
            .collect()
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        if !self.variables.is_empty() {
            let definitions: Vec<String> = self
                .variables
                .iter()
                .map(|variable| match &variable.default {
                    None => format!("${}: {}", variable.name, variable.of),
                    Some(default) => {
                        format!("${}: {} = {}", variable.name, variable.of, default.text())
                    }
                })
                .collect();
            out += &format!("query Q({}) ", definitions.join(", "));
        }
        out += &set(&self.selection);
        for (name, on, selection) in &self.fragments {
            out += &format!(" fragment {name} on {on} {}", set(selection));
        }
        out
    }
}

fn set(selection: &[Sel]) -> String {
    let items: Vec<String> = selection.iter().map(Sel::text).collect();
    format!("{{ {} }}", items.join(" "))
}

fn directives(all: &[Directive]) -> String {
    let word = |skip: bool| if skip { "skip" } else { "include" };
    all.iter()
        .map(|one| format!(" @{}(if: {})", word(one.skip), one.condition.text()))
        .collect()
}

impl Sel {
    fn text(&self) -> String {
        match self {
            Self::Spread(name, all) => format!("...{name}{}", directives(all)),
            Self::Inline(on, all, below) => {
                let on = on.as_ref().map_or(String::new(), |on| format!(" on {on}"));
                format!("...{on}{} {}", directives(all), set(below))
            }
            Self::Field(field) => {
                let mut out = match &field.alias {
                    Some(alias) => format!("{alias}: {}", field.name),
                    None => field.name.clone(),
                };
                if !field.arguments.is_empty() {
                    let arguments: Vec<String> = field
                        .arguments
                        .iter()
                        .map(|(name, value)| format!("{name}: {}", value.text()))
                        .collect();
                    out += &format!("({})", arguments.join(", "));
                }
                out += &directives(&field.directives);
                if !field.below.is_empty() {
                    out += &format!(" {}", set(&field.below));
                }
                out
            }
        }
    }
}

impl Lit {
    pub fn text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Int(value) => value.to_string(),
            // Escapes of JSON are escapes of GraphQL.
            Self::Str(value) => json!(value).to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Enum(value) => value.clone(),
            Self::Var(name) => format!("${name}"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::text).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Obj(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", value.text()))
                    .collect();
                format!("{{{}}}", fields.join(", "))
            }
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Self::Null | Self::Var(_) => Value::Null,
            Self::Int(value) => json!(value),
            Self::Str(value) | Self::Enum(value) => json!(value),
            Self::Bool(value) => json!(value),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Obj(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), value.json()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    pub fn str(&self) -> Option<&str> {
        match self {
            Self::Str(text) | Self::Enum(text) => Some(text),
            _ => None,
        }
    }

    pub fn items(&self) -> Vec<Lit> {
        match self {
            Self::List(items) => items.clone(),
            Self::Null => vec![],
            other => vec![other.clone()],
        }
    }
}
