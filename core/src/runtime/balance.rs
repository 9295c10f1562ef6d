//! Giving up what is more than a node's share.

use std::sync::Arc;

use crate::runtime::handover::Handover;
use crate::runtime::node::Node;
use crate::runtime::placement::surplus;
use crate::storage::StorageError;

/// How many sessions are looked at for each that may go: some may have no other place.
const LOOKS: usize = 8;

/// Hands sessions over while this node drives clearly more than its share: not all of them at once, so that nodes do not take
/// turns at having too many.
pub(crate) async fn balance(node: Arc<Node>) {
    if !node.rebalances {
        return;
    }
    loop {
        tokio::time::sleep(node.timing.lease / 3).await;
        if node.is_accepting()
            && let Err(error) = even_out(&node).await
        {
            tracing::debug!(%error, "could not see whether other nodes drive fewer sessions");
        }
    }
}

async fn even_out(node: &Arc<Node>) -> Result<(), StorageError> {
    let surplus = surplus(node.id, &node.live_nodes().await?);
    if surplus == 0 {
        return Ok(());
    }
    let in_this_time = node.timing.handovers_per_second * (node.timing.lease / 3).as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and few")]
    let most = (surplus / 2).min(in_this_time as u32).max(1);
    let mut sessions = node.driven();
    // Those whose moving costs least come first, and else any: the first ones may have no other place.
    sessions.sort_by_cached_key(|(_, costs)| (*costs, node.random.below(u64::MAX)));
    let sessions = sessions.into_iter().map(|(session, _)| session).take(LOOKS * most as usize);
    let mut handover = Handover::new(node.clone());
    handover.round(sessions, most).await?;
    if handover.moved > 0 {
        tracing::info!(moved = handover.moved, surplus, "handed sessions over to nodes that drive fewer");
    }
    Ok(())
}
