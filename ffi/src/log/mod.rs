//! The log, handed to the host.

mod layer;
mod outlet;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tracing_subscriber::layer::SubscriberExt;

use crate::error::SeatportError;
use crate::host::Held;
use layer::HostLayer;
use outlet::Outlet;

/// How long the sink that is replaced has to take what was logged for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much is at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed, and somebody has to look.
    Error,
    /// Something is not as it ought to be; Seatport goes on.
    Warn,
    /// What a person who runs this wants to know.
    Info,
    /// What helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// A line of the log. It never holds a secret: no login code, no password, no key, nor what people write.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LogRecord {
    /// When.
    pub at: SystemTime,
    /// How much is at stake.
    pub level: LogLevel,
    /// The part of Seatport that says it, such as `seatport::runtime::actor`.
    pub target: String,
    /// What it says.
    pub message: String,
    /// What it says it of, by name: `session`, `error`, …
    pub fields: HashMap<String, String>,
}

/// Takes the log.
#[uniffi::export(rust, foreign)]
pub trait LogSink: Send + Sync {
    /// Takes some lines, in order. Called from a thread of its own, for one batch after the other: Seatport does not wait for it, and
    /// what does not fit into the queue meanwhile is counted, and told in the next batch. What Seatport does on this thread while
    /// it is called is not logged.
    ///
    /// # Errors
    /// These lines are lost, and counted.
    fn write(&self, records: Vec<LogRecord>) -> Result<(), SeatportError>;
}

/// The sink that is set. Held while it is changed, so that of two changes each is whole.
static OUTLET: Mutex<Option<Outlet>> = Mutex::new(None);

/// Hands the log of all instances in this process to `sink`, from this level on; none hands it to nobody, as at first. Only what
/// Seatport itself says, not what libraries below it do.
///
/// The sink that was set before takes what was logged for it, and is not called any more when this answers, unless that takes it
/// longer than 10 s.
///
/// # Errors
/// `Host` when another part of this process already takes the log of all Rust code in it.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>, level: LogLevel) -> Result<(), SeatportError> {
    let sink = sink.map(Held::new);
    if sink.is_some() {
        layer::install()?;
    }
    let mut outlet = OUTLET.lock();
    let next = sink.map(Outlet::open).transpose()?;
    layer::direct(next.as_ref().map(|outlet| (outlet.queue(), level)));
    if let Some(before) = std::mem::replace(&mut *outlet, next) {
        before.close(PATIENCE);
    }
    Ok(())
}

/// The subscriber of the process: the layer, and what it needs below it.
fn subscriber() -> impl tracing::Subscriber + Send + Sync {
    tracing_subscriber::registry().with(HostLayer)
}
