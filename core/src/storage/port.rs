//! Licence ports.

use async_trait::async_trait;

use crate::ids::NodeId;
use crate::port::{PortRange, PortUsage};
use crate::storage::StorageError;

/// The pool of ports. Claiming and releasing travel in a [`SessionCommit`](super::SessionCommit).
#[async_trait]
pub trait PortStore {
    /// The range and who occupies what.
    ///
    /// - Answers [`PortRange::default`] as the range until one was set.
    /// - Lists the occupied ports by number, each with one session, no session twice.
    async fn port_usage(&self) -> Result<PortUsage, StorageError>;

    /// Sets the range.
    ///
    /// - Takes no port away from anybody: who holds a number outside the range keeps it.
    /// - Later claims are refused while as many ports are occupied as the capacity, or more.
    async fn resize_ports(&self, range: PortRange) -> Result<(), StorageError>;

    /// Takes a place at the end of the queue for ports, for somebody who waits at this node; answers its ticket, which is
    /// greater than those before it.
    ///
    /// - The place is given up with [`leave_port_queue`](Self::leave_port_queue), and when the node is not live any more or
    ///   [joins](super::LeaseStore::join) anew.
    /// - Answers `Fenced` for a node that is not live.
    async fn join_port_queue(&self, node: NodeId) -> Result<u64, StorageError>;

    /// Gives a place up; succeeds, and changes nothing, when there is none with this ticket.
    async fn leave_port_queue(&self, ticket: u64) -> Result<(), StorageError>;

    /// The tickets of those who wait, at whatever node, the first one first.
    ///
    /// - The queue is an order and nothing more: a [claim](crate::lifecycle::PortChange::Claim) does not look at it.
    async fn port_queue(&self) -> Result<Vec<u64>, StorageError>;
}
