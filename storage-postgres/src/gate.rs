//! Which calls are under way, so that closing can wait for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use seatport::storage::{StorageError, StorageErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many calls may be under way: more than there is memory for.
const CALLS: u32 = 1 << 24;

/// Lets calls in until it is shut.
#[derive(Debug)]
pub(crate) struct Gate {
    calls: Arc<Semaphore>,
    shut: AtomicBool,
}

/// A call that is under way.
pub(crate) type Call = OwnedSemaphorePermit;

impl Default for Gate {
    fn default() -> Self {
        Self { calls: Arc::new(Semaphore::new(CALLS as usize)), shut: AtomicBool::new(false) }
    }
}

impl Gate {
    /// Lets a call in, unless the gate is shut.
    pub(crate) fn enter(&self) -> Result<Call, StorageError> {
        if self.is_shut() {
            return Err(StorageErrorKind::Closed.into());
        }
        self.calls.clone().try_acquire_owned().map_err(|_| StorageErrorKind::Closed.into())
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire)
    }

    /// Lets nobody in any more, and waits for those who are.
    pub(crate) async fn shut(&self) {
        self.shut.store(true, Ordering::Release);
        // An error means that the gate was shut before.
        if let Ok(_all) = self.calls.acquire_many(CALLS).await {
            self.calls.close();
        }
    }
}
