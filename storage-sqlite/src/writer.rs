//! The one writer: what many callers want written at the same moment lands in one transaction (group commit).
//!
//! Callers put requests into a queue. Whoever finds nobody leading starts a leader on tokio's blocking threads: it takes what
//! waits, runs all of it in one transaction, commits once, and answers; meanwhile the next batch gathers. A commit waits for
//! the disk, so this is worth an order of magnitude. Once queued, a request happens whether or not its caller still waits.
//!
//! Requests of a batch do not disturb one another. One that is refused has written nothing yet, so the others just go on. One
//! that fails half-way spoils the transaction: it is rolled back, and each request of the batch gets a transaction of its own.
//! Savepoints would do as well, but every request would pay for them, a quarter of its price, and hardly one needs them.
//!
//! All blocking work is done by `spawn_blocking`, which tokio's paused clock waits for; it would run ahead of a thread of ours.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use seatport::storage::{Change, StorageError, StorageErrorKind};
use tokio::sync::{Notify, broadcast, oneshot};
use tokio::task::spawn_blocking;

use crate::error::{Failure, abandoned, sqlite};
use crate::lock::Lock;
use crate::search::index::Texts;

/// How many requests one transaction takes at most, so that the first of them does not wait for all of a flood.
const BATCH: usize = 1024;

/// How long to leave it when readers held it up.
const SWEEP_AGAIN: Duration = Duration::from_secs(10);

/// How long readers may hold up the removal of deleted content; after that it is tried again with the next batch.
const SWEEP_PATIENCE: Duration = Duration::from_millis(100);

/// The writer. Its clones are the same one.
#[derive(Clone)]
pub(crate) struct Writer(Arc<Shared>);

struct Shared {
    file: PathBuf,
    queue: Mutex<Queue>,
    /// Locked by the leader for as long as it leads.
    ground: Mutex<Option<Ground>>,
    /// Told whenever nobody leads any more.
    rested: Notify,
    changes: broadcast::Sender<Change>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Box<dyn Request>>,
    led: bool,
    closed: bool,
}

/// What the writer stands on. The lock comes last: fields are dropped in their order.
struct Ground {
    connection: Connection,
    /// Whether deleted content may still be in the write-ahead log, and when to try again to have it removed.
    to_sweep: Option<Instant>,
    _lock: Lock,
}

/// One request's view of the transaction.
pub(crate) struct Step<'a> {
    /// The connection, inside the transaction.
    pub(crate) connection: &'a Connection,
    /// What becomes of the indexes of texts.
    pub(crate) texts: &'a Texts,
    /// What is announced once the transaction is durable.
    changes: Vec<Change>,
    sweep: bool,
}

impl Step<'_> {
    /// Announces this once the transaction is durable.
    pub(crate) fn announce(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Has the content that this request deletes removed from the write-ahead log as well.
    pub(crate) fn sweep(&mut self) {
        self.sweep = true;
    }
}

/// A request, whatever its result is.
trait Request: Send {
    /// Does the work, perhaps not for the first time; answers whether it succeeded.
    fn run(&mut self, step: &mut Step<'_>, shared: &Shared) -> bool;

    /// Tells the caller how it ended: as the work did, unless the whole batch was `lost`.
    fn answer(self: Box<Self>, lost: Option<StorageError>);
}

struct Job<T, F> {
    work: F,
    outcome: Option<Result<T, StorageError>>,
    reply: oneshot::Sender<Result<T, StorageError>>,
}

impl<T, F> Request for Job<T, F>
where
    T: Send,
    F: Fn(&mut Step<'_>) -> Result<T, Failure> + Send,
{
    fn run(&mut self, step: &mut Step<'_>, shared: &Shared) -> bool {
        // A panic is a fault of this request alone, like any other failure.
        let outcome = match catch_unwind(AssertUnwindSafe(|| (self.work)(step))) {
            Ok(outcome) => outcome.map_err(|failure| failure.into_error(&shared.file)),
            Err(_) => Err(abandoned(&shared.file)),
        };
        self.outcome.insert(outcome).is_ok()
    }

    fn answer(self: Box<Self>, lost: Option<StorageError>) {
        let outcome = match (self.outcome, lost) {
            (Some(Err(refused)), _) => Err(refused),
            (_, Some(lost)) => Err(lost),
            (Some(done), None) => done,
            // Every request of a batch that was not lost has run.
            (None, None) => return,
        };
        // An error means that the caller no longer waits.
        let _ = self.reply.send(outcome);
    }
}

impl Writer {
    /// A writer on this connection, which holds the lock until it is closed.
    pub(crate) fn new(file: PathBuf, connection: Connection, lock: Lock, changes: broadcast::Sender<Change>) -> Self {
        let ground = Ground { connection, to_sweep: None, _lock: lock };
        Self(Arc::new(Shared {
            file,
            queue: Mutex::default(),
            ground: Mutex::new(Some(ground)),
            rested: Notify::new(),
            changes,
        }))
    }

    /// Does this work as a whole or not at all, and answers once it is durable.
    ///
    /// The work decides whether it refuses before it writes anything. It may be run again if what met it in its batch failed.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: Fn(&mut Step<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Box::new(Job { work, outcome: None, reply }))?;
        answer.await.unwrap_or_else(|_| Err(self.abandoned()))
    }

    /// The answer when the task that was at work is gone.
    pub(crate) fn abandoned(&self) -> StorageError {
        abandoned(&self.0.file)
    }

    /// Refuses once the storage was closed.
    pub(crate) fn check_open(&self) -> Result<(), StorageError> {
        if self.0.queue.lock().closed { Err(StorageErrorKind::Closed.into()) } else { Ok(()) }
    }

    /// Announces what is kept in memory only.
    pub(crate) fn announce(&self, change: Change) {
        // An error means that nobody listens, which is no fault.
        let _ = self.0.changes.send(change);
    }

    fn enqueue(&self, request: Box<dyn Request>) -> Result<(), StorageError> {
        {
            let mut queue = self.0.queue.lock();
            if queue.closed {
                return Err(StorageErrorKind::Closed.into());
            }
            queue.waiting.push_back(request);
            if std::mem::replace(&mut queue.led, true) {
                return Ok(());
            }
        }
        let leader = Leader { shared: self.0.clone(), done: false };
        spawn_blocking(move || leader.lead());
        Ok(())
    }

    /// Takes no more requests, from now on.
    pub(crate) fn refuse_more(&self) {
        self.0.queue.lock().closed = true;
    }

    /// Finishes what is queued, and then lets go of the database and its lock.
    pub(crate) async fn close(&self) -> Result<(), StorageError> {
        self.refuse_more();
        loop {
            let rested = self.0.rested.notified();
            if !self.0.queue.lock().led {
                break;
            }
            rested.await;
        }
        let shared = self.0.clone();
        let closing = spawn_blocking(move || match shared.ground.lock().take() {
            // The lock is let go of after the connection is closed, whether or not that went well.
            Some(Ground { connection, _lock, .. }) => {
                connection.close().map_err(|(_, error)| sqlite(&shared.file, Arc::new(error)))
            }
            None => Ok(()),
        });
        closing.await.unwrap_or_else(|_| Err(abandoned(&self.0.file)))
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("file", &self.0.file).finish_non_exhaustive()
    }
}

/// Whoever serves the queue. There is at most one, because `led` is set when one is made.
struct Leader {
    shared: Arc<Shared>,
    done: bool,
}

impl Leader {
    fn lead(mut self) {
        let shared = self.shared.clone();
        let mut ground = shared.ground.lock();
        while let Some(batch) = self.next() {
            // There is ground to stand on until the writer is closed, and it is closed only when nobody leads.
            if let Some(ground) = ground.as_mut() {
                shared.serve(ground, batch);
            }
        }
    }

    /// The next requests. When there are none, this leader's time is over: the one who comes next starts another.
    fn next(&mut self) -> Option<Vec<Box<dyn Request>>> {
        let mut queue = self.shared.queue.lock();
        if queue.waiting.is_empty() {
            queue.led = false;
            self.done = true;
            return None;
        }
        let count = queue.waiting.len().min(BATCH);
        Some(queue.waiting.drain(..count).collect())
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        // A leader that panicked, or never ran because the runtime is shutting down, must not keep the queue waiting for ever:
        // its requests are dropped, which their callers learn, and the next request finds nobody leading.
        if !self.done {
            let mut queue = self.shared.queue.lock();
            let given_up = std::mem::take(&mut queue.waiting);
            queue.led = false;
            drop(queue);
            drop(given_up);
        }
        self.shared.rested.notify_waiters();
    }
}

impl Shared {
    /// Lands a batch, announces what changed, and answers.
    fn serve(&self, ground: &mut Ground, mut batch: Vec<Box<dyn Request>>) {
        let landed = self.land(ground, &mut batch);
        // At once for the batch that deletes, so that what is gone is gone when it is answered; while readers hold that up, now
        // and then, so that they do not hold up everybody else as well.
        if ground.to_sweep.is_some_and(|due| Instant::now() >= due) {
            ground.to_sweep = (!swept(&ground.connection)).then(|| Instant::now() + SWEEP_AGAIN);
        }
        match landed {
            Ok(changes) => {
                for change in changes {
                    // An error means that nobody listens, which is no fault.
                    let _ = self.changes.send(change);
                }
                batch.into_iter().for_each(|request| request.answer(None));
            }
            Err(Lost::Spoiled) if batch.len() > 1 => {
                batch.into_iter().for_each(|request| self.serve(ground, vec![request]));
            }
            Err(Lost::Spoiled) => batch.into_iter().for_each(|request| request.answer(None)),
            Err(Lost::Sqlite(error)) => {
                let lost = || Some(sqlite(&self.file, error.clone()));
                batch.into_iter().for_each(|request| request.answer(lost()));
            }
        }
    }

    fn land(&self, ground: &mut Ground, batch: &mut [Box<dyn Request>]) -> Result<Vec<Change>, Lost> {
        let connection = &ground.connection;
        let (mut changes, texts) = (Vec::new(), Texts::default());
        // Rolls back when it is dropped without a commit.
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        for request in batch {
            let written = connection.total_changes();
            let mut step = Step { connection, texts: &texts, changes: Vec::new(), sweep: false };
            if request.run(&mut step, self) {
                changes.append(&mut step.changes);
                if step.sweep {
                    ground.to_sweep = Some(Instant::now());
                }
            } else if connection.total_changes() != written || connection.is_autocommit() {
                // It has written something; or SQLite rolled back by itself, as it does when the disk is full, for instance.
                return Err(Lost::Spoiled);
            }
        }
        texts.write(connection)?;
        transaction.commit()?;
        Ok(changes)
    }
}

/// Why a whole batch did not land.
enum Lost {
    /// The transaction could not be begun or committed.
    Sqlite(Arc<rusqlite::Error>),
    /// One request failed half-way.
    Spoiled,
}

impl From<rusqlite::Error> for Lost {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

/// Moves the write-ahead log into the database and empties it: it still holds what was deleted, and the database, where
/// SQLite overwrites deleted content, no longer does. Answers whether readers let it.
fn swept(connection: &Connection) -> bool {
    let sweep = || {
        let patience: u64 = connection.query_row("PRAGMA busy_timeout", [], |row| row.get(0))?;
        connection.busy_timeout(SWEEP_PATIENCE)?;
        let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        connection.busy_timeout(Duration::from_millis(patience))?;
        busy
    };
    match sweep() {
        Ok(busy) => !busy,
        Err(error) => {
            tracing::warn!(%error, "deleted content stays in the write-ahead log until the next write");
            false
        }
    }
}

#[cfg(test)]
mod tests;
