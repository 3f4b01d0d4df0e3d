//! One statement for several requests of the same plan.
//!
//! Much of what a small statement costs PostgreSQL does not depend on its rows: opening tables and indexes, making the
//! executor's nodes, the protocol. Requests that wait at the same time anyway can share that. Their values that differ
//! become arrays, each request is a row of a level above all others, and what comes back is cut into the very rows that
//! the requests would have got alone. Which requests wait together, and for whom that is right, is the host's business.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    engine::{Columns, Param},
    plan::Flight,
    rows::{Cut, Malformed, Split},
};

/// Points of all requests that share a statement: it should not run much longer than one that a visitor may send.
const POINTS: u64 = 4_000;
/// Requests that share a statement. More gain little, and wait for each other's rows.
const MOST: u64 = 16;

static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// What requests of one plan can share.
#[derive(Debug)]
pub struct Joint {
    /// The plan's own number, as long as the process lives.
    pub number: u64,
    /// Requests with different values that one statement serves; 1 where only those with the same values share it.
    pub most: usize,
    many: Option<Many>,
}

/// The statement for requests with different values.
#[derive(Clone, Debug)]
pub struct Many {
    /// Its text. A parameter stands where it stands in the statement for one.
    pub sql: Arc<str>,
    /// Of each parameter, whether it is an array of what the requests ask. The others must be the same for all.
    pub each: Vec<bool>,
    /// Whether any two flights of the plan suit each other.
    pub always: bool,
    /// How its row is cut.
    pub split: Split,
}

impl Joint {
    /// For a plan of that cost.
    pub(crate) fn new(many: Option<Many>, points: u64) -> Self {
        let most = (POINTS / points.max(1)).clamp(1, MOST);
        let most = usize::try_from(most).unwrap_or(1);
        Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            most: if many.is_some() { most } else { 1 },
            many: many.filter(|_| most > 1),
        }
    }

    /// Bytes that it holds, about.
    pub(crate) fn weight(&self) -> usize {
        let many = self.many.as_ref().map_or(0, |many| {
            many.sql.len() + 16 * many.split.columns.len() + 64 * many.split.levels.len()
        });
        128 + many
    }

    /// Whether it serves several requests whatever they ask: then it is worth a wait until one of few flights has landed.
    pub fn always_suits(&self) -> bool {
        self.many.as_ref().is_some_and(|many| many.always)
    }

    /// Whether two flights of this plan can share a statement.
    pub fn suit(&self, one: &Flight, other: &Flight) -> bool {
        let Some(many) = &self.many else {
            return is_same(one, other);
        };
        let mut params = one.params.iter().zip(&other.params).zip(&many.each);
        one.params.len() == other.params.len()
            && one.preludes == other.preludes
            && params.all(|((one, other), each)| *each || one == other)
    }

    /// The flight that serves all of these, which suit each other; `None` where there is none.
    pub fn flight(&self, flights: &[&Flight]) -> Option<Flight> {
        let (many, first) = (self.many.as_ref()?, flights.first()?);
        let params = first.params.iter().zip(&many.each).enumerate();
        let params = params.map(|(at, (param, each))| match each {
            false => Some(param.clone()),
            true => Param::list(flights.iter().map(|flight| flight.params.get(at))),
        });
        Some(Flight {
            params: params.collect::<Option<_>>()?,
            sql: many.sql.clone(),
            ..Flight::default()
        })
    }

    /// What each of so many requests would have got alone, in their order.
    pub fn cut(&self, row: &dyn Columns, requests: usize) -> Result<Vec<Cut>, Malformed> {
        match &self.many {
            Some(many) => many.split.cut(row, requests),
            None => Err(Malformed("a row that nobody shares")),
        }
    }
}

/// Whether two flights of one plan ask the very same.
pub fn is_same(one: &Flight, other: &Flight) -> bool {
    one.params == other.params && one.preludes == other.preludes
}

impl Param {
    /// The type of an array of such values, where we make one.
    pub(crate) fn list_type(&self) -> Option<&'static str> {
        match self {
            Self::Text(_) => Some("text[]"),
            Self::Uuid(_) => Some("uuid[]"),
            Self::Int(_) => Some("int4[]"),
            Self::BigInt(_) => Some("int8[]"),
            Self::Timestamp(_) => Some("timestamptz[]"),
            Self::Date(_) => Some("date[]"),
            _ => None,
        }
    }

    /// An array of these values, which are of one type.
    fn list<'p>(mut values: impl Iterator<Item = Option<&'p Self>>) -> Option<Self> {
        let mut list = match values.next()?? {
            Self::Text(value) => Self::Texts(vec![value.clone()]),
            Self::Uuid(value) => Self::Uuids(vec![*value]),
            Self::Int(value) => Self::Ints(vec![*value]),
            Self::BigInt(value) => Self::BigInts(vec![*value]),
            Self::Timestamp(value) => Self::Timestamps(vec![*value]),
            Self::Date(value) => Self::Dates(vec![*value]),
            _ => return None,
        };
        for value in values {
            match (&mut list, value?) {
                (Self::Texts(list), Self::Text(value)) => list.push(value.clone()),
                (Self::Uuids(list), Self::Uuid(value)) => list.push(*value),
                (Self::Ints(list), Self::Int(value)) => list.push(*value),
                (Self::BigInts(list), Self::BigInt(value)) => list.push(*value),
                (Self::Timestamps(list), Self::Timestamp(value)) => list.push(*value),
                (Self::Dates(list), Self::Date(value)) => list.push(*value),
                _ => return None,
            }
        }
        Some(list)
    }
}
