//! Root fields of a query: one row by id, connections, functions, `node` and `nodes`.

use async_graphql::parser::types::SelectionSet;
use indexmap::IndexMap;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    CompileError, Compiler, Priced, Result, connection::Source, level::ANSWER, object::Row,
};
use crate::{
    catalog::{Entity, RootFunction},
    collect::Selected,
    cost,
    engine::Param,
    given::Given,
    plan::{Slot, Template},
    rows::{Page, Shape},
};

const MOST_NODES: usize = cost::MOST_NODES as usize;

impl<'a> Compiler<'a> {
    /// Compiles a root field of `Query`; on an error nothing of it stays in the flight.
    pub fn root(&mut self, selected: &Selected<'a>) -> Result<Shape> {
        let mark = self.mark();
        match self.root_field(selected) {
            Ok(priced) => {
                self.cost += priced.cost;
                Ok(self.nullable(priced.shape))
            }
            Err(error) => {
                self.rewind(&mark);
                Err(error)
            }
        }
    }

    /// Compiles the row of that key, for a payload; `None` when the caller may not read such rows at all.
    pub fn row_by_key(
        &mut self,
        entity_name: &str,
        key: Uuid,
        sets: &[&'a SelectionSet],
    ) -> Result<Option<Shape>> {
        let entity = self.entity(entity_name)?;
        if self.admit_reached(entity).is_err() {
            return Ok(None);
        }
        let priced = self.by_key(entity, Slot::Fixed(Param::Uuid(key)), sets)?;
        self.cost += priced.cost;
        Ok(Some(self.nullable(priced.shape)))
    }

    /// Compiles the row of the key that a parameter brings, for callers who may read such rows.
    pub(crate) fn row_of(
        &mut self,
        entity_name: &str,
        key: Slot,
        sets: &[&'a SelectionSet],
    ) -> Result<Shape> {
        let entity = self.entity(entity_name)?;
        self.admit(entity)?;
        let priced = self.by_key(entity, key, sets)?;
        self.cost += priced.cost;
        Ok(self.nullable(priced.shape))
    }

    /// Compiles the rows of these keys, in their order, for a payload.
    pub fn rows_by_keys(
        &mut self,
        entity_name: &str,
        keys: Vec<Uuid>,
        sets: &[&'a SelectionSet],
    ) -> Result<Option<Shape>> {
        let entity = self.entity(entity_name)?;
        if self.admit_reached(entity).is_err() {
            return Ok(None);
        }
        let many = keys.len() as u64;
        let (level, alias) = self.named(entity, Slot::Fixed(Param::Uuids(keys)))?;
        let row = Row {
            level,
            alias: &alias,
        };
        let object = self.object(entity, row, sets)?;
        self.cost += object.cost * many;
        Ok(Some(Shape::Rows {
            level,
            page: Page::ALL,
            row: Box::new(object.shape),
        }))
    }

    /// A level with the rows of these keys, in the order in which they are named (`k.place`), and their alias.
    fn named(&mut self, entity: &'a Entity, keys: Slot) -> Result<(usize, String)> {
        let keys = self.bind(keys)?;
        let alias = self.alias();
        let from = format!(
            "unnest({keys}) with ordinality k(id, place) cross join lateral \
             (select {alias}.* from {} {alias} where {alias}.{} = k.id limit 1) {alias}",
            entity.table, entity.key
        );
        Ok((self.open(from), alias))
    }

    fn root_field(&mut self, selected: &Selected<'a>) -> Result<Priced> {
        match selected.name {
            "node" => return self.node(selected),
            "nodes" => return self.nodes(selected),
            _ => {}
        }
        for entity in self.catalog.entities.values() {
            if entity.root_one.as_deref() == Some(selected.name) {
                self.admit(entity)?;
                let id = selected
                    .argument("id", self.variables())
                    .unwrap_or(Given::Fixed(Json::Null));
                return self.by_key(entity, Slot::Key(id, entity.name.clone()), &selected.sets);
            }
            if entity.root_many.as_deref() == Some(selected.name) {
                self.admit(entity)?;
                let alias = self.alias();
                let source = Source {
                    from: format!("{} {alias}", entity.table),
                    condition: None,
                    tie: None,
                    calls: false,
                    fan_out: u32::MAX,
                    best_first: None,
                };
                return self.connection(entity, &alias, ANSWER, &source, selected);
            }
        }
        match self.catalog.functions.get(selected.name) {
            Some(function) => self.function(function, selected),
            None => Err(CompileError::Broken(format!(
                "no root field {}",
                selected.name
            ))),
        }
    }

    fn by_key(
        &mut self,
        entity: &'a Entity,
        key: Slot,
        sets: &[&'a SelectionSet],
    ) -> Result<Priced> {
        let place = self.bind(key)?;
        let alias = self.alias();
        self.one(
            entity,
            &alias,
            &format!("{alias}.{} = {place}", entity.key),
            sets,
        )
    }

    /// The one row that meets the condition.
    fn one(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        condition: &str,
        sets: &[&'a SelectionSet],
    ) -> Result<Priced> {
        let from = format!(
            "(select {alias}.* from {} {alias} where {condition} limit 1) {alias}",
            entity.table
        );
        let level = self.open(from);
        self.single(level, format!("{alias}.{}", entity.key))?;
        let object = self.object(entity, Row { level, alias }, sets)?;
        Ok(Priced {
            shape: Shape::One {
                level,
                row: Box::new(object.shape),
            },
            cost: object.cost,
        })
    }

    fn function(&mut self, function: &'a RootFunction, selected: &Selected<'a>) -> Result<Priced> {
        let entity = self.entity(&function.entity)?;
        match self.admit(entity) {
            // "The signed-in person" is null for a visitor; a list that may not be read says why.
            Err(CompileError::Denied { .. }) if !function.many => {
                return Ok(Priced {
                    shape: Shape::null(),
                    cost: 1,
                });
            }
            admitted => admitted?,
        }
        if let Some(rows) = self.root_rows(function, entity, selected)? {
            return Ok(rows);
        }
        let given: Vec<Slot> = self
            .given(&function.arguments, selected)?
            .into_iter()
            .flatten()
            .collect();
        if let Some(sql) = &function.prelude {
            self.preludes.push(Template {
                sql: sql.as_str().into(),
                slots: given.clone(),
            });
        }
        let alias = self.alias();
        let mut condition = function.condition.replace("{t}", &alias);
        for (index, slot) in given.into_iter().enumerate() {
            let marker = format!("{{{}}}", index + 1);
            if condition.contains(&marker) {
                let place = self.bind(slot)?;
                condition = condition.replace(&marker, &place);
            }
        }
        if function.many {
            let source = Source {
                from: format!("{} {alias}", entity.table),
                condition: Some(condition),
                tie: None,
                calls: false,
                fan_out: u32::MAX,
                best_first: None,
            };
            return self.connection(entity, &alias, ANSWER, &source, selected);
        }
        let mut one = self.one(entity, &alias, &condition, &selected.sets)?;
        one.cost += cost::LOOK_UP;
        Ok(one)
    }

    fn node(&mut self, selected: &Selected<'a>) -> Result<Priced> {
        let id = selected
            .argument("id", self.variables())
            .unwrap_or(Given::Fixed(Json::Null));
        let nothing = Priced {
            shape: Shape::null(),
            cost: 1,
        };
        let Some(tag) = id.tag(self.variables()) else {
            return Ok(nothing);
        };
        // What the caller may not read at all is answered like what does not exist.
        match self.catalog.entity_of_tag(tag) {
            Some(entity) if self.gate.admit(entity).is_ok() => {
                self.by_key(entity, Slot::Key(id, String::new()), &selected.sets)
            }
            _ => Ok(nothing),
        }
    }

    fn nodes(&mut self, selected: &Selected<'a>) -> Result<Priced> {
        // Which tables are asked follows from the tags; the keys are free.
        let ids = selected
            .argument("ids", self.variables())
            .map(|ids| ids.items(self.variables()))
            .unwrap_or_default();
        if ids.len() > MOST_NODES {
            return Err(CompileError::Bad(format!(
                "`ids` takes at most {MOST_NODES} ids"
            )));
        }
        let many = ids.len() as u64;
        let mut dearest = 1;
        let mut asked: IndexMap<u8, Vec<Given>> = IndexMap::new();
        let mut picks = vec![];
        for id in ids {
            let tag = id.tag(self.variables()).unwrap_or(0);
            let entity = self.catalog.entity_of_tag(tag);
            if entity.is_none_or(|entity| self.gate.admit(entity).is_err()) {
                picks.push(None);
                continue;
            }
            let entry = asked.entry(tag);
            let index = entry.index();
            let keys = entry.or_default();
            keys.push(id);
            picks.push(Some((index, keys.len() - 1)));
        }
        let mut levels = vec![];
        for (tag, keys) in asked {
            let Some(entity) = self.catalog.entity_of_tag(tag) else {
                continue;
            };
            let (level, alias) = self.named(entity, Slot::Keys(keys))?;
            self.placed(level, "k.place")?;
            let row = Row {
                level,
                alias: &alias,
            };
            let object = self.object(entity, row, &selected.sets)?;
            dearest = dearest.max(object.cost);
            levels.push((level, self.nullable(object.shape)));
        }
        Ok(Priced {
            shape: Shape::Picked { levels, picks },
            cost: many * dearest,
        })
    }
}
