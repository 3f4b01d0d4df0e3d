//! Domain verbs: mutations written by hand, described here so that schema, validation and payloads are generated.

use crate::catalog::Scalar;

/// The type of a field of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputType {
    /// A plain value.
    Scalar(Scalar),
    /// A list of plain values.
    List(Scalar),
    /// An input object, by name (see [`crate::Catalog::add_input`]).
    Object(String),
    /// A list of input objects.
    Objects(String),
    /// `{minorUnits, currencyCode}`.
    Money,
}

/// A field of an input.
#[derive(Clone, Debug)]
pub struct InputField {
    /// Name in the API.
    pub name: String,
    /// Public description.
    pub description: String,
    /// Type.
    pub input_type: InputType,
    /// Whether it must be given.
    pub required: bool,
}

/// An input object type.
#[derive(Clone, Debug)]
pub struct InputObject {
    /// GraphQL name.
    pub name: String,
    /// Public description.
    pub description: String,
    /// Fields, in order.
    pub fields: Vec<InputField>,
}

impl InputObject {
    /// An input object without fields yet.
    pub fn new(name: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            fields: vec![],
        }
    }

    /// A field that must be given.
    pub fn required(self, name: &str, input_type: InputType, description: &str) -> Self {
        self.field(name, input_type, true, description)
    }

    /// A field that may be left out.
    pub fn optional(self, name: &str, input_type: InputType, description: &str) -> Self {
        self.field(name, input_type, false, description)
    }

    fn field(mut self, name: &str, input_type: InputType, required: bool, text: &str) -> Self {
        self.fields.push(InputField {
            name: name.to_owned(),
            description: text.to_owned(),
            input_type,
            required,
        });
        self
    }
}

/// What a field of a [`ValueObject`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A plain value; keys of entities are given as they are and shown as global ids.
    Scalar(Scalar),
    /// `Money`: the verb gives `{"minorUnits", "currencyCode", "amount"}`, all of them strings.
    Money,
    /// A list of another such object.
    Objects(String),
}

/// An object that a verb makes and no table has: the verb gives it as JSON with these keys.
#[derive(Clone, Debug)]
pub struct ValueObject {
    /// GraphQL name.
    pub name: String,
    /// Public description.
    pub description: String,
    /// Name, type, whether it may be null, public description; in order.
    pub fields: Vec<(String, ValueType, bool, String)>,
}

impl ValueObject {
    /// An object without fields yet.
    pub fn new(name: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            fields: vec![],
        }
    }

    /// A field that is never null.
    pub fn has(self, name: &str, value_type: ValueType, description: &str) -> Self {
        self.field(name, value_type, false, description)
    }

    /// A field that may be null.
    pub fn may_have(self, name: &str, value_type: ValueType, description: &str) -> Self {
        self.field(name, value_type, true, description)
    }

    fn field(mut self, name: &str, value_type: ValueType, nullable: bool, text: &str) -> Self {
        let field = (name.to_owned(), value_type, nullable, text.to_owned());
        self.fields.push(field);
        self
    }
}

/// What a field of a payload holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadType {
    /// The named entity, read back by its key.
    Entity(String),
    /// Several of the named entity, read back by their keys, in the order given.
    Entities(String),
    /// A plain value made by the verb.
    Scalar(Scalar),
    /// The named [`ValueObject`], made by the verb.
    Value(String),
}

/// A field of a payload; always nullable (lists: never null, their items neither).
#[derive(Clone, Debug)]
pub struct PayloadField {
    /// Name in the API.
    pub name: String,
    /// Public description.
    pub description: String,
    /// What it holds.
    pub payload_type: PayloadType,
}

/// A mutation.
#[derive(Clone, Debug)]
pub struct Verb {
    /// Name in the API, `verbNoun`.
    pub name: String,
    /// Public description.
    pub description: String,
    /// The fields of its single argument `input`.
    pub input: InputObject,
    /// The fields of its payload, besides `userErrors` and `query`.
    pub payload: Vec<PayloadField>,
    /// Codes of its user errors with their descriptions.
    pub error_codes: Vec<(String, String)>,
    /// Scope that the actor needs, if any.
    pub scope: Option<String>,
    /// Points it costs.
    pub cost: u32,
    /// For generated mutations: shared name of the error types (`Venue` -> `VenueUserError`).
    pub error_stem: String,
    /// Which generated write this is, if it is one.
    pub generated: Option<Generated>,
}

/// A generated mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generated {
    /// `createX` of the named entity.
    Create(String),
    /// `updateX` of the named entity.
    Update(String),
    /// `deleteX` of the named entity.
    Delete(String),
}

impl Verb {
    /// A verb with an empty input and payload.
    pub fn new(name: &str, description: &str) -> Self {
        let pascal = pascal_case(name);
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            input: InputObject::new(&format!("{pascal}Input"), &format!("What `{name}` takes.")),
            payload: vec![],
            error_codes: vec![],
            scope: None,
            cost: 10,
            error_stem: pascal,
            generated: None,
        }
    }

    /// A field of the input that must be given.
    pub fn takes(mut self, name: &str, input_type: InputType, description: &str) -> Self {
        self.input = self.input.required(name, input_type, description);
        self
    }

    /// A field of the input that may be left out.
    pub fn may_take(mut self, name: &str, input_type: InputType, description: &str) -> Self {
        self.input = self.input.optional(name, input_type, description);
        self
    }

    /// The key that makes a repeated call answer as the first did.
    pub fn idempotent(self) -> Self {
        self.takes(
            "idempotencyKey",
            InputType::Scalar(Scalar::String),
            "Made by the client, 16 to 200 characters, new for each intent. A repetition with the same key and \
             the same input has no further effect and answers as the first call did; with another input it is \
             refused with `CONFLICT`. Kept for at least 24 hours.",
        )
    }

    /// A field of the payload.
    pub fn gives(mut self, name: &str, payload_type: PayloadType, description: &str) -> Self {
        self.payload.push(PayloadField {
            name: name.to_owned(),
            description: description.to_owned(),
            payload_type,
        });
        self
    }

    /// A code of its user errors.
    pub fn fails(mut self, code: &str, description: &str) -> Self {
        self.error_codes
            .push((code.to_owned(), description.to_owned()));
        self
    }

    /// The scope that the actor needs.
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(scope.to_owned());
        self
    }
}

/// `placeRegistration` -> `PlaceRegistration`.
pub fn pascal_case(name: &str) -> String {
    let mut characters = name.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + characters.as_str())
        .unwrap_or_default()
}
