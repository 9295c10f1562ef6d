//! Ownership: which process drives which session.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

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

/// What a process says of itself when it joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeProfile {
    /// The process.
    pub id: NodeId,
    /// What sessions may [ask for](crate::Environment::runs_on).
    pub labels: BTreeMap<String, String>,
    /// How many sessions it drives at most.
    pub capacity: u32,
}

/// What a process says of itself when it renews its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeReport {
    /// How many sessions it drives.
    pub sessions: u32,
    /// Whether it takes sessions over. One that is being drained does not.
    pub accepting: bool,
}

/// A process whose lease holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveNode {
    /// What it said when it joined.
    pub profile: NodeProfile,
    /// What it said last.
    pub report: NodeReport,
}

/// A session that is not stopped and has no live owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Which one.
    pub session: SessionId,
    /// The labels it asks of a node: those of its record's environment.
    pub runs_on: BTreeMap<String, String>,
}

/// Leases. A node's lease covers all sessions it owns, so renewing costs the same with one session or ten thousand.
/// Expiry uses the database's clock, never a caller's.
#[async_trait]
pub trait LeaseStore {
    /// Registers a node, live for `ttl` from now. It reports no sessions, and that it accepts some.
    ///
    /// - It owns nothing yet: what it owned under an earlier registration has no owner any more, and its
    ///   [places](super::PortStore::join_port_queue) in the queue for ports are gone.
    async fn join(&self, node: &NodeProfile, ttl: Duration) -> Result<(), StorageError>;

    /// Keeps a node live for `ttl` from now, and keeps its report in place of the one before.
    ///
    /// - Answers `Fenced` for a node that is not registered, or whose lease has run out: it owns nothing any more.
    async fn renew(&self, node: NodeId, ttl: Duration, report: NodeReport) -> Result<(), StorageError>;

    /// The nodes that are live, by id.
    async fn nodes(&self) -> Result<Vec<LiveNode>, StorageError>;

    /// Takes a node off the register.
    ///
    /// - Its sessions have no owner from now on, its fences no longer hold, and its places in the queue for ports are gone.
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
    ///
    /// - What it costs follows the orphans, not the sessions.
    async fn orphans(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<Orphan>, StorageError>;
}
