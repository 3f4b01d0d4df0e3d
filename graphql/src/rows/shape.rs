//! The shape of an answer: made once with the plan, filled with the rows of each request.

use super::{Kind, Reading, Stop};

/// A piece of an answer. Columns are those of the statement; "the row" is of the level that the piece stands in.
#[derive(Clone, Debug)]
pub enum Shape {
    /// The same JSON in every row.
    Text(String),
    /// A value of the row.
    Value(usize, Kind),
    /// An object.
    Object {
        /// The object is null where this column is.
        present: Option<usize>,
        /// By response key.
        fields: Vec<(String, Shape)>,
    },
    /// The one row of a level, or null.
    One {
        /// Number of the level.
        level: usize,
        /// The row.
        row: Box<Shape>,
    },
    /// The rows of a page that belong to the row.
    Rows {
        /// Number of the level.
        level: usize,
        /// Which of the rows are shown.
        page: Page,
        /// One of them.
        row: Box<Shape>,
    },
    /// A piece that costs points wherever it is written, on top of the objects in it: PostgreSQL counted, searched or
    /// computed for it.
    Paid(u64, Box<Shape>),
    /// Whether there is more than the page.
    More {
        /// Number of the level.
        level: usize,
        /// The page.
        page: Page,
    },
    /// A text of the page's first or last row; null when the page is empty.
    Edge {
        /// Number of the level.
        level: usize,
        /// The page.
        page: Page,
        /// Whether it is the last row's.
        last: bool,
        /// Where the text is found.
        column: usize,
    },
    /// Rows of several levels in the order in which they were named, null where there is none.
    Picked {
        /// The levels, with one of their rows.
        levels: Vec<(usize, Shape)>,
        /// Index of the level, and the place of the row in it, counted from 0.
        picks: Vec<Option<(usize, usize)>>,
    },
    /// Not given to this caller, as the denial of that number says.
    Denied(usize),
    /// Null where something in it has no value and cannot be null itself.
    Nullable(Box<Shape>),
}

/// What is shown of the rows that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows at most. One more may have been read, to know whether there is one.
    pub size: usize,
    /// Whether the rows were read from the end, and are to be turned round.
    pub backward: bool,
}

impl Page {
    /// As many rows as there are.
    pub const ALL: Self = Self {
        size: usize::MAX,
        backward: false,
    };
}

impl Shape {
    /// JSON null.
    pub fn null() -> Self {
        Self::Text("null".to_owned())
    }

    /// An object that is always there.
    pub fn object(fields: Vec<(String, Self)>) -> Self {
        Self::Object {
            present: None,
            fields,
        }
    }

    /// The same piece at the price of so many points wherever it is written.
    pub fn paid(self, points: u64) -> Self {
        match points {
            0 => self,
            points => Self::Paid(points, Box::new(self)),
        }
    }

    /// Writes the piece for that row.
    pub fn write(&self, reading: &Reading<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Value(column, kind) => match reading.value(*column, row) {
                None => out.extend_from_slice(NULL),
                Some(raw) => kind.write(raw, out)?,
            },
            Self::Object { present, fields } => {
                if present.is_some_and(|column| reading.value(column, row).is_none()) {
                    out.extend_from_slice(NULL);
                    return Ok(());
                }
                object(fields, out, |shape, out| shape.write(reading, row, out))?;
            }
            Self::One { level, row: shape } => match reading.below(*level, row).next() {
                None => out.extend_from_slice(NULL),
                Some(theirs) => shape.write(reading, theirs, out)?,
            },
            Self::Rows {
                level,
                page,
                row: shape,
            } => {
                let rows = reading.below(*level, row);
                let (first, shown) = (rows.start, rows.len().min(page.size));
                list(0..shown, out, |at, out| {
                    shape.write(reading, first + turned(*page, shown, at), out)
                })?;
            }
            Self::Paid(points, inner) => {
                reading.pay(*points);
                inner.write(reading, row, out)?;
            }
            Self::More { level, page } => {
                let more = reading.below(*level, row).len() > page.size;
                out.extend_from_slice(if more { b"true" } else { b"false" });
            }
            Self::Edge {
                level,
                page,
                last,
                column,
            } => {
                let rows = reading.below(*level, row);
                let shown = rows.len().min(page.size);
                let at = if *last { shown.saturating_sub(1) } else { 0 };
                let theirs = rows.start + turned(*page, shown, at);
                match reading.value(*column, theirs).filter(|_| shown > 0) {
                    None => out.extend_from_slice(NULL),
                    Some(raw) => Kind::Text.write(raw, out)?,
                }
            }
            Self::Picked { levels, picks } => list(picks, out, |pick, out| {
                let found = pick.and_then(|(index, place)| {
                    let (level, shape) = levels.get(index)?;
                    Some((shape, reading.below(*level, place).next()?))
                });
                match found {
                    None => out.extend_from_slice(NULL),
                    Some((shape, theirs)) => shape.write(reading, theirs, out)?,
                }
                Ok(())
            })?,
            Self::Denied(_) => return Err(Stop::Null),
            Self::Nullable(inner) => {
                let start = out.len();
                match inner.write(reading, row, out) {
                    Err(Stop::Null) => {
                        out.truncate(start);
                        out.extend_from_slice(NULL);
                    }
                    other => other?,
                }
            }
        }
        Ok(())
    }

    /// Bytes that it holds, about.
    pub fn weight(&self) -> usize {
        let inside = match self {
            Self::Text(text) => text.len(),
            Self::Object { fields, .. } => fields
                .iter()
                .map(|(key, shape)| key.len() + shape.weight())
                .sum(),
            Self::One { row, .. }
            | Self::Rows { row, .. }
            | Self::Nullable(row)
            | Self::Paid(_, row) => row.weight(),
            Self::Picked { levels, picks } => {
                let levels: usize = levels.iter().map(|(_, shape)| shape.weight()).sum();
                levels + size_of_val(picks.as_slice())
            }
            Self::Value(..) | Self::More { .. } | Self::Edge { .. } | Self::Denied(_) => 0,
        };
        size_of::<Self>() + size_of::<String>() + inside
    }
}

const NULL: &[u8] = b"null";

/// Which of the rows that were read is the one at that place of the page.
pub(super) fn turned(page: Page, shown: usize, at: usize) -> usize {
    match page.backward {
        true => shown.saturating_sub(1 + at),
        false => at,
    }
}

fn list<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    mut each: impl FnMut(T, &mut Vec<u8>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(item, out)?;
    }
    out.push(b']');
    Ok(())
}

/// An object of such fields. GraphQL names need no escaping.
pub(crate) fn object<T>(
    fields: &[(String, T)],
    out: &mut Vec<u8>,
    mut each: impl FnMut(&T, &mut Vec<u8>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    out.push(b'{');
    for (index, (key, field)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":");
        each(field, out)?;
    }
    out.push(b'}');
    Ok(())
}
