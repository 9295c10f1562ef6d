//! The storage's hints, brought to whom they concern.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::runtime::adoption::{Entry, adopt};
use crate::runtime::node::Node;
use crate::storage::Change;

/// Wakes the tasks, watchers and waiters that a change concerns; takes over what has just been started.
pub(crate) async fn dispatch(node: Arc<Node>, mut changes: broadcast::Receiver<Change>) {
    loop {
        match changes.recv().await {
            Ok(Change::Ports) => node.ports.moved(),
            Ok(Change::Session { session, by_owner }) => {
                node.hub.poke(session);
                if by_owner {
                    continue;
                }
                if !node.wake(session) {
                    adopt(&node, session, Entry::Started);
                }
            }
            // Too many at once, or none at all: everybody looks for themselves.
            Ok(Change::Any) | Err(broadcast::error::RecvError::Lagged(_)) => {
                node.ports.moved();
                node.hub.poke_all();
                node.wake_all();
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
