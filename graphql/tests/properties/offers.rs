//! What a random catalog offers besides tables: computed fields with arguments, functions that return rows, filters by
//! relations, aggregates.

use eventsphere_graphql::{
    RootFunction, Scalar,
    aggregates::{Aggregates, Grouping, Step, Zone},
    catalog::{Argument, Cardinality, Column, Computed, Field, RowSource, RowsField},
};
use uuid::Uuid;

use crate::{
    choices::Choices,
    values::Val,
    world::{Row, World, column},
};

/// Zones with and without summer time, with odd offsets, on either side of the day's line.
pub const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Seoul",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "America/St_Johns",
];

/// What an argument is made of.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A value of that column of that entity.
    Column(usize, usize),
    /// True or false.
    Flag,
    /// 0 to 3.
    Small,
}

/// An argument of a field.
#[derive(Clone, Debug)]
pub struct Taken {
    pub name: &'static str,
    pub of: Source,
    pub required: bool,
}

impl Taken {
    pub fn by(entity: usize, column: usize, required: bool) -> Self {
        Self {
            name: "by",
            of: Source::Column(entity, column),
            required,
        }
    }

    fn argument(&self, world: &World) -> Argument {
        let scalar = match self.of {
            Source::Column(entity, at) => world.entities[entity].columns[at].scalar.clone(),
            Source::Flag => Scalar::Boolean,
            Source::Small => Scalar::Int,
        };
        argument(self, scalar)
    }
}

fn argument(taken: &Taken, scalar: Scalar) -> Argument {
    Argument {
        name: taken.name.to_owned(),
        description: String::new(),
        // Longer than any text of a row.
        longest: (scalar == Scalar::String && taken.required).then_some(1000),
        scalar,
        required: taken.required,
    }
}

/// What a function gives that returns rows.
pub struct Call {
    pub target: usize,
    /// The column that its first argument names a value of.
    pub at: usize,
    /// Whether it takes the key of a row, and then how far from it.
    pub of_row: bool,
    /// Whether it gives keys and ranks.
    pub ranks: bool,
}

fn byte(row: &Row, place: usize) -> i64 {
    match &row[0] {
        Val::Key(key) => i64::from(key.as_bytes()[place]),
        _ => 0,
    }
}

/// How good a row is that was found.
pub fn rank(row: &Row) -> i64 {
    byte(row, 0) % 4
}

impl Call {
    /// Whether it gives that row. `by`, `shift`: what was given for its arguments.
    pub fn gives(&self, row: &Row, by: Option<&Val>, of: Option<&Row>, shift: i64) -> bool {
        by.is_none_or(|by| row[self.at] == *by)
            && of.is_none_or(|of| byte(row, 15) % 3 == (byte(of, 15) + shift) % 3)
    }

    /// The statement that makes it.
    pub fn sql(&self, name: &str, world: &World) -> String {
        let target = &world.entities[self.target];
        let (schema, table, key) = (&world.schema, &target.table, &target.key);
        let column = &target.columns[self.at];
        let (argument, compared) = (column.scalar.pg_type(), &column.name);
        let (takes, by, tie) = match self.of_row {
            false => (argument.to_owned(), "$1", String::new()),
            true => (
                format!("uuid, {argument}, int4"),
                "$2",
                format!(
                    " and get_byte(uuid_send(x.{key}), 15) % 3
                        = (get_byte(uuid_send($1), 15) + coalesce($3, 0)) % 3"
                ),
            ),
        };
        let (returns, shows) = match self.ranks {
            true => (
                "table (id uuid, rank int4)".to_owned(),
                format!("x.{key}, get_byte(uuid_send(x.{key}), 0) % 4"),
            ),
            false => (format!("setof {schema}.{table}"), "x.*".to_owned()),
        };
        format!(
            "create function {name}({takes}) returns {returns} stable language sql as $$
               select {shows} from {schema}.{table} x where ({by} is null or x.{compared} = {by}){tie}
             $$;\n"
        )
    }
}

impl World {
    /// A field that shows a column, or only when it is told to, or what it is given.
    pub fn computed(
        &mut self,
        (entity, number, shown): (usize, usize, usize),
        column: &Column,
        choices: &mut Choices<'_>,
    ) -> Computed {
        let function = format!("{}.f{entity}_{number}", self.schema);
        let field = format!("computed{entity}{number}");
        let takes: Vec<Taken> = match choices.pick(3) {
            0 => vec![],
            1 => vec![Taken {
                name: "when",
                of: Source::Flag,
                required: choices.one_in(2),
            }],
            _ => vec![Taken {
                name: "value",
                of: Source::Column(entity, shown),
                required: choices.one_in(2),
            }],
        };
        let scalar = |taken: &Taken| match taken.of {
            Source::Flag => Scalar::Boolean,
            _ => column.scalar.clone(),
        };
        let arguments = takes.iter().map(|taken| argument(taken, scalar(taken)));
        let arguments: Vec<Argument> = arguments.collect();
        self.shows.insert(function.clone(), (entity, shown));
        self.takes.insert(field.clone(), takes);
        Computed {
            field,
            description: String::new(),
            function,
            scalar: column.scalar.clone(),
            nullable: column.nullable || !arguments.is_empty(),
            arguments,
            cost: 2,
        }
    }

    /// Perhaps a column that names a zone.
    pub fn zone(&mut self, index: usize, choices: &mut Choices<'_>) {
        if !choices.one_in(4) {
            let (name, nullable) = (format!("z{index}_zone"), choices.one_in(3));
            let mut zone = column(&name, Scalar::String, nullable, choices);
            zone.exposed = false;
            self.entities[index].columns.push(zone);
        }
    }

    /// Some relations stand in filters.
    pub fn related_filters(&mut self, index: usize, choices: &mut Choices<'_>) {
        let filters: Vec<(String, bool)> = self
            .entities
            .iter()
            .map(|entity| {
                let has = entity.columns.iter().any(|column| column.filterable);
                (entity.table.clone(), has)
            })
            .collect();
        for field in self.entities[index].fields.values_mut() {
            if let Field::Relation(relation) = field {
                let known = (relation.target_table.clone(), true);
                relation.filterable = filters.contains(&known) && !choices.one_in(3);
            }
        }
    }

    /// The zone in which instants of an entity are grouped: of its own rows, or of those that a key of theirs leads to.
    fn zone_of(&self, index: usize, choices: &mut Choices<'_>) -> Option<Zone> {
        let zone = |entity: usize, relation: Option<&str>| {
            let columns = &self.entities[entity].columns;
            let column = columns
                .iter()
                .find(|column| column.name.ends_with("_zone"))?;
            Some(Zone {
                relation: relation.map(str::to_owned),
                column: column.name.clone(),
            })
        };
        let led = self.entities[index]
            .fields
            .values()
            .filter_map(|field| match field {
                Field::Relation(relation) if relation.cardinality == Cardinality::ToOne => {
                    zone(self.by_table(&relation.target_table), Some(&relation.field))
                }
                _ => None,
            });
        let mut all: Vec<Zone> = zone(index, None).into_iter().chain(led).collect();
        match all.is_empty() {
            true => None,
            false => Some(all.swap_remove(choices.pick(all.len()))),
        }
    }

    pub fn aggregates(&mut self, index: usize, choices: &mut Choices<'_>) {
        if choices.one_in(5) {
            return;
        }
        let mut aggregates = Aggregates::for_scope("any");
        aggregates.zone = self.zone_of(index, choices);
        let entity = &self.entities[index];
        for column in &entity.columns {
            let name = || column.name.clone();
            if choices.one_in(2) {
                aggregates.groupings.push(Grouping::Column(name()));
            }
            if column.scalar == Scalar::DateTime && aggregates.zone.is_some() {
                let steps = Step::ALL.into_iter().filter(|_| !choices.one_in(4));
                let by = steps.map(|step| Grouping::Time(name(), step));
                aggregates.groupings.extend(by);
            }
            let counts = matches!(column.scalar, Scalar::Int | Scalar::BigInt);
            if counts && !choices.one_in(4) {
                aggregates.numbers.push(name());
            }
            if (counts || column.scalar == Scalar::DateTime) && !choices.one_in(4) {
                aggregates.extremes.push(name());
            }
        }
        for (name, field) in &entity.fields {
            match field {
                Field::Money(_) if !choices.one_in(4) => aggregates.money.push(name.clone()),
                Field::Relation(relation) if relation.cardinality == Cardinality::ToOne => {
                    aggregates.groupings.push(Grouping::Relation(name.clone()));
                }
                _ => {}
            }
        }
        self.entities[index].aggregates = Some(aggregates);
    }

    /// Root functions that list rows of an entity, and one that finds them.
    pub fn finders(&mut self, index: usize, choices: &mut Choices<'_>) {
        for (stem, ranks) in [("listed", false), ("sought", true)] {
            if choices.one_in(3) {
                continue;
            }
            // Cursors by rank are those of all rows, so it must be able to find all.
            let required = !ranks && choices.one_in(2);
            let at = choices.pick(self.entities[index].columns.len());
            let takes = vec![Taken::by(index, at, required)];
            let field = format!("{stem}{index}");
            let function = format!("{}.{field}", self.schema);
            let arguments = takes.iter().map(|taken| taken.argument(self)).collect();
            self.calls.insert(
                function.clone(),
                Call {
                    target: index,
                    at,
                    of_row: false,
                    ranks,
                },
            );
            self.takes.insert(field.clone(), takes);
            self.functions.push(RootFunction {
                field,
                description: String::new(),
                arguments,
                entity: self.entities[index].name.clone(),
                condition: String::new(),
                prelude: None,
                many: true,
                source: Some(source(&function, ranks)),
            });
        }
    }

    /// The root function that finds rows of that entity.
    pub fn seeker(&self, entity: usize) -> Option<&RootFunction> {
        let field = format!("sought{entity}");
        self.functions.iter().find(|known| known.field == field)
    }

    /// Fields whose rows a function of the row gives.
    pub fn rows_fields(&mut self, index: usize, choices: &mut Choices<'_>) {
        for number in 0..choices.pick(3) {
            let target = choices.pick(self.entities.len());
            let at = choices.pick(self.entities[target].columns.len());
            let ranks = self.seeker(target).is_some() && choices.one_in(2);
            let takes = vec![
                Taken::by(target, at, choices.one_in(4)),
                Taken {
                    name: "shift",
                    of: Source::Small,
                    required: false,
                },
            ];
            let field = format!("rows{index}{number}");
            let function = format!("{}.{field}", self.schema);
            let rows = RowsField {
                field: field.clone(),
                description: String::new(),
                arguments: takes.iter().map(|taken| taken.argument(self)).collect(),
                entity: self.entities[target].name.clone(),
                source: source(&function, ranks),
                fan_out: 10,
            };
            self.calls.insert(
                function,
                Call {
                    target,
                    at,
                    of_row: true,
                    ranks,
                },
            );
            self.takes.insert(field.clone(), takes);
            let fields = &mut self.entities[index].fields;
            fields.insert(field, Field::Rows(rows));
        }
    }

    /// The row of that key.
    pub fn row(&self, entity: usize, key: Uuid) -> Option<&Row> {
        self.rows[entity].iter().find(|row| row[0] == Val::Key(key))
    }
}

fn source(function: &str, ranks: bool) -> RowSource {
    match ranks {
        true => RowSource::finding(function, 3),
        false => RowSource::listing(function, 3),
    }
}
