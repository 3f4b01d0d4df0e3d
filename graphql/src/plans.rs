//! Plans made lately, by document, operation and standing of the caller. A document is planned once for each shape of
//! its variables; other values fill the same statement.

use std::sync::Arc;

use moka::sync::Cache;

use crate::{
    catalog::Catalog,
    given::Variables,
    plan::{Flight, Plan},
};

/// Bytes of all plans that are kept, about.
const KEPT_BYTES: u64 = 16 * 1024 * 1024;
/// Shapes of variables for which one operation is kept planned. A client uses one or two; pages of every size are
/// more, and are then planned anew.
const MOST_SHAPES: usize = 16;

/// What a plan is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Number of the document.
    pub document: u64,
    /// Name of the operation.
    pub operation: Option<Box<str>>,
    /// Standing of the caller.
    pub standing: Arc<str>,
}

/// The plans.
#[derive(Clone)]
pub(crate) struct Plans {
    known: Cache<Key, Arc<[Arc<Plan>]>>,
}

impl Plans {
    /// None yet.
    pub(crate) fn new() -> Self {
        let weight = |_: &Key, plans: &Arc<[Arc<Plan>]>| {
            let weight: usize = plans.iter().map(|plan| plan.weight()).sum();
            u32::try_from(weight).unwrap_or(u32::MAX)
        };
        Self {
            known: Cache::builder()
                .max_capacity(KEPT_BYTES)
                .weigher(weight)
                .build(),
        }
    }

    /// A plan that serves these variables, with its flight. Where a value does not fit its parameter there is none:
    /// compiling finds the words for that.
    pub(crate) fn find(
        &self,
        key: &Key,
        catalog: &Catalog,
        variables: &Variables,
    ) -> Option<(Arc<Plan>, Option<Flight>)> {
        let plans = self.known.get(key)?;
        // Which values of a cursor are null is found only as its slot is filled.
        let mut serving = plans.iter().filter(|plan| plan.serves(variables));
        serving.find_map(|plan| Some((plan.clone(), plan.flight(catalog, variables).ok()?)))
    }

    /// Keeps a plan; the oldest shape of the same operation makes room.
    pub(crate) fn keep(&self, key: Key, plan: Arc<Plan>) {
        let known = self.known.get(&key);
        let others = known.iter().flat_map(|plans| plans.iter().cloned());
        let plans = std::iter::once(plan).chain(others).take(MOST_SHAPES);
        self.known.insert(key, plans.collect());
    }
}
