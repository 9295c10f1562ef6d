//! The storage of Seatport for many nodes: one PostgreSQL database.
//!
//! [`PostgresStorage`] implements [`Storage`] on PostgreSQL, version 14 or later. Any number of processes may open the same database
//! at once: they share its sessions, and learn from one another what was written.
//!
//! ```no_run
//! use seatport::storage::{AgentStore, Storage};
//! use seatport_postgres::PostgresStorage;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let storage = PostgresStorage::open("postgres://seatport:secret@db.example/office?sslmode=verify-full").await?;
//! let agents = storage.agents().await?;
//! storage.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! - **A schema for each organisation.** Tables are made, and brought up to date, when a storage is opened. The user needs the right to
//!   create the schema (`CREATE` on the database), or one that it owns already.
//! - **Commits in batches.** A few writers take what many callers commit at the same moment and run it as one transaction: one
//!   round trip to lock and load, one to store with one statement for each table, and one to commit. A refused commit does not
//!   disturb the others.
//! - **Ownership on the database's clock.** Leases never look at the clock of a node. A write with a fence checks it while it holds
//!   the session's row.
//! - **Trying again.** A deadlock, a lost connection, a restart of the server: all that can be tried again without doing anything
//!   twice is tried again, for [a while](PostgresOptions::retry_for). Where an answer to `COMMIT` was lost, the database is asked whether it
//!   landed.
//! - **Notifications are wake-ups.** `LISTEN` and `NOTIFY` carry hints to the other processes, and polling finds what they miss.
//!
//! # The URL
//!
//! `postgres://user:password@host:port/database?parameter=value&…`, as libpq has it. Several hosts, separated by commas, are those of a primary and
//! its standbys: the one that takes writes is used, and after a failover the one that does then.
//!
//! TLS is used as `sslmode` says, and whenever it is used, the server's certificate **and its name are verified**:
//!
//! | `sslmode` | |
//! | --- | --- |
//! | `disable` | no TLS |
//! | `prefer`, and without the parameter | TLS if the server has it. An attacker on the way can say that it has not |
//! | `require`, `verify-ca`, `verify-full` | TLS or nothing; all three the same |
//!
//! The authorities that may vouch for a server are those that browsers trust, or those in the file that `sslrootcert` names.
//!
//! Connect to the server itself, or to a pooler in *session* mode that passes `options` on. A pooler in transaction mode does not do:
//! notifications, prepared statements and settings belong to a connection.

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
