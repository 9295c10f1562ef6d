//! Sessions.

use async_trait::async_trait;

use crate::audit::AuditEntry;
use crate::ids::{AgentId, PortNumber, SessionId};
use crate::session::{CardStatus, SessionRecord};
use crate::storage::{Committed, Fence, Page, SessionCommit, StorageError};

/// A session's row: the record, and what the storage keeps beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// What people set, and where the lifecycle stands.
    pub record: SessionRecord,
    /// Grows by one with every commit that carried a record.
    pub revision: u64,
    /// The port it holds.
    pub port: Option<PortNumber>,
    /// Unread messages over all chats.
    pub unread: u64,
    /// The sequence number of its last event; 0 before the first.
    pub last_event: u64,
    /// The live process that drives it, if one does.
    pub owner: Option<Fence>,
}

impl StoredSession {
    /// The status on the card.
    #[must_use]
    pub fn status(&self) -> CardStatus {
        CardStatus::of(&self.record.facts, self.owner.is_some())
    }
}

/// Which sessions to list. What is left out does not filter.
///
/// ```
/// use seatport::{CardStatus, SessionFilter};
/// let filter = SessionFilter { statuses: vec![CardStatus::Online], text: Some("vip".into()), ..Default::default() };
/// assert!(filter.agent.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only those whose card shows one of these statuses; an empty list does not filter.
    pub statuses: Vec<CardStatus>,
    /// Only those bound to this agent (`Some(Some(…))`), or to nobody (`Some(None)`).
    pub agent: Option<Option<AgentId>>,
    /// Only those with this text in the remark, or in the account's name, phone number or address; letter case of ASCII aside.
    pub text: Option<String>,
}

/// What becomes of a deleted session's people in the lead ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deletion {
    /// Their keyed hashes stay, so that somebody who comes back is not counted as new.
    Delete,
    /// Their keyed hashes go too; only the totals stay. Who comes back is new.
    Erase,
}

/// Sessions: reading them, and the one way to change them.
#[async_trait]
pub trait SessionStore {
    /// The session's row as of now.
    ///
    /// - Answers `None` for a session that was never added or was deleted.
    /// - Sees every commit that was acknowledged before the call.
    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StorageError>;

    /// The sessions that pass the filter, in the order of their ids.
    ///
    /// - `statuses` compares with [`StoredSession::status`], ownership included.
    /// - Pages over a list that does not change show each session once.
    async fn sessions(&self, filter: &SessionFilter, page: Page) -> Result<Vec<StoredSession>, StorageError>;

    /// Lands a [`SessionCommit`] as a whole, or not at all.
    ///
    /// - Behaves as the type's documentation says.
    /// - A refused commit (`Exists`, `NotFound`, `Stale`, `Fenced`, `PoolFull`) leaves nothing behind.
    /// - Commits of different sessions do not disturb one another.
    async fn commit(&self, commit: SessionCommit) -> Result<Committed, StorageError>;

    /// Deletes every trace of a session and writes the audit line.
    ///
    /// - Row, vault, contacts, chats, messages, events go; other sessions and the audit trail stay.
    /// - What the [lead ledger](crate::leads) keeps of it, `deletion` says; no total changes.
    /// - Answers `NotFound` for an unknown one, `Stale` when the revision is another, `NotStopped` when it is not at rest;
    ///   then nothing is changed.
    async fn delete(
        &self,
        id: SessionId,
        revision: u64,
        deletion: Deletion,
        audit: AuditEntry,
    ) -> Result<(), StorageError>;
}
