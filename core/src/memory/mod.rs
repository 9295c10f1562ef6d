//! [`MemoryStorage`], the reference [`Storage`]: the clearest code that passes the storage suite.
//!
//! Everything is in one `State` behind one lock, and each call takes the lock once: that makes it atomic. A commit
//! decides whether it is refused before it writes anything.

mod agent;
mod audit;
mod commit;
mod conversation;
mod event;
mod lead;
mod lease;
mod port;
mod session;
mod vault;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::agent::Agent;
use crate::audit::AuditLine;
use crate::event::Cursors;
use crate::ids::{AgentId, ConsumerName, NodeId, SessionId};
use crate::leads::Tables;
use crate::port::PortRange;
use crate::storage::{Change, Edge, LiveNode, Notice, Page, Storage, StorageError, StorageErrorKind};

use session::Session;

/// How many hints a receiver may be behind before it has to read everything again.
const CHANGES_KEPT: usize = 1024;

/// A storage in memory: for tests, simulations and trying things out. Its clones share the data; it is gone with the last one.
///
/// Its clock is [`tokio::time::Instant`], so leases follow paused time.
///
/// ```
/// use seatport::memory::MemoryStorage;
/// use seatport::storage::{AgentStore, Storage};
/// use seatport::{Agent, AgentId, Role};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let storage = MemoryStorage::new();
/// storage.put_agent(Agent::new("mei", "Mei Lin", Role::Supervisor)?).await?;
///
/// let after_restart = storage.reopen();
/// assert_eq!(after_restart.agents().await?.len(), 1);
/// assert!(storage.agents().await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryStorage {
    state: Arc<Mutex<State>>,
    /// Which opening of the data this handle belongs to; once another one is current, the handle is closed.
    opening: u64,
    changes: broadcast::Sender<Change>,
    notices: broadcast::Sender<Notice>,
}

/// All that is stored.
#[derive(Default)]
struct State {
    /// Counts openings and closings.
    opening: u64,
    sessions: BTreeMap<SessionId, Session>,
    /// How many sessions were ever added.
    sessions_added: u64,
    range: PortRange,
    nodes: BTreeMap<NodeId, Registered>,
    /// Those who wait for a port, by ticket, each with the node where they do.
    port_queue: BTreeMap<u64, NodeId>,
    last_ticket: u64,
    agents: BTreeMap<AgentId, Agent>,
    audit: Vec<AuditLine>,
    /// What each registered consumer of events has acknowledged.
    consumers: BTreeMap<ConsumerName, Cursors>,
    key_check: Option<Vec<u8>>,
    leads: Tables,
    ledger_key: Option<Vec<u8>>,
}

/// A node on the register.
struct Registered {
    node: LiveNode,
    /// When its lease runs out.
    until: Instant,
}

impl MemoryStorage {
    /// An empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::opened(Arc::default(), 0)
    }

    fn opened(state: Arc<Mutex<State>>, opening: u64) -> Self {
        let (changes, notices) = (broadcast::Sender::new(CHANGES_KEPT), broadcast::Sender::new(CHANGES_KEPT));
        Self { state, opening, changes, notices }
    }

    /// Opens the same data as after the death of the process that had it open: everything acknowledged is there, no node is
    /// registered and nothing is owned. This handle and its clones answer [`StorageErrorKind::Closed`] from now on.
    #[must_use]
    pub fn reopen(&self) -> Self {
        let mut state = self.state.lock();
        state.opening += 1;
        state.nodes.clear();
        state.port_queue.clear();
        state.sessions.values_mut().for_each(|session| session.owner = None);
        Self::opened(self.state.clone(), state.opening)
    }

    /// The data, unless this handle is closed. No call awaits anything while it holds this.
    fn open(&self) -> Result<MutexGuard<'_, State>, StorageError> {
        let state = self.state.lock();
        if state.opening == self.opening { Ok(state) } else { Err(StorageErrorKind::Closed.into()) }
    }

    fn announce(&self, change: Change) {
        // An error means that nobody listens, which is no fault.
        let _ = self.changes.send(change);
    }
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage").field("opening", &self.opening).finish_non_exhaustive()
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn notify(&self, notice: Notice) -> Result<(), StorageError> {
        let _open = self.open()?;
        // An error means that nobody listens, which is no fault.
        let _ = self.notices.send(notice.checked()?);
        Ok(())
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    async fn close(&self) -> Result<(), StorageError> {
        if let Ok(mut state) = self.open() {
            state.opening += 1;
        }
        Ok(())
    }
}

/// The part of an ordered list that a page asks for. `place` says where an item stands in it.
fn part<T, K: Ord>(list: impl DoubleEndedIterator<Item = T>, page: &Page<K>, place: impl Fn(&T) -> K) -> Vec<T> {
    let backwards = |list: Vec<T>| list.into_iter().rev().collect();
    match &page.edge {
        Edge::First => taken(list, page.limit),
        Edge::After(edge) => taken(list.filter(|item| place(item) > *edge), page.limit),
        Edge::Before(edge) => backwards(taken(list.rev().filter(|item| place(item) < *edge), page.limit)),
        Edge::Last => backwards(taken(list.rev(), page.limit)),
    }
}

/// The first `limit` of them.
fn taken<T>(items: impl Iterator<Item = T>, limit: u32) -> Vec<T> {
    items.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}

/// Whatever comes after `after` in an ordered map; everything if there is none.
fn following<'a, K: Ord, V>(
    map: &'a BTreeMap<K, V>,
    after: Option<&'a K>,
) -> std::collections::btree_map::Range<'a, K, V> {
    use std::ops::Bound::{Excluded, Unbounded};
    map.range::<K, _>((after.map_or(Unbounded, Excluded), Unbounded))
}
