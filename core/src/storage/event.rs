//! Events: reading them. They are written by [`SessionCommit`](super::SessionCommit).

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::event::{Cursors, Event, EventHead, Retention};
use crate::ids::{ConsumerName, SessionId};
use crate::storage::StorageError;

/// The event feed.
#[async_trait]
pub trait EventStore {
    /// Events of a session in their sequence, those after `after` that are kept, at most `limit`.
    ///
    /// - The sequence starts at 1 and has no gap; only its beginning may have been [trimmed](Self::trim_events) away.
    /// - What was answered once is answered again, while it is kept: an event never changes.
    async fn events(&self, session: SessionId, after: u64, limit: u32) -> Result<Vec<Event>, StorageError>;

    /// How far each session's sequence has come: by id, those after `after`, at most `limit`.
    ///
    /// - Every session is there, with 0 before its first event.
    async fn event_heads(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<EventHead>, StorageError>;

    /// Removes the session's oldest events, in their order, as long as `keep` has no use for them; answers how many. At most
    /// `limit` in one call.
    ///
    /// - An event goes when it is older than the age to keep, as of `now`, or when as many as are to be kept come after it; a
    ///   limit that is not set removes nothing.
    /// - An event that a registered consumer has not acknowledged stays, and so does every later one.
    /// - The numbers of the others do not change, nor does the head.
    async fn trim_events(
        &self,
        session: SessionId,
        keep: &Retention,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StorageError>;

    /// Registers a consumer: from now on no event is trimmed before it was acknowledged.
    ///
    /// - One that is registered already stays as it is.
    async fn register_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError>;

    /// Forgets a consumer and what it acknowledged.
    ///
    /// - Answers `NotFound` for an unknown one.
    async fn remove_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError>;

    /// All consumers, by name.
    async fn consumers(&self) -> Result<Vec<ConsumerName>, StorageError>;

    /// Notes that a consumer has handled these sessions' events up to these numbers.
    ///
    /// - Never goes back; unknown sessions are passed over.
    /// - Answers `NotFound` for an unknown consumer.
    async fn acknowledge(&self, consumer: &ConsumerName, handled: &Cursors) -> Result<(), StorageError>;

    /// What a consumer has acknowledged. A deleted session is not among it.
    ///
    /// - Answers `NotFound` for an unknown consumer.
    async fn acknowledged(&self, consumer: &ConsumerName) -> Result<Cursors, StorageError>;
}
