//! Keeping the node's lease, and letting go in time when that fails.

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout};

use crate::runtime::node::Node;
use crate::storage::StorageErrorKind;

/// Renews the lease three times over its length. A node that cannot renew closes its connections *before* the lease runs out:
/// counted by its own monotonic clock, from before the last renewal was sent.
pub(crate) async fn keep(node: Arc<Node>) {
    let lease = node.timing.lease;
    let mut valid_until = Instant::now() + lease;
    loop {
        sleep(lease / 3).await;
        let sent = Instant::now();
        let lost = match timeout(lease / 6, node.storage.renew(node.id, lease)).await {
            Ok(Ok(())) => {
                valid_until = sent + lease;
                continue;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "could not renew the lease");
                error.kind() == StorageErrorKind::Fenced
            }
            Err(_) => {
                tracing::warn!("renewing the lease took too long");
                false
            }
        };
        if lost || Instant::now() + lease / 3 >= valid_until {
            node.abandon_all();
            rejoin(&node).await;
            valid_until = Instant::now() + lease;
        }
    }
}

/// Starts over with nothing: what this node owned belongs to whoever claims it first.
async fn rejoin(node: &Node) {
    loop {
        let joined = async {
            node.storage.leave(node.id).await?;
            node.storage.join(node.id, node.timing.lease).await
        };
        match timeout(node.timing.lease / 3, joined).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) if error.kind() == StorageErrorKind::Closed => return,
            _ => sleep(node.timing.lease / 6).await,
        }
    }
}
