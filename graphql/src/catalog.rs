//! The runtime model of what the API offers: entities with their columns, relations and functions, and verbs.
//!
//! Plain data. It is filled once at start (see [`crate::declare`]), checked against the live database
//! ([`crate::drift`]), and from then on read by the schema front, the planner and the compiler.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::deprecation::Deprecation;
pub use crate::{
    aggregates::Aggregates,
    functions::{RowSource, RowsField},
};

/// The type of a value in the API, and with it how it is read from and given to PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A global id of the named entity; `uuid` in the database.
    Id(String),
    /// `text`.
    String,
    /// `int4` or smaller.
    Int,
    /// `int8`, a string of digits in JSON.
    BigInt,
    /// `bool`.
    Boolean,
    /// `timestamptz`, RFC 3339 in UTC.
    DateTime,
    /// `date`, `2026-05-04`.
    Date,
    /// The named enum; `text` with a check constraint.
    Enum(String),
    /// `text[]`.
    StringList,
}

impl Scalar {
    /// The PostgreSQL type of a parameter of this type.
    pub fn pg_type(&self) -> &'static str {
        match self {
            Self::Id(_) => "uuid",
            Self::String | Self::Enum(_) => "text",
            Self::Int => "int4",
            Self::BigInt => "int8",
            Self::Boolean => "bool",
            Self::DateTime => "timestamptz",
            Self::Date => "date",
            Self::StringList => "text[]",
        }
    }
}

/// An enum of the API. Values are kept in the database in snake case and shown in screaming snake case.
#[derive(Clone, Debug)]
pub struct EnumType {
    /// GraphQL name.
    pub name: String,
    /// Public description.
    pub description: String,
    /// Stored text, shown name, description.
    pub values: Vec<EnumValue>,
}

/// One value of an [`EnumType`].
#[derive(Clone, Debug)]
pub struct EnumValue {
    /// As stored: `in_person`.
    pub stored: String,
    /// As shown: `IN_PERSON`.
    pub shown: String,
    /// Public description.
    pub description: String,
}

/// A column that the API knows of.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name in the database.
    pub name: String,
    /// Name in the API (camel case).
    pub field: String,
    /// Public description.
    pub description: String,
    /// Type.
    pub scalar: Scalar,
    /// Whether the column may be null.
    pub nullable: bool,
    /// Whether the database has a default for it, so that a create may leave it out.
    pub defaulted: bool,
    /// Whether it is a field of the object type (keys of other tables are not: their relation is).
    pub exposed: bool,
    /// Whether it may stand in a filter.
    pub filterable: bool,
    /// Whether it may stand in an order.
    pub orderable: bool,
    /// Whether the table allows null in rows that the API never shows.
    pub filled_where_seen: bool,
}

/// How many rows a relation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// At most one row; the key is on our side.
    ToOne,
    /// At most one row; the key is on the other side.
    ToOneBack,
    /// Any number of rows.
    ToMany,
}

/// A relation of an entity, named as a field.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Name in the API.
    pub field: String,
    /// Public description.
    pub description: String,
    /// Table of the other entity.
    pub target_table: String,
    /// Our column.
    pub from_column: String,
    /// Their column.
    pub to_column: String,
    /// Number of rows.
    pub cardinality: Cardinality,
    /// Whether the field is never null: the key is not null and the other row is visible whenever ours is.
    pub required: bool,
    /// For many-to-many: the table between, its column that holds our key, its column that holds theirs.
    pub through: Option<(String, String, String)>,
    /// How many rows a parent usually has at most; bounds the cost of the field.
    pub fan_out: u32,
    /// Whether our rows may be filtered by the rows that it leads to.
    pub filterable: bool,
}

/// A field computed by a stable Postgres function of the row's key.
#[derive(Clone, Debug)]
pub struct Computed {
    /// Name in the API.
    pub field: String,
    /// Public description.
    pub description: String,
    /// Function, schema-qualified; takes the key of the row, then the arguments.
    pub function: String,
    /// Arguments of the field, in order.
    pub arguments: Vec<Argument>,
    /// Type of the answer.
    pub scalar: Scalar,
    /// Whether the answer may be null.
    pub nullable: bool,
    /// Points it costs, on top of the object's.
    pub cost: u32,
}

/// Money made of two columns.
#[derive(Clone, Debug)]
pub struct Money {
    /// Name in the API.
    pub field: String,
    /// Public description.
    pub description: String,
    /// `int8` column of minor units.
    pub minor_column: String,
    /// `text` column of the ISO 4217 code.
    pub currency_column: String,
    /// The minor units come from this stable function of the row's key instead of a column, and may be null.
    pub function: Option<String>,
}

/// One field of an entity's object type.
#[derive(Clone, Debug)]
pub enum Field {
    /// The global id.
    Key,
    /// Index into [`Entity::columns`].
    Column(usize),
    /// Two columns shown as `Money`.
    Money(Money),
    /// Another entity.
    Relation(Relation),
    /// A Postgres function of the row.
    Computed(Computed),
    /// A Postgres function of the row that returns rows.
    Rows(RowsField),
}

/// Which generated mutations an entity has.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// Columns that a create accepts (database names, in order). Empty: no create and no delete.
    pub create: Vec<String>,
    /// Columns that an update accepts. Empty: no update.
    pub update: Vec<String>,
    /// Whether rows can be deleted.
    pub delete: bool,
    /// Columns filled by an SQL expression at create (`org_id` by the organization of the transaction).
    pub filled: Vec<(String, String)>,
    /// Constraint -> field of the input that it speaks of, message.
    pub constraints: HashMap<String, (String, String)>,
    /// Scope that the actor needs.
    pub scope: String,
}

/// A table shown as an object type.
#[derive(Clone, Debug)]
pub struct Entity {
    /// GraphQL type, Pascal case, singular.
    pub name: String,
    /// Number in global ids; never reused, never changed.
    pub tag: u8,
    /// Public description.
    pub description: String,
    /// Table in the database.
    pub table: String,
    /// Primary key column (`uuid`).
    pub key: String,
    /// All columns known to the API.
    pub columns: Vec<Column>,
    /// The fields of the object type, in the order in which they are shown.
    pub fields: IndexMap<String, Field>,
    /// Name of the root field for one row by id, if there is one.
    pub root_one: Option<String>,
    /// Name of the root connection, if there is one.
    pub root_many: Option<String>,
    /// Scope that an actor acting in an organization needs to read it.
    pub scope: Option<String>,
    /// Whether a caller without the scope still reaches rows of their own from elsewhere (their membership, their role).
    pub own_rows: bool,
    /// Order of a connection when the client names none: column, descending.
    pub default_order: Vec<(String, bool)>,
    /// Generated mutations.
    pub writes: Option<Writes>,
    /// What its connections count and add up.
    pub aggregates: Option<Aggregates>,
}

impl Entity {
    /// The column of that database name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column shown as that field.
    pub fn column_by_field(&self, field: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == field)
    }
}

/// An argument of a function.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Name in the API.
    pub name: String,
    /// Public description.
    pub description: String,
    /// Type.
    pub scalar: Scalar,
    /// Whether it must be given; what is left out reaches the function as null.
    pub required: bool,
    /// Characters that a text may have at most.
    pub longest: Option<usize>,
}

/// A root field answered by a condition on an entity, after an optional statement that opens it.
#[derive(Clone, Debug)]
pub struct RootFunction {
    /// Name in the API.
    pub field: String,
    /// Public description.
    pub description: String,
    /// Arguments, in order.
    pub arguments: Vec<Argument>,
    /// Entity that it returns.
    pub entity: String,
    /// Condition on the entity's table, whose alias is `{t}`; `{1}` ... are the arguments.
    pub condition: String,
    /// Statement run before the operation's own, in the same flight; `$1` ... are the arguments.
    pub prelude: Option<String>,
    /// Whether it returns a connection rather than one row.
    pub many: bool,
    /// The set-returning function that its rows come from, instead of the whole table under the condition.
    pub source: Option<RowSource>,
}

/// Everything that the API offers.
#[derive(Debug, Default)]
pub struct Catalog {
    /// By GraphQL name, in declaration order.
    pub entities: IndexMap<String, Entity>,
    /// By GraphQL name.
    pub enums: IndexMap<String, EnumType>,
    /// By field name.
    pub functions: IndexMap<String, RootFunction>,
    /// By mutation name.
    pub verbs: IndexMap<String, crate::verb::Verb>,
    /// By field name.
    pub subscriptions: IndexMap<String, crate::subscription::Subscription>,
    /// Input object types that verbs share, by name.
    pub inputs: IndexMap<String, crate::verb::InputObject>,
    /// Objects that verbs make, by name.
    pub values: IndexMap<String, crate::verb::ValueObject>,
    /// What will be removed, by schema coordinate.
    pub deprecations: IndexMap<String, Deprecation>,
    by_table: HashMap<String, String>,
    by_tag: HashMap<u8, String>,
}

/// A fault of the declarations, found while the catalog is put together.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Two things claim one name.
    #[error("two declarations claim {0}")]
    Twice(String),
    /// A declaration names something that does not exist.
    #[error("{0}")]
    Unknown(String),
    /// A deprecation that promises too little, or is of nothing.
    #[error("deprecation of {0}")]
    Deprecation(String),
}

impl Catalog {
    /// Adds an entity.
    pub fn add_entity(&mut self, entity: Entity) -> Result<(), CatalogError> {
        if self
            .by_tag
            .insert(entity.tag, entity.name.clone())
            .is_some()
        {
            return Err(CatalogError::Twice(format!("the id tag {}", entity.tag)));
        }
        self.by_table
            .insert(entity.table.clone(), entity.name.clone());
        let name = entity.name.clone();
        match self.entities.insert(name.clone(), entity) {
            None => Ok(()),
            Some(_) => Err(CatalogError::Twice(format!("the type {name}"))),
        }
    }

    /// Adds what an entity's file declares: the entity, its enums, and what of it is deprecated.
    pub fn declare(&mut self, declaration: crate::Declaration) -> Result<(), CatalogError> {
        for enum_type in declaration.enums {
            self.add_enum(enum_type);
        }
        for (coordinate, deprecation) in declaration.deprecations {
            self.deprecate(&coordinate, deprecation)?;
        }
        self.add_entity(declaration.entity)
    }

    /// Marks what has that schema coordinate: a field (`Query.events`), an argument (`Query.events(first:)`), an input
    /// field, an enum value. Whether there is such a thing is checked when the engine is made.
    pub fn deprecate(
        &mut self,
        coordinate: &str,
        deprecation: Deprecation,
    ) -> Result<(), CatalogError> {
        match self.deprecations.insert(coordinate.to_owned(), deprecation) {
            None => Ok(()),
            Some(_) => Err(CatalogError::Twice(format!(
                "the deprecation of {coordinate}"
            ))),
        }
    }

    /// Adds an enum; the same enum may be added by several entities.
    pub fn add_enum(&mut self, enum_type: EnumType) {
        self.enums.insert(enum_type.name.clone(), enum_type);
    }

    /// Adds a root function.
    pub fn add_function(&mut self, function: RootFunction) -> Result<(), CatalogError> {
        let field = function.field.clone();
        match self.functions.insert(field.clone(), function) {
            None => Ok(()),
            Some(_) => Err(CatalogError::Twice(format!("the root field {field}"))),
        }
    }

    /// Adds a verb.
    pub fn add_verb(&mut self, mut verb: crate::verb::Verb) -> Result<(), CatalogError> {
        if verb.input.fields.is_empty() {
            // An input type without a field is no GraphQL: clients refuse the whole schema.
            verb = verb.may_take(
                "clientMutationId",
                crate::verb::InputType::Scalar(Scalar::String),
                "Any text of the client's; nothing is done with it.",
            );
        }
        let name = verb.name.clone();
        match self.verbs.insert(name.clone(), verb) {
            None => Ok(()),
            Some(_) => Err(CatalogError::Twice(format!("the mutation {name}"))),
        }
    }

    /// Adds an input object type used inside inputs of verbs.
    pub fn add_input(&mut self, input: crate::verb::InputObject) {
        self.inputs.insert(input.name.clone(), input);
    }

    /// Adds an object that verbs make.
    pub fn add_value(&mut self, value: crate::verb::ValueObject) {
        self.values.insert(value.name.clone(), value);
    }

    /// The entity of that table.
    pub fn entity_of_table(&self, table: &str) -> Option<&Entity> {
        self.by_table
            .get(table)
            .and_then(|name| self.entities.get(name))
    }

    /// The entity with that tag in its ids.
    pub fn entity_of_tag(&self, tag: u8) -> Option<&Entity> {
        self.by_tag
            .get(&tag)
            .and_then(|name| self.entities.get(name))
    }

    /// Checks that every name used in a declaration exists.
    pub fn check(&self) -> Result<(), CatalogError> {
        for entity in self.entities.values() {
            for (name, field) in &entity.fields {
                let whose = || format!("{}.{name}", entity.name);
                match field {
                    Field::Relation(relation) => self.check_relation(entity, relation, &whose())?,
                    Field::Rows(rows) => self.check_rows(rows, &whose())?,
                    Field::Computed(computed) => {
                        self.check_scalar(&computed.scalar, &whose())?;
                        self.check_arguments(&computed.arguments, false, &whose())?;
                    }
                    Field::Column(index) => {
                        self.check_scalar(&entity.columns[*index].scalar, &whose())?;
                    }
                    Field::Money(_) | Field::Key => {}
                }
            }
            self.check_aggregates(entity)?;
        }
        for function in self.functions.values() {
            if !self.entities.contains_key(&function.entity) {
                return Err(CatalogError::Unknown(format!(
                    "{} returns {}, which is not declared",
                    function.field, function.entity
                )));
            }
            self.check_arguments(&function.arguments, function.many, &function.field)?;
        }
        self.check_subscriptions()
    }

    fn check_relation(
        &self,
        entity: &Entity,
        relation: &Relation,
        whose: &str,
    ) -> Result<(), CatalogError> {
        let target = self
            .entity_of_table(&relation.target_table)
            .ok_or_else(|| {
                CatalogError::Unknown(format!(
                    "{whose} leads to table {}, which no entity declares",
                    relation.target_table
                ))
            })?;
        if entity.column(&relation.from_column).is_none() {
            return Err(CatalogError::Unknown(format!(
                "{whose} starts from {}, which is no column",
                relation.from_column
            )));
        }
        let has_filter = target.columns.iter().any(|column| column.filterable);
        if relation.filterable && !has_filter {
            return Err(CatalogError::Unknown(format!(
                "{whose} stands in a filter, but {} has none",
                target.name
            )));
        }
        if target.column(&relation.to_column).is_none() {
            return Err(CatalogError::Unknown(format!(
                "{whose} ends at {}.{}, which is no column",
                target.table, relation.to_column
            )));
        }
        Ok(())
    }

    pub(crate) fn check_scalar(&self, scalar: &Scalar, whose: &str) -> Result<(), CatalogError> {
        match scalar {
            Scalar::Enum(name) if !self.enums.contains_key(name) => Err(CatalogError::Unknown(
                format!("{whose} is of enum {name}, which is not declared"),
            )),
            _ => Ok(()),
        }
    }
}
