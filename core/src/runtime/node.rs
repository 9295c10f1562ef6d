//! What all tasks of one node share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Waker};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;

use crate::clock::{Clock, Timestamp};
use crate::error::Error;
use crate::event::Retention;
use crate::ids::{NodeId, SessionId, TransportName};
use crate::policy::AgentScope;
use crate::random::Random;
use crate::runtime::hub::Hub;
use crate::runtime::login_codes::LoginCodes;
use crate::runtime::neighbours::Neighbours;
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
    pub(crate) handovers: TokenBucket,
    /// Whether it hands sessions over that are more than its share.
    pub(crate) rebalances: bool,
    /// Whether it is to be empty, and takes no session over any more.
    pub(crate) draining: AtomicBool,
    pub(crate) neighbours: Neighbours,
    /// Until when nobody else may own what this node owns, by its own clock and with a margin.
    pub(crate) held_until: watch::Sender<Instant>,
    /// What it said of itself last.
    pub(crate) reported: watch::Sender<NodeReport>,
    /// Raised when that is not true any more, and the others ought to know.
    pub(crate) report_due: Notify,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) slots: Mutex<Slots>,
    pub(crate) login_codes: LoginCodes,
    pub(crate) last_session_id: Mutex<Option<SessionId>>,
}

/// The sessions this node drives, or is about to, and whether it may.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    taken: BTreeMap<SessionId, Slot>,
    /// How many of them are driven.
    driven: u32,
    /// Counts the times this node joined. What was begun in an earlier term owns nothing any more.
    term: u64,
    /// Whether the node's lease holds: while it does not, nothing is taken over.
    joined: bool,
}

/// A session's place in the node: taken while it is being looked at and claimed, and then by its running task.
#[derive(Debug, Default)]
struct Slot {
    wake: Arc<Notify>,
    task: Option<AbortHandle>,
    /// Whether the session is driven here, or about to be: from then on it counts.
    driven: bool,
    /// Whether it is to be handed over to another node.
    leave: watch::Sender<bool>,
    moving_costs: MovingCosts,
}

/// What people notice of it when the session is handed over to another node: little at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MovingCosts {
    /// It has no connection that is of use to anybody.
    #[default]
    Nothing,
    /// It is offline for a moment.
    AMoment,
    /// Who is about to scan its login code has to scan another one.
    ALogin,
}

/// A slot that is taken. Dropping it frees the slot: whatever becomes of the task that holds it, nothing leaks.
#[derive(Debug)]
pub(crate) struct Reservation {
    node: Arc<Node>,
    pub(crate) session: SessionId,
    pub(crate) wake: Arc<Notify>,
    /// Whether the session is to be handed over to another node.
    pub(crate) leave: watch::Receiver<bool>,
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
        let (wake, leave, term) = (slot.wake.clone(), slot.leave.subscribe(), slots.term);
        slots.taken.insert(session, slot);
        Some(Self { node: node.clone(), session, wake, leave, term, failures: Arc::default() })
    }

    /// From now on the session is driven here, and counts. Refused once the node drives as many as it may, unless it `owns` the
    /// session already.
    pub(crate) fn drive(&self, owns: bool) -> bool {
        let mut slots = self.node.slots.lock();
        let full = slots.driven >= self.node.profile.capacity;
        let Some(slot) = slots.taken.get_mut(&self.session) else { return false };
        if !slot.driven {
            if full && !owns {
                return false;
            }
            slot.driven = true;
            slots.driven += 1;
            drop(slots);
            self.node.count_changed();
        }
        true
    }

    /// Whether the session is driven here, or about to be.
    pub(crate) fn is_driven(&self) -> bool {
        self.node.slots.lock().taken.get(&self.session).is_some_and(|slot| slot.driven)
    }

    /// Waits until the session is to be handed over to another node.
    pub(crate) async fn asked_to_leave(&self) {
        // An error means that nobody can ask any more.
        if self.leave.clone().wait_for(|leave| *leave).await.is_err() {
            std::future::pending().await
        }
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

    /// Frees the slot, unless a hint came that nobody has followed yet: then it is handed back, and counts no more.
    pub(crate) fn give_up(self) -> Option<Self> {
        let woken = {
            let mut slots = self.node.slots.lock();
            let hint = std::pin::pin!(self.wake.notified());
            let woken = hint.poll(&mut Context::from_waker(Waker::noop())).is_ready();
            if woken {
                slots.rest(self.session);
            } else {
                slots.free(self.session);
            }
            woken
        };
        self.node.count_changed();
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

impl Slots {
    /// The session is not driven any more.
    fn rest(&mut self, session: SessionId) {
        if self.taken.get_mut(&session).is_some_and(|slot| std::mem::take(&mut slot.driven)) {
            self.driven -= 1;
        }
    }

    fn free(&mut self, session: SessionId) {
        self.rest(session);
        self.taken.remove(&session);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut slots = self.node.slots.lock();
        // It may have been given up, and taken by somebody else since.
        let own = slots.taken.get(&self.session).is_some_and(|slot| Arc::ptr_eq(&slot.wake, &self.wake));
        if own {
            slots.free(self.session);
        }
        drop(slots);
        if own {
            self.node.count_changed();
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
        NodeReport { sessions: self.slots.lock().driven, accepting: self.is_accepting() }
    }

    /// Whether it takes sessions over.
    pub(crate) fn is_accepting(&self) -> bool {
        self.is_running() && !self.draining.load(Ordering::Relaxed)
    }

    /// How many sessions it drives has changed. The others hear of it now if that is much, or makes room, and else with the
    /// next renewal.
    fn count_changed(&self) {
        let (now, capacity) = (self.slots.lock().driven, self.profile.capacity);
        let reported = self.reported.borrow().sessions;
        let much = u64::from(now.abs_diff(reported)) * 10 >= u64::from(reported.max(1));
        if much || (now >= capacity) != (reported >= capacity) {
            self.report_due.notify_one();
        }
    }

    /// Whether it is certain that nobody else owns what this node owns. It may be long over when a process was frozen and goes
    /// on, before anything else has noticed.
    pub(crate) fn holds_its_lease(&self) -> bool {
        Instant::now() < *self.held_until.borrow()
    }

    /// Waits until that is certain.
    pub(crate) async fn lease_held(&self) {
        // An error means that the node is gone, and whoever waits is about to be.
        let _ = self.held_until.subscribe().wait_for(|until| Instant::now() < *until).await;
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

    /// The sessions that are driven here, or about to be, and what moving them costs.
    pub(crate) fn driven(&self) -> Vec<(SessionId, MovingCosts)> {
        let slots = self.slots.lock();
        let driven = slots.taken.iter().filter(|(_, slot)| slot.driven);
        driven.map(|(session, slot)| (*session, slot.moving_costs)).collect()
    }

    pub(crate) fn set_moving_costs(&self, session: SessionId, costs: MovingCosts) {
        let mut slots = self.slots.lock();
        slots.taken.get_mut(&session).into_iter().for_each(|slot| slot.moving_costs = costs);
    }

    /// Asks the session's task to hand it over to another node; answers who tells when that is done, if there is one.
    pub(crate) fn ask_to_leave(&self, session: SessionId) -> Option<watch::Sender<bool>> {
        let leave = self.slots.lock().taken.get(&session).map(|slot| slot.leave.clone())?;
        leave.send_replace(true);
        Some(leave)
    }

    /// Whether the session is being looked at or driven here.
    pub(crate) fn is_taken(&self, session: SessionId) -> bool {
        self.slots.lock().taken.contains_key(&session)
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
