//! Turns at a database whose processors are few: more statements at once than it can work on take from each other, and
//! each is served by a process whose memory has grown cold. Who waits for a lock or a disk works on nothing: after a
//! while their turn is somebody else's.

use std::{pin::pin, time::Duration};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

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
}
