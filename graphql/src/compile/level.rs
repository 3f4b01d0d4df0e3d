//! The levels of a statement. A level is a set of rows that is read at once: the rows of a root field, or of one
//! relation of all rows of another level. Each is a common table expression, and the statement gives its columns as
//! arrays, in one row:
//!
//! ```sql
//! with level1 as materialized (select t1.id as c0, row_number() over () as n from (<page of parents>) t1),
//!      level2 as (select p.n as c0, t2.name as c1 from level1 p cross join lateral (<page of children of p.c0>) t2)
//! select a1.o0, a2.o1, a2.o2 from (select) a0
//!   left join (select array_agg(c0) as o0 from level1) a1 on true
//!   left join (select array_agg(c0) as o1, array_agg(c1) as o2 from level2) a2 on true
//! ```
//!
//! A level of at most one row (found by its id) gives plain values instead, and so does level 0, which is the answer
//! itself.

use super::{CompileError, Compiler, Result};
use crate::rows::{Found, Layout};

/// The level of plain values.
pub(super) const ANSWER: usize = 0;
/// What PostgreSQL takes in one list of columns is 1,664.
pub(super) const MOST_COLUMNS: usize = 1_600;

/// One level.
pub(super) struct Level {
    /// Where its rows come from, in their order.
    from: String,
    /// Rows of other tables beside each of its own, at most one each.
    joins: Vec<Join>,
    /// Expressions over these; `c0`, `c1`, ...
    pub(super) columns: Vec<String>,
    /// How its rows are found in what the statement gives.
    pub(super) found: Found,
    /// The level whose rows its rows belong to; `None` for those of a root field.
    pub(super) above: Option<usize>,
    /// Whether rows of other levels belong to its rows.
    pub(super) has_below: bool,
    /// Whether its rows are numbered (`n`), for those of other levels to say to which they belong.
    numbered: bool,
}

struct Join {
    /// Alias and column that it starts from, table and column that it leads to.
    path: [String; 4],
    alias: String,
    sql: String,
}

/// A column of the statement: the level, and which of its columns.
pub(super) struct Output {
    pub(super) level: usize,
    pub(super) column: usize,
}

impl Level {
    /// The answer itself.
    pub(super) fn answer() -> Self {
        Self::new(String::new(), Found::One(None))
    }

    fn new(from: String, found: Found) -> Self {
        Self {
            from,
            joins: vec![],
            columns: vec![],
            found,
            above: None,
            has_below: false,
            numbered: false,
        }
    }

    fn is_single(&self) -> bool {
        matches!(self.found, Found::One(_))
    }

    /// What it holds, to forget later what was added since.
    pub(super) fn mark(&self) -> (usize, usize, bool, bool) {
        let (columns, joins) = (self.columns.len(), self.joins.len());
        (columns, joins, self.has_below, self.numbered)
    }

    pub(super) fn rewind(
        &mut self,
        (columns, joins, has_below, numbered): (usize, usize, bool, bool),
    ) {
        self.columns.truncate(columns);
        self.joins.truncate(joins);
        (self.has_below, self.numbered) = (has_below, numbered);
    }

    /// Its rows with those beside them.
    pub(super) fn rows(&self) -> String {
        let joins: String = self.joins.iter().map(|join| join.sql.as_str()).collect();
        format!("{}{joins}", self.from)
    }

    /// Whether the text stands somewhere in it.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.rows().contains(text) || self.columns.iter().any(|sql| sql.contains(text))
    }

    fn sql(&self, number: usize) -> String {
        let more = match self.numbered {
            true => &["row_number() over () as n".to_owned()][..],
            false => &[],
        };
        level_sql(number, &self.columns, more, self.has_below, &self.rows())
    }
}

/// A level of that number with its columns, and more that have names.
pub(super) fn level_sql(
    number: usize,
    columns: &[String],
    more: &[String],
    has_below: bool,
    from: &str,
) -> String {
    let columns = columns.iter().enumerate();
    let columns = columns.map(|(index, sql)| format!("{sql} as c{index}"));
    let columns: Vec<String> = columns.chain(more.iter().cloned()).collect();
    let kept = if has_below { "materialized " } else { "" };
    format!(
        "level{number} as {kept}(select {} from {from})",
        columns.join(", ")
    )
}

impl<'a> Compiler<'a> {
    /// A level of its own: the rows of `from` in their order.
    pub(super) fn open(&mut self, from: String) -> usize {
        self.levels.push(Level::new(from, Found::All));
        self.levels.len() - 1
    }

    /// Says that the level has at most one row, and which column of it is never null.
    pub(super) fn single(&mut self, level: usize, key: String) -> Result<()> {
        let key = self.shown(level, key)?;
        self.levels[level].found = Found::One(Some(key));
        Ok(())
    }

    /// A level whose rows belong to the rows of another. `rows` is a select in parentheses and its alias, and may name
    /// columns of the level above as `p.c0`, `p.c1`, ...
    pub(super) fn open_below(&mut self, above: usize, rows: &str) -> Result<usize> {
        if above == ANSWER {
            return Ok(self.open(rows.to_owned()));
        }
        let level = self.open(format!("level{above} p cross join lateral {rows}"));
        self.levels[level].above = Some(above);
        self.levels[above].has_below = true;
        if !self.levels[above].is_single() {
            self.levels[above].numbered = true;
            self.placed(level, "p.n")?;
        }
        Ok(level)
    }

    /// Says by which expression, counted from 1, the rows of the level are found. They must come in its order.
    pub(super) fn placed(&mut self, level: usize, expression: &str) -> Result<()> {
        let column = self.shown(level, expression.to_owned())?;
        self.levels[level].found = Found::By(column);
        Ok(())
    }

    /// The alias of the row that a relation to one row leads to. A `limit` keeps PostgreSQL from reading the whole other
    /// table instead of looking rows up.
    pub(super) fn joined(
        &mut self,
        level: usize,
        (alias, from): (&str, &str),
        (table, to): (&str, &str),
    ) -> String {
        let path = [alias, from, table, to].map(str::to_owned);
        let known = self.levels[level].joins.iter();
        if let Some(join) = known.into_iter().find(|join| join.path == path) {
            return join.alias.clone();
        }
        let theirs = self.alias();
        let sql = format!(
            " left join lateral (select {theirs}.* from {table} {theirs} where {theirs}.{to} = {alias}.{from} limit 1) {theirs} on true"
        );
        self.levels[level].joins.push(Join {
            path,
            alias: theirs.clone(),
            sql,
        });
        theirs
    }

    /// Says where the rows of a level come from that was opened without saying so.
    pub(super) fn fill(&mut self, level: usize, rows: &str) {
        self.levels[level].from.push_str(rows);
    }

    /// The column of the level with that expression, for the levels below.
    pub(super) fn column(&mut self, level: usize, expression: String) -> usize {
        let columns = &mut self.levels[level].columns;
        let known = columns.iter().position(|column| *column == expression);
        known.unwrap_or_else(|| {
            columns.push(expression);
            columns.len() - 1
        })
    }

    /// The column of the statement with that expression over the rows of the level.
    pub(super) fn shown(&mut self, level: usize, expression: String) -> Result<usize> {
        let column = self.column(level, expression);
        let known = self
            .outputs
            .iter()
            .position(|output| output.level == level && output.column == column);
        if let Some(known) = known {
            return Ok(known);
        }
        if self.outputs.len() == MOST_COLUMNS || column >= MOST_COLUMNS {
            return Err(CompileError::Bad(format!(
                "an operation reads at most {MOST_COLUMNS} different columns"
            )));
        }
        self.outputs.push(Output { level, column });
        Ok(self.outputs.len() - 1)
    }

    /// Gives an expression a place in the text that nobody reads.
    pub(super) fn unread(&mut self, level: usize, expression: String) -> Result<()> {
        match level {
            ANSWER => self.shown(level, expression).map(drop),
            _ => {
                self.column(level, expression);
                Ok(())
            }
        }
    }

    /// The text of the statement, and how its columns belong together.
    pub(super) fn statement(&mut self) -> Result<(String, Layout)> {
        for level in 0..self.levels.len() {
            // Rows of which nothing is shown are counted all the same.
            if level != ANSWER && !self.outputs.iter().any(|output| output.level == level) {
                self.shown(level, "true".to_owned())?;
            }
        }
        let levels = || self.levels.iter().enumerate().skip(1);
        let with: Vec<String> = levels().map(|(number, level)| level.sql(number)).collect();
        let read = levels().map(|(number, level)| {
            if level.is_single() {
                return format!("level{number}");
            }
            let outputs = self.outputs.iter().enumerate();
            let arrays: Vec<String> = outputs
                .filter(|(_, output)| output.level == number)
                .map(|(index, output)| format!("array_agg(c{}) as o{index}", output.column))
                .collect();
            format!("(select {} from level{number})", arrays.join(", "))
        });
        // Outer joins on nothing keep the row where a level has none, and the planner from weighing every order of them.
        let read: String = read
            .enumerate()
            .map(|(index, level)| format!(" left join {level} a{} on true", index + 1))
            .collect();
        let shown = self.outputs.iter().enumerate();
        let shown: Vec<String> = shown
            .map(|(index, output)| match &self.levels[output.level] {
                answer if output.level == ANSWER => answer.columns[output.column].clone(),
                level if level.is_single() => format!("a{}.c{}", output.level, output.column),
                _ => format!("a{}.o{index}", output.level),
            })
            .collect();
        let with = match with.is_empty() {
            true => String::new(),
            false => format!("with {} ", with.join(", ")),
        };
        let sql = format!("{with}select {} from (select) a0{read}", shown.join(", "));
        let layout = Layout {
            columns: self.outputs.iter().map(|output| output.level).collect(),
            levels: self.levels.iter().map(|level| level.found).collect(),
        };
        Ok((sql, layout))
    }
}
