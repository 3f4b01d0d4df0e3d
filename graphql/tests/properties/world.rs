//! A random catalog with its rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use eventsphere_graphql::{
    Catalog, RootFunction, Scalar,
    catalog::{Argument, Cardinality, Column, Entity, EnumType, EnumValue, Field, Money, Relation},
};
use indexmap::IndexMap;
use uuid::Uuid;

use crate::{
    choices::{Choices, bytes_of},
    offers::{Call, Taken, ZONES},
    values::{ENUMS, Val, key},
};

/// Values of one row, in the order of the entity's columns.
pub type Row = Vec<Val>;

pub struct World {
    /// Its tables are in a schema of that name.
    pub schema: String,
    pub entities: Vec<Entity>,
    /// Of each entity.
    pub rows: Vec<Vec<Row>>,
    /// Pairs of keys in the tables between, by table.
    pub links: BTreeMap<String, Vec<(Uuid, Uuid)>>,
    pub functions: Vec<RootFunction>,
    /// Which column a computed field shows, by function.
    pub shows: HashMap<String, (usize, usize)>,
    /// Which column a root function compares with its first argument, by field.
    pub compares: HashMap<String, usize>,
    /// What functions give that return rows, by function.
    pub calls: HashMap<String, Call>,
    /// What fields take, by field: no two functions of a world share a name.
    pub takes: HashMap<String, Vec<Taken>>,
}

const NAMES: [&str; 5] = ["Alpha", "BravoThing", "Charlie", "D", "EchoX"];

impl World {
    pub fn random(seed: u64) -> Self {
        let bytes = bytes_of(seed, 64 * 1024);
        let choices = &mut Choices::new(&bytes);
        let mut world = Self {
            schema: format!("w{seed}"),
            entities: vec![],
            rows: vec![],
            links: BTreeMap::new(),
            functions: vec![],
            shows: HashMap::new(),
            compares: HashMap::new(),
            calls: HashMap::new(),
            takes: HashMap::new(),
        };
        let many = 1 + choices.pick(NAMES.len());
        for index in 0..many {
            let entity = world.entity(index, many, choices);
            world.entities.push(entity);
        }
        for number in 0..choices.pick(6) {
            world.relation(number, choices);
        }
        for index in 0..many {
            world.default_order(index, choices);
            world.root_functions(index, choices);
            world.zone(index, choices);
        }
        for index in 0..many {
            world.related_filters(index, choices);
            world.aggregates(index, choices);
            world.finders(index, choices);
        }
        for index in 0..many {
            world.rows_fields(index, choices);
        }
        world.fill(choices);
        world
    }

    fn entity(&mut self, index: usize, many: usize, choices: &mut Choices<'_>) -> Entity {
        let name = NAMES[index];
        let key_name = *choices.of(&["id", "uid"]);
        let mut columns = vec![column(
            key_name,
            Scalar::Id(name.to_owned()),
            false,
            choices,
        )];
        columns[0].exposed = false;
        columns[0].field = "id".to_owned();
        let mut fields = IndexMap::new();
        fields.insert("id".to_owned(), Field::Key);
        for number in 0..=choices.pick(9) {
            let scalar = match choices.pick(12) {
                0 => Scalar::Int,
                1 => Scalar::BigInt,
                2 => Scalar::Boolean,
                3 | 10 => Scalar::DateTime,
                4 => Scalar::Enum(choices.of(&ENUMS).0.to_owned()),
                5 => Scalar::StringList,
                6 => Scalar::Id(NAMES[choices.pick(many)].to_owned()),
                7 => Scalar::Date,
                _ => Scalar::String,
            };
            let nullable = choices.one_in(2);
            let column = column(&format!("c{index}_{number}"), scalar, nullable, choices);
            fields.insert(column.field.clone(), Field::Column(columns.len()));
            columns.push(column);
        }
        if choices.one_in(2) {
            money(index, &mut columns, &mut fields, choices);
        }
        for number in 0..choices.pick(3) {
            let shown = choices.pick(columns.len());
            let computed = self.computed((index, number, shown), &columns[shown], choices);
            fields.insert(computed.field.clone(), Field::Computed(computed));
        }
        let root = |of: &str, is: bool| is.then(|| format!("{of}{index}"));
        Entity {
            name: name.to_owned(),
            tag: u8::try_from(index * 37 + 1).unwrap_or(1),
            description: String::new(),
            table: format!("t{index}_rows"),
            key: key_name.to_owned(),
            columns,
            fields,
            root_one: root("one", !choices.one_in(4)),
            root_many: root("many", index == 0 || !choices.one_in(4)),
            scope: None,
            own_rows: false,
            aggregates: None,
            default_order: vec![],
            writes: None,
        }
    }

    fn relation(&mut self, number: usize, choices: &mut Choices<'_>) {
        let from = choices.pick(self.entities.len());
        let to = choices.pick(self.entities.len());
        match choices.pick(3) {
            0 => self.key_to(from, to, number, false, choices),
            1 => self.key_to(from, to, number, true, choices),
            _ => self.link(from, to, number),
        }
    }

    /// A column of `from` that holds keys of `to`, with a relation at either end.
    fn key_to(
        &mut self,
        from: usize,
        to: usize,
        number: usize,
        unique: bool,
        choices: &mut Choices<'_>,
    ) {
        let nullable = unique || choices.one_in(2);
        let target = self.entities[to].name.clone();
        let name = format!("r{number}_key");
        let mut column = column(&name, Scalar::Id(target), nullable, choices);
        column.exposed = false;
        self.entities[from].columns.push(column);
        let field = format!("to{number}");
        let one = Relation {
            field: field.clone(),
            description: String::new(),
            target_table: self.entities[to].table.clone(),
            from_column: name.clone(),
            to_column: self.entities[to].key.clone(),
            cardinality: Cardinality::ToOne,
            required: !nullable,
            through: None,
            fan_out: 1,
            filterable: false,
        };
        self.entities[from]
            .fields
            .insert(field, Field::Relation(one));
        let field = format!("back{number}");
        let back = Relation {
            field: field.clone(),
            description: String::new(),
            target_table: self.entities[from].table.clone(),
            from_column: self.entities[to].key.clone(),
            to_column: name,
            cardinality: match unique {
                true => Cardinality::ToOneBack,
                false => Cardinality::ToMany,
            },
            required: false,
            through: None,
            fan_out: 10,
            filterable: false,
        };
        self.entities[to]
            .fields
            .insert(field, Field::Relation(back));
    }

    fn link(&mut self, from: usize, to: usize, number: usize) {
        let table = format!("link{number}");
        self.links.insert(table.clone(), vec![]);
        for (ours, theirs, own, other, field) in [
            (from, to, "a", "b", format!("there{number}")),
            (to, from, "b", "a", format!("hither{number}")),
        ] {
            let relation = Relation {
                field: field.clone(),
                description: String::new(),
                target_table: self.entities[theirs].table.clone(),
                from_column: self.entities[ours].key.clone(),
                to_column: self.entities[theirs].key.clone(),
                cardinality: Cardinality::ToMany,
                required: false,
                through: Some((table.clone(), own.to_owned(), other.to_owned())),
                fan_out: 10,
                filterable: false,
            };
            self.entities[ours]
                .fields
                .insert(field, Field::Relation(relation));
        }
    }

    fn default_order(&mut self, index: usize, choices: &mut Choices<'_>) {
        let entity = &mut self.entities[index];
        for _ in 0..choices.pick(3) {
            let column = choices.of(&entity.columns).clone();
            if column.scalar != Scalar::StringList {
                let descending = choices.one_in(2);
                entity.default_order.push((column.name, descending));
            }
        }
        if entity.default_order.is_empty() {
            entity.default_order.push((entity.key.clone(), false));
        }
    }

    fn root_functions(&mut self, index: usize, choices: &mut Choices<'_>) {
        let entity = &self.entities[index];
        for number in 0..choices.pick(3) {
            let many = choices.one_in(2);
            // One row at most may meet the condition of a field that gives one.
            let at = match many {
                true => choices.pick(entity.columns.len()),
                false => 0,
            };
            let column = &entity.columns[at];
            let field = format!("found{index}{number}");
            let set = format!("w.opened{index}{number}");
            let by_prelude = column.scalar == Scalar::String && choices.one_in(2);
            let (condition, prelude) = match by_prelude {
                true => (
                    format!("{{t}}.{} = current_setting('{set}', true)", column.name),
                    Some(format!("select set_config('{set}', $1, true)")),
                ),
                false => (format!("{{t}}.{} = {{1}}", column.name), None),
            };
            self.compares.insert(field.clone(), at);
            self.takes
                .insert(field.clone(), vec![Taken::by(index, at, true)]);
            self.functions.push(RootFunction {
                field,
                description: String::new(),
                arguments: vec![Argument {
                    name: "by".to_owned(),
                    description: String::new(),
                    scalar: column.scalar.clone(),
                    required: true,
                    longest: None,
                }],
                entity: entity.name.clone(),
                condition,
                prelude,
                many,
                source: None,
            });
        }
    }

    fn fill(&mut self, choices: &mut Choices<'_>) {
        let needed: BTreeSet<String> = self
            .entities
            .iter()
            .flat_map(|entity| &entity.columns)
            .filter(|column| column.name.starts_with('r') && !column.nullable)
            .map(|column| name_of(&column.scalar).to_owned())
            .collect();
        let keys: Vec<Vec<Uuid>> = self
            .entities
            .iter()
            .map(|entity| {
                let least = usize::from(needed.contains(&entity.name));
                let many = match choices.pick(5) {
                    0 => least,
                    1 => 1,
                    2 => 3,
                    _ => choices.pick(35).max(least),
                };
                (0..many).map(|_| key(choices)).collect()
            })
            .collect();
        for (entity, own) in self.entities.iter().zip(&keys) {
            let mut rows: Vec<Row> = own.iter().map(|key| vec![Val::Key(*key)]).collect();
            for column in &entity.columns[1..] {
                let leads = self.entities.iter().position(|other| {
                    column.name.starts_with('r') && other.name == name_of(&column.scalar)
                });
                let unique = leads.is_some() && self.is_unique(&entity.table, &column.name);
                for (place, row) in rows.iter_mut().enumerate() {
                    let value = match leads {
                        Some(target) if unique => keys[target].get(place).map(|key| Val::Key(*key)),
                        Some(target) if keys[target].is_empty() => None,
                        Some(target) => Some(Val::Key(*choices.of(&keys[target]))),
                        None if column.name.ends_with("_currency") => {
                            Some(Val::Text((*choices.of(&["EUR", "JPY", "KWD"])).to_owned()))
                        }
                        None if column.name.ends_with("_zone") => {
                            Some(Val::Text((*choices.of(&ZONES)).to_owned()))
                        }
                        None => Some(Val::random(&column.scalar, choices)),
                    };
                    let absent = column.nullable && choices.one_in(3);
                    row.push(value.filter(|_| !absent).unwrap_or(Val::Null));
                }
            }
            self.rows.push(rows);
        }
        self.fill_links(&keys, choices);
    }

    fn fill_links(&mut self, keys: &[Vec<Uuid>], choices: &mut Choices<'_>) {
        let names: Vec<String> = self.links.keys().cloned().collect();
        for name in names {
            let end = |own: &str| {
                self.entities.iter().position(|entity| {
                    entity.fields.values().any(|field| {
                        matches!(field, Field::Relation(relation)
                            if relation.through.as_ref().is_some_and(|(table, ours, _)| *table == name && ours == own))
                    })
                })
            };
            let (Some(a), Some(b)) = (end("a"), end("b")) else {
                continue;
            };
            let mut pairs = BTreeSet::new();
            if !keys[a].is_empty() && !keys[b].is_empty() {
                for _ in 0..choices.pick(60) {
                    pairs.insert((*choices.of(&keys[a]), *choices.of(&keys[b])));
                }
            }
            self.links.insert(name, pairs.into_iter().collect());
        }
    }

    /// Whether the other end of that key is at most one row.
    pub fn is_unique(&self, table: &str, column: &str) -> bool {
        self.entities
            .iter()
            .flat_map(|entity| entity.fields.values())
            .any(|field| {
                matches!(field, Field::Relation(relation)
                    if relation.cardinality == Cardinality::ToOneBack
                        && relation.target_table == table
                        && relation.to_column == column)
            })
    }

    pub fn catalog(&self) -> Catalog {
        let mut catalog = Catalog::default();
        for (name, values) in ENUMS {
            let value = |stored: &&str| EnumValue {
                stored: (*stored).to_owned(),
                shown: stored.to_uppercase(),
                description: String::new(),
            };
            catalog.add_enum(EnumType {
                name: name.to_owned(),
                description: String::new(),
                values: values.iter().map(value).collect(),
            });
        }
        for entity in &self.entities {
            catalog.add_entity(entity.clone()).expect("an entity");
        }
        for function in &self.functions {
            catalog.add_function(function.clone()).expect("a function");
        }
        catalog
    }

    pub fn by_name(&self, name: &str) -> usize {
        let found = self.entities.iter().position(|entity| entity.name == name);
        found.expect("an entity of that name")
    }

    pub fn by_table(&self, table: &str) -> usize {
        let found = self
            .entities
            .iter()
            .position(|entity| entity.table == table);
        found.expect("an entity of that table")
    }

    /// The place of a column in the rows of its entity.
    pub fn at(&self, entity: usize, column: &str) -> usize {
        let columns = &self.entities[entity].columns;
        let found = columns.iter().position(|known| known.name == column);
        found.expect("a column of that name")
    }
}

pub fn name_of(scalar: &Scalar) -> &str {
    match scalar {
        Scalar::Id(name) | Scalar::Enum(name) => name,
        _ => "",
    }
}

pub fn column(name: &str, scalar: Scalar, nullable: bool, choices: &mut Choices<'_>) -> Column {
    Column {
        name: name.to_owned(),
        field: eventsphere_graphql::declare::camel_case(name),
        description: String::new(),
        nullable,
        defaulted: false,
        exposed: true,
        filterable: !choices.one_in(5),
        orderable: scalar != Scalar::StringList && !choices.one_in(5),
        filled_where_seen: false,
        scalar,
    }
}

/// Columns shown as one field, or as two that share their currency.
fn money(
    index: usize,
    columns: &mut Vec<Column>,
    fields: &mut IndexMap<String, Field>,
    choices: &mut Choices<'_>,
) {
    let hidden = |mut column: Column| {
        column.exposed = false;
        column.filterable = false;
        column.orderable = false;
        column
    };
    let currency = format!("m{index}_currency");
    for name in ["price", "fee"].iter().take(1 + choices.pick(2)) {
        let (nullable, minor) = (choices.one_in(2), format!("m{index}_{name}"));
        columns.push(hidden(column(&minor, Scalar::BigInt, nullable, choices)));
        let field = format!("{name}{index}");
        fields.insert(
            field.clone(),
            Field::Money(Money {
                field,
                description: String::new(),
                minor_column: minor,
                currency_column: currency.clone(),
                function: None,
            }),
        );
    }
    columns.push(hidden(column(&currency, Scalar::String, false, choices)));
}
