//! Ownership: which process drives which session.

use std::time::Duration;

use async_trait::async_trait;

use crate::ids::{NodeId, SessionId};
use crate::storage::StorageError;

/// Proof of ownership: a write that carries it lands only while this node owns the session under this epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The process.
    pub node: NodeId,
    /// Grows by one whenever the session changes hands.
    pub epoch: u64,
}

/// Leases. A node's lease covers all sessions it owns, so renewing costs the same with one session or ten thousand.
/// Expiry uses the database's clock, never a caller's.
#[async_trait]
pub trait LeaseStore {
    /// Registers a node, live for `ttl` from now.
    ///
    /// - It owns nothing yet: what it owned under an earlier registration has no owner any more.
    async fn join(&self, node: NodeId, ttl: Duration) -> Result<(), StorageError>;

    /// Keeps a node live for `ttl` from now.
    ///
    /// - Answers `Fenced` for a node that is not registered, or whose lease has run out: it owns nothing any more.
    async fn renew(&self, node: NodeId, ttl: Duration) -> Result<(), StorageError>;

    /// Takes a node off the register.
    ///
    /// - Its sessions have no owner from now on, and its fences no longer hold.
    /// - Succeeds for a node that is not registered.
    async fn leave(&self, node: NodeId) -> Result<(), StorageError>;

    /// Makes a node the owner of a session.
    ///
    /// - Answers `None`, and changes nothing, while another live node owns it.
    /// - Raises the epoch, also when the node already owned it: fences handed out before no longer hold. No epoch comes twice
    ///   while the session exists, also not after a restart.
    /// - Answers `NotFound` for an unknown session, `Fenced` for a node that is not live.
    async fn claim(&self, session: SessionId, node: NodeId) -> Result<Option<Fence>, StorageError>;

    /// Gives a session up; succeeds, and changes nothing, when the fence no longer holds.
    async fn release(&self, session: SessionId, fence: Fence) -> Result<(), StorageError>;

    /// Sessions that are not stopped and have no live owner: by id, those after `after`, at most `limit`.
    async fn orphans(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<SessionId>, StorageError>;
}
