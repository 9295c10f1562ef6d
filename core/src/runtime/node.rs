//! What all tasks of one node share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinHandle};

use crate::clock::{Clock, Timestamp};
use crate::error::Error;
use crate::event::Retention;
use crate::ids::{NodeId, SessionId, TransportName};
use crate::policy::AgentScope;
use crate::random::Random;
use crate::runtime::hub::Hub;
use crate::runtime::login_codes::LoginCodes;
use crate::runtime::people::People;
use crate::runtime::port_queue::PortQueue;
use crate::runtime::timing::Timing;
use crate::runtime::token_bucket::TokenBucket;
use crate::storage::{NodeProfile, NodeReport, Storage};
use crate::transport::Transport;
use crate::vault::Sealer;

/// How far the node is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Running,
    /// Connections are being closed; desired states and ports stay as they are.
    ShuttingDown,
    Ended,
}

/// What all tasks of one node share.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) profile: NodeProfile,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) transports: BTreeMap<TransportName, Arc<dyn Transport>>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) people: People,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) timing: Timing,
    pub(crate) scope: AgentScope,
    pub(crate) allow_account_change: bool,
    pub(crate) retention: Retention,
    pub(crate) hub: Hub,
    pub(crate) ports: Arc<PortQueue>,
    pub(crate) reconnects: TokenBucket,
    pub(crate) adoptions: TokenBucket,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) slots: Mutex<Slots>,
    pub(crate) login_codes: LoginCodes,
    pub(crate) last_session_id: Mutex<Option<SessionId>>,
}

/// The sessions this node drives, or is about to, and whether it may.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    taken: BTreeMap<SessionId, Slot>,
    /// Counts the times this node joined. What was begun in an earlier term owns nothing any more.
    term: u64,
    /// Whether the node's lease holds: while it does not, nothing is taken over.
    joined: bool,
}

/// A session's place in the node: taken while it is being claimed, and then by its running task.
#[derive(Debug, Default)]
struct Slot {
    wake: Arc<Notify>,
    task: Option<AbortHandle>,
}

/// A slot that is taken. Dropping it frees the slot: whatever becomes of the task that holds it, nothing leaks.
#[derive(Debug)]
pub(crate) struct Reservation {
    node: Arc<Node>,
    pub(crate) session: SessionId,
    pub(crate) wake: Arc<Notify>,
    term: u64,
    /// How many times in a row the session's task ended badly, or its connection did not last.
    pub(crate) failures: Arc<AtomicU32>,
}

impl Reservation {
    /// Takes the session's slot, unless it is taken or the node may not drive anything now.
    pub(crate) fn take(node: &Arc<Node>, session: SessionId) -> Option<Self> {
        let mut slots = node.slots.lock();
        if !node.is_running() || !slots.joined || slots.taken.contains_key(&session) {
            return None;
        }
        let slot = Slot::default();
        let (wake, term) = (slot.wake.clone(), slots.term);
        slots.taken.insert(session, slot);
        Some(Self { node: node.clone(), session, wake, term, failures: Arc::default() })
    }

    /// Gives the slot its task. None, and the task was never begun, if the node's lease has run out since the slot was taken.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        let mut slots = self.node.slots.lock();
        let current = self.node.is_running() && slots.joined && slots.term == self.term;
        let slot = slots.taken.get_mut(&self.session).filter(|_| current)?;
        let handle = tokio::spawn(task);
        slot.task = Some(handle.abort_handle());
        Some(handle)
    }

    /// Frees the slot, unless a hint came that nobody has followed yet: then it is handed back.
    pub(crate) fn give_up(self) -> Option<Self> {
        let woken = {
            let mut slots = self.node.slots.lock();
            let hint = std::pin::pin!(self.wake.notified());
            let woken = hint.poll(&mut Context::from_waker(Waker::noop())).is_ready();
            if !woken {
                slots.taken.remove(&self.session);
            }
            woken
        };
        woken.then_some(self)
    }

    /// How many times in a row it went wrong.
    pub(crate) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    /// It went wrong once more.
    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut slots = self.node.slots.lock();
        // It may have been given up, and taken by somebody else since.
        let own = slots.taken.get(&self.session).is_some_and(|slot| Arc::ptr_eq(&slot.wake, &self.wake));
        if own {
            slots.taken.remove(&self.session);
        }
    }
}

impl Node {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The id of a new session, greater than those this node made before: lists are in the order of adding.
    pub(crate) fn new_session_id(&self) -> SessionId {
        let mut last = self.last_session_id.lock();
        let fresh = SessionId::generate(self.now(), &self.random);
        let id = last.filter(|last| fresh <= *last).map_or(fresh, |last| last.next());
        *last = Some(id);
        id
    }

    /// What it says of itself when it renews its lease.
    pub(crate) fn report(&self) -> NodeReport {
        let sessions = u32::try_from(self.slots.lock().taken.len()).unwrap_or(u32::MAX);
        NodeReport { sessions, accepting: true }
    }

    pub(crate) fn is_running(&self) -> bool {
        *self.phase.borrow() == Phase::Running
    }

    /// Refuses calls after the shutdown began.
    pub(crate) fn running(&self) -> Result<(), Error> {
        if self.is_running() { Ok(()) } else { Err(Error::ShutDown(self.id)) }
    }

    /// When to dial again after this many failures.
    pub(crate) fn retry_at(&self, attempt: u32) -> Timestamp {
        self.now() + self.timing.retry_delay(attempt, &self.random)
    }

    /// Waits a while after this many failures, or until the node ends.
    pub(crate) async fn pause(&self, failures: u32) {
        let mut phase = self.phase.subscribe();
        let delay = self.timing.retry_delay(failures, &self.random);
        // An error means that the node has ended.
        let _ = tokio::time::timeout(delay, phase.wait_for(|phase| *phase != Phase::Running)).await;
    }

    /// The node's lease holds from now on.
    pub(crate) fn joined(&self) {
        let mut slots = self.slots.lock();
        slots.joined = true;
        slots.term += 1;
    }

    /// Ends every session's task at once: their connections are dropped, nothing more is written, and nothing is taken over
    /// until the node has [joined](Self::joined) again.
    pub(crate) fn abandon_all(&self) {
        let mut slots = self.slots.lock();
        slots.joined = false;
        slots.taken.values().filter_map(|slot| slot.task.as_ref()).for_each(AbortHandle::abort);
    }

    /// Whether every task that was ended is gone, and its connection with it.
    pub(crate) fn all_ended(&self) -> bool {
        self.slots.lock().taken.values().filter_map(|slot| slot.task.as_ref()).all(AbortHandle::is_finished)
    }

    /// Whether no session is driven here.
    pub(crate) fn is_idle(&self) -> bool {
        self.slots.lock().taken.is_empty()
    }

    /// Wakes the session's task; answers whether there is one, or is about to be.
    pub(crate) fn wake(&self, session: SessionId) -> bool {
        // Under the lock, so that the slot is not given up in between.
        self.slots.lock().taken.get(&session).inspect(|slot| slot.wake.notify_one()).is_some()
    }

    pub(crate) fn wake_all(&self) {
        self.slots.lock().taken.values().for_each(|slot| slot.wake.notify_one());
    }
}
