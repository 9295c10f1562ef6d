//! What a node knows of the other ones.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::ids::{NodeId, SessionId};
use crate::runtime::node::Node;
use crate::runtime::placement::choose;
use crate::session::Environment;
use crate::storage::{LiveNode, StorageError};

/// How old a list of the nodes may be. Within this time, and one way to the storage and back, a node knows what another one
/// has reported.
pub(crate) const KNOWN_WITHIN: Duration = Duration::from_millis(200);

/// The live nodes as they were read last, and when they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Neighbours(Mutex<Option<(Instant, Arc<[LiveNode]>)>>);

impl Node {
    /// The live nodes, this one among them while its lease holds; as of [`KNOWN_WITHIN`] ago at most. Those who ask at the same
    /// time share one look.
    pub(crate) async fn live_nodes(&self) -> Result<Arc<[LiveNode]>, StorageError> {
        let mut known = self.neighbours.0.lock().await;
        if let Some((asked, nodes)) = &*known
            && asked.elapsed() < KNOWN_WITHIN
        {
            return Ok(nodes.clone());
        }
        let asked = Instant::now();
        let mut nodes = self.storage.nodes().await?;
        // What it knows of itself comes before what it has reported.
        let own = nodes.iter_mut().find(|node| node.profile.id == self.id);
        own.into_iter().for_each(|own| own.report.accepting = self.is_accepting());
        let nodes: Arc<[LiveNode]> = nodes.into();
        *known = Some((asked, nodes.clone()));
        Ok(nodes)
    }

    /// What was known of the nodes is not true any more.
    pub(crate) async fn look_anew(&self) {
        *self.neighbours.0.lock().await = None;
    }

    /// The node that is to drive the session, if there is one.
    pub(crate) async fn place_of(
        &self,
        session: SessionId,
        environment: &Environment,
    ) -> Result<Option<NodeId>, StorageError> {
        Ok(choose(session, &environment.runs_on, &self.live_nodes().await?))
    }
}
