#![doc = include_str!("../README.md")]
//!
//! [`PostgresStorage`] implements [`Storage`]; [`PostgresOptions`] says how it is opened.

mod agent;
mod audit;
mod codes;
mod commit;
mod connect;
mod consumer;
mod conversation;
mod core;
mod delete;
mod error;
mod event;
mod gate;
mod head;
mod hints;
mod hosts;
pub mod import;
mod lead;
mod lease;
mod ledger;
mod migrate;
mod open;
mod options;
mod page;
mod port;
mod retry;
mod search;
mod session;
mod sql;
mod statements;
mod transaction;
mod vault;
mod writer;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use seatport::storage::{Change, Notice, Storage, StorageError};
use tokio::sync::broadcast;

pub use options::PostgresOptions;

use crate::core::Core;
use crate::writer::Writers;

/// A storage in a PostgreSQL database. Its clones share the connections.
///
/// Its methods must be called inside the tokio runtime in which it was opened. A storage that is just dropped finishes first what it
/// has begun; [`close`](Storage::close) waits for that.
#[derive(Clone)]
pub struct PostgresStorage {
    handle: Arc<Handle>,
}

/// What the clones share. The tasks in the background end with it.
struct Handle {
    core: Arc<Core>,
    writers: Writers,
}

impl PostgresStorage {
    /// Opens the database at this URL, with the options' defaults.
    ///
    /// # Errors
    /// The kinds of the error tell apart what went wrong: [`Busy`](seatport::storage::StorageErrorKind::Busy) when no server can be reached or it
    /// takes no more connections, [`NewerVersion`](seatport::storage::StorageErrorKind::NewerVersion),
    /// [`Corrupt`](seatport::storage::StorageErrorKind::Corrupt) when the schema holds other tables than Seatport's,
    /// [`ReadOnly`](seatport::storage::StorageErrorKind::ReadOnly) for a standby, and
    /// [`Other`](seatport::storage::StorageErrorKind::Other), for instance when the password is wrong, there is no such database or the user
    /// may not create the schema. No error repeats the password.
    pub async fn open(url: &str) -> Result<Self, StorageError> {
        Self::options().open(url).await
    }

    /// How to open a database, to be set before it is opened.
    #[must_use]
    pub fn options() -> PostgresOptions {
        PostgresOptions::default()
    }
}

impl fmt::Debug for PostgresStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStorage").field("core", &self.handle.core).finish()
    }
}

#[async_trait]
impl Storage for PostgresStorage {
    fn changes(&self) -> broadcast::Receiver<Change> {
        self.handle.core.hints.changes()
    }

    async fn notify(&self, notice: Notice) -> Result<(), StorageError> {
        let _call = self.handle.core.gate.enter()?;
        self.handle.core.hints.notify(notice.checked()?);
        Ok(())
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.handle.core.hints.notices()
    }

    async fn close(&self) -> Result<(), StorageError> {
        self.handle.core.close().await;
        Ok(())
    }
}
