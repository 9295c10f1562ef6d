//! What SQLite and the file system say, as [`StorageError`]s.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;
use seatport::storage::{StorageError, StorageErrorKind};

/// Why a piece of work on a connection was given up.
#[derive(Debug)]
pub(crate) enum Failure {
    /// One of the answers the traits speak of.
    Refused(StorageError),
    /// SQLite failed.
    Sqlite(rusqlite::Error),
}

impl Failure {
    /// The error for the caller. Names the file if SQLite failed.
    pub(crate) fn into_error(self, file: &Path) -> StorageError {
        match self {
            Self::Refused(error) => error,
            Self::Sqlite(error) => sqlite(file, Arc::new(error)),
        }
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Refused(error)
    }
}

impl From<StorageErrorKind> for Failure {
    fn from(kind: StorageErrorKind) -> Self {
        Self::Refused(kind.into())
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// SQLite's error, typed. Shared, because one failed transaction fails all requests that were merged into it.
pub(crate) fn sqlite(file: &Path, error: Arc<rusqlite::Error>) -> StorageError {
    let kind = match &*error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StorageErrorKind::Busy,
            ErrorCode::DiskFull => StorageErrorKind::Full,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StorageErrorKind::ReadOnly,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StorageErrorKind::Corrupt,
            _ => StorageErrorKind::Other,
        },
        // A row that does not hold what was written into it.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => StorageErrorKind::Corrupt,
        _ => StorageErrorKind::Other,
    };
    let what = match kind {
        StorageErrorKind::Busy => "is being written to by another program; try again",
        StorageErrorKind::Full => "has no space left on its disk; free some and try again",
        StorageErrorKind::ReadOnly => "cannot be written to; check the permissions of the file and its directory",
        StorageErrorKind::Corrupt => "is damaged or not a database of Seatport; restore a backup or name another file",
        _ => "could not be read or written",
    };
    StorageError::new(kind, format!("{} {what}", file.display())).caused_by(error)
}

/// What the file system said, typed; `doing` completes "… could not be".
pub(crate) fn file_system(file: &Path, doing: &str, error: io::Error) -> StorageError {
    let file = file.display();
    let (kind, message) = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => (
            StorageErrorKind::ReadOnly,
            format!("{file} could not be {doing}; check the permissions of the file and its directory"),
        ),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
            StorageErrorKind::Full,
            format!("{file} could not be {doing}: no space left on its disk; free some and try again"),
        ),
        io::ErrorKind::NotFound => (
            StorageErrorKind::Other,
            format!("{file} could not be {doing}: its directory does not exist; create it first"),
        ),
        io::ErrorKind::IsADirectory => {
            (StorageErrorKind::Other, format!("{file} could not be {doing}: it is a directory; name a file in it"))
        }
        _ => (StorageErrorKind::Other, format!("{file} could not be {doing}: {error}")),
    };
    StorageError::new(kind, message).caused_by(error)
}

/// The answer when the task that did the work is gone.
pub(crate) fn abandoned(file: &Path) -> StorageError {
    let file = file.display();
    StorageError::new(
        StorageErrorKind::Other,
        format!(
            "{file}: the work was given up, because its thread panicked or the tokio runtime is shutting down; read again what was stored"
        ),
    )
}
