//! Root fields of a query: one row by id, connections, functions, `node` and `nodes`.

use std::collections::BTreeSet;

use async_graphql::parser::types::SelectionSet;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{CompileError, Compiler, Priced, Result, connection::Source};
use crate::{
    catalog::{Entity, RootFunction},
    collect::Selected,
    cost,
    engine::Param,
    given::Given,
    plan::{Slot, Template},
};

/// Where the answer of a root field is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootColumn(pub usize);

const MOST_NODES: usize = cost::MOST_NODES as usize;

impl<'a> Compiler<'a> {
    /// Compiles a root field of `Query`; on an error nothing of it stays in the flight.
    pub fn root(&mut self, selected: &Selected<'a>) -> Result<RootColumn> {
        let (slots, placed, preludes) = (self.slots.len(), self.placed, self.preludes.len());
        match self.root_field(selected) {
            Ok(priced) => {
                self.cost += priced.cost;
                Ok(self.column(priced.sql))
            }
            Err(error) => {
                self.slots.truncate(slots);
                self.placed = placed;
                self.preludes.truncate(preludes);
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
    ) -> Result<Option<RootColumn>> {
        let entity = self.entity(entity_name)?;
        if self.admit_reached(entity).is_err() {
            return Ok(None);
        }
        let place = self.bind(Slot::Fixed(Param::Uuid(key)))?;
        let priced = self.by_key(entity, &place, sets)?;
        self.cost += priced.cost;
        Ok(Some(self.column(priced.sql)))
    }

    /// Compiles the rows of these keys, in their order, for a payload.
    pub fn rows_by_keys(
        &mut self,
        entity_name: &str,
        keys: Vec<Uuid>,
        sets: &[&'a SelectionSet],
    ) -> Result<Option<RootColumn>> {
        let entity = self.entity(entity_name)?;
        if self.admit_reached(entity).is_err() {
            return Ok(None);
        }
        let many = keys.len() as u64;
        let place = self.bind(Slot::Fixed(Param::Uuids(keys)))?;
        let alias = self.alias();
        let object = self.object(entity, &alias, sets)?;
        self.cost += object.cost * many;
        let sql = format!(
            "(select coalesce(json_agg({} order by k.place), '[]'::json) \
             from unnest({place}) with ordinality k(id, place) join {} {alias} on {alias}.{} = k.id)",
            object.sql, entity.table, entity.key
        );
        Ok(Some(self.column(sql)))
    }

    fn column(&mut self, sql: String) -> RootColumn {
        self.columns.push(sql);
        RootColumn(self.columns.len() - 1)
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
                let place = self.bind(Slot::Key(id, entity.name.clone()))?;
                return self.by_key(entity, &place, &selected.sets);
            }
            if entity.root_many.as_deref() == Some(selected.name) {
                self.admit(entity)?;
                let alias = self.alias();
                let source = Source {
                    from: format!("{} {alias}", entity.table),
                    condition: None,
                    fan_out: u32::MAX,
                    best_first: None,
                };
                return self.connection(entity, &alias, &source, selected);
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
        place: &str,
        sets: &[&'a SelectionSet],
    ) -> Result<Priced> {
        let alias = self.alias();
        let object = self.object(entity, &alias, sets)?;
        Ok(Priced {
            sql: format!(
                "(select {} from {} {alias} where {alias}.{} = {place})",
                object.sql, entity.table, entity.key
            ),
            cost: object.cost,
        })
    }

    fn function(&mut self, function: &'a RootFunction, selected: &Selected<'a>) -> Result<Priced> {
        let entity = self.entity(&function.entity)?;
        match self.admit(entity) {
            // "The signed-in person" is null for a visitor; a list that may not be read says why.
            Err(CompileError::Denied { .. }) if !function.many => {
                return Ok(Priced {
                    sql: "null::json".to_owned(),
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
                fan_out: u32::MAX,
                best_first: None,
            };
            return self.connection(entity, &alias, &source, selected);
        }
        let object = self.object(entity, &alias, &selected.sets)?;
        Ok(Priced {
            sql: format!(
                "(select {} from {} {alias} where {condition})",
                object.sql, entity.table
            ),
            cost: object.cost + cost::LOOK_UP,
        })
    }

    fn node(&mut self, selected: &Selected<'a>) -> Result<Priced> {
        let id = selected
            .argument("id", self.variables())
            .unwrap_or(Given::Fixed(Json::Null));
        let nothing = Priced {
            sql: "null::json".to_owned(),
            cost: 1,
        };
        let Some(tag) = id.tag(self.variables()) else {
            return Ok(nothing);
        };
        // What the caller may not read at all is answered like what does not exist.
        match self.catalog.entity_of_tag(tag) {
            Some(entity) if self.gate.admit(entity).is_ok() => {
                let place = self.bind(Slot::Key(id, String::new()))?;
                self.by_key(entity, &place, &selected.sets)
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
        let kinds: Vec<u8> = ids
            .iter()
            .map(|id| id.tag(self.variables()).unwrap_or(0))
            .collect();
        let tags: BTreeSet<u8> = kinds.iter().copied().collect();
        let kinds = kinds.into_iter().map(i32::from).collect();
        let keys = self.bind(Slot::Keys(ids))?;
        let kinds = self.bind(Slot::Fixed(Param::Ints(kinds)))?;
        let mut cases = String::new();
        let mut dearest = 1;
        for tag in tags {
            let Some(entity) = self.catalog.entity_of_tag(tag) else {
                continue;
            };
            if self.gate.admit(entity).is_err() {
                continue;
            }
            let priced = self.by_key(entity, "k.id", &selected.sets)?;
            dearest = dearest.max(priced.cost);
            cases += &format!(" when {tag} then {}", priced.sql);
        }
        let value = match cases.is_empty() {
            true => "null::json".to_owned(),
            false => format!("case k.kind{cases} end"),
        };
        Ok(Priced {
            sql: format!(
                "(select coalesce(json_agg({value} order by k.place), '[]'::json) \
                 from unnest({keys}, {kinds}) with ordinality k(id, kind, place))"
            ),
            cost: many * dearest,
        })
    }
}
