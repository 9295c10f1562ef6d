//! Keeping the node's lease, and letting go in time when that fails.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::runtime::node::Node;
use crate::storage::{StorageError, StorageErrorKind};

/// Renews the lease as soon as a third of it is over. A node that cannot renew closes its connections *before* the lease runs
/// out: counted by its own monotonic clock, from before the last renewal, or the joining, was `sent`.
pub(crate) async fn keep(node: Arc<Node>, mut sent: Instant) {
    let lease = node.timing.lease;
    loop {
        sleep_until(sent + lease / 3).await;
        let give_up_at = sent + lease - lease / 6;
        match timeout_at(give_up_at, renew(&node)).await {
            Ok(Some(renewed)) => sent = renewed,
            Ok(None) | Err(_) => {
                tracing::warn!("the lease could not be kept; every connection is closed, and taken up anew");
                node.abandon_all();
                while !node.all_ended() {
                    sleep(Duration::from_millis(1)).await;
                }
                sent = rejoin(&node).await;
                node.joined();
            }
        }
    }
}

/// Renews; answers when that was sent, or none if the lease is lost.
async fn renew(node: &Node) -> Option<Instant> {
    loop {
        let sent = Instant::now();
        match node.storage.renew(node.id, node.timing.lease, node.report()).await {
            Ok(()) => return Some(sent),
            Err(error) if error.kind() == StorageErrorKind::Fenced => return None,
            Err(error) => tracing::warn!(%error, "could not renew the lease"),
        }
        sleep(node.timing.lease / 12).await;
    }
}

/// Starts over with nothing: what this node owned belongs to whoever claims it first. Answers when the joining was sent.
async fn rejoin(node: &Node) -> Instant {
    loop {
        match timeout_at(Instant::now() + node.timing.lease / 3, join(node)).await {
            Ok(Ok(sent)) => return sent,
            Ok(Err(error)) => tracing::warn!(%error, "could not join again"),
            Err(_) => tracing::warn!("joining again takes too long"),
        }
        sleep(node.timing.lease / 6).await;
    }
}

/// Joins, owning nothing; answers when that was sent.
pub(crate) async fn join(node: &Node) -> Result<Instant, StorageError> {
    let sent = Instant::now();
    node.storage.join(&node.profile, node.timing.lease).await?;
    Ok(sent)
}
