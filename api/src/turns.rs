//! Turns at a database whose processors are few: more statements at once than it can work on take from each other, and
//! each is served by a process whose memory has grown cold. Who waits for a lock or a disk works on nothing: after a
//! while their turn is somebody else's.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

/// Who lets others go first rests so many times as long as it worked, while they have all their turns.
const RESTS: u32 = 9;
/// However long it worked.
const LONGEST_REST: Duration = Duration::from_millis(200);
/// How often it looks whether they still do.
const LOOK: Duration = Duration::from_millis(5);

/// A bound on what is at work at the same time, not on what is under way.
#[derive(Debug)]
pub struct Turns {
    free: Semaphore,
    /// What is under way for longer waits for something else than a processor.
    longest: Duration,
}

/// A turn that was given; over when dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    permit: Option<SemaphorePermit<'a>>,
    longest: Duration,
}

impl Turns {
    /// So many turns at once, each of them no longer than that.
    pub fn new(at_once: usize, longest: Duration) -> Self {
        let at_once = at_once.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            free: Semaphore::new(at_once),
            longest,
        }
    }

    /// The next turn, in the order of arrival.
    pub async fn next(&self) -> Turn<'_> {
        Turn {
            // It is never closed.
            permit: self.free.acquire().await.ok(),
            longest: self.longest,
        }
    }

    /// Whether all are given: whoever comes next has to wait.
    pub fn are_given(&self) -> bool {
        self.free.available_permits() == 0
    }
}

impl Turn<'_> {
    /// Does the work and keeps the turn for as long as work takes.
    pub async fn of<T>(mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        match timeout(self.longest, &mut work).await {
            Ok(done) => done,
            Err(_) => {
                self.permit = None;
                work.await
            }
        }
    }
}

/// Work that nobody waits for: so much of it at once, and next to none while those who are waited for have all their turns.
/// It never stops, so that nothing waits for ever where a rush has no end.
#[derive(Debug)]
pub struct Behind {
    places: Arc<Semaphore>,
    ahead: Vec<Arc<Turns>>,
    longest: Duration,
    rests_until: Mutex<Instant>,
}

/// A place that was given; free when dropped, or after the longest time that work takes.
#[derive(Debug)]
pub struct Place {
    behind: Arc<Behind>,
    begun: Instant,
    given_back: AbortHandle,
}

impl Behind {
    /// So many places, each of them kept no longer than that, behind those turns.
    pub fn new(at_once: usize, longest: Duration, ahead: Vec<Arc<Turns>>) -> Arc<Self> {
        let places = Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS));
        Arc::new(Self {
            places: Arc::new(places),
            ahead,
            longest,
            rests_until: Mutex::new(Instant::now()),
        })
    }

    /// The next place, in the order of arrival.
    pub async fn next(self: &Arc<Self>) -> Place {
        // It is never closed.
        let permit = self.places.clone().acquire_owned().await.ok();
        while self.ahead.iter().any(|turns| turns.are_given()) {
            let rest = self.rests_until().saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            sleep(rest.min(LOOK)).await;
        }
        Place {
            behind: self.clone(),
            begun: Instant::now(),
            given_back: keep(permit, self.longest),
        }
    }

    fn rests_until(&self) -> MutexGuard<'_, Instant> {
        // An instant is whole whoever panicked.
        self.rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until that time has passed, or the answer is aborted.
fn keep(permit: Option<OwnedSemaphorePermit>, longest: Duration) -> AbortHandle {
    let kept = tokio::spawn(async move {
        sleep(longest).await;
        drop(permit);
    });
    kept.abort_handle()
}

impl Drop for Place {
    fn drop(&mut self) {
        self.given_back.abort();
        let rest = (self.begun.elapsed() * RESTS).min(LONGEST_REST);
        let mut until = self.behind.rests_until();
        *until = (*until).max(Instant::now() + rest);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, future};

    use super::*;

    #[tokio::test]
    async fn the_next_one_waits_for_the_end_of_a_turn() {
        let turns = Turns::new(1, Duration::MAX);
        let turn = turns.next().await;
        assert!(turns.next().now_or_never().is_none());
        assert_eq!(turn.of(async { 7 }).await, 7);
        assert!(turns.next().now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_takes_long_lets_others_by() {
        let turns = Turns::new(1, Duration::from_millis(10));
        let turn = turns.next().await;
        let endless = pin!(turn.of(future::pending::<()>()));
        let next = pin!(turns.next());
        let first = future::select(endless, next).await;
        assert!(matches!(first, future::Either::Right(_)));
    }

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn who_is_not_waited_for_rests_while_others_have_all_turns() {
        let ahead = Arc::new(Turns::new(1, Duration::MAX));
        let behind = Behind::new(1, Duration::MAX, vec![ahead.clone()]);
        let work = async || {
            let place = behind.next().await;
            sleep(SOON).await;
            drop(place);
        };
        let turn = ahead.next().await;
        work().await;
        let begun = Instant::now();
        // It comes, although they still have them.
        let place = behind.next().await;
        assert!(begun.elapsed() >= SOON * RESTS);
        drop(turn);
        sleep(SOON).await;
        drop(place);
        let begun = Instant::now();
        drop(behind.next().await);
        assert!(begun.elapsed() < SOON * RESTS, "nobody is ahead any more");
    }

    #[tokio::test]
    async fn a_place_is_not_kept_for_longer_than_work_takes() {
        let behind = Behind::new(1, SOON, vec![]);
        let _waits_for_a_lock = behind.next().await;
        let begun = Instant::now();
        let _next = behind.next().await;
        assert!(begun.elapsed() >= SOON / 2);
    }
}
