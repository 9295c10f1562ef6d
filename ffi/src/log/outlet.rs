//! The way of the log into the host.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Condvar, Mutex};

use crate::error::SeatportError;
use crate::host::{Held, Trouble, inside};
use crate::log::{LogLevel, LogRecord, LogSink};

/// How many lines may wait for the host.
const WAITING: usize = 4096;
/// How many lines the host is handed at once.
const BATCH: usize = 256;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is one that hands the log over: what happens on it is not logged, or the log would never end.
pub(super) fn is_inside_a_sink() -> bool {
    INSIDE.get()
}

/// The lines that wait for one sink.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to do.
    due: Condvar,
    /// The sink is called no more.
    over: Condvar,
}

#[derive(Debug, Default)]
struct State {
    records: VecDeque<LogRecord>,
    /// How many lines were lost since it was last told.
    lost: u64,
    closing: bool,
    ended: bool,
}

impl Queue {
    /// Adds a line, unless too many wait.
    pub(super) fn put(&self, record: LogRecord) {
        let mut state = self.state.lock();
        if state.records.len() < WAITING && !state.closing {
            state.records.push_back(record);
            self.due.notify_one();
        } else {
            state.lost += 1;
        }
    }

    /// The next lines; none at the end.
    fn next(&self) -> Option<Vec<LogRecord>> {
        let mut state = self.state.lock();
        while state.records.is_empty() && !state.closing {
            self.due.wait(&mut state);
        }
        let count = state.records.len().min(BATCH);
        let mut batch: Vec<LogRecord> = state.records.drain(..count).collect();
        // At the end nothing more is told of what was lost last: a sink that fails would have no end.
        if state.lost > 0 && !batch.is_empty() {
            batch.insert(0, lines_lost(std::mem::take(&mut state.lost)));
        }
        (!batch.is_empty()).then_some(batch)
    }

    fn lose(&self, lines: usize) {
        self.state.lock().lost += lines as u64;
    }

    fn end(&self) {
        self.state.lock().ended = true;
        self.over.notify_all();
    }
}

fn lines_lost(lines: u64) -> LogRecord {
    LogRecord {
        at: SystemTime::now(),
        level: LogLevel::Warn,
        target: "seatport_ffi::log".to_owned(),
        message: "lines of the log were lost: the host takes them too slowly, or failed to".to_owned(),
        fields: HashMap::from([("lines".to_owned(), lines.to_string())]),
    }
}

/// A sink, and the thread that it is called on.
#[derive(Debug)]
pub(super) struct Outlet {
    queue: Arc<Queue>,
    thread: ThreadId,
}

impl Outlet {
    /// Begins to hand over to this sink.
    pub(super) fn open(sink: Held<dyn LogSink>) -> Result<Self, SeatportError> {
        let queue = Arc::new(Queue::default());
        let lines = queue.clone();
        let hand_over = move || {
            INSIDE.set(true);
            while let Some(batch) = lines.next() {
                let count = batch.len();
                match inside("write", || sink.write(batch)) {
                    Ok(Ok(())) => {}
                    Err(Trouble::Left) => break,
                    Ok(Err(_)) | Err(_) => lines.lose(count),
                }
            }
            drop(sink);
            lines.end();
        };
        let spawned = thread::Builder::new().name("seatport-log".to_owned()).spawn(hand_over);
        let thread =
            spawned.map_err(|error| SeatportError::Internal { detail: format!("no thread for the log: {error}") })?;
        Ok(Self { queue, thread: thread.thread().id() })
    }

    pub(super) fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    /// Hands over what is left, and waits for that, unless it is the sink itself that asks.
    pub(super) fn close(self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut state = self.queue.state.lock();
        state.closing = true;
        self.queue.due.notify_all();
        if thread::current().id() == self.thread {
            return;
        }
        while !state.ended {
            if self.queue.over.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
    }
}
