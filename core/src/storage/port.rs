//! Licence ports.

use async_trait::async_trait;

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
}
