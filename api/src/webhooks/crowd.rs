//! Who may wait for slow endpoints. All attempts of a process share the places of one queue, and an attempt at an endpoint
//! that is silent keeps its place for as long as we have patience. So an organization has a few places for endpoints that
//! are not known to be quick, and those that are need none of them: neither its own nor others' wait behind the silent.
//!
//! What is quick is remembered by each process for itself, from the last attempt that it made.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use uuid::Uuid;

/// Attempts of one organization, in one process, at endpoints that are not known to be quick.
const MOST: usize = 16;
/// Attempts of one organization in one process at all: who was quick may be silent the next time.
const MOST_AT_ALL: usize = 24;
/// An answer within this is quick.
const QUICK: Duration = Duration::from_secs(2);
/// How many quick endpoints are remembered; then all are forgotten, and prove themselves again.
const REMEMBERED: usize = 20_000;

/// All attempts of this process.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    quick: HashSet<Uuid>,
    /// By organization.
    taken: HashMap<Uuid, Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// At endpoints that are not known to be quick.
    few: usize,
    all: usize,
}

/// An attempt's place, until it is dropped.
pub(super) struct Place<'a> {
    crowd: &'a Crowd,
    org_id: Uuid,
    endpoint_id: Uuid,
    /// Whether it is one of the few.
    counted: bool,
}

impl Crowd {
    /// A place for an attempt at that endpoint, if there is one.
    pub fn enter(&self, org_id: Uuid, endpoint_id: Uuid) -> Option<Place<'_>> {
        let mut state = self.lock();
        let counted = !state.quick.contains(&endpoint_id);
        let taken = state.taken.entry(org_id).or_default();
        if taken.all >= MOST_AT_ALL || counted && taken.few >= MOST {
            return None;
        }
        taken.all += 1;
        taken.few += usize::from(counted);
        Some(Place {
            crowd: self,
            org_id,
            endpoint_id,
            counted,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counts are whole between any two lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// How long the endpoint took, and whether it answered at all.
    pub fn took(&self, took: Duration, answered: bool) {
        let mut state = self.crowd.lock();
        if !(answered && took <= QUICK) {
            state.quick.remove(&self.endpoint_id);
            return;
        }
        if state.quick.len() >= REMEMBERED {
            state.quick.clear();
        }
        state.quick.insert(self.endpoint_id);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.crowd.lock();
        if let Some(taken) = state.taken.get_mut(&self.org_id) {
            taken.all -= 1;
            taken.few -= usize::from(self.counted);
            if taken.all == 0 {
                state.taken.remove(&self.org_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_waits_for_few_and_its_quick_endpoints_for_none() {
        let crowd = Crowd::default();
        let (org, other, quick) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let long = QUICK + Duration::from_millis(1);
        crowd.enter(org, quick).unwrap().took(QUICK, true);
        let mut places: Vec<_> = (0..MOST)
            .map(|_| crowd.enter(org, Uuid::new_v4()).unwrap())
            .collect();
        assert!(crowd.enter(org, Uuid::new_v4()).is_none());
        assert!(crowd.enter(other, Uuid::new_v4()).is_some());
        assert!(crowd.enter(org, quick).is_some());
        crowd.enter(org, quick).unwrap().took(long, true);
        assert!(crowd.enter(org, quick).is_none(), "it is no longer quick");
        places.pop();
        crowd.enter(org, quick).unwrap().took(QUICK, false);
        crowd.enter(org, quick).unwrap().took(QUICK, true);
        places.extend((0..100).map_while(|_| crowd.enter(org, quick)));
        assert_eq!(places.len(), MOST_AT_ALL, "not all, either");
        drop(places);
        assert!(crowd.lock().taken.is_empty());
    }
}
