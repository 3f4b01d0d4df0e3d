//! The way out to one client: a bounded queue, and the reasons for which its connection ends.

use std::sync::{Arc, OnceLock};

use super::Subscribed;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Messages that may wait for a client. One that lets more pile up is cut off: it comes back with its last cursor.
pub const MOST_WAITING: usize = 128;

/// What a client is sent, and what its connection must know of.
pub enum Out {
    /// That subscription has begun; it ends with this.
    Began(Arc<str>, Subscribed),
    /// A message of the subscription of that name: the whole response, JSON. Everybody in a group shares its bytes.
    Next(Arc<str>, Arc<str>),
    /// That subscription is refused or failed: a list of errors, JSON.
    Error(Arc<str>, Arc<str>),
    /// That operation is done.
    Complete(Arc<str>),
}

/// Why a connection ends, whatever its client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It reads too slowly.
    Slow,
    /// Its token, session or role is not what it was.
    Forbidden,
    /// Something cannot be read now; later it can.
    TryAgain,
}

/// The end of a connection, told from outside.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    why: Arc<OnceLock<End>>,
    over: CancellationToken,
}

impl Ending {
    /// Ends it; the first reason counts.
    pub fn end(&self, why: End) {
        let _ = self.why.set(why);
        self.over.cancel();
    }

    /// Returns the reason once there is one.
    pub async fn ended(&self) -> End {
        self.over.cancelled().await;
        self.why.get().copied().unwrap_or(End::TryAgain)
    }
}

/// Where messages of one subscription go.
#[derive(Clone, Debug)]
pub struct Outlet {
    /// The client's name for it.
    pub name: Arc<str>,
    queue: mpsc::Sender<Out>,
    ending: Ending,
}

impl Outlet {
    /// For the subscription of that name.
    pub fn new(name: &str, queue: mpsc::Sender<Out>, ending: Ending) -> Self {
        Self {
            name: name.into(),
            queue,
            ending,
        }
    }

    /// Hands a message over without waiting; `false` when the client is gone, or too slow and now cut off.
    pub fn pass(&self, body: &Arc<str>) -> bool {
        let next = Out::Next(self.name.clone(), body.clone());
        match self.queue.try_send(next) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.ending.end(End::Slow);
                false
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    /// The same, waiting for room; for what is sent to this client alone.
    pub async fn send(&self, body: Arc<str>) {
        let _ = self.queue.send(Out::Next(self.name.clone(), body)).await;
    }

    /// Leaves it to the connection.
    pub async fn began(&self, subscribed: Subscribed) {
        let _ = self
            .queue
            .send(Out::Began(self.name.clone(), subscribed))
            .await;
    }

    /// Says that it is refused or failed; nothing follows.
    pub async fn fail(&self, errors: Arc<str>) {
        let _ = self.queue.send(Out::Error(self.name.clone(), errors)).await;
    }

    /// Says that nothing follows.
    pub async fn complete(&self) {
        let _ = self.queue.send(Out::Complete(self.name.clone())).await;
    }

    /// Ends the whole connection.
    pub fn end(&self, why: End) {
        self.ending.end(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_reads_nothing_is_cut_off() {
        let (queue, mut read) = mpsc::channel(2);
        let ending = Ending::default();
        let outlet = Outlet::new("1", queue, ending.clone());
        let body: Arc<str> = "{}".into();
        assert!(outlet.pass(&body) && outlet.pass(&body));
        assert!(!outlet.pass(&body));
        assert_eq!(ending.ended().await, End::Slow);
        outlet.end(End::Forbidden);
        assert_eq!(ending.ended().await, End::Slow);
        read.close();
        assert!(!outlet.pass(&body));
    }
}
