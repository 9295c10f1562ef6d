//! The readers: a fixed number of read-only connections, lent out to one call each.
//!
//! Two parts of tokio's make the pool. `deadpool-sqlite` was the alternative: it opens its connections for writing, and asks
//! each one on a blocking thread whether it is well before it lends it out, which doubles the price of a short read.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use seatport::storage::{StorageError, StorageErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::error::{Failure, abandoned};

/// The pool.
pub(crate) struct Readers {
    file: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    /// As many permits as connections. Closed with the storage.
    permits: Arc<Semaphore>,
    count: u32,
}

/// A connection on loan. It goes back before the permit does: fields are dropped after `drop` has run.
struct Loan {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.idle.lock().extend(self.connection.take());
    }
}

impl Readers {
    /// A pool of these connections.
    pub(crate) fn new(file: PathBuf, connections: Vec<Connection>) -> Self {
        let count = u32::try_from(connections.len()).unwrap_or(u32::MAX);
        let permits = Arc::new(Semaphore::new(connections.len()));
        Self { file, idle: Arc::new(Mutex::new(connections)), permits, count }
    }

    /// Reads, all of it from one state of the database: one that holds every commit acknowledged before the call.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let Ok(permit) = self.permits.clone().acquire_owned().await else {
            return Err(StorageErrorKind::Closed.into());
        };
        let connection = self.idle.lock().pop();
        let loan = Loan { connection, idle: self.idle.clone(), _permit: permit };
        let reading = spawn_blocking(move || {
            let Some(connection) = &loan.connection else { return Err(StorageErrorKind::Closed.into()) };
            let snapshot = connection.unchecked_transaction()?;
            work(&snapshot)
        });
        match reading.await {
            Ok(outcome) => outcome.map_err(|failure| failure.into_error(&self.file)),
            Err(_) => Err(abandoned(&self.file)),
        }
    }

    /// Waits for the calls that are reading, refuses the next ones, and closes the connections.
    pub(crate) async fn close(&self) -> Result<(), StorageError> {
        // An error means that they were closed before.
        if let Ok(_all) = self.permits.acquire_many(self.count).await {
            self.permits.close();
        }
        let idle = self.idle.clone();
        spawn_blocking(move || idle.lock().clear()).await.map_err(|_| abandoned(&self.file))
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("file", &self.file).field("count", &self.count).finish_non_exhaustive()
    }
}
