//! What the suite runs against.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatport::memory::MemoryStorage;
use seatport::storage::Storage;

/// One database that the suite may do with as it likes.
#[async_trait(?Send)]
pub trait Backend {
    /// Opens the database.
    ///
    /// - The first time it is empty.
    /// - Later it is as after the death of the process that had it open before: what was acknowledged is there, no node is
    ///   registered. The storage opened before is not used any more.
    async fn open(&mut self) -> Arc<dyn Storage>;

    /// Lets time pass on the clock that leases run out by. Unless overridden that is tokio's, moved forward without waiting.
    async fn pass(&self, time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }
}

/// The reference storage, in memory.
#[derive(Debug, Default)]
pub struct Memory(Option<MemoryStorage>);

#[async_trait(?Send)]
impl Backend for Memory {
    async fn open(&mut self) -> Arc<dyn Storage> {
        let storage = self.0.as_ref().map_or_else(MemoryStorage::new, MemoryStorage::reopen);
        Arc::new(self.0.insert(storage).clone())
    }
}
