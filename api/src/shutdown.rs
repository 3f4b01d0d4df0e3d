//! The wish to stop, however it arrives: Ctrl-C, SIGTERM, or the terminal going away.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Ends with the first signal; a second one asks for haste.
#[derive(Clone, Debug)]
pub struct Shutdown {
    wished: CancellationToken,
    haste: CancellationToken,
}

impl Shutdown {
    /// From here on signals no longer end the process by themselves, so call it before anything is started that must
    /// be stopped in order.
    pub fn listen() -> std::io::Result<Self> {
        let mut signals = vec![
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        ];
        if !hangup_is_ignored() {
            signals.push(signal(SignalKind::hangup())?);
        }
        let shutdown = Self {
            wished: CancellationToken::new(),
            haste: CancellationToken::new(),
        };
        let told = shutdown.clone();
        tokio::spawn(async move {
            any(&mut signals).await;
            told.wished.cancel();
            any(&mut signals).await;
            told.haste.cancel();
        });
        Ok(shutdown)
    }

    /// Returns once we should stop.
    pub async fn wished(&self) {
        self.wished.cancelled().await;
    }

    /// Returns once we should stop without waiting for others.
    pub async fn haste(&self) {
        self.haste.cancelled().await;
    }

    /// For tasks that end with the program.
    pub fn token(&self) -> CancellationToken {
        self.wished.clone()
    }
}

async fn any(signals: &mut [Signal]) {
    let waits = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures_util::future::select_all(waits).await;
}

/// `nohup` starts programs with SIGHUP ignored; a handler of ours would undo that.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}
