//! Values of a request with where they come from, so that a compiled statement can be used again with other values.
//!
//! The compiler reads variables only through here. What it reads to decide on the shape of the statement is noted as a
//! [`Need`]; what only becomes a parameter is kept as a [`Slot`] and filled anew for each request. So a plan may be
//! used again exactly when all its needs hold, and then its statement is the one that would be compiled.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

use async_graphql_value::Value;
use serde_json::{Map, Value as Json};

use crate::global_id;

/// The variables of one request, with notes of what was read of them.
#[derive(Debug, Default)]
pub struct Variables {
    values: Map<String, Json>,
    needs: Mutex<Vec<Need>>,
}

/// A place in the variables: a variable and the way into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    variable: String,
    path: Vec<Step>,
}

/// One step of the way into a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// What a plan took for granted of the variables.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// The variable was given, or was not.
    Known(String, bool),
    /// What stands there is null (or absent), or is not.
    Null(Place, bool),
    /// An object with these keys; `None`: no object.
    Keys(Place, Option<Vec<String>>),
    /// A list of that length; `None`: no list.
    Length(Place, Option<usize>),
    /// This very value.
    Same(Place, Json),
    /// A global id with this tag; `None`: no global id.
    Tag(Place, Option<u8>),
}

/// A value as the document gives it.
#[derive(Clone, Debug)]
pub enum Given {
    /// Written in the document: the same in every request.
    Fixed(Json),
    /// Inside a variable.
    At(Place),
    /// A list in the document, with variables inside.
    List(Vec<Given>),
    /// An object in the document, with variables inside.
    Object(Vec<(String, Given)>),
}

impl Variables {
    /// Nothing of these was read yet.
    pub fn new(values: Map<String, Json>) -> Self {
        Self {
            values,
            needs: Mutex::default(),
        }
    }

    /// All of them, for readers whose result is never used again.
    pub fn values(&self) -> &Map<String, Json> {
        &self.values
    }

    /// Names of the variables of which something was noted so far.
    pub fn noted(&self) -> Vec<String> {
        let needs = self.needs.lock().unwrap_or_else(PoisonError::into_inner);
        let known = needs.iter().filter_map(|need| match need {
            Need::Known(name, _) => Some(name.clone()),
            _ => None,
        });
        known.collect()
    }

    /// What was noted so far; the notes start anew.
    pub fn take_needs(&self) -> Vec<Need> {
        std::mem::take(&mut *self.needs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, need: Need) {
        let mut needs = self.needs.lock().unwrap_or_else(PoisonError::into_inner);
        if !needs.contains(&need) {
            needs.push(need);
        }
    }

    fn at(&self, place: &Place) -> Option<&Json> {
        let mut value = self.values.get(&place.variable)?;
        for step in &place.path {
            value = match step {
                Step::Key(key) => value.get(key)?,
                Step::Index(index) => value.get(index)?,
            };
        }
        Some(value)
    }

    fn is_null(&self, place: &Place) -> bool {
        self.at(place).is_none_or(Json::is_null)
    }

    fn keys(&self, place: &Place) -> Option<Vec<String>> {
        let object = self.at(place)?.as_object()?;
        Some(object.keys().cloned().collect())
    }

    fn length(&self, place: &Place) -> Option<usize> {
        self.at(place)?.as_array().map(Vec::len)
    }

    fn tag(&self, place: &Place) -> Option<u8> {
        let text = self.at(place)?.as_str()?;
        global_id::decode(text).map(|(tag, _)| tag)
    }
}

impl Need {
    /// Whether it holds of these variables too.
    pub fn holds(&self, variables: &Variables) -> bool {
        match self {
            Self::Known(name, known) => variables.values.contains_key(name) == *known,
            Self::Null(place, null) => variables.is_null(place) == *null,
            Self::Keys(place, None) => variables.at(place).is_none_or(|value| !value.is_object()),
            Self::Keys(place, Some(keys)) => variables
                .at(place)
                .and_then(Json::as_object)
                .is_some_and(|object| object.keys().eq(keys)),
            Self::Length(place, length) => variables.length(place) == *length,
            Self::Same(place, value) => variables.at(place).unwrap_or(&Json::Null) == value,
            Self::Tag(place, tag) => variables.tag(place) == *tag,
        }
    }
}

impl Place {
    fn then(&self, step: Step) -> Self {
        let mut path = self.path.clone();
        path.push(step);
        Self {
            variable: self.variable.clone(),
            path,
        }
    }
}

impl Given {
    /// A value of the document; `None` when it is a variable that was not given.
    pub fn of(value: &Value, variables: &Variables) -> Option<Self> {
        Some(match value {
            Value::Variable(name) => {
                let known = variables.values.contains_key(name.as_str());
                variables.note(Need::Known(name.to_string(), known));
                if !known {
                    return None;
                }
                Self::At(Place {
                    variable: name.to_string(),
                    path: vec![],
                })
            }
            Value::List(items) => Self::List(
                items
                    .iter()
                    .map(|item| Self::of(item, variables).unwrap_or(Self::Fixed(Json::Null)))
                    .collect(),
            ),
            Value::Object(fields) => Self::Object(
                fields
                    .iter()
                    .filter_map(|(name, value)| {
                        Self::of(value, variables).map(|value| (name.to_string(), value))
                    })
                    .collect(),
            ),
            Value::Null | Value::Binary(_) => Self::Fixed(Json::Null),
            Value::Number(number) => Self::Fixed(Json::Number(number.clone())),
            Value::String(text) => Self::Fixed(Json::String(text.clone())),
            Value::Boolean(value) => Self::Fixed(Json::Bool(*value)),
            Value::Enum(name) => Self::Fixed(Json::String(name.to_string())),
        })
    }

    /// All of a variable, whether it is given or not.
    pub fn variable(name: &str) -> Self {
        Self::At(Place {
            variable: name.to_owned(),
            path: vec![],
        })
    }

    /// Whether it is null.
    pub fn is_null(&self, variables: &Variables) -> bool {
        match self {
            Self::Fixed(value) => value.is_null(),
            Self::At(place) => {
                let null = variables.is_null(place);
                variables.note(Need::Null(place.clone(), null));
                null
            }
            Self::List(_) | Self::Object(_) => false,
        }
    }

    /// The members of an object, in their order; `None` when it is none.
    pub fn members(&self, variables: &Variables) -> Option<Vec<(String, Self)>> {
        match self {
            Self::Fixed(value) => value.as_object().map(|object| {
                let members = object.iter();
                members
                    .map(|(key, value)| (key.clone(), Self::Fixed(value.clone())))
                    .collect()
            }),
            Self::At(place) => {
                let keys = variables.keys(place);
                variables.note(Need::Keys(place.clone(), keys.clone()));
                keys.map(|keys| {
                    keys.into_iter()
                        .map(|key| (key.clone(), Self::At(place.then(Step::Key(key)))))
                        .collect()
                })
            }
            Self::List(_) => None,
            Self::Object(members) => Some(members.clone()),
        }
    }

    /// The items of a list; a single value stands for a list of one, as the specification says.
    pub fn items(&self, variables: &Variables) -> Vec<Self> {
        if self.is_null(variables) {
            return vec![];
        }
        match self {
            Self::Fixed(Json::Array(items)) => items.iter().cloned().map(Self::Fixed).collect(),
            Self::List(items) => items.clone(),
            Self::At(place) => {
                let length = variables.length(place);
                variables.note(Need::Length(place.clone(), length));
                match length {
                    None => vec![self.clone()],
                    Some(length) => (0..length)
                        .map(|index| Self::At(place.then(Step::Index(index))))
                        .collect(),
                }
            }
            Self::Fixed(_) | Self::Object(_) => vec![self.clone()],
        }
    }

    /// The value itself, which decides on the shape of the statement: a plan made with it serves only this value.
    pub fn value(&self, variables: &Variables) -> Json {
        match self {
            Self::Fixed(value) => value.clone(),
            Self::At(place) => {
                let value = variables.at(place).cloned().unwrap_or(Json::Null);
                variables.note(Need::Same(place.clone(), value.clone()));
                value
            }
            Self::List(items) => items.iter().map(|item| item.value(variables)).collect(),
            Self::Object(members) => Json::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.value(variables)))
                    .collect(),
            ),
        }
    }

    /// The tag of a global id, which decides on the table; the key in it stays free.
    pub fn tag(&self, variables: &Variables) -> Option<u8> {
        match self {
            Self::At(place) => {
                let tag = variables.tag(place);
                variables.note(Need::Tag(place.clone(), tag));
                tag
            }
            other => {
                let value = other.value(variables);
                let decoded = value.as_str().and_then(global_id::decode);
                decoded.map(|(tag, _)| tag)
            }
        }
    }

    /// The value to make a parameter of. It may differ from request to request, so nothing is noted.
    pub fn resolve<'v>(&'v self, variables: &'v Variables) -> Cow<'v, Json> {
        match self {
            Self::Fixed(value) => Cow::Borrowed(value),
            Self::At(place) => match variables.at(place) {
                Some(value) => Cow::Borrowed(value),
                None => Cow::Owned(Json::Null),
            },
            Self::List(items) => Cow::Owned(
                items
                    .iter()
                    .map(|item| item.resolve(variables).into_owned())
                    .collect(),
            ),
            Self::Object(members) => Cow::Owned(Json::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.resolve(variables).into_owned()))
                    .collect(),
            )),
        }
    }
}
