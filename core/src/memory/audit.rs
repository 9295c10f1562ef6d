//! The audit trail.

use async_trait::async_trait;

use super::{MemoryStorage, page};
use crate::audit::{AuditEntry, AuditLine};
use crate::storage::{AuditStore, StorageError};

#[async_trait]
impl AuditStore for MemoryStorage {
    async fn record(&self, entry: AuditEntry) -> Result<(), StorageError> {
        self.open()?.audit.push(entry);
        Ok(())
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditLine>, StorageError> {
        let state = self.open()?;
        let lines = (1..).zip(&state.audit).map(|(number, entry)| AuditLine { number, entry: entry.clone() });
        Ok(page(lines.skip_while(|line| line.number <= after), limit))
    }
}
