//! How a database is opened.

use std::path::Path;
use std::time::Duration;

use seatport::storage::StorageError;

use crate::SqliteStorage;

/// When SQLite waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Synchronous {
    /// At every commit: what was acknowledged survives a power failure.
    #[default]
    Full,
    /// Now and then: several times as many commits, and a power failure, or a crash of the operating system, may take the
    /// last of them along. The death of the process alone takes nothing, and the database is never damaged.
    Normal,
}

impl Synchronous {
    /// SQLite's word for it.
    pub(crate) fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// How a database is opened; made by [`SqliteStorage::options`].
///
/// ```
/// use std::time::Duration;
/// use seatport::storage::Storage;
/// use seatport_sqlite::{SqliteStorage, Synchronous};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("seatport.db");
/// let storage = SqliteStorage::options()
///     .synchronous(Synchronous::Normal)
///     .readers(2)
///     .busy_timeout(Duration::from_secs(1))
///     .open(&path)
///     .await?;
/// storage.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    pub(crate) synchronous: Synchronous,
    pub(crate) readers: usize,
    pub(crate) busy_timeout: Duration,
}

impl Default for SqliteOptions {
    /// Full synchronisation, 4 readers, a busy timeout of 5 s.
    fn default() -> Self {
        Self { synchronous: Synchronous::Full, readers: 4, busy_timeout: Duration::from_secs(5) }
    }
}

impl SqliteOptions {
    /// When SQLite waits for the disk. [`Synchronous::Full`] unless set.
    #[must_use]
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// How many reads may go on at the same time, each on a connection of its own. 4 unless set, and never less than 1.
    #[must_use]
    pub fn readers(mut self, count: usize) -> Self {
        self.readers = count.max(1);
        self
    }

    /// How long to wait for another program that is writing to the file, the `sqlite3` shell for instance, before the answer is
    /// [`Busy`](seatport::storage::StorageErrorKind::Busy). 5 s unless set.
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Opens the database at this path, or creates it; see [`SqliteStorage::open`].
    ///
    /// # Errors
    /// Those of [`SqliteStorage::open`].
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteStorage, StorageError> {
        SqliteStorage::open_with(path.as_ref().to_owned(), self).await
    }
}
