//! The one error of all storages.

use std::error::Error as StdError;

use crate::error::Retry;

/// What went wrong in a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// What was to be changed is not there.
    NotFound,
    /// What was to be created is there already.
    Exists,
    /// The row changed since it was read. Read it again and decide anew.
    Stale,
    /// Another process (or a later owner in this one) drives the session. Stop at once.
    Fenced,
    /// No port is free.
    PoolFull {
        /// How many ports there are.
        capacity: u32,
        /// How many are occupied.
        occupied: u32,
    },
    /// The agent is still bound to sessions.
    AgentBound {
        /// To how many.
        sessions: u64,
    },
    /// The session is not at rest.
    NotStopped,
    /// Another process has the database open, or this one has it open already.
    InUse,
    /// The database was written by a newer version of Seatport.
    NewerVersion,
    /// The file is not a database of Seatport, or it is damaged.
    Corrupt,
    /// The database cannot be written to.
    ReadOnly,
    /// The disk is full.
    Full,
    /// The database is busy or away.
    Busy,
    /// The storage was closed.
    Closed,
    /// Anything else; the source says what.
    Other,
}

/// A storage's failure: its kind, whether trying again may help, and what the database said.
///
/// ```
/// use seatport::Retry;
/// use seatport::storage::{StorageError, StorageErrorKind};
/// let error = StorageError::new(StorageErrorKind::Full, "seatport.db: no space left; free some and try again");
/// assert_eq!(error.retry(), Retry::Later);
/// ```
#[derive(Debug, thiserror::Error)]
#[error("storage: {message}")]
pub struct StorageError {
    kind: StorageErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StorageError {
    /// An error of this kind; the message names the thing and the way out.
    pub fn new(kind: StorageErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same with what the database said.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self.kind {
            StorageErrorKind::Busy | StorageErrorKind::Full | StorageErrorKind::PoolFull { .. } => Retry::Later,
            _ => Retry::No,
        }
    }
}

impl From<StorageErrorKind> for StorageError {
    /// The error of this kind with its standard message.
    fn from(kind: StorageErrorKind) -> Self {
        let message = match kind {
            StorageErrorKind::NotFound => "not there: it was never added, or it was deleted".to_owned(),
            StorageErrorKind::Exists => "already there".to_owned(),
            StorageErrorKind::Stale => "changed since it was read; read it again".to_owned(),
            StorageErrorKind::Fenced => "another owner drives this session now".to_owned(),
            StorageErrorKind::PoolFull { capacity, occupied } => {
                format!("no free port: {occupied} of {capacity} occupied; stop a session or raise the capacity")
            }
            StorageErrorKind::AgentBound { sessions } => {
                format!("the agent is bound to {sessions} session(s); assign them to somebody else first")
            }
            StorageErrorKind::NotStopped => "the session is not stopped; stop it first".to_owned(),
            StorageErrorKind::InUse => {
                "the database is open already, in this process or another one; close it there first".to_owned()
            }
            StorageErrorKind::NewerVersion => {
                "the database was written by a newer version; update the host application".to_owned()
            }
            StorageErrorKind::Corrupt => {
                "the database is damaged or not one of Seatport's; restore a backup".to_owned()
            }
            StorageErrorKind::ReadOnly => "the database cannot be written to; check its permissions".to_owned(),
            StorageErrorKind::Full => "the disk is full; free some space and try again".to_owned(),
            StorageErrorKind::Busy => "the database is busy or away; try again".to_owned(),
            StorageErrorKind::Closed => "the storage was closed; open it again".to_owned(),
            StorageErrorKind::Other => "the database failed".to_owned(),
        };
        Self::new(kind, message)
    }
}
