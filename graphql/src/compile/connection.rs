//! A connection: its rows are a level, the page in the innermost select (filter, order, limit); its count stands in the
//! level above.

use async_graphql::parser::types::SelectionSet;

use super::{
    CompileError, Compiler, Priced, Result,
    keyset::{Keyset, Term},
    level::ANSWER,
    object::{Row, name_of},
};
use crate::{
    catalog::{Column, Entity},
    collect::Selected,
    cost,
    given::Given,
    rows::{Kind, Page as Shown, Shape},
};

/// Rows when neither `first` nor `last` is given.
const DEFAULT_PAGE: i64 = cost::DEFAULT_PAGE as i64;
/// Rows at most.
const LARGEST_PAGE: i64 = cost::LARGEST_PAGE as i64;
/// What `totalCount` stops at for visitors.
const COUNT_STOP: i64 = 10_001;

/// Where the rows come from.
pub(super) struct Source<'a> {
    /// From clause; the entity's alias is in it.
    pub from: String,
    /// Which of the rows are meant.
    pub condition: Option<String>,
    /// What ties the rows to their parent.
    pub tie: Option<Tie>,
    /// Whether the from clause calls a function with values of the request.
    pub calls: bool,
    /// Rows that a parent usually has at most.
    pub fan_out: u32,
    /// The rank of rows that a search found: their order, largest first, when the client names none.
    pub best_first: Option<&'a Column>,
}

/// What ties rows to their parent.
pub(super) struct Tie {
    /// The expression of theirs that equals ours; `None`: ours stands in the from clause, as [`OURS`].
    pub theirs: Option<String>,
    /// An expression over the level above.
    pub ours: String,
}

impl Tie {
    /// A column of theirs that equals ours.
    pub(super) fn between(theirs: String, ours: String) -> Option<Self> {
        Some(Self {
            theirs: Some(theirs),
            ours,
        })
    }
}

/// Stands in a from clause for the parent's side of the tie.
pub(super) const OURS: &str = "{ours}";

impl Source<'_> {
    /// From and where clause of the rows that meet the conditions. `ours` is how the parent's side of the tie is called
    /// where they stand.
    pub(super) fn rows(&self, ours: Option<&str>, joined: &str, conditions: &[String]) -> String {
        let ours = ours.unwrap_or_default();
        let theirs = self.tie.as_ref().and_then(|tie| tie.theirs.as_ref());
        let tie = theirs.map(|theirs| format!("{theirs} = {ours}"));
        let all: Vec<String> = tie.into_iter().chain(conditions.iter().cloned()).collect();
        let from = self.from.replace(OURS, ours);
        format!("{from}{joined}{}", where_clause(&all))
    }
}

/// The page that was asked for.
struct Page {
    size: i64,
    backward: bool,
    /// Whether a cursor was given for the side we start from, and for the other.
    from_start: bool,
    from_end: bool,
}

/// The parts of a connection that the client selected.
struct Wanted<'a> {
    rows: bool,
    page_info: bool,
    fields: Vec<Selected<'a>>,
}

impl Page {
    fn shown(&self) -> Shown {
        Shown {
            size: usize::try_from(self.size).unwrap_or(0),
            backward: self.backward,
        }
    }
}

/// The rows of a connection that were asked for: their level, and where its row stands in it.
struct Opened<'a, 'r> {
    row: Row<'r>,
    keyset: Keyset<'a>,
    page: Page,
}

impl<'a> Compiler<'a> {
    /// The connection whose parent is the row of the level `above`.
    pub(super) fn connection(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        above: usize,
        source: &Source<'a>,
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let wanted = self.wanted(entity, selected)?;
        let page = self.page(selected)?;
        let keyset = self.keyset(entity, source.best_first, selected)?;
        let mut conditions: Vec<String> = source.condition.iter().cloned().collect();
        let before = self.cost;
        if let Some(filter) = self.argument(selected, "filter") {
            conditions.push(self.filter(entity, alias, &filter, 0)?);
        }
        // It is asked for each parent.
        let related = std::mem::replace(&mut self.cost, before) - before;
        let moved = wanted.rows || wanted.page_info;
        let ours = source.tie.as_ref().map(|tie| tie.ours.clone());
        let filtered = conditions.clone();
        for (name, after) in [("after", true), ("before", false)] {
            match self.argument(selected, name) {
                Some(cursor) if moved => {
                    let condition = self.beyond(&keyset, alias, &cursor, after)?;
                    conditions.push(condition);
                }
                // It moves no page, but is checked; a parameter that nothing uses would be refused.
                Some(cursor) => self.check_cursor(&keyset, &cursor)?,
                None => {}
            }
        }
        let level = if moved {
            let key = ours
                .clone()
                .map(|ours| format!("p.c{}", self.column(above, ours)));
            let rows = format!(
                "(select {alias}.* from {} order by {} limit {}) {alias}",
                source.rows(key.as_deref(), "", &conditions),
                keyset.order_by(alias, page.backward),
                page.size + i64::from(wanted.page_info)
            );
            self.open_below(above, &rows)?
        } else {
            if !conditions.is_empty() || source.calls {
                // No row is asked for, but a parameter without a place in the text has no type. PostgreSQL folds this
                // away before it plans.
                let rows = source.rows(ours.as_deref(), "", &conditions);
                self.unread(above, format!("(true or exists (select 1 from {rows}))"))?;
            }
            ANSWER
        };
        let opened = Opened {
            row: Row { level, alias },
            keyset,
            page,
        };
        let mut fields = vec![];
        let mut cost = cost::CONNECTION + related;
        for field in &wanted.fields {
            let part = match field.name {
                "totalCount" => {
                    let rows = source.rows(ours.as_deref(), "", &filtered);
                    let count = self.total_count(&rows);
                    Priced {
                        shape: Shape::Value(self.shown(above, count)?, Kind::Number)
                            .paid(cost::TOTAL_COUNT),
                        cost: cost::TOTAL_COUNT,
                    }
                }
                "aggregates" => self.below(field, true, |compiler| {
                    compiler.aggregates(entity, alias, above, source, &filtered, field)
                })?,
                _ => self.part(entity, &opened, source.fan_out, field)?,
            };
            cost += part.cost;
            fields.push((field.key.to_owned(), part.shape));
        }
        Ok(Priced {
            shape: Shape::object(fields).paid(related),
            cost,
        })
    }

    /// What a connection shows of its page.
    fn part(
        &mut self,
        entity: &'a Entity,
        opened: &Opened<'a, '_>,
        fan_out: u32,
        field: &Selected<'a>,
    ) -> Result<Priced> {
        let mut cost = 0;
        let shape = match field.name {
            "__typename" => name_of(&format!("{}Connection", entity.name)),
            "nodes" | "edges" => {
                let row = self.row(entity, opened, field)?;
                let rows = u64::try_from(opened.page.size)
                    .unwrap_or(0)
                    .min(u64::from(fan_out));
                cost = rows * row.cost;
                Shape::Rows {
                    level: opened.row.level,
                    page: opened.page.shown(),
                    row: Box::new(row.shape),
                }
            }
            "pageInfo" => self.page_info(opened, &field.sets)?,
            other => {
                return Err(CompileError::Broken(format!(
                    "no field {other} on a connection"
                )));
            }
        };
        Ok(Priced { shape, cost })
    }

    fn wanted(&self, entity: &Entity, selected: &Selected<'a>) -> Result<Wanted<'a>> {
        let name = format!("{}Connection", entity.name);
        let fields = self.operation.collect(&selected.sets, &name, false)?;
        let has = |name: &str| fields.iter().any(|field| field.name == name);
        Ok(Wanted {
            rows: has("nodes") || has("edges"),
            page_info: has("pageInfo"),
            fields,
        })
    }

    pub(super) fn argument(&self, selected: &Selected<'a>, name: &str) -> Option<Given> {
        selected
            .argument(name, self.variables())
            .filter(|value| !value.is_null(self.variables()))
    }

    fn page(&self, selected: &Selected<'a>) -> Result<Page> {
        let size = |name: &str| -> Result<Option<i64>> {
            let Some(value) = self.argument(selected, name) else {
                return Ok(None);
            };
            match value.value(self.variables()).as_i64() {
                Some(size @ 0..=LARGEST_PAGE) => Ok(Some(size)),
                _ => Err(CompileError::Bad(format!(
                    "`{name}` must be from 0 to {LARGEST_PAGE}"
                ))),
            }
        };
        let (first, last) = (size("first")?, size("last")?);
        if first.is_some() && last.is_some() {
            return Err(CompileError::Bad(
                "give `first` or `last`, not both".to_owned(),
            ));
        }
        Ok(Page {
            size: first.or(last).unwrap_or(DEFAULT_PAGE),
            backward: last.is_some(),
            from_start: self.argument(selected, "after").is_some(),
            from_end: self.argument(selected, "before").is_some(),
        })
    }

    fn keyset(
        &self,
        entity: &'a Entity,
        best_first: Option<&'a Column>,
        selected: &Selected<'a>,
    ) -> Result<Keyset<'a>> {
        let mut terms = vec![];
        for item in self
            .argument(selected, "orderBy")
            .map(|value| value.items(self.variables()))
            .unwrap_or_default()
        {
            let item = item.value(self.variables());
            let name = item.as_str().unwrap_or_default();
            let (stem, descending) = match (name.strip_suffix("_ASC"), name.strip_suffix("_DESC")) {
                (Some(stem), _) => (stem, false),
                (_, Some(stem)) => (stem, true),
                _ => ("", false),
            };
            let column = entity
                .columns
                .iter()
                .find(|column| column.orderable && column.name.to_uppercase() == stem)
                .ok_or_else(|| {
                    CompileError::Bad(format!(
                        "`orderBy` must be values of {}OrderBy",
                        entity.name
                    ))
                })?;
            terms.push(Term { column, descending });
        }
        if terms.len() > 3 {
            return Err(CompileError::Bad(
                "`orderBy` takes at most three terms".to_owned(),
            ));
        }
        if let (true, Some(column)) = (terms.is_empty(), best_first) {
            let descending = true;
            terms.push(Term { column, descending });
        }
        Keyset::new(entity, terms)
    }

    fn row(
        &mut self,
        entity: &'a Entity,
        opened: &Opened<'a, '_>,
        field: &Selected<'a>,
    ) -> Result<Priced> {
        if field.name == "nodes" {
            return self.object(entity, opened.row, &field.sets);
        }
        let name = format!("{}Edge", entity.name);
        let mut fields = vec![];
        let mut cost = 0;
        for part in self.operation.collect(&field.sets, &name, false)? {
            let shape = match part.name {
                "__typename" => name_of(&name),
                "cursor" => Shape::Value(self.cursor(opened)?, Kind::Text),
                "node" => {
                    let object = self.object(entity, opened.row, &part.sets)?;
                    cost += object.cost;
                    object.shape
                }
                other => return Err(CompileError::Broken(format!("no field {other} on an edge"))),
            };
            fields.push((part.key.to_owned(), shape));
        }
        Ok(Priced {
            shape: Shape::object(fields),
            cost: cost.max(1),
        })
    }

    /// The column of the rows' cursors.
    fn cursor(&mut self, opened: &Opened<'a, '_>) -> Result<usize> {
        let cursor = opened.keyset.cursor(opened.row.alias);
        self.shown(opened.row.level, cursor)
    }

    fn page_info(&mut self, opened: &Opened<'a, '_>, sets: &[&'a SelectionSet]) -> Result<Shape> {
        let (level, page) = (opened.row.level, opened.page.shown());
        let more = Shape::More { level, page };
        let known = |is: bool| Shape::Text(is.to_string());
        let mut fields = vec![];
        for part in self.operation.collect(sets, "PageInfo", false)? {
            let shape = match part.name {
                "__typename" => name_of("PageInfo"),
                "hasNextPage" if page.backward => known(opened.page.from_end),
                "hasNextPage" => more.clone(),
                "hasPreviousPage" if page.backward => more.clone(),
                "hasPreviousPage" => known(opened.page.from_start),
                "startCursor" | "endCursor" => Shape::Edge {
                    level,
                    page,
                    last: part.name == "endCursor",
                    column: self.cursor(opened)?,
                },
                other => {
                    return Err(CompileError::Broken(format!(
                        "no field {other} on PageInfo"
                    )));
                }
            };
            fields.push((part.key.to_owned(), shape));
        }
        Ok(Shape::object(fields))
    }

    fn total_count(&self, rows: &str) -> String {
        match self.gate.counts_stop() {
            true => {
                format!("(select count(*) from (select 1 from {rows} limit {COUNT_STOP}) c)")
            }
            false => format!("(select count(*) from {rows})"),
        }
    }
}

fn where_clause(conditions: &[String]) -> String {
    match conditions.is_empty() {
        true => String::new(),
        false => format!(" where {}", conditions.join(" and ")),
    }
}
