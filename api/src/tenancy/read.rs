//! Reads: role and settings, preludes, one statement, sent in one flight that is one transaction.

use std::{sync::Arc, time::Duration};

use eventsphere_graphql::{
    engine::{Columns, Param, ReadFailure},
    plan::Flight,
};
use tokio_postgres::types::{ToSql, Type};

use super::{
    actor::{Actor, Role},
    context,
    door::{Door, DoorError, DoorOptions, PoolState},
    together::{Shared, Together},
    wire::{Row, Step, Value, WireError, WirePool},
};
use crate::turns::Turns;

/// Flights of people that a processor of the database works on at once: while one is on its way, the other.
const AT_ONCE: usize = 2;
/// A flight that is under way for longer waits for a disk, or is worth a processor of its own.
const WORKS_AT_MOST: Duration = Duration::from_millis(50);

/// Why a read gave nothing.
pub type ReadError = ReadFailure;

/// One pool a weak role: a connection has that role from its start, so its prepared plans never have to be made anew.
pub(super) struct ReadPool {
    public: Arc<Together>,
    attendee: WirePool,
    member: WirePool,
    turns: Option<Arc<Turns>>,
}

impl ReadPool {
    pub(super) fn new(options: &DoorOptions) -> Result<Self, DoorError> {
        let turns = options
            .processors
            .map(|processors| Arc::new(Turns::new(processors * AT_ONCE, WORKS_AT_MOST)));
        let pool = |name, role, longest: Duration, turns| {
            let mut settings = vec![
                // Nothing that a read calls can write, whatever its author thought.
                ("default_transaction_read_only", "on".to_owned()),
                ("statement_timeout", longest.as_millis().to_string()),
            ];
            let nobody = context::of_nobody(role);
            settings.extend(nobody.map(|(name, value)| (name, value.to_owned())));
            options.wires(name, &settings, turns)
        };
        let visitors = options.visitor_statement_timeout;
        Ok(Self {
            public: Arc::new(Together::new(
                pool("visitors", Role::Public, visitors, None)?,
                options.pool_size,
                options.wait,
            )),
            attendee: pool("attendees", Role::Attendee, visitors, turns.as_ref())?,
            member: pool(
                "members",
                Role::Member,
                options.statement_timeout,
                turns.as_ref(),
            )?,
            turns,
        })
    }

    pub(super) fn turns(&self) -> Option<Arc<Turns>> {
        self.turns.clone()
    }

    pub(super) fn states(&self) -> Vec<PoolState> {
        let pools = [self.public.pool(), &self.attendee, &self.member];
        let mut states = pools.map(WirePool::state);
        let waiting = &mut states[0].waiting;
        *waiting = waiting.map(|waiting| waiting + self.public.waiting());
        states.into()
    }

    /// How often visitors shared a flight.
    pub(super) fn shared(&self) -> &Shared {
        self.public.shared()
    }

    fn of(&self, role: Role) -> Result<&WirePool, ReadFailure> {
        match role {
            Role::Public => Ok(self.public.pool()),
            Role::Attendee => Ok(&self.attendee),
            Role::Member => Ok(&self.member),
            Role::System => Err(ReadFailure::Unavailable("no reads as system".into())),
        }
    }
}

impl Door {
    /// Runs the flight as the actor; its row as it came.
    pub async fn read(
        &self,
        actor: &Actor,
        flight: &Flight,
    ) -> Result<Box<dyn Columns>, ReadFailure> {
        // The one kind of flight that others may share: the connection stands for nobody, and nothing says who asks.
        if actor.role() == Role::Public {
            return self.read.public.read(flight).await;
        }
        let person = context::of_actor(actor, actor.org_id());
        let secrets = context::guest_hashes(actor);
        let mut steps = Vec::with_capacity(flight.preludes.len() + 3);
        steps.push(context::person_step(&person, flight.by_key));
        if let Some(hashes) = &secrets {
            steps.push(context::guest_step(hashes));
        }
        steps.extend(steps_of(flight));
        let rows = self.read.of(actor.role())?.fly(&steps).await?;
        Ok(Box::new(one_row(rows)?))
    }
}

/// Preludes and statement of the flight.
pub(super) fn steps_of(flight: &Flight) -> Vec<Step<'_>> {
    // The texts of preludes come from the catalog: there are few, and they stay.
    let preludes = flight.preludes.iter().map(|prelude| Step {
        sql: &prelude.sql,
        values: values(&prelude.params),
        keep: true,
    });
    let statement = Step {
        sql: &flight.sql,
        values: values(&flight.params),
        keep: !flight.fresh,
    };
    preludes.chain([statement]).collect()
}

/// The row of a statement, which gives exactly one.
pub(super) fn one_row(mut rows: Vec<Row>) -> Result<Row, ReadFailure> {
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) => Ok(row),
        _ => Err(ReadFailure::Unavailable("one row was expected".into())),
    }
}

impl Columns for Row {
    fn column(&self, index: usize) -> Option<&[u8]> {
        Row::column(self, index)
    }
}

fn values(params: &[Param]) -> Vec<Value<'_>> {
    params.iter().map(as_typed).collect()
}

fn as_typed(param: &Param) -> (&(dyn ToSql + Sync), Type) {
    match param {
        Param::Text(value) => (value, Type::TEXT),
        Param::Uuid(value) => (value, Type::UUID),
        Param::Int(value) => (value, Type::INT4),
        Param::BigInt(value) => (value, Type::INT8),
        Param::Bool(value) => (value, Type::BOOL),
        Param::Timestamp(value) => (value, Type::TIMESTAMPTZ),
        Param::Date(value) => (value, Type::DATE),
        Param::Texts(value) => (value, Type::TEXT_ARRAY),
        Param::Uuids(value) => (value, Type::UUID_ARRAY),
        Param::Ints(value) => (value, Type::INT4_ARRAY),
        Param::BigInts(value) => (value, Type::INT8_ARRAY),
        Param::Timestamps(value) => (value, Type::TIMESTAMPTZ_ARRAY),
        Param::Dates(value) => (value, Type::DATE_ARRAY),
    }
}

impl From<WireError> for ReadFailure {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Sql { code, message } => Self::Sql { code, message },
            WireError::Broken(reason) => Self::Unavailable(reason),
        }
    }
}
