//! What Seatport asks of a database: one narrow trait per concept, joined by [`Storage`].
//!
//! Whoever writes a storage implements the traits, keeps the behaviour their bullets state, and runs the storage suite of
//! `seatport-testkit` against it. [`MemoryStorage`](crate::memory::MemoryStorage) is the reference.
//!
//! All of a step's writes travel as one [`SessionCommit`] and land in one transaction. No transaction object crosses the
//! traits: that keeps them object-safe and the same on every database.

mod agent;
mod audit;
mod codes;
mod commit;
mod conversation;
mod entry;
mod error;
mod event;
pub mod grams;
mod lead;
mod lease;
mod notice;
mod page;
mod port;
mod session;
mod vault;

use std::fmt::Debug;

use async_trait::async_trait;
use tokio::sync::broadcast;

pub use agent::AgentStore;
pub use audit::AuditStore;
pub use codes::Coded;
pub use commit::{
    ChatNews, Committed, Expect, Identity, Incoming, MessageUpdate, PersonIs, ReadMark, SessionCommit, VaultWrite,
};
pub use conversation::ConversationStore;
pub use entry::EntryColumns;
pub use error::{StorageError, StorageErrorKind};
pub use event::EventStore;
pub use lead::LeadStore;
pub use lease::{Fence, LeaseStore, LiveNode, NodeProfile, NodeReport, Orphan};
pub use notice::{MAX_NOTICE_BYTES, Notice};
pub use page::{Edge, Page};
pub use port::PortStore;
pub use session::{Deletion, SessionFilter, SessionStore, StoredSession};
pub use vault::{VaultEntry, VaultStore};

use crate::ids::SessionId;

/// A hint that something was committed. Only a wake-up: whoever gets it reads the storage to learn what is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Something of this session.
    Session {
        /// Which session.
        session: SessionId,
        /// Whether its owner wrote it: the commit carried a fence. The owner need not be woken for what it wrote itself.
        by_owner: bool,
    },
    /// A port became free, the capacity changed, or somebody left the queue for ports.
    Ports,
    /// Anything: hints may have been lost on the way from another process.
    Any,
}

/// A database that Seatport runs on.
///
/// - Every method is durable when it answers `Ok`: what was acknowledged survives the death of the process.
/// - A method whose future is dropped either happened as a whole or did not.
/// - All methods may be called from many tasks at once.
#[async_trait]
pub trait Storage:
    SessionStore
    + PortStore
    + LeaseStore
    + AgentStore
    + ConversationStore
    + LeadStore
    + EventStore
    + VaultStore
    + AuditStore
    + Debug
    + Send
    + Sync
    + 'static
{
    /// Subscribes to hints of what was committed, from now on.
    ///
    /// - A [`Change::Session`] follows every commit, and deletion, of a session, after it is durable; every claim of its
    ///   ownership, as written by its owner; and every release, as not: it may want another owner.
    /// - A [`Change::Ports`] follows every commit that released a port, every deletion, every resize, and every place in the
    ///   queue for ports that was given up.
    /// - Hints reach every process that shares the database, the others a little later. Where they may have been lost on the
    ///   way, a [`Change::Any`] follows.
    /// - A receiver that lags learns that it did, and reads everything again.
    fn changes(&self) -> broadcast::Receiver<Change>;

    /// Sends a notice to every process that shares the database, this one included, and keeps it nowhere.
    ///
    /// - Who subscribed before gets it at most once; it may be lost on the way.
    /// - One with more than [`MAX_NOTICE_BYTES`] is refused with [`Other`](StorageErrorKind::Other).
    async fn notify(&self, notice: Notice) -> Result<(), StorageError>;

    /// Subscribes to notices, from now on.
    fn notices(&self) -> broadcast::Receiver<Notice>;

    /// Finishes what was begun and lets go of the database; later calls answer [`StorageErrorKind::Closed`].
    ///
    /// - May be called more than once.
    async fn close(&self) -> Result<(), StorageError>;
}
