//! From SeaORM metadata to the [`Catalog`](crate::Catalog): one declaration an entity says what metadata cannot.
//!
//! Names, types and nullability of columns come from `Column::iter()` / `ColumnTrait::def()`, tables and keys of
//! relations from `RelationDef`, values of enums from `ActiveEnum`. The declaration adds the names of the API, what
//! may be filtered and ordered, who may read, and which mutations are generated.

use indexmap::IndexMap;
use sea_orm::{
    ActiveEnum, ColumnTrait, ColumnType, EntityTrait, IdenStatic, Identity, Iterable,
    PrimaryKeyToColumn, RelationDef, sea_query::TableRef,
};

use crate::{
    catalog::{
        Aggregates, Argument, Cardinality, Column, Computed, Entity, EnumType, EnumValue, Field,
        Money, Relation, RowSource, RowsField, Scalar, Writes,
    },
    deprecation::Deprecation,
};

/// What an entity's file hands to the catalog.
#[derive(Debug)]
pub struct Declaration {
    /// The entity, ready.
    pub entity: Entity,
    /// Enums its columns use.
    pub enums: Vec<EnumType>,
    /// What of it will be removed, by schema coordinate.
    pub deprecations: Vec<(String, Deprecation)>,
}

/// An enum of the database and the API. Implemented next to the `ActiveEnum` (see the `text_enum!` macro of the entities).
pub trait DescribedEnum: ActiveEnum {
    /// GraphQL name.
    const NAME: &'static str;
    /// Public description.
    const DESCRIPTION: &'static str;
    /// Stored text and public description of every value.
    const VALUES: &'static [(&'static str, &'static str)];
}

/// Starts the declaration of entity `E`, shown as type `name`, with the number `tag` in its global ids.
///
/// `docs` is what the `documented!` macro made of the doc comments: the description of the type, then of each column.
pub fn declare<E: EntityTrait>(name: &str, tag: u8, docs: &Docs) -> Builder<E>
where
    E::Column: Iterable,
{
    let key = E::PrimaryKey::iter()
        .next()
        .map(|key| key.into_column().as_str().to_owned())
        .unwrap_or_else(|| "id".to_owned());
    let columns: Vec<Column> = E::Column::iter()
        .map(|column| column_of(column, docs))
        .collect();
    let mut fields = IndexMap::new();
    fields.insert("id".to_owned(), Field::Key);
    for (index, column) in columns.iter().enumerate() {
        if column.name != key && column.exposed {
            fields.insert(column.field.clone(), Field::Column(index));
        }
    }
    Builder {
        entity: Entity {
            name: name.to_owned(),
            tag,
            description: prose(docs.entity),
            table: E::default().table_name().to_owned(),
            key: key.clone(),
            columns,
            fields,
            root_one: None,
            root_many: None,
            scope: None,
            own_rows: false,
            default_order: vec![],
            writes: None,
            aggregates: None,
        },
        enums: vec![],
        deprecated: vec![],
        marker: std::marker::PhantomData,
    }
}

/// Doc comments of an entity.
#[derive(Debug)]
pub struct Docs {
    /// Of the table.
    pub entity: &'static str,
    /// Of each column, by database name.
    pub columns: &'static [(&'static str, &'static str)],
}

/// A declaration in the making.
#[derive(Debug)]
pub struct Builder<E> {
    entity: Entity,
    enums: Vec<EnumType>,
    deprecated: Vec<(String, Deprecation)>,
    marker: std::marker::PhantomData<E>,
}

impl<E: EntityTrait> Builder<E> {
    /// Root field for one row by its id (`event`) and root connection (`events`).
    pub fn root(mut self, one: &str, many: &str) -> Self {
        self.entity.root_one = Some(one.to_owned());
        self.entity.root_many = Some(many.to_owned());
        self
    }

    /// Root field for one row by its id, and no root connection.
    pub fn root_one(mut self, one: &str) -> Self {
        self.entity.root_one = Some(one.to_owned());
        self
    }

    /// Root connection, and no root field for one row.
    pub fn root_many(mut self, many: &str) -> Self {
        self.entity.root_many = Some(many.to_owned());
        self
    }

    /// Scope that an actor acting in an organization needs to read this entity.
    pub fn scope(mut self, scope: &str) -> Self {
        self.entity.scope = Some(scope.to_owned());
        self
    }

    /// Without the scope, rows of the caller's own are still reached from elsewhere: by relations and in payloads. Which
    /// rows those are is said by row level security; root fields keep asking for the scope.
    pub fn own_rows(mut self) -> Self {
        self.entity.own_rows = true;
        self
    }

    /// Takes columns out of the object type; they stay usable as keys of relations and money.
    pub fn hide(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        for column in columns {
            let column = self.column_mut(column);
            column.exposed = false;
            let field = column.field.clone();
            self.entity.fields.shift_remove(&field);
        }
        self
    }

    /// Columns that may stand in a filter; each needs an index or a reason.
    pub fn filter(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        for column in columns {
            self.column_mut(column).filterable = true;
        }
        self
    }

    /// Columns that may stand in an order; each needs an index that ends with the key.
    pub fn order(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        for column in columns {
            self.column_mut(column).orderable = true;
        }
        self
    }

    /// Order of a connection when the client names none.
    pub fn default_order(mut self, column: E::Column, descending: bool) -> Self {
        self.entity
            .default_order
            .push((column.as_str().to_owned(), descending));
        self
    }

    /// The column holds a value of this enum.
    pub fn enumeration<T: DescribedEnum>(mut self, column: E::Column) -> Self {
        self.column_mut(column).scalar = Scalar::Enum(T::NAME.to_owned());
        self.enums.push(enum_type::<T>());
        self
    }

    /// The column is a key of the named type (of a filterable foreign key, shown in filters as an id).
    pub fn key_of(mut self, column: E::Column, type_name: &str) -> Self {
        self.column_mut(column).scalar = Scalar::Id(type_name.to_owned());
        self
    }

    /// Shows two columns as one `Money` field.
    pub fn money(
        mut self,
        field: &str,
        minor: E::Column,
        currency: E::Column,
        description: &str,
    ) -> Self {
        let minor_field = self.column_mut(minor).field.clone();
        self.entity.fields.shift_remove(&minor_field);
        self.column_mut(minor).exposed = false;
        self.entity.fields.insert(
            field.to_owned(),
            Field::Money(Money {
                field: field.to_owned(),
                description: description.to_owned(),
                minor_column: minor.as_str().to_owned(),
                currency_column: currency.as_str().to_owned(),
                function: None,
            }),
        );
        self
    }

    /// Money whose minor units a stable Postgres function of the row's key answers (`bigint`, may be null), in the
    /// currency of the column.
    pub fn computed_money(
        mut self,
        field: &str,
        function: &str,
        currency: E::Column,
        description: &str,
    ) -> Self {
        self.entity.fields.insert(
            field.to_owned(),
            Field::Money(Money {
                field: field.to_owned(),
                description: description.to_owned(),
                minor_column: String::new(),
                currency_column: currency.as_str().to_owned(),
                function: Some(function.to_owned()),
            }),
        );
        self
    }

    /// The table allows null in the column, but no row that the API can see has it there: its policies say so.
    pub fn filled_where_seen(mut self, column: E::Column) -> Self {
        let column = self.column_mut(column);
        column.nullable = false;
        column.filled_where_seen = true;
        self
    }

    /// The row that our key points to; null when the key is null or the row may not be seen.
    pub fn to_one(self, field: &str, relation: RelationDef, description: &str) -> Self {
        self.relation(field, relation, description, Cardinality::ToOne, false)
    }

    /// The row that our key points to, never null: the key is not null, and who sees our row sees the other.
    pub fn to_one_required(self, field: &str, relation: RelationDef, description: &str) -> Self {
        self.relation(field, relation, description, Cardinality::ToOne, true)
    }

    /// The one row whose unique key points to us.
    pub fn to_one_back(self, field: &str, relation: RelationDef, description: &str) -> Self {
        self.relation(field, relation, description, Cardinality::ToOneBack, false)
    }

    /// The rows whose key points to us, as a connection. `fan_out`: how many a parent usually has at most.
    pub fn to_many(
        mut self,
        field: &str,
        relation: RelationDef,
        fan_out: u32,
        description: &str,
    ) -> Self {
        self = self.relation(field, relation, description, Cardinality::ToMany, false);
        if let Some(Field::Relation(relation)) = self.entity.fields.get_mut(field) {
            relation.fan_out = fan_out;
        }
        self
    }

    /// The rows on the other side of a link table: first our relation to the link, then the link's to them.
    pub fn many_to_many(
        mut self,
        field: &str,
        to_link: RelationDef,
        from_link: RelationDef,
        fan_out: u32,
        description: &str,
    ) -> Self {
        let link_table = table_of(&to_link.to_tbl);
        let our_key_in_link = last_column(&to_link.to_col);
        let their_key_in_link = last_column(&from_link.from_col);
        let relation = Relation {
            field: field.to_owned(),
            description: description.to_owned(),
            target_table: table_of(&from_link.to_tbl),
            from_column: last_column(&to_link.from_col),
            to_column: last_column(&from_link.to_col),
            cardinality: Cardinality::ToMany,
            required: false,
            through: Some((link_table, our_key_in_link, their_key_in_link)),
            fan_out,
            filterable: false,
        };
        self.entity
            .fields
            .insert(field.to_owned(), Field::Relation(relation));
        self
    }

    /// A field answered by a stable Postgres function of the row's key.
    pub fn computed(
        mut self,
        field: &str,
        function: &str,
        scalar: Scalar,
        nullable: bool,
        description: &str,
    ) -> Self {
        self.entity.fields.insert(
            field.to_owned(),
            Field::Computed(Computed {
                field: field.to_owned(),
                description: description.to_owned(),
                function: function.to_owned(),
                arguments: vec![],
                scalar,
                nullable,
                cost: 2,
            }),
        );
        self
    }

    /// Gives the computed field or the field of rows declared before these arguments, in the order of the function's.
    pub fn with_arguments(
        mut self,
        field: &str,
        arguments: impl IntoIterator<Item = Argument>,
    ) -> Self {
        match self.entity.fields.get_mut(field) {
            Some(Field::Computed(computed)) => computed.arguments.extend(arguments),
            Some(Field::Rows(rows)) => rows.arguments.extend(arguments),
            _ => {}
        }
        self
    }

    /// The rows that a set-returning stable Postgres function of the row's key gives, as a connection of the named type.
    /// `fan_out`: how many it usually gives at most.
    pub fn rows(
        mut self,
        field: &str,
        entity: &str,
        source: RowSource,
        fan_out: u32,
        description: &str,
    ) -> Self {
        self.entity.fields.insert(
            field.to_owned(),
            Field::Rows(RowsField {
                field: field.to_owned(),
                description: description.to_owned(),
                arguments: vec![],
                entity: entity.to_owned(),
                source,
                fan_out,
            }),
        );
        self
    }

    /// Relations by whose rows ours may be filtered: `some` and `none` of many, conditions on the one. Each must be
    /// walked by an index.
    pub fn filter_by(mut self, relations: &[&str]) -> Self {
        for name in relations {
            if let Some(Field::Relation(relation)) = self.entity.fields.get_mut(*name) {
                relation.filterable = true;
            }
        }
        self
    }

    /// What connections of this entity count and add up.
    pub fn aggregates(mut self, aggregates: Aggregates) -> Self {
        self.entity.aggregates = Some(aggregates);
        self
    }

    /// Brings an enum that only computed fields use.
    pub fn uses_enum<T: DescribedEnum>(mut self) -> Self {
        self.enums.push(enum_type::<T>());
        self
    }

    /// Generated create (`createX`) with these columns, and delete (`deleteX`); `org_id`-like columns are filled by SQL.
    pub fn creates(
        mut self,
        scope: &str,
        columns: impl IntoIterator<Item = E::Column>,
        filled: &[(E::Column, &str)],
    ) -> Self {
        let writes = self.entity.writes.get_or_insert_with(Writes::default);
        scope.clone_into(&mut writes.scope);
        writes.create = names::<E>(columns);
        writes.delete = true;
        writes.filled = filled
            .iter()
            .map(|(column, sql)| (column.as_str().to_owned(), (*sql).to_owned()))
            .collect();
        self
    }

    /// Generated update (`updateX`) of these columns.
    pub fn updates(mut self, scope: &str, columns: impl IntoIterator<Item = E::Column>) -> Self {
        let writes = self.entity.writes.get_or_insert_with(Writes::default);
        scope.clone_into(&mut writes.scope);
        writes.update = names::<E>(columns);
        self
    }

    /// No generated delete although there is a create.
    pub fn keeps_rows(mut self) -> Self {
        if let Some(writes) = &mut self.entity.writes {
            writes.delete = false;
        }
        self
    }

    /// What a violated constraint means to the client: field of the input, message.
    pub fn constraint(mut self, name: &str, field: &str, message: &str) -> Self {
        let writes = self.entity.writes.get_or_insert_with(Writes::default);
        writes
            .constraints
            .insert(name.to_owned(), (field.to_owned(), message.to_owned()));
        self
    }

    /// The column will be removed, and with it all that the API has of it: its field, its place in filters, orders and
    /// inputs. Fields that are no column go by [`Self::deprecated_field`].
    pub fn deprecated(mut self, column: E::Column, deprecation: Deprecation) -> Self {
        let field = self.column_mut(column).field.clone();
        self.deprecated.push((field, deprecation));
        self
    }

    /// The field of that name (a relation, money, a computed field) will be removed.
    pub fn deprecated_field(mut self, field: &str, deprecation: Deprecation) -> Self {
        self.deprecated.push((field.to_owned(), deprecation));
        self
    }

    /// The declaration, whole.
    pub fn done(mut self) -> Declaration {
        if self.entity.default_order.is_empty() {
            let key = self.entity.key.clone();
            self.entity.default_order.push((key, false));
        }
        let deprecations = self
            .deprecated
            .iter()
            .flat_map(|(field, deprecation)| {
                coordinates(&self.entity, field)
                    .into_iter()
                    .map(|coordinate| (coordinate, deprecation.clone()))
            })
            .collect();
        Declaration {
            entity: self.entity,
            enums: self.enums,
            deprecations,
        }
    }

    fn relation(
        mut self,
        field: &str,
        relation: RelationDef,
        description: &str,
        cardinality: Cardinality,
        required: bool,
    ) -> Self {
        self.entity.fields.insert(
            field.to_owned(),
            Field::Relation(Relation {
                field: field.to_owned(),
                description: description.to_owned(),
                target_table: table_of(&relation.to_tbl),
                from_column: last_column(&relation.from_col),
                to_column: last_column(&relation.to_col),
                cardinality,
                required,
                through: None,
                fan_out: 1,
                filterable: false,
            }),
        );
        self
    }

    fn column_mut(&mut self, column: E::Column) -> &mut Column {
        let name = column.as_str();
        let index = self
            .entity
            .columns
            .iter()
            .position(|known| known.name == name)
            .unwrap_or_default();
        &mut self.entity.columns[index]
    }
}

/// The schema coordinates of all that the API has of a field.
fn coordinates(entity: &Entity, field: &str) -> Vec<String> {
    let name = &entity.name;
    let mut out = vec![];
    if entity.fields.contains_key(field) {
        out.push(format!("{name}.{field}"));
    }
    let Some(column) = entity.column_by_field(field) else {
        return out;
    };
    if column.filterable {
        out.push(format!("{name}Filter.{field}"));
    }
    if column.orderable {
        let stem = column.name.to_uppercase();
        out.extend(["ASC", "DESC"].map(|way| format!("{name}OrderBy.{stem}_{way}")));
    }
    if let Some(writes) = &entity.writes {
        for (verb, columns) in [("Create", &writes.create), ("Update", &writes.update)] {
            if columns.contains(&column.name) {
                out.push(format!("{verb}{name}Input.{field}"));
            }
        }
    }
    out
}

fn names<E: EntityTrait>(columns: impl IntoIterator<Item = E::Column>) -> Vec<String> {
    columns
        .into_iter()
        .map(|column| column.as_str().to_owned())
        .collect()
}

fn column_of<C: ColumnTrait>(column: C, docs: &Docs) -> Column {
    let name = column.as_str().to_owned();
    let definition = column.def();
    let description = docs
        .columns
        .iter()
        .find(|(known, _)| *known == name)
        .map_or_else(String::new, |(_, doc)| prose(doc));
    let is_key = matches!(definition.get_column_type(), ColumnType::Uuid);
    Column {
        field: camel_case(&name),
        description,
        scalar: scalar_of(definition.get_column_type()),
        nullable: definition.is_null(),
        defaulted: definition.get_column_default().is_some(),
        // A key is never shown raw: its relation is, or the global id.
        exposed: !is_key,
        filterable: false,
        orderable: false,
        filled_where_seen: false,
        name,
    }
}

fn scalar_of(column_type: &ColumnType) -> Scalar {
    match column_type {
        ColumnType::Uuid => Scalar::Id(String::new()),
        ColumnType::Boolean => Scalar::Boolean,
        ColumnType::TinyInteger | ColumnType::SmallInteger | ColumnType::Integer => Scalar::Int,
        ColumnType::BigInteger => Scalar::BigInt,
        ColumnType::TimestampWithTimeZone => Scalar::DateTime,
        ColumnType::Date => Scalar::Date,
        ColumnType::Array(_) => Scalar::StringList,
        _ => Scalar::String,
    }
}

fn enum_type<T: DescribedEnum>() -> EnumType {
    EnumType {
        name: T::NAME.to_owned(),
        description: prose(T::DESCRIPTION),
        values: T::VALUES
            .iter()
            .map(|(stored, description)| EnumValue {
                stored: (*stored).to_owned(),
                shown: stored.to_uppercase(),
                description: prose(description),
            })
            .collect(),
    }
}

fn table_of(table: &TableRef) -> String {
    match table {
        TableRef::Table(name, _) => name.1.to_string(),
        _ => String::new(),
    }
}

/// Composite keys carry the tenant first; what joins two rows is the last column.
fn last_column(identity: &Identity) -> String {
    match identity {
        Identity::Unary(column) => column.to_string(),
        Identity::Binary(_, column) => column.to_string(),
        Identity::Ternary(_, _, column) => column.to_string(),
        Identity::Many(columns) => columns.last().map(|c| c.to_string()).unwrap_or_default(),
    }
}

/// The lines of a doc comment as running text; an empty line parts paragraphs.
fn prose(doc: &str) -> String {
    let mut out = String::with_capacity(doc.len());
    for line in doc.trim().lines().map(str::trim) {
        match (line.is_empty(), out.is_empty() || out.ends_with('\n')) {
            (true, _) => out.push_str("\n\n"),
            (false, true) => out.push_str(line),
            (false, false) => {
                out.push(' ');
                out.push_str(line);
            }
        }
    }
    out
}

/// `starts_at` -> `startsAt`.
pub fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for character in name.chars() {
        if character == '_' {
            upper = true;
        } else if upper {
            out.extend(character.to_uppercase());
            upper = false;
        } else {
            out.push(character);
        }
    }
    out
}
