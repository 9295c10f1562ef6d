//! One process per file: a lock file beside the database, `<database>-lock`.
//!
//! The operating system holds the lock and lets go of it when the process ends, however it ends. Whoever holds it knows that
//! every earlier owner is dead; `docs/adr/0003-one-process-per-sqlite-file.md` says what follows from that.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use seatport::storage::{StorageError, StorageErrorKind};

use crate::error::file_system;
use crate::file::{beside, private, resolve};

/// The lock on a database: as long as one has it, no [`SqliteStorage`](crate::SqliteStorage) opens the file. Dropping it lets go;
/// the lock file stays, for removing it could remove a successor's.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the database at this path against Seatport, for a program that reads the file by itself. The database need not be
    /// there, but its directory.
    ///
    /// # Errors
    /// [`InUse`](StorageErrorKind::InUse) when it is open, in this process or another one; and what the file system says.
    pub fn of(database: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::take(&resolve(database.as_ref())?)
    }

    /// Locks the database, or says who has it.
    pub(crate) fn take(database: &Path) -> Result<Self, StorageError> {
        let path = beside(database, "-lock");
        let mut file =
            private().create(true).truncate(false).open(&path).map_err(|e| file_system(&path, "opened", e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(database, &path)),
            Err(TryLockError::Error(error)) => return Err(file_system(&path, "locked", error)),
        }
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(|e| file_system(&path, "written", e))?;
        Ok(Self { _file: file })
    }
}

/// The error that names the owner, as far as its process id can be read.
fn in_use(database: &Path, lock: &PathBuf) -> StorageError {
    let owner: Option<u32> = fs::read_to_string(lock).ok().and_then(|text| text.trim().parse().ok());
    let database = database.display();
    let message = match owner {
        Some(pid) if pid == std::process::id() => {
            format!("{database} is open in this process (pid {pid}) already; share that storage, or close it first")
        }
        Some(pid) => format!("{database} is in use by process {pid}; end that first, or name another file"),
        None => format!("{database} is in use by another process; end that first, or name another file"),
    };
    StorageError::new(StorageErrorKind::InUse, message)
}
