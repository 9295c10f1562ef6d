//! Events: reading them. They are written by [`SessionCommit`](super::SessionCommit).

use async_trait::async_trait;

use crate::event::Event;
use crate::ids::SessionId;
use crate::storage::StorageError;

/// The event feed.
#[async_trait]
pub trait EventStore {
    /// Events of a session in their sequence, those after `after`, at most `limit`.
    ///
    /// - The sequence starts at 1 and has no gap.
    /// - What was answered once is answered again: an event never changes.
    async fn events(&self, session: SessionId, after: u64, limit: u32) -> Result<Vec<Event>, StorageError>;

    /// How far each session's sequence has come: by id, those after `after`, at most `limit`.
    ///
    /// - Every session is there, with 0 before its first event.
    async fn event_heads(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<(SessionId, u64)>, StorageError>;
}
