//! Where the log comes from.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::SystemTime;

use parking_lot::RwLock;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::error::SeatportError;
use crate::log::outlet::{self, Queue};
use crate::log::{LogLevel, LogRecord, subscriber};

/// Where what is logged goes, and from which level on.
static DIRECTION: RwLock<Option<(Arc<Queue>, LogLevel)>> = RwLock::new(None);
/// Whether the layer could be put in place.
static INSTALLED: OnceLock<bool> = OnceLock::new();

/// Puts the layer in place, once for the process.
pub(super) fn install() -> Result<(), SeatportError> {
    match INSTALLED.get_or_init(|| tracing::subscriber::set_global_default(subscriber()).is_ok()) {
        true => Ok(()),
        false => Err(SeatportError::Host {
            detail: "another part of this process takes the log of all Rust code already; read it there".to_owned(),
        }),
    }
}

/// Changes where what is logged goes.
pub(super) fn direct(to: Option<(Arc<Queue>, LogLevel)>) {
    *DIRECTION.write() = to;
    // The levels are remembered at every place that logs.
    tracing::callsite::rebuild_interest_cache();
}

/// Hands what Seatport says to the queue.
pub(super) struct HostLayer;

impl<S: Subscriber> Layer<S> for HostLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if ours(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let from = DIRECTION.read().as_ref().map(|(_, level)| *level);
        ours(metadata) && from.is_some_and(|from| level(metadata.level()) <= from)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let from = DIRECTION.read().as_ref().map(|(_, level)| *level);
        Some(match from {
            None => LevelFilter::OFF,
            Some(LogLevel::Error) => LevelFilter::ERROR,
            Some(LogLevel::Warn) => LevelFilter::WARN,
            Some(LogLevel::Info) => LevelFilter::INFO,
            Some(LogLevel::Debug) => LevelFilter::DEBUG,
            Some(LogLevel::Trace) => LevelFilter::TRACE,
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if outlet::is_inside_a_sink() {
            return;
        }
        let queue = DIRECTION.read().as_ref().map(|(queue, _)| queue.clone());
        let Some(queue) = queue else { return };
        let mut words = Words::default();
        event.record(&mut words);
        let metadata = event.metadata();
        queue.put(LogRecord {
            at: SystemTime::now(),
            level: level(metadata.level()),
            target: metadata.target().to_owned(),
            message: words.message,
            fields: words.fields,
        });
    }
}

/// Whether Seatport says it. What libraries below it log, nobody here has looked through for secrets.
fn ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("seatport")
}

fn level(level: &Level) -> LogLevel {
    match *level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

#[derive(Default)]
struct Words {
    message: String,
    fields: HashMap<String, String>,
}

impl Words {
    fn put(&mut self, field: &Field, text: String) {
        match field.name() {
            "message" => self.message = text,
            name => drop(self.fields.insert(name.to_owned(), text)),
        }
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}
