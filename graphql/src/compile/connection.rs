//! A connection: the page in the innermost select (filter, order, limit), its JSON outside, its count beside.

use async_graphql::parser::types::SelectionSet;

use super::{
    CompileError, Compiler, Priced, Result, build_object,
    keyset::{Keyset, Term},
    literal,
};
use crate::{catalog::Entity, collect::Selected, given::Given};

/// Rows when neither `first` nor `last` is given.
const DEFAULT_PAGE: i64 = 20;
/// Rows at most.
const LARGEST_PAGE: i64 = 100;
/// What `totalCount` stops at for visitors.
const COUNT_STOP: i64 = 10_001;

/// Where the rows come from.
pub(super) struct Source {
    /// From clause; the entity's alias is in it.
    pub from: String,
    /// What ties the rows to their parent.
    pub condition: Option<String>,
    /// Rows that a parent usually has at most.
    pub fan_out: u32,
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

impl<'a> Compiler<'a> {
    pub(super) fn connection(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        source: &Source,
        selected: &Selected<'a>,
    ) -> Result<Priced> {
        let wanted = self.wanted(entity, selected)?;
        let page = self.page(selected)?;
        let keyset = self.keyset(entity, selected)?;
        let mut conditions: Vec<String> = source.condition.iter().cloned().collect();
        if let Some(filter) = self.argument(selected, "filter") {
            conditions.push(self.filter(entity, alias, &filter, 0)?);
        }
        let counted = conditions.clone();
        for (name, after) in [("after", true), ("before", false)] {
            if let Some(cursor) = self.argument(selected, name) {
                let condition = self.beyond(&keyset, alias, &cursor, after)?;
                conditions.push(condition);
            }
        }
        let mut pairs = vec![];
        let mut cost = 2;
        for field in &wanted.fields {
            let sql = match field.name {
                "__typename" => literal(&format!("{}Connection", entity.name)),
                "totalCount" => {
                    cost += 5;
                    self.total_count(&source.from, &counted)
                }
                "nodes" | "edges" => {
                    let row = self.row(entity, alias, &keyset, field)?;
                    let rows = u64::try_from(page.size)
                        .unwrap_or(0)
                        .min(u64::from(source.fan_out));
                    cost += rows * row.cost;
                    rows_of_page(&row.sql, &page, wanted.page_info)
                }
                "pageInfo" => self.page_info(alias, &keyset, &page, &field.sets)?,
                other => {
                    return Err(CompileError::Broken(format!(
                        "no field {other} on a connection"
                    )));
                }
            };
            pairs.push((field.key.to_owned(), sql));
        }
        let object = build_object(&pairs);
        let sql = if wanted.rows || wanted.page_info {
            let limit = page.size + i64::from(wanted.page_info);
            let inner = format!(
                "select {alias}.* from {}{} order by {} limit {limit}",
                source.from,
                where_clause(&conditions),
                keyset.order_by(alias, page.backward),
            );
            match page.backward || wanted.page_info {
                // Without `having`, a page of which only constants are asked would be as many rows as the page has.
                true => format!(
                    "(select {object} from (select {alias}.*, row_number() over () as es_rank from ({inner}) {alias}) {alias} having true)"
                ),
                false => format!("(select {object} from ({inner}) {alias})"),
            }
        } else {
            // No row is asked for, but a parameter without a place in the text has no type. PostgreSQL folds this away
            // before it plans.
            let rows = format!("select 1 from {}{}", source.from, where_clause(&conditions));
            format!("(select {object} where true or exists ({rows}))")
        };
        Ok(Priced { sql, cost })
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

    fn keyset(&self, entity: &'a Entity, selected: &Selected<'a>) -> Result<Keyset<'a>> {
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
        Keyset::new(entity, terms)
    }

    fn row(
        &mut self,
        entity: &'a Entity,
        alias: &str,
        keyset: &Keyset<'a>,
        field: &Selected<'a>,
    ) -> Result<Priced> {
        if field.name == "nodes" {
            return self.object(entity, alias, &field.sets);
        }
        let mut pairs = vec![];
        let mut cost = 0;
        for part in self
            .operation
            .collect(&field.sets, &format!("{}Edge", entity.name), false)?
        {
            let sql = match part.name {
                "__typename" => literal(&format!("{}Edge", entity.name)),
                "cursor" => keyset.cursor(alias),
                "node" => {
                    let object = self.object(entity, alias, &part.sets)?;
                    cost += object.cost;
                    object.sql
                }
                other => return Err(CompileError::Broken(format!("no field {other} on an edge"))),
            };
            pairs.push((part.key.to_owned(), sql));
        }
        Ok(Priced {
            sql: build_object(&pairs),
            cost: cost.max(1),
        })
    }

    fn page_info(
        &mut self,
        alias: &str,
        keyset: &Keyset<'a>,
        page: &Page,
        sets: &[&'a SelectionSet],
    ) -> Result<String> {
        let more = format!("count(*) > {}", page.size);
        let cursor = keyset.cursor(alias);
        let direction = if page.backward { "desc" } else { "asc" };
        let cursors = format!(
            "array_agg({cursor} order by es_rank {direction}) filter (where es_rank <= {})",
            page.size
        );
        let mut pairs = vec![];
        for part in self.operation.collect(sets, "PageInfo", false)? {
            let sql = match part.name {
                "__typename" => literal("PageInfo"),
                "hasNextPage" if page.backward => page.from_end.to_string(),
                "hasNextPage" => more.clone(),
                "hasPreviousPage" if page.backward => more.clone(),
                "hasPreviousPage" => page.from_start.to_string(),
                "startCursor" => format!("({cursors})[1]"),
                "endCursor" => format!("({cursors})[least(count(*), {})]", page.size),
                other => {
                    return Err(CompileError::Broken(format!(
                        "no field {other} on PageInfo"
                    )));
                }
            };
            pairs.push((part.key.to_owned(), sql));
        }
        Ok(build_object(&pairs))
    }

    fn total_count(&self, from: &str, conditions: &[String]) -> String {
        let condition = where_clause(conditions);
        match self.gate.counts_stop() {
            true => format!(
                "(select count(*) from (select 1 from {from}{condition} limit {COUNT_STOP}) c)"
            ),
            false => format!("(select count(*) from {from}{condition})"),
        }
    }
}

/// The rows of the page in their order, without the one more that told whether there is more.
fn rows_of_page(row: &str, page: &Page, ranked: bool) -> String {
    let order = if page.backward {
        " order by es_rank desc"
    } else {
        ""
    };
    let filter = match ranked {
        true => format!(" filter (where es_rank <= {})", page.size),
        false => String::new(),
    };
    format!("coalesce(json_agg({row}{order}){filter}, '[]'::json)")
}

pub(super) fn where_clause(conditions: &[String]) -> String {
    match conditions.is_empty() {
        true => String::new(),
        false => format!(" where {}", conditions.join(" and ")),
    }
}
