//! Lead figures: reading them. They are written by [`SessionCommit`](super::SessionCommit), through the
//! [ledger](crate::leads).

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::leads::{LeadAdjustment, LeadTotal};
use crate::storage::StorageError;

/// The lead ledger. It outlives the sessions it tells of.
#[async_trait]
pub trait LeadStore {
    /// The totals of all entries whose quarter of an hour is at or after `from` and before `until`, in the order of the
    /// entries.
    ///
    /// - Each entry is there once, with a count above 0.
    /// - What it costs follows the time asked for, not the messages stored.
    async fn lead_totals(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadTotal>, StorageError>;

    /// The corrections of such entries, in the order in which they were made.
    async fn lead_adjustments(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadAdjustment>, StorageError>;

    /// Computes all totals anew from the visits in the ledger.
    ///
    /// - Nothing changes by it, unless the totals were wrong.
    async fn rebuild_leads(&self) -> Result<(), StorageError>;

    /// The sealed key that people are hashed with, if there is one yet.
    async fn ledger_key(&self) -> Result<Option<Vec<u8>>, StorageError>;

    /// Replaces the sealed key; answers whether `old` was the one in force (none: there was none) and it did.
    async fn replace_ledger_key(&self, old: Option<&[u8]>, sealed: &[u8]) -> Result<bool, StorageError>;
}
