//! Emptying a node before it ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{sleep, timeout_at};

use crate::error::{Error, Retry};
use crate::ids::SessionId;
use crate::runtime::handover::Handover;
use crate::runtime::neighbours::KNOWN_WITHIN;
use crate::runtime::seatport::Seatport;
use crate::runtime::timing::after;
use crate::storage::LiveNode;

/// What a [drain](Seatport::drain) came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// How many sessions other nodes have taken.
    pub moved: u32,
    /// The sessions that still run here, by id: no other node may drive them or has room, or the time was over.
    pub left: Vec<SessionId>,
}

impl Seatport {
    /// The nodes that are live now, this one among them, by id: where they are, what they may drive, and how much they do.
    ///
    /// # Errors
    /// [`Error::Storage`] when the storage fails; [`Error::ShutDown`].
    pub async fn nodes(&self) -> Result<Vec<LiveNode>, Error> {
        self.0.node.running()?;
        Ok(self.0.node.storage.nodes().await?)
    }

    /// Hands every session over to other nodes, so that this one can be [shut down](Self::shutdown) and hardly anybody notices: for
    /// a rolling restart. Answers when nothing more can be handed over, or `deadline` is over.
    ///
    /// From now on the node takes no session over. Desks of this node work as before; what they start is driven elsewhere. There
    /// is no way back but a restart.
    ///
    /// - A session is offline for a moment, as long as it takes to close its connection and to dial again from another node. It
    ///   needs no scan. A message that was on its way keeps its id, and what came in meanwhile is delivered to the new connection:
    ///   none is lost, none is stored twice.
    /// - A session that waits for its login code to be scanned shows a new one; one that waits to reconnect does so at once. One
    ///   that is blocked stays blocked.
    /// - No more than [one second's worth](crate::Timing::handovers_per_second) are on the way at any time.
    /// - A session for which there is no other place, because of its [labels](crate::Environment::runs_on) or because the others
    ///   are full, goes on running here and is named in the answer.
    ///
    /// Calling it again goes on with what is left. Dropping the call leaves the node as it is: draining.
    ///
    /// ```
    /// use std::time::Duration;
    /// use seatport::{Error, Seatport};
    ///
    /// /// Replaces one node by another, the next version say. Called for one after the other, it restarts all of them.
    /// async fn replace(old: Seatport, new: &Seatport) -> Result<(), Error> {
    ///     assert!(new.nodes().await?.iter().any(|node| node.profile.id == new.node_id()));
    ///     let drained = old.drain(Duration::from_secs(300)).await?;
    ///     for session in &drained.left {
    ///         println!("{session} has no other place, and is offline until there is one");
    ///     }
    ///     old.shutdown(Duration::from_secs(10)).await;
    ///     Ok(())
    /// }
    ///
    /// # use seatport::memory::MemoryStorage;
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// # let storage = MemoryStorage::new();
    /// # let old = Seatport::builder().storage(storage.clone()).build().await?;
    /// # let new = Seatport::builder().storage(storage).build().await?;
    /// replace(old, &new).await?;
    /// # Ok::<(), Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] when the storage fails for good; [`Error::ShutDown`].
    pub async fn drain(&self, deadline: Duration) -> Result<Drained, Error> {
        let (node, until) = (&self.0.node, after(deadline));
        node.running()?;
        if !node.draining.swap(true, Ordering::Relaxed) {
            tracing::info!(node = %node.id, "draining");
        }
        node.look_anew().await;
        node.report_due.notify_one();
        let mut handover = Handover::new(node.clone());
        // When the time is over, what has not gone is what is left.
        let ended = timeout_at(until, self.empty(&mut handover)).await.unwrap_or(Ok(()));
        ended?;
        let left = node.driven().into_iter().map(|(session, _)| session).collect();
        Ok(Drained { moved: handover.moved, left })
    }

    async fn empty(&self, handover: &mut Handover) -> Result<(), Error> {
        let node = &self.0.node;
        // Before the others know that it accepts nothing, they may think that a session's place is here.
        let mut reported = node.reported.subscribe();
        // The sender lives in the node.
        let _ = reported.wait_for(|report| !report.accepting).await;
        sleep(KNOWN_WITHIN).await;
        loop {
            node.running()?;
            let sessions = node.driven().into_iter().map(|(session, _)| session);
            match handover.round(sessions, u32::MAX).await {
                Ok(round) if round.asked == 0 && round.put_off == 0 => return Ok(()),
                Ok(round) if round.asked > 0 => {}
                Ok(_) => sleep(KNOWN_WITHIN).await,
                Err(error) if error.retry() == Retry::Later => {
                    tracing::warn!(%error, "the storage failed; draining goes on");
                    sleep(KNOWN_WITHIN).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
