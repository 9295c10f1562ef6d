//! Letting go of events that are older than the host keeps.

use std::sync::Arc;

use crate::event::Retention;
use crate::runtime::node::Node;
use crate::storage::{StorageError, StorageErrorKind};

/// Sessions looked at in one read.
const HEADS: u32 = 1000;
/// Events removed in one call: so few that nobody else waits for it.
const AT_ONCE: u32 = 1000;

/// Trims the event feed, at once and from time to time, as long as the node runs. Every node of a database does so; whoever
/// comes second finds nothing left to do.
pub(crate) async fn trim(node: Arc<Node>) {
    if node.retention == Retention::default() {
        return;
    }
    let mut failures = 0;
    loop {
        match trim_all(&node).await {
            Ok(()) => {
                failures = 0;
                tokio::time::sleep(node.timing.trim).await;
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(%error, "could not trim the events; trying again");
                node.pause(failures).await;
            }
        }
    }
}

async fn trim_all(node: &Node) -> Result<(), StorageError> {
    let mut after = None;
    loop {
        let heads = node.storage.event_heads(after, HEADS).await?;
        for head in heads.iter().filter(|head| head.last > head.trimmed) {
            loop {
                let removed = match node.storage.trim_events(head.session, &node.retention, node.now(), AT_ONCE).await {
                    // Deleted meanwhile.
                    Err(error) if error.kind() == StorageErrorKind::NotFound => 0,
                    removed => removed?,
                };
                // A storage that answers without waiting must not keep everybody else from running.
                tokio::task::yield_now().await;
                if removed < u64::from(AT_ONCE) {
                    break;
                }
            }
        }
        match heads.last() {
            Some(last) if heads.len() == HEADS as usize => after = Some(last.session),
            _ => return Ok(()),
        }
    }
}
