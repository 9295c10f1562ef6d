//! The way from one node to the storage that all share, and what goes wrong on it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::storage::{Change, Notice, Storage, StorageError, StorageErrorKind};
use seatport_testkit::storage::{Answer, Call, Intercept};
use tokio::sync::broadcast;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives,
    Fails(StorageErrorKind),
    FailsThoughDone(StorageErrorKind),
    /// It arrives a second later.
    IsSlow,
}

type Plan = Box<dyn FnMut(&Call<'_>) -> Fate + Send>;

/// One node's way to the storage.
pub(crate) struct Way {
    plan: Mutex<Plan>,
    /// Hints get lost on the way back.
    deaf: AtomicBool,
    /// What it would hear then: nothing.
    silence: broadcast::Sender<Change>,
    /// Notices get lost on the way out.
    mute: AtomicBool,
    counted: Mutex<BTreeMap<&'static str, usize>>,
    said: Mutex<Vec<Notice>>,
}

impl Way {
    pub(crate) fn new(deaf: bool) -> Self {
        Self {
            plan: Mutex::new(Box::new(|_| Fate::Arrives)),
            deaf: AtomicBool::new(deaf),
            silence: broadcast::Sender::new(1),
            mute: AtomicBool::default(),
            counted: Mutex::default(),
            said: Mutex::default(),
        }
    }

    /// From now on this is what becomes of its calls.
    pub(crate) fn plan(&self, plan: impl FnMut(&Call<'_>) -> Fate + Send + 'static) {
        *self.plan.lock() = Box::new(plan);
    }

    pub(crate) fn mute(&self, mute: bool) {
        self.mute.store(mute, Ordering::SeqCst);
    }

    /// How many calls of this name were made since this was last asked.
    pub(crate) fn count(&self, name: &'static str) -> usize {
        self.counted.lock().remove(name).unwrap_or(0)
    }

    /// The notices that it sent, also those that got lost.
    pub(crate) fn said(&self) -> Vec<Notice> {
        self.said.lock().clone()
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").finish_non_exhaustive()
    }
}

#[async_trait]
impl Intercept for Way {
    async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        let name = match &call {
            Call::PortQueue => "port_queue",
            Call::JoinPortQueue(_) => "join_port_queue",
            Call::LeavePortQueue(_) => "leave_port_queue",
            Call::Session(_) => "session",
            Call::EventHeads(..) => "event_heads",
            Call::Notify(_) => "notify",
            _ => "another",
        };
        *self.counted.lock().entry(name).or_default() += 1;
        if let Call::Notify(notice) = &call {
            self.said.lock().push(notice.clone());
            if self.mute.load(Ordering::SeqCst) {
                return Ok(Answer::Done(()));
            }
        }
        let fate = (self.plan.lock())(&call);
        match fate {
            Fate::Arrives => call.send(storage).await,
            Fate::Fails(kind) => Err(kind.into()),
            Fate::FailsThoughDone(kind) => call.send(storage).await.and(Err(kind.into())),
            Fate::IsSlow => {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                call.send(storage).await
            }
        }
    }

    fn changes(&self, storage: &dyn Storage) -> broadcast::Receiver<Change> {
        match self.deaf.load(Ordering::SeqCst) {
            true => self.silence.subscribe(),
            false => storage.changes(),
        }
    }
}
