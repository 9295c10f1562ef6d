//! What all tasks of one node share.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::AbortHandle;

use crate::clock::{Clock, Timestamp};
use crate::error::Error;
use crate::ids::{NodeId, SessionId, TransportName};
use crate::policy::AgentScope;
use crate::random::Random;
use crate::runtime::hub::Hub;
use crate::runtime::mail::Mail;
use crate::runtime::port_queue::PortQueue;
use crate::runtime::timing::Timing;
use crate::runtime::token_bucket::TokenBucket;
use crate::storage::Storage;
use crate::transport::{LoginChallenge, Transport};
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
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) transports: BTreeMap<TransportName, Arc<dyn Transport>>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) timing: Timing,
    pub(crate) scope: AgentScope,
    pub(crate) allow_account_change: bool,
    pub(crate) hub: Hub,
    pub(crate) ports: Arc<PortQueue>,
    pub(crate) reconnects: TokenBucket,
    pub(crate) adoptions: TokenBucket,
    pub(crate) phase: watch::Sender<Phase>,
    /// The sessions this node drives, or is about to.
    pub(crate) slots: Mutex<HashMap<SessionId, Slot>>,
    /// The login codes to show now. They live here and nowhere else.
    pub(crate) challenges: Mutex<HashMap<SessionId, LoginChallenge>>,
    pub(crate) last_session_id: Mutex<Option<SessionId>>,
}

/// A session's place in the node: reserved while it is being claimed, and then its running task.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) wake: Arc<Notify>,
    pub(crate) mailbox: Option<mpsc::Sender<Mail>>,
    pub(crate) task: Option<AbortHandle>,
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

    /// The login code to show now; an expired one is never handed out.
    pub(crate) fn challenge(&self, session: SessionId) -> Option<LoginChallenge> {
        self.challenges.lock().get(&session).filter(|challenge| challenge.is_valid(self.now())).cloned()
    }

    pub(crate) fn set_challenge(&self, session: SessionId, challenge: Option<LoginChallenge>) {
        let changed = match challenge {
            Some(challenge) => {
                self.challenges.lock().insert(session, challenge);
                true
            }
            None => self.challenges.lock().remove(&session).is_some(),
        };
        if changed {
            self.hub.poke(session);
        }
    }

    /// Takes the session's slot unless it is taken.
    pub(crate) fn reserve(&self, session: SessionId) -> bool {
        match self.slots.lock().entry(session) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Slot::default());
                true
            }
        }
    }

    pub(crate) fn vacate(&self, session: SessionId) {
        self.slots.lock().remove(&session);
        self.set_challenge(session, None);
    }

    /// Ends every session's task at once: their connections are dropped, nothing more is written.
    pub(crate) fn abandon_all(&self) {
        for slot in self.slots.lock().values() {
            if let Some(task) = &slot.task {
                task.abort();
            }
        }
    }

    /// Hands something to the session's task, if it runs here and is not behind.
    pub(crate) fn mail(&self, session: SessionId, mail: Mail) {
        if let Some(mailbox) = self.slots.lock().get(&session).and_then(|slot| slot.mailbox.as_ref())
            && mailbox.try_send(mail).is_err()
        {
            tracing::debug!(%session, "the session's mailbox is full; dropped");
        }
    }
}
