//! The row of a statement for several requests, cut into the rows that each of them would have got alone.

use std::ops::Range;

use super::{Found, Malformed, reading::starts, wire};
use crate::engine::Columns;

const NO_LEVEL: Malformed = Malformed("no such level");

/// How such a row is cut. Its first columns are those of the statement for one request, all as arrays; others follow.
#[derive(Clone, Debug)]
pub struct Split {
    /// Of each column of the statement for one request, the level that it belongs to.
    pub columns: Vec<usize>,
    /// Of each level, to whom its rows belong. Level 0 are the requests.
    pub levels: Vec<Side>,
}

/// How the rows of a level belong to others.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// To whom.
    pub belongs: Belongs,
    /// How rows of this level are found in the row for one request.
    pub found: Found,
}

/// To whom rows belong.
#[derive(Clone, Copy, Debug)]
pub enum Belongs {
    /// One to each request.
    Each,
    /// All of them to every request: no value of theirs is in it.
    Everybody,
    /// To rows of that level above; the column says to which, counted from 1 over all requests.
    Below(usize, usize),
}

/// What one request would have got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    bytes: Vec<u8>,
    columns: Vec<Option<Range<usize>>>,
}

impl Columns for Cut {
    fn column(&self, index: usize) -> Option<&[u8]> {
        let range = self.columns.get(index)?.clone()?;
        self.bytes.get(range)
    }
}

const OTHER_LENGTH: Malformed = Malformed("columns of different lengths");

impl Split {
    /// The rows of so many requests.
    pub fn cut(&self, row: &dyn Columns, requests: usize) -> Result<Vec<Cut>, Malformed> {
        let ranges = self.ranges(row, requests)?;
        let mut cuts = vec![Cut::default(); requests];
        for (index, level) in self.columns.iter().enumerate() {
            let (Some(side), Some(theirs)) = (self.levels.get(*level), ranges.get(*level)) else {
                return Err(NO_LEVEL);
            };
            let raw = row.column(index);
            let items = raw.map_or(Ok(vec![]), wire::items)?;
            if theirs.last().is_some_and(|last| last.end != items.len()) {
                return Err(OTHER_LENGTH);
            }
            let header = raw.map_or([0; 4], wire::item_type);
            for (at, (cut, range)) in cuts.iter_mut().zip(theirs).enumerate() {
                let items = items.get(range.clone()).ok_or(OTHER_LENGTH)?;
                match (side.found, items) {
                    (Found::One(_), []) => cut.columns.push(None),
                    (Found::One(_), [value]) => cut.value(*value),
                    (Found::One(_), _) => return Err(Malformed("several rows for one")),
                    // An aggregate over no rows is null.
                    (_, []) => cut.columns.push(None),
                    (found, items) => match side.belongs {
                        Belongs::Below(above, _) if found == Found::By(index) => {
                            let above = ranges.get(above).and_then(|above| above.get(at));
                            cut.places(items, header, above.ok_or(NO_LEVEL)?.start)?;
                        }
                        _ => cut.array(items, header)?,
                    },
                }
            }
        }
        Ok(cuts)
    }

    /// Of each level the rows of each request.
    fn ranges(
        &self,
        row: &dyn Columns,
        requests: usize,
    ) -> Result<Vec<Vec<Range<usize>>>, Malformed> {
        let mut ranges: Vec<Vec<Range<usize>>> = vec![];
        for (level, side) in self.levels.iter().enumerate() {
            let (above, by) = match side.belongs {
                Belongs::Each => {
                    ranges.push((0..requests).map(|at| at..at + 1).collect());
                    continue;
                }
                Belongs::Everybody => {
                    let shown = self.columns.iter().position(|of| *of == level);
                    let all = row.column(shown.ok_or(NO_LEVEL)?);
                    let many = all.map_or(Ok(vec![]), wire::items)?.len();
                    ranges.push(vec![0..many; requests]);
                    continue;
                }
                Belongs::Below(above, by) => (above, by),
            };
            let places = row.column(by).map_or(Ok(vec![]), wire::items)?;
            let starts = starts(&places)?;
            let above = ranges.get(above).ok_or(NO_LEVEL)?;
            // Places end with the last row above that has rows here.
            let start = |place: usize| starts.get(place).copied().unwrap_or(places.len());
            let known = above.last().map_or(0, |last| last.end);
            if starts.len() > known + 1 {
                return Err(Malformed("a row of no request"));
            }
            let theirs = above
                .iter()
                .map(|above| start(above.start)..start(above.end));
            ranges.push(theirs.collect());
        }
        Ok(ranges)
    }
}

impl Cut {
    fn value(&mut self, value: Option<&[u8]>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.columns.push(value.map(|_| start..self.bytes.len()));
    }

    fn array(&mut self, items: &[Option<&[u8]>], of: [u8; 4]) -> Result<(), Malformed> {
        let start = self.bytes.len();
        wire::write(items, of, &mut self.bytes)?;
        self.columns.push(Some(start..self.bytes.len()));
        Ok(())
    }

    /// Numbers of the rows above, counted from the request's own first one.
    fn places(
        &mut self,
        items: &[Option<&[u8]>],
        of: [u8; 4],
        before: usize,
    ) -> Result<(), Malformed> {
        let before = i64::try_from(before).map_err(|_| OTHER_LENGTH)?;
        let places = items.iter().map(|item| {
            let place = wire::number(item.ok_or(Malformed("a row of no place"))?)?;
            Ok((place - before).to_be_bytes())
        });
        let places = places.collect::<Result<Vec<[u8; 8]>, Malformed>>()?;
        let items: Vec<Option<&[u8]>> = places.iter().map(|place| Some(&place[..])).collect();
        self.array(&items, of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(Vec<Option<Vec<u8>>>);

    impl Columns for Row {
        fn column(&self, index: usize) -> Option<&[u8]> {
            self.0.get(index)?.as_deref()
        }
    }

    const INT8: [u8; 4] = 20_i32.to_be_bytes();

    fn array(items: &[Option<i64>]) -> Option<Vec<u8>> {
        let bytes: Vec<Option<[u8; 8]>> = items
            .iter()
            .map(|item| item.map(i64::to_be_bytes))
            .collect();
        let items: Vec<Option<&[u8]>> = bytes
            .iter()
            .map(|item| item.as_ref().map(|item| &item[..]))
            .collect();
        let mut out = vec![];
        wire::write(&items, INT8, &mut out).unwrap();
        Some(out)
    }

    /// One row by its key (columns 0), below it a list (1) with lists of its own (2 says of which, 3), a count (4), and
    /// what is the same for all (5).
    fn split() -> Split {
        let side = |belongs, found| Side { belongs, found };
        Split {
            columns: vec![1, 2, 3, 3, 0, 4],
            levels: vec![
                side(Belongs::Each, Found::One(None)),
                side(Belongs::Below(0, 6), Found::One(Some(0))),
                side(Belongs::Below(1, 7), Found::All),
                side(Belongs::Below(2, 2), Found::By(2)),
                side(Belongs::Everybody, Found::All),
            ],
        }
    }

    /// Three requests; the second one's row is not there, and of the third one's two list rows the first is empty.
    fn row() -> Row {
        let all = |items: &[i64]| array(&items.iter().copied().map(Some).collect::<Vec<_>>());
        Row(vec![
            all(&[10, 30]),
            array(&[Some(11), None, Some(31), Some(32)]),
            all(&[1, 2, 2, 4]),
            all(&[111, 121, 122, 321]),
            all(&[7, 8, 9]),
            all(&[5, 6]),
            all(&[1, 3]),
            all(&[1, 1, 2, 2]),
        ])
    }

    #[test]
    fn each_request_gets_what_it_would_have_got_alone() {
        let cuts = split().cut(&row(), 3).unwrap();
        let all = |items: &[i64]| array(&items.iter().copied().map(Some).collect::<Vec<_>>());
        let is = |request: usize, expected: [Option<Vec<u8>>; 5]| {
            for (index, expected) in expected.iter().enumerate() {
                assert_eq!(
                    cuts[request].column(index),
                    expected.as_deref(),
                    "{request} {index}"
                );
            }
            assert_eq!(cuts[request].column(5), all(&[5, 6]).as_deref());
            assert_eq!(cuts[request].column(6), None);
        };
        let plain = |value: i64| Some(value.to_be_bytes().to_vec());
        is(
            0,
            [
                plain(10),
                array(&[Some(11), None]),
                all(&[1, 2, 2]),
                all(&[111, 121, 122]),
                plain(7),
            ],
        );
        is(1, [None, None, None, None, plain(8)]);
        is(
            2,
            [plain(30), all(&[31, 32]), all(&[2]), all(&[321]), plain(9)],
        );
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let wrong = |column: usize, items: &[i64], requests: usize| {
            let mut row = row();
            row.0[column] = array(&items.iter().copied().map(Some).collect::<Vec<_>>());
            assert!(split().cut(&row, requests).is_err(), "{column} {items:?}");
        };
        wrong(0, &[10, 30, 50], 3);
        wrong(4, &[7, 8], 3);
        wrong(6, &[1, 4], 3);
        wrong(6, &[3, 1], 3);
        wrong(6, &[1, 1], 3);
        wrong(7, &[1, 1, 2, 3], 3);
        wrong(2, &[1, 2, 2, 5], 3);
        wrong(3, &[1, 2, 3], 3);
        assert!(split().cut(&row(), 2).is_err());
        let mut short = row();
        short.0[3].as_mut().unwrap().pop();
        assert!(split().cut(&short, 3).is_err());
    }
}
