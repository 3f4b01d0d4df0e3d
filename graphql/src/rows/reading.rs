//! The row that a statement gave, taken apart into levels.

use std::{cell::Cell, ops::Range};

use super::{Malformed, wire};
use crate::engine::Columns;

/// How the columns of a statement belong together.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Of each column, the level that it belongs to. Level 0 is the answer itself.
    pub columns: Vec<usize>,
    /// Of each level, how its rows are found.
    pub levels: Vec<Found>,
}

/// How the rows of a level are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is one at most, and its columns are plain values. It is there where this column is not null; the answer
    /// itself (`None`) always.
    One(Option<usize>),
    /// The columns are arrays, and all rows belong to the one row of the level above.
    All,
    /// The columns are arrays, and this one says to which row of the level above a row belongs, counted from 1.
    By(usize),
}

/// The values of a row, by level.
#[derive(Debug, Default)]
pub struct Reading<'r> {
    columns: Vec<Vec<Option<&'r [u8]>>>,
    levels: Vec<Rows>,
    /// Points of what was written, besides its objects.
    paid: Cell<u64>,
}

/// Which rows of a level belong to which row of the level above.
#[derive(Debug, Default)]
struct Rows {
    many: usize,
    /// The first row of each place, and the end; `None` when all belong to one.
    starts: Option<Vec<usize>>,
}

impl<'r> Reading<'r> {
    /// Takes the row apart. Whatever does not fit together is refused here.
    pub fn new(layout: &Layout, row: &'r dyn Columns) -> Result<Self, Malformed> {
        let mut columns = Vec::with_capacity(layout.columns.len());
        let mut sizes: Vec<Option<usize>> = vec![None; layout.levels.len()];
        for (index, level) in layout.columns.iter().enumerate() {
            let items = match (layout.levels.get(*level), row.column(index)) {
                (None, _) => return Err(Malformed("no such level")),
                (Some(Found::One(_)), value) => vec![value],
                (_, None) => vec![],
                (_, Some(raw)) => wire::items(raw)?,
            };
            let size = &mut sizes[*level];
            if size.is_some_and(|size| size != items.len()) {
                return Err(Malformed("columns of different lengths"));
            }
            *size = Some(items.len());
            columns.push(items);
        }
        let items = |column: usize| columns.get(column).map_or(&[][..], Vec::as_slice);
        let levels = layout.levels.iter().zip(sizes).map(|(found, size)| {
            let (many, starts) = match found {
                Found::One(None) => (1, None),
                Found::One(Some(present)) => (items(*present).iter().flatten().count(), None),
                Found::All => (size.unwrap_or(0), None),
                Found::By(place) => (size.unwrap_or(0), Some(starts(items(*place))?)),
            };
            Ok(Rows { many, starts })
        });
        let levels = levels.collect::<Result<_, Malformed>>()?;
        Ok(Self {
            columns,
            levels,
            paid: Cell::default(),
        })
    }

    /// Notes points of what is written.
    pub(super) fn pay(&self, points: u64) {
        self.paid.set(self.paid.get() + points);
    }

    /// Points noted so far.
    pub(crate) fn paid(&self) -> u64 {
        self.paid.get()
    }

    /// The value of the column in that row of its level.
    pub(super) fn value(&self, column: usize, row: usize) -> Option<&'r [u8]> {
        self.columns.get(column)?.get(row).copied().flatten()
    }

    /// The rows of the level that belong to that row of the level above.
    pub(super) fn below(&self, level: usize, row: usize) -> Range<usize> {
        match self.levels.get(level) {
            None => 0..0,
            Some(Rows { many, starts: None }) => 0..*many,
            Some(Rows {
                starts: Some(starts),
                ..
            }) => match (starts.get(row), starts.get(row + 1)) {
                (Some(start), Some(end)) => *start..*end,
                _ => 0..0,
            },
        }
    }

    /// Bytes of all values.
    pub(crate) fn size(&self) -> usize {
        let values = self.columns.iter().flatten().flatten();
        values.map(|value| value.len()).sum()
    }
}

/// Where the rows of each place start. Rows of one place stand together, in the order of the places: the statement
/// walks the level above once, row by row.
pub(super) fn starts(places: &[Option<&[u8]>]) -> Result<Vec<usize>, Malformed> {
    let mut starts = vec![];
    for (row, place) in places.iter().enumerate() {
        let place = wire::number(place.ok_or(Malformed("a row of no place"))?)?;
        let place = usize::try_from(place).unwrap_or(0);
        if place < starts.len().max(1) || place > MOST_ROWS {
            return Err(Malformed("rows that are out of their order"));
        }
        starts.resize(place, row);
    }
    starts.push(places.len());
    Ok(starts)
}

/// Far more rows than any level has.
const MOST_ROWS: usize = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(places: &[i64]) -> Result<Vec<usize>, Malformed> {
        let raw: Vec<[u8; 8]> = places.iter().map(|place| place.to_be_bytes()).collect();
        let items: Vec<Option<&[u8]>> = raw.iter().map(|bytes| Some(&bytes[..])).collect();
        starts(&items)
    }

    #[test]
    fn rows_are_found_by_their_place() {
        // Two of the first, none of the second, one of the third.
        assert_eq!(of(&[1, 1, 3]), Ok(vec![0, 2, 2, 3]));
        assert_eq!(of(&[2]), Ok(vec![0, 0, 1]));
        assert_eq!(of(&[]), Ok(vec![0]));
        for wrong in [&[2, 1][..], &[0], &[-1], &[i64::MAX]] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}
