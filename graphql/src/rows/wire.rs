//! PostgreSQL's binary format, as far as we ask for it: arrays of one dimension, numbers, keys.

use super::Malformed;

/// The items of an array; `None` where one is null.
pub(super) fn items(raw: &[u8]) -> Result<Vec<Option<&[u8]>>, Malformed> {
    let mut input = Input(raw);
    let dimensions = input.int()?;
    // Whether there are nulls, and of which type the items are: neither changes how they are read.
    input.int()?;
    input.int()?;
    match dimensions {
        0 => return Ok(vec![]),
        1 => {}
        _ => return Err(Malformed("an array of several dimensions")),
    }
    let length = input.int()?;
    // The index of the first item.
    input.int()?;
    let length = usize::try_from(length).map_err(|_| Malformed("an array of negative length"))?;
    // Each item takes four bytes at least, so that a length which lies reserves no memory.
    if length > input.0.len() / 4 {
        return Err(CUT_SHORT);
    }
    let mut items = Vec::with_capacity(length);
    for _ in 0..length {
        items.push(match input.int()? {
            -1 => None,
            size => {
                let size = usize::try_from(size).map_err(|_| Malformed("an item of no size"))?;
                Some(input.take(size)?)
            }
        });
    }
    match input.0.is_empty() {
        true => Ok(items),
        false => Err(Malformed("more than the items of an array")),
    }
}

/// The type of the items of an array.
pub(super) fn item_type(raw: &[u8]) -> [u8; 4] {
    let oid = raw.get(8..12).and_then(|oid| oid.try_into().ok());
    oid.unwrap_or_default()
}

/// Writes an array as PostgreSQL does. Of no items there is none to write: those have no dimension.
pub(super) fn write(
    items: &[Option<&[u8]>],
    of: [u8; 4],
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let int = |size: usize| i32::try_from(size).map_err(|_| Malformed("an array of no size"));
    let has_nulls = items.iter().any(Option::is_none);
    out.extend_from_slice(&1_i32.to_be_bytes());
    out.extend_from_slice(&i32::from(has_nulls).to_be_bytes());
    out.extend_from_slice(&of);
    out.extend_from_slice(&int(items.len())?.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    for item in items {
        match item {
            None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(item) => {
                out.extend_from_slice(&int(item.len())?.to_be_bytes());
                out.extend_from_slice(item);
            }
        }
    }
    Ok(())
}

/// A number of whatever width.
pub(super) fn number(raw: &[u8]) -> Result<i64, Malformed> {
    match raw.len() {
        8 => fixed(raw).map(i64::from_be_bytes),
        4 => fixed(raw).map(|bytes| i32::from_be_bytes(bytes).into()),
        2 => fixed(raw).map(|bytes| i16::from_be_bytes(bytes).into()),
        _ => Err(Malformed("a number of an unknown width")),
    }
}

/// A value of that many bytes.
pub(super) fn fixed<const N: usize>(raw: &[u8]) -> Result<[u8; N], Malformed> {
    raw.try_into()
        .map_err(|_| Malformed("a value of another width"))
}

const CUT_SHORT: Malformed = Malformed("a value that is cut short");

struct Input<'r>(&'r [u8]);

impl<'r> Input<'r> {
    fn take(&mut self, size: usize) -> Result<&'r [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(size).ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn int(&mut self) -> Result<i32, Malformed> {
        fixed(self.take(4)?).map(i32::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(header: [i32; 5], items: &[Option<&[u8]>]) -> Vec<u8> {
        let mut raw: Vec<u8> = header.iter().flat_map(|n| n.to_be_bytes()).collect();
        for item in items {
            raw.extend(item.map_or(-1, |item| item.len() as i32).to_be_bytes());
            raw.extend(item.unwrap_or_default());
        }
        raw
    }

    #[test]
    fn items_and_nulls_are_read_in_their_order() {
        let given = [Some(&b"one"[..]), None, Some(b"")];
        let raw = array([1, 1, 25, 3, 1], &given);
        assert_eq!(items(&raw), Ok(given.to_vec()));
        assert_eq!(items(&raw[..12]).unwrap_err(), CUT_SHORT);
        let empty = array([0, 0, 25, 0, 0], &[]);
        assert_eq!(items(&empty[..12]), Ok(vec![]));
    }

    #[test]
    fn what_lies_is_refused_wherever_it_is_cut() {
        let raw = array([1, 0, 25, 2, 1], &[Some(b"one"), Some(b"two")]);
        for end in 0..raw.len() {
            assert!(items(&raw[..end]).is_err(), "{end}");
        }
        let one = [Some(&b"one"[..])];
        for header in [
            [1, 0, 25, 2, 1],
            [1, 0, 25, 0, 1],
            [1, 0, 25, -1, 1],
            [1, 0, 25, i32::MAX, 1],
            [2, 0, 25, 1, 1],
            [-1, 0, 25, 1, 1],
        ] {
            assert!(items(&array(header, &one)).is_err(), "{header:?}");
        }
        let mut negative = array([1, 0, 25, 1, 1], &[]);
        negative.extend((-2i32).to_be_bytes());
        assert!(items(&negative).is_err());
    }

    #[test]
    fn numbers_come_in_three_widths() {
        assert_eq!(number(&(-7i16).to_be_bytes()), Ok(-7));
        assert_eq!(number(&i32::MIN.to_be_bytes()), Ok(i32::MIN.into()));
        assert_eq!(number(&i64::MAX.to_be_bytes()), Ok(i64::MAX));
        assert!(number(&[1]).is_err());
        assert!(fixed::<16>(&[0; 15]).is_err());
    }
}
