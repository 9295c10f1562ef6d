//! Giving sessions to other nodes, one by one: the connection here is closed before another one is dialled there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::ids::{NodeId, SessionId};
use crate::lifecycle::Lifecycle;
use crate::runtime::adoption::{Entry, adopt};
use crate::runtime::neighbours::KNOWN_WITHIN;
use crate::runtime::node::Node;
use crate::storage::StorageError;

/// Hands sessions over, at the node's rate.
#[derive(Debug)]
pub(crate) struct Handover {
    node: Arc<Node>,
    /// How many have gone.
    pub(crate) moved: u32,
    /// How many are on the way to each node, or so lately there that its report may not count them yet.
    on_the_way: Arc<Mutex<BTreeMap<NodeId, u32>>>,
    /// The nodes that have left a session alone, and when. They may be dead, with a lease that is not over yet.
    idle: BTreeMap<NodeId, Instant>,
}

/// What one round has done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round {
    /// How many sessions were asked to go.
    pub(crate) asked: u32,
    /// How many have a place elsewhere, but may have to wait for it.
    pub(crate) put_off: u32,
}

/// What became of one session.
enum Outcome {
    Moved,
    /// It takes its time, or rests.
    Stayed,
    /// Nobody took it; it is driven here again.
    Refused,
}

impl Handover {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self { node, moved: 0, on_the_way: Arc::default(), idle: BTreeMap::new() }
    }

    /// Hands those of the sessions over that have their place at another node, at most so many; waits until these are driven
    /// there. Dropped, it leaves those that were asked to go on their way.
    pub(crate) async fn round(
        &mut self,
        sessions: impl IntoIterator<Item = SessionId>,
        most: u32,
    ) -> Result<Round, StorageError> {
        let node = self.node.clone();
        let (mut round, mut under_way) = (Round::default(), JoinSet::new());
        for session in sessions {
            if round.asked == most {
                break;
            }
            // No more than the others can dial in a second.
            while under_way.len() as f64 >= node.timing.handovers_per_second.max(1.0) {
                self.ended(under_way.join_next().await);
            }
            let Some(stored) = node.storage.session(session).await? else { continue };
            let place = node.place_of(session, &stored.record.environment).await?;
            let Some(place) = place.filter(|place| *place != node.id) else { continue };
            if self.is_idle(place) || !self.has_room(place).await? {
                round.put_off += 1;
                continue;
            }
            node.handovers.take().await;
            round.asked += 1;
            let guest = Guest::new(self.on_the_way.clone(), place);
            under_way.spawn(hand_over(node.clone(), session, guest));
        }
        while let Some(ended) = under_way.join_next().await {
            self.ended(Some(ended));
        }
        Ok(round)
    }

    /// Whether the node has left a session alone, within as long as a node lives on that is dead.
    fn is_idle(&self, place: NodeId) -> bool {
        self.idle.get(&place).is_some_and(|since| since.elapsed() <= self.node.timing.lease)
    }

    /// Whether the node has room for one more than those that are on the way to it.
    async fn has_room(&self, place: NodeId) -> Result<bool, StorageError> {
        let nodes = self.node.live_nodes().await?;
        let on_the_way = self.on_the_way.lock().get(&place).copied().unwrap_or_default();
        let place = nodes.iter().find(|node| node.profile.id == place);
        Ok(place.is_some_and(|place| place.report.sessions.saturating_add(on_the_way) < place.profile.capacity))
    }

    fn ended(&mut self, ended: Option<Result<(Outcome, NodeId), tokio::task::JoinError>>) {
        match ended {
            Some(Ok((Outcome::Moved, _))) => self.moved += 1,
            Some(Ok((Outcome::Refused, place))) => drop(self.idle.insert(place, Instant::now())),
            Some(Ok((Outcome::Stayed, _)) | Err(_)) | None => {}
        }
    }
}

/// A session on its way to a node.
struct Guest {
    on_the_way: Arc<Mutex<BTreeMap<NodeId, u32>>>,
    place: NodeId,
}

impl Guest {
    fn new(on_the_way: Arc<Mutex<BTreeMap<NodeId, u32>>>, place: NodeId) -> Self {
        *on_the_way.lock().entry(place).or_default() += 1;
        Self { on_the_way, place }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(count) = self.on_the_way.lock().get_mut(&self.place) {
            *count -= 1;
        }
    }
}

/// Hands one session over, and is done when it is driven again.
async fn hand_over(node: Arc<Node>, session: SessionId, guest: Guest) -> (Outcome, NodeId) {
    let place = guest.place;
    let Some(leave) = node.ask_to_leave(session) else { return (Outcome::Stayed, place) };
    // What is on its way to the network, or the command under way, and then the closing have so much time each.
    if timeout(3 * node.timing.stop, leave.closed()).await.is_err() {
        return (Outcome::Stayed, place);
    }
    let limit = node.timing.stop.min(2 * node.timing.scan);
    match timeout(limit, until(&node, session, Stage::Taken)).await {
        Ok(true) => {}
        Ok(false) => return (Outcome::Stayed, place),
        Err(_) => {
            // Nobody knows why. Better here than nowhere: if another node is just about to claim it, that one comes first.
            tracing::warn!(%session, node = %place, "the node that is to drive a session does not; it is driven here again");
            adopt(&node, session, Entry::Adopted);
            return (Outcome::Refused, place);
        }
    }
    // Not again at once if the network is slow.
    let _ = timeout(node.timing.stop, until(&node, session, Stage::Connected)).await;
    // By then the node has said that it drives it.
    tokio::spawn(async move {
        sleep(2 * KNOWN_WITHIN).await;
        drop(guest);
    });
    (Outcome::Moved, place)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Somebody owns it.
    Taken,
    /// And has got somewhere.
    Connected,
}

/// Waits until the session has come so far; false if it wants no driving any more.
async fn until(node: &Node, session: SessionId, stage: Stage) -> bool {
    let mut changed = node.hub.follow(session);
    loop {
        changed.borrow_and_update();
        match node.storage.session(session).await {
            Ok(None) => return false,
            Ok(Some(stored)) => {
                let lifecycle = stored.record.facts.lifecycle;
                let connected = stage == Stage::Taken || !matches!(lifecycle, Lifecycle::Connecting { .. });
                if lifecycle == Lifecycle::Stopped || (stored.owner.is_some() && connected) {
                    return lifecycle != Lifecycle::Stopped;
                }
            }
            Err(error) => tracing::debug!(%session, %error, "could not look at a session that is handed over"),
        }
        // Hints may be lost.
        let _ = timeout(Duration::from_millis(250), changed.changed()).await;
    }
}
