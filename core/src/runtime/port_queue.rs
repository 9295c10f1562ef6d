//! The queue for ports: first come, first served, over all nodes. The order is kept by the storage; here is who waits at this
//! node, and how they learn that it is their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::ids::NodeId;
use crate::runtime::node::Phase;
use crate::storage::{Storage, StorageError, StorageErrorKind};

/// How often those who wait look at the queue by themselves: a hint may get lost, and none comes when a node dies with its
/// places. All who wait at one node share one look.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long the first in the queue may leave a free port alone. Who does so longer is nobody: a place whose ticket never
/// reached the one who asked for it, because the connection to the database broke just then.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a node looks whether the first in the queue is somebody.
const OBSERVE_EVERY: Duration = Duration::from_secs(5);
/// The longest pause between two tries to give a place up.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a start does when no port is free.
///
/// ```
/// use std::time::Duration;
/// use seatport::{Desk, Error, SessionId, WhenFull};
///
/// async fn start(desk: &Desk, session: SessionId) -> Result<(), Error> {
///     match desk.start(session, WhenFull::Fail).await {
///         Err(Error::PoolFull { holders, .. }) => {
///             println!("{} sessions hold the ports; waiting for one of them", holders.len());
///             desk.start(session, WhenFull::Wait { timeout: Duration::from_secs(60) }).await.map(drop)
///         }
///         other => other.map(drop),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It answers [`Error::PoolFull`](crate::Error::PoolFull).
    Fail,
    /// It queues, behind those that came before, at whatever node. A caller that gives up, or times out, leaves nothing behind.
    Wait {
        /// How long it queues at most.
        timeout: Duration,
    },
}

/// Those who wait for a port at this node.
#[derive(Debug)]
pub(crate) struct PortQueue {
    storage: Arc<dyn Storage>,
    node: NodeId,
    phase: watch::Receiver<Phase>,
    /// Gives places up, also when a caller is dropped where no runtime is.
    runtime: Handle,
    /// Raised whenever a port may have become free or the queue moved.
    moved: watch::Sender<u64>,
    /// Counts the places taken here: a look from before one was taken does not show it.
    joined: AtomicU64,
    seen: tokio::sync::Mutex<Option<Seen>>,
    first: Mutex<First>,
}

/// What was observed of the first in the queue.
#[derive(Debug)]
struct First {
    observed_at: Instant,
    /// Since when this ticket has left a free port alone.
    idle: Option<(u64, Instant)>,
}

/// A look at the queue.
#[derive(Debug)]
struct Seen {
    at: Instant,
    /// `moved` and `joined` before it was asked for.
    as_of: (u64, u64),
    tickets: Arc<[u64]>,
}

impl PortQueue {
    /// To be called within the node's runtime.
    pub(crate) fn new(storage: Arc<dyn Storage>, node: NodeId, phase: watch::Receiver<Phase>) -> Arc<Self> {
        Arc::new(Self {
            storage,
            node,
            phase,
            runtime: Handle::current(),
            moved: watch::channel(0).0,
            joined: AtomicU64::new(0),
            seen: tokio::sync::Mutex::default(),
            first: Mutex::new(First { observed_at: Instant::now(), idle: None }),
        })
    }

    /// A port may have become free.
    pub(crate) fn moved(&self) {
        self.moved.send_modify(|count| *count += 1);
    }

    /// Learns when a port may have become free, or the queue moved.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Who waits now, at whatever node.
    pub(crate) async fn waiting(&self) -> Result<Vec<u64>, StorageError> {
        self.storage.port_queue().await
    }

    /// Takes a place at the end. Dropping the ticket gives it up. None while this node's lease does not hold.
    async fn join(self: &Arc<Self>) -> Result<Option<Ticket>, StorageError> {
        let queue = self.clone();
        // In a task of its own: whoever is dropped while waiting for the ticket would not know which place to give up.
        let joining = self.runtime.spawn(async move {
            let number = queue.storage.join_port_queue(queue.node).await?;
            queue.joined.fetch_add(1, Ordering::Relaxed);
            Ok::<_, StorageError>(Ticket { queue, number, given_up: false })
        });
        match joining.await {
            Ok(Ok(ticket)) => Ok(Some(ticket)),
            Ok(Err(error)) if error.kind() == StorageErrorKind::Fenced => Ok(None),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StorageErrorKind::Closed.into()),
        }
    }

    /// Whether it is the turn of whoever holds this ticket. Takes a place at the end if there is none: the first time, or because
    /// this node lost its lease, and its places with it.
    pub(crate) async fn is_turn_of(self: &Arc<Self>, ticket: &mut Option<Ticket>) -> Result<bool, StorageError> {
        if let Some(held) = ticket
            && let Some(place) = self.place(held.number).await?
        {
            return Ok(place == 0);
        }
        if let Some(mut lost) = ticket.take() {
            lost.given_up = true;
        }
        *ticket = self.join().await?;
        match ticket {
            Some(held) => Ok(self.place(held.number).await? == Some(0)),
            None => Ok(false),
        }
    }

    /// Where a place stands in the queue: 0 is first. None if it is gone.
    async fn place(&self, ticket: u64) -> Result<Option<usize>, StorageError> {
        let mut seen = self.seen.lock().await;
        let as_of = (*self.moved.borrow(), self.joined.load(Ordering::Relaxed));
        let tickets = match &*seen {
            Some(seen) if seen.as_of == as_of && seen.at.elapsed() < LOOK_AGAIN => seen.tickets.clone(),
            _ => {
                let at = Instant::now();
                let tickets: Arc<[u64]> = self.waiting().await?.into();
                *seen = Some(Seen { at, as_of, tickets: tickets.clone() });
                let due = self.first.lock().observed_at + OBSERVE_EVERY;
                if at >= due && tickets.first() != Some(&ticket) {
                    self.observe(tickets.first().copied(), self.storage.port_usage().await?.free()).await?;
                }
                tickets
            }
        };
        Ok(tickets.iter().position(|other| *other == ticket))
    }

    /// Notes how many ports are free while this is the first in the queue, and gives its place up for it if it is
    /// [nobody](PATIENCE). Should it be somebody all the same, they queue again.
    pub(crate) async fn observe(&self, first: Option<u64>, free: u32) -> Result<(), StorageError> {
        let now = Instant::now();
        let nobody = {
            let mut known = self.first.lock();
            known.observed_at = now;
            known.idle = match (first, known.idle) {
                (Some(first), Some((before, since))) if first == before && free > 0 => Some((first, since)),
                (Some(first), _) if free > 0 => Some((first, now)),
                _ => None,
            };
            known.idle.take_if(|(_, since)| now >= *since + PATIENCE)
        };
        match nobody {
            Some((first, _)) => {
                tracing::info!(ticket = first, "the first in the queue for ports takes none; it loses its place");
                self.storage.leave_port_queue(first).await
            }
            None => Ok(()),
        }
    }

    /// Gives a place up, however long that takes: as long as it is there, it holds up everybody behind.
    async fn give_up(self: Arc<Self>, ticket: u64) {
        let mut phase = self.phase.clone();
        let mut pause = Duration::from_millis(50);
        let gone = async {
            while let Err(error) = self.storage.leave_port_queue(ticket).await {
                tracing::debug!(%error, "could not give up a place in the queue for ports; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        tokio::select! {
            () = gone => {}
            // Its places go with it. An error means that it has ended altogether.
            _ = phase.wait_for(|phase| *phase >= Phase::ShuttingDown) => {}
        }
    }
}

/// A place in the queue.
#[derive(Debug)]
pub(crate) struct Ticket {
    queue: Arc<PortQueue>,
    number: u64,
    given_up: bool,
}

impl Ticket {
    /// Gives the place up, so that it is gone when this answers, unless the storage fails: then as soon as it can.
    pub(crate) async fn leave(mut self) {
        self.given_up = self.queue.storage.leave_port_queue(self.number).await.is_ok();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.given_up {
            self.queue.runtime.spawn(self.queue.clone().give_up(self.number));
        }
    }
}
