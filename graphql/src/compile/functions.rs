//! Calls of Postgres functions with arguments of the request: scalar ones, and ones that return the rows of a connection.

use super::{
    CompileError, Compiler, Priced, Result,
    connection::{OURS, Source, Tie},
    level::ANSWER,
    object::Row,
};
use crate::{
    catalog::{Argument, Computed, Entity, RootFunction, RowSource, RowsField},
    collect::Selected,
    plan::Slot,
};

impl<'a> Compiler<'a> {
    /// The arguments as they were given; `None` where an optional one was not.
    pub(super) fn given(
        &self,
        arguments: &[Argument],
        selected: &Selected<'a>,
    ) -> Result<Vec<Option<Slot>>> {
        let mut given = vec![];
        for argument in arguments {
            let name = &argument.name;
            let Some(value) = self.argument(selected, name) else {
                if argument.required {
                    return Err(CompileError::Bad(format!("`{name}` is missing")));
                }
                given.push(None);
                continue;
            };
            let what = format!("`{name}`");
            let slot = match argument.longest {
                Some(longest) => Slot::Short(value, what, longest),
                None => Slot::One(value, argument.scalar.clone(), what),
            };
            slot.fill(self.catalog, self.variables(), &mut vec![])?;
            given.push(Some(slot));
        }
        Ok(given)
    }

    /// The call of a function with the key of a row, if there is one, and the arguments.
    fn call(
        &mut self,
        function: &str,
        key: Option<String>,
        arguments: &[Argument],
        selected: &Selected<'a>,
    ) -> Result<String> {
        let mut places: Vec<String> = key.into_iter().collect();
        let given = self.given(arguments, selected)?;
        for (argument, slot) in arguments.iter().zip(given) {
            places.push(match slot {
                Some(slot) => self.bind(slot)?,
                None => format!("null::{}", argument.scalar.pg_type()),
            });
        }
        Ok(format!("{function}({})", places.join(", ")))
    }

    pub(super) fn computed(
        &mut self,
        computed: &'a Computed,
        entity: &Entity,
        row: Row<'_>,
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        self.suspect(selected)?;
        self.of_now = true;
        let key = format!("{}.{}", row.alias, entity.key);
        let call = self.call(&computed.function, Some(key), &computed.arguments, selected)?;
        let cost = u64::from(computed.cost);
        let shape = self.value(row, &computed.scalar, call)?;
        Ok(Priced {
            shape: shape.paid(cost),
            cost,
        })
    }

    /// A field of an entity whose rows a function gives.
    pub(super) fn rows_field(
        &mut self,
        rows: &'a RowsField,
        entity: &Entity,
        row: Row<'_>,
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let target = self.entity(&rows.entity)?;
        self.admit_reached(target)?;
        self.suspect(selected)?;
        let (function, key) = (&rows.source.function, Some(OURS.to_owned()));
        let call = self.call(function, key, &rows.arguments, selected)?;
        let tie = Tie {
            theirs: None,
            ours: format!("{}.{}", row.alias, entity.key),
        };
        let (source, above) = (&rows.source, (row.level, Some(tie)));
        self.rows_of(source, &call, target, rows.fan_out, above, selected)
    }

    /// A root field whose rows a function gives; `None` when it is of another kind.
    pub(super) fn root_rows(
        &mut self,
        function: &'a RootFunction,
        target: &'a Entity,
        selected: &Selected<'a>,
    ) -> Result<Option<Priced>> {
        let Some(source) = &function.source else {
            return Ok(None);
        };
        let call = self.call(&source.function, None, &function.arguments, selected)?;
        let above = (ANSWER, None);
        self.rows_of(source, &call, target, u32::MAX, above, selected)
            .map(Some)
    }

    fn rows_of(
        &mut self,
        source: &'a RowSource,
        call: &str,
        target: &'a Entity,
        fan_out: u32,
        (above, tie): (usize, Option<Tie>),
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let theirs = self.alias();
        let rows = Source {
            from: source.from(target, call, &theirs),
            condition: None,
            tie,
            calls: true,
            fan_out,
            best_first: source.rank.as_ref(),
        };
        let priced = self.connection(target, &theirs, above, &rows, selected)?;
        let called = u64::from(source.cost);
        Ok(Priced {
            shape: priced.shape.paid(called),
            cost: priced.cost + called,
        })
    }
}
