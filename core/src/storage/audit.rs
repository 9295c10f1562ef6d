//! The audit trail.

use async_trait::async_trait;

use crate::audit::{AuditEntry, AuditLine};
use crate::storage::StorageError;

/// The audit trail: lines are added, never changed or removed.
#[async_trait]
pub trait AuditStore {
    /// Adds a line that belongs to no commit: a refused attempt.
    async fn record(&self, entry: AuditEntry) -> Result<(), StorageError>;

    /// Lines in their order, those after line number `after`, at most `limit`.
    ///
    /// - Numbers start at 1 and have no gap.
    /// - Each line's hash [follows](crate::audit::AuditHash::followed_by) that of the line before.
    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditLine>, StorageError>;
}
