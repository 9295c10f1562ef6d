//! The embedded storage of Seatport: one SQLite file.
//!
//! [`SqliteStorage`] implements [`Storage`] on SQLite, which is built in: nothing has to be installed.
//!
//! ```
//! use seatport::Agent;
//! use seatport::agent::Role;
//! use seatport::storage::{AgentStore, Storage};
//! use seatport_sqlite::SqliteStorage;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("seatport.db");
//! let storage = SqliteStorage::open(&path).await?;
//! storage.put_agent(Agent::new("mei", "Mei Lin", Role::Supervisor)?).await?;
//! storage.close().await?;
//!
//! let storage = SqliteStorage::open(&path).await?;
//! assert_eq!(storage.agents().await?[0].name, "Mei Lin");
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! - **One process per file.** A lock file beside the database keeps a second process out, and tells whoever opens the database
//!   that every earlier owner of a session is dead: a restart need not wait for leases to run out. Why that is so, and why the
//!   register of living nodes is therefore in memory, is in `docs/adr/0003-one-process-per-sqlite-file.md`.
//! - **One writer.** What many callers commit at the same moment lands in one transaction, which waits for the disk once.
//! - **Some readers.** They neither wait for the writer nor hold it up (write-ahead log).
//! - **Private files.** The database and the files beside it (`-wal`, `-shm`, `-lock`) have mode 0600.
//! - **Deleted means gone.** SQLite overwrites what is deleted, and the write-ahead log is emptied after a deletion. A session's
//!   texts leave the indexes in small pieces, so that nobody waits for the deletion of a large one.
//! - **A search finds words of any length, anywhere in a text.** The indexes hold pieces of one to three characters and nothing
//!   else of the texts; letter case is folded character by character.
//!
//! A file that is damaged, that belongs to another application or to a newer version of Seatport, that cannot be written to or
//! is in use: each is refused with an error kind of its own, and is left as it was.

mod agent;
mod audit;
mod codes;
mod commit;
mod consumer;
mod conversation;
mod delete;
mod error;
mod event;
mod file;
mod head;
mod lead;
mod lease;
mod ledger;
mod lock;
mod open;
mod options;
mod page;
mod port;
mod readers;
mod search;
mod session;
mod sql;
mod vault;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use seatport::storage::{Change, Notice, Storage, StorageError};
use tokio::sync::broadcast;
use tokio::task::spawn_blocking;

pub use lock::Lock;
pub use options::{SqliteOptions, Synchronous};

use error::abandoned;
use lease::Nodes;
use readers::Readers;
use writer::Writer;

/// How many hints a receiver may be behind before it has to read everything again.
const CHANGES_KEPT: usize = 4096;

/// A storage in one SQLite file. Its clones share the connections.
///
/// Its methods must be called inside a tokio runtime, whose blocking threads do the reading and writing. Call
/// [`close`](Storage::close) before opening the file again: a storage that is just dropped finishes first what it has begun.
#[derive(Clone, Debug)]
pub struct SqliteStorage {
    writer: Writer,
    readers: Arc<Readers>,
    nodes: Arc<Nodes>,
    changes: broadcast::Sender<Change>,
    notices: broadcast::Sender<Notice>,
}

impl SqliteStorage {
    /// Opens the database at this path, or creates it, with the options' defaults. Its directory must exist.
    ///
    /// # Errors
    /// The kinds of the error tell apart what went wrong, and it has changed nothing:
    /// [`InUse`](seatport::storage::StorageErrorKind::InUse) when another process (or this one) has it open,
    /// [`NewerVersion`](seatport::storage::StorageErrorKind::NewerVersion),
    /// [`Corrupt`](seatport::storage::StorageErrorKind::Corrupt) when it is damaged or not a database of Seatport,
    /// [`ReadOnly`](seatport::storage::StorageErrorKind::ReadOnly) when the file or its directory cannot be written to,
    /// [`Full`](seatport::storage::StorageErrorKind::Full), [`Busy`](seatport::storage::StorageErrorKind::Busy), and
    /// [`Other`](seatport::storage::StorageErrorKind::Other), for instance when there is no such directory.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::options().open(path).await
    }

    /// How to open a database, to be set before it is opened.
    #[must_use]
    pub fn options() -> SqliteOptions {
        SqliteOptions::default()
    }

    async fn open_with(path: PathBuf, options: SqliteOptions) -> Result<Self, StorageError> {
        let file = path.clone();
        let opening = spawn_blocking(move || open::open(&path, &options));
        let opened = opening.await.unwrap_or_else(|_| Err(abandoned(&file)))?;
        let changes = broadcast::Sender::new(CHANGES_KEPT);
        Ok(Self {
            writer: Writer::new(opened.file.clone(), opened.writer, opened.lock, changes.clone()),
            readers: Arc::new(Readers::new(opened.file, opened.readers)),
            nodes: Arc::default(),
            changes,
            notices: broadcast::Sender::new(CHANGES_KEPT),
        })
    }
}

#[async_trait]
impl Storage for SqliteStorage {
    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn notify(&self, notice: Notice) -> Result<(), StorageError> {
        self.writer.check_open()?;
        // An error means that nobody listens, which is no fault.
        let _ = self.notices.send(notice.checked()?);
        Ok(())
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    async fn close(&self) -> Result<(), StorageError> {
        self.writer.refuse_more();
        // The writer comes last: the last connection to go moves the write-ahead log into the database and removes it.
        self.readers.close().await?;
        self.writer.close().await
    }
}
