//! The audit trail.

use async_trait::async_trait;

use super::{MemoryStorage, State, taken};
use crate::audit::{AuditEntry, AuditHash, AuditLine};
use crate::storage::{AuditStore, StorageError};

impl State {
    /// Adds a line, chained to the one before.
    pub(super) fn note(&mut self, entry: AuditEntry) {
        let (last, hash) = self.audit.last().map_or((0, AuditHash::START), |line| (line.number, line.hash));
        let number = last + 1;
        self.audit.push(AuditLine { number, hash: hash.followed_by(number, &entry), entry });
    }
}

#[async_trait]
impl AuditStore for MemoryStorage {
    async fn record(&self, entry: AuditEntry) -> Result<(), StorageError> {
        self.open()?.note(entry);
        Ok(())
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditLine>, StorageError> {
        let state = self.open()?;
        let seen = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(taken(state.audit.iter().skip(seen).cloned(), limit))
    }
}
