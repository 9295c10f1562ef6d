//! Keeping the node's lease, and letting go in time when that fails.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::runtime::node::Node;
use crate::storage::{StorageError, StorageErrorKind};

/// How long after one report the next one follows at the soonest.
const BETWEEN_REPORTS: Duration = Duration::from_millis(200);

/// Renews the lease as soon as a third of it is over, or there is news that the others ought to know. A node that cannot renew closes its connections *before* the lease runs
/// out: counted by its own monotonic clock, from before the last renewal, or the joining, was `sent`.
pub(crate) async fn keep(node: Arc<Node>, mut sent: Instant) {
    let lease = node.timing.lease;
    loop {
        let due = sent + lease / 3;
        tokio::select! {
            biased;
            () = sleep_until(due) => {}
            () = node.report_due.notified() => sleep_until(due.min(sent + BETWEEN_REPORTS)).await,
        }
        let give_up_at = held_until(&node, sent);
        match timeout_at(give_up_at, renew(&node)).await {
            Ok(Some(renewed)) => {
                sent = renewed;
                node.held_until.send_replace(held_until(&node, sent));
            }
            Ok(None) | Err(_) => {
                tracing::warn!("the lease could not be kept; every connection is closed, and taken up anew");
                node.abandon_all();
                while !node.all_ended() {
                    sleep(Duration::from_millis(1)).await;
                }
                sent = rejoin(&node).await;
                node.held_until.send_replace(held_until(&node, sent));
                node.joined();
                // Joining says that it takes sessions over, which may not be so.
                node.report_due.notify_one();
            }
        }
    }
}

/// Until when the lease that was asked for at this moment surely holds: early enough to hang up first.
pub(crate) fn held_until(node: &Node, sent: Instant) -> Instant {
    sent + node.timing.lease - node.timing.lease / 6
}

/// Renews; answers when that was sent, or none if the lease is lost.
async fn renew(node: &Node) -> Option<Instant> {
    loop {
        let (sent, report) = (Instant::now(), node.report());
        // One that gets lost on the way must not cost the lease.
        match timeout(node.timing.lease / 4, node.storage.renew(node.id, node.timing.lease, report)).await {
            Ok(Ok(())) => {
                node.reported.send_replace(report);
                return Some(sent);
            }
            Ok(Err(error)) if error.kind() == StorageErrorKind::Fenced => return None,
            Ok(Err(error)) => tracing::warn!(%error, "could not renew the lease"),
            Err(_) => tracing::warn!("renewing the lease takes too long"),
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
