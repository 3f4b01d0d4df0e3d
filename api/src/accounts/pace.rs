//! Answers that take equally long whether or not an address has an account.

use std::{future::Future, time::Duration};

/// Several times what the work takes, and little to somebody who waits for a mail.
const LEAST: Duration = Duration::from_millis(25);

/// Does the work and answers no sooner than a fixed time after it began: an address with an account needs a few
/// statements and a flush more than one without, and that would show.
pub async fn evenly<T>(work: impl Future<Output = T>) -> T {
    let (answer, ()) = futures_util::future::join(work, tokio::time::sleep(LEAST)).await;
    answer
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn quick_work_is_answered_no_sooner_than_slow_work() {
        let start = Instant::now();
        assert_eq!(evenly(async { 1 }).await, 1);
        assert!(start.elapsed() >= LEAST);
    }
}
