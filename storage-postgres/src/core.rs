//! What all clones of a storage, and the tasks in its background, share.

use std::fmt;

use deadpool_postgres::Pool;
use parking_lot::Mutex;
use seatport::storage::{StorageError, StorageErrorKind};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::connect::Target;
use crate::gate::Gate;
use crate::hints::Hints;
use crate::options::PostgresOptions;
use crate::search::gather::Fresh;
use crate::transaction::Lanes;

/// The connections, and what is known of them.
pub(crate) struct Core {
    pub(crate) target: Target,
    pub(crate) options: PostgresOptions,
    /// For reading, and for what belongs to no commit.
    pub(crate) pool: Pool,
    /// For commits.
    pub(crate) writers: Pool,
    /// Stands for this opening of the storage, and for no other.
    pub(crate) process: Uuid,
    pub(crate) lanes: Lanes,
    pub(crate) gate: Gate,
    pub(crate) hints: Hints,
    /// Whether texts are to be sorted into their indexes.
    pub(crate) fresh: Fresh,
    /// The task that carries them to the other processes.
    pub(crate) line: Mutex<Option<JoinHandle<()>>>,
}

impl Core {
    /// The answer when the task that did the work is gone.
    pub(crate) fn abandoned(&self) -> StorageError {
        let message = format!(
            "{}: the work was given up, because its task panicked or the tokio runtime is shutting down; read again what was stored",
            self.target
        );
        StorageError::new(StorageErrorKind::Other, message)
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.hints.stop();
    }
}
