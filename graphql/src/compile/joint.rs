//! The statement for several requests of the plan (see [`crate::joint`]): above all levels stands one of the requests, with
//! their values and their numbers, and each root field's rows are read for each of them.
//!
//! ```sql
//! with level0 as materialized (select a.* from rows from (unnest((select $1::uuid[]))) with ordinality a(v1, n)),
//!      level1 as (select t1.name as c0, asked.n as r
//!                 from level0 asked cross join lateral (<rows of a root field, of asked.v1>) t1)
//! select a1.o0, a1.r from (select) a0
//!   left join (select array_agg(c0) as o0, array_agg(r) as r from level1) a1 on true
//! ```
//!
//! All columns are arrays here, also of what is one row in the statement for one request.

use super::{
    Compiler,
    level::{ANSWER, Level, MOST_COLUMNS, level_sql},
};
use crate::{
    joint::Many,
    rows::{Belongs, Found, Side, Split},
};

/// A parameter of the statement for one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// Its type.
    pub of: &'static str,
    /// The type of an array of it, where we make one.
    pub list: Option<&'static str>,
    /// Whether it is the same in every request of the plan.
    pub fixed: bool,
}

impl Compiler<'_> {
    /// The statement for several requests; `None` where nothing may differ between them, or something stands in its way.
    pub(super) fn many(&self) -> Option<Many> {
        let own_places =
            |level: &Level| level.above.is_none() && matches!(level.found, Found::By(_));
        if !self.preludes.is_empty()
            || self.levels.iter().any(own_places)
            || self.outputs.len() + self.levels.len() > MOST_COLUMNS
        {
            return None;
        }
        let each = self.each();
        if !each.contains(&true) {
            return None;
        }
        let theirs = self.whose(&each)?;
        // Rows that say nowhere yet to which row above they belong, and those of each request.
        let says = |(number, level): &(usize, &Level)| {
            let below = level.above.is_some() && !matches!(level.found, Found::By(_));
            below || theirs.contains(number)
        };
        let levels = self.levels.iter().enumerate().skip(1);
        let said = levels.filter(says).map(|(number, _)| number).collect();
        let of = Of {
            each: &each,
            theirs,
            said,
        };
        Some(Many {
            sql: self.many_sql(&of).into(),
            split: self.split(&of),
            always: self
                .placed
                .iter()
                .zip(&each)
                .all(|(placed, each)| placed.fixed || *each),
            each,
        })
    }

    /// The root fields that are read for each request; the others are the same for all. `None` where rows that are the
    /// same have values in them that differ.
    fn whose(&self, each: &[bool]) -> Option<Vec<usize>> {
        let mut theirs = vec![];
        for (number, level) in self.levels.iter().enumerate().skip(1) {
            if level.above.is_some() {
                continue;
            }
            let differs = |sql: &str| self.of_each(sql, each) != sql;
            // Rows that do not follow from the request's values could come in any order of the requests.
            if differs(&level.rows()) {
                theirs.push(number);
            } else if level.columns.iter().any(|sql| differs(sql)) {
                return None;
            }
        }
        Some(theirs)
    }

    /// Which parameters may differ: scalars that stand nowhere but in root fields.
    fn each(&self) -> Vec<bool> {
        let below: Vec<&Level> = self
            .levels
            .iter()
            .filter(|level| level.above.is_some())
            .collect();
        let placed = self.placed.iter().enumerate();
        placed
            .map(|(at, placed)| {
                let place = place(at, placed);
                let may = placed.list.is_some() && !placed.fixed;
                may && !below.iter().any(|level| level.mentions(&place))
            })
            .collect()
    }

    /// The text with the values of the request where parameters stood that differ.
    fn of_each(&self, sql: &str, each: &[bool]) -> String {
        let mut out = sql.to_owned();
        for (at, (placed, each)) in self.placed.iter().zip(each).enumerate() {
            if *each {
                out = out.replace(&place(at, placed), &format!("asked.v{}", at + 1));
            }
        }
        out
    }

    fn many_sql(&self, of: &Of<'_>) -> String {
        let (mut lists, mut names) = (vec![], vec![]);
        for (at, (placed, each)) in self.placed.iter().zip(of.each).enumerate() {
            if let (Some(list), true) = (placed.list, each) {
                // Inside a select the planner does not see how long the array is: else it would plan for each length anew.
                lists.push(format!("unnest((select ${}::{list}))", at + 1));
                names.push(format!("v{}, ", at + 1));
            }
        }
        let mut with = vec![format!(
            "level0 as materialized (select a.* from rows from ({}) with ordinality a({}n))",
            lists.join(", "),
            names.concat()
        )];
        let mut read = String::new();
        for (number, level) in self.levels.iter().enumerate() {
            if number != ANSWER {
                with.push(self.level_of_many(number, level, of));
            }
            let arrays = self.arrays(number, level, of);
            if !arrays.is_empty() {
                let asked = if number == ANSWER { " asked" } else { "" };
                read += &format!(
                    " left join (select {} from level{number}{asked}) a{} on true",
                    arrays.join(", "),
                    number + 1
                );
            }
        }
        let outputs = self.outputs.iter().enumerate();
        let mut shown: Vec<String> = outputs
            .map(|(index, output)| format!("a{}.o{index}", output.level + 1))
            .collect();
        shown.extend(of.said.iter().map(|number| format!("a{}.r", number + 1)));
        format!(
            "with {} select {} from (select) a0{read}",
            with.join(", "),
            shown.join(", ")
        )
    }

    fn level_of_many(&self, number: usize, level: &Level, of: &Of<'_>) -> String {
        let mut columns = level.columns.clone();
        let mut from = level.rows();
        let mut more = vec![];
        if of.theirs.contains(&number) {
            columns = columns
                .iter()
                .map(|sql| self.of_each(sql, of.each))
                .collect();
            let rows = self.of_each(&from, of.each);
            from = format!("level0 asked cross join lateral {rows}");
            more.push("asked.n as r".to_owned());
        } else if of.said.contains(&number) {
            more.push("p.n as r".to_owned());
        }
        if level.has_below {
            more.push("row_number() over () as n".to_owned());
        }
        level_sql(number, &columns, &more, level.has_below, &from)
    }

    /// The columns of the level as arrays.
    fn arrays(&self, number: usize, level: &Level, of: &Of<'_>) -> Vec<String> {
        let outputs = self.outputs.iter().enumerate();
        let outputs = outputs.filter(|(_, output)| output.level == number);
        let mut arrays: Vec<String> = outputs
            .map(|(index, output)| match number {
                ANSWER => {
                    let sql = self.of_each(&level.columns[output.column], of.each);
                    format!("array_agg({sql}) as o{index}")
                }
                _ => format!("array_agg(c{}) as o{index}", output.column),
            })
            .collect();
        if of.said.contains(&number) {
            arrays.push("array_agg(r) as r".to_owned());
        }
        arrays
    }

    fn split(&self, of: &Of<'_>) -> Split {
        let side = |(number, level): (usize, &Level)| {
            let said = of.said.iter().position(|said| *said == number);
            let said = said.map(|at| self.outputs.len() + at);
            let belongs = match (level.above, said, level.found) {
                _ if number == ANSWER => Belongs::Each,
                (Some(above), _, Found::By(column)) => Belongs::Below(above, column),
                (above, Some(said), _) => Belongs::Below(above.unwrap_or(ANSWER), said),
                _ => Belongs::Everybody,
            };
            Side {
                belongs,
                found: level.found,
            }
        };
        Split {
            columns: self.outputs.iter().map(|output| output.level).collect(),
            levels: self.levels.iter().enumerate().map(side).collect(),
        }
    }
}

/// What is whose.
struct Of<'a> {
    /// Parameters that differ.
    each: &'a [bool],
    /// Levels of root fields that are read for each request.
    theirs: Vec<usize>,
    /// Levels with a column of their own that says to which row above a row belongs.
    said: Vec<usize>,
}

/// How the parameter stands in the text.
fn place(at: usize, placed: &Placed) -> String {
    format!("${}::{}", at + 1, placed.of)
}
