//! Hints and notices: to this process at once, to the others by notification.
//!
//! Sending a notification inside a writing transaction would make all of them wait for one another, so a task on a connection of its
//! own sends them afterwards, many sessions in one. A notification is a wake-up and never the truth: what got lost on the way is
//! found by [`poll`].

mod line;
pub(crate) mod poll;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use seatport::SessionId;
use seatport::storage::{Change, Notice};
use tokio::sync::{Notify, broadcast};

pub(crate) use line::Line;

/// How many hints a receiver may be behind before it has to read everything again.
const KEPT: usize = 4096;

/// How many sessions wait to be named one by one; when there are more, the others are told to look at everything.
const SESSIONS_WAITING: usize = 20_000;

/// How many notices wait to be sent; the oldest ones go.
const NOTICES_WAITING: usize = 1024;

/// Hands out hints and notices. Its clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Hints(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    changes: broadcast::Sender<Change>,
    notices: broadcast::Sender<Notice>,
    outbox: Mutex<Outbox>,
    /// Told when there is something in the outbox, and when nothing more comes.
    wake: Notify,
}

/// What the other processes are to be told.
#[derive(Debug, Default)]
struct Outbox {
    /// Each with whether only its owner wrote.
    sessions: BTreeMap<SessionId, bool>,
    ports: bool,
    any: bool,
    notices: VecDeque<Notice>,
    stopped: bool,
}

impl Default for Hints {
    fn default() -> Self {
        Self(Arc::new(Shared {
            changes: broadcast::Sender::new(KEPT),
            notices: broadcast::Sender::new(KEPT),
            outbox: Mutex::default(),
            wake: Notify::new(),
        }))
    }
}

impl Hints {
    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    pub(crate) fn notices(&self) -> broadcast::Receiver<Notice> {
        self.0.notices.subscribe()
    }

    /// Announces this here, and to the other processes.
    pub(crate) fn announce(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        changes.iter().for_each(|change| self.announce_here(*change));
        let mut outbox = self.0.outbox.lock();
        changes.iter().for_each(|change| outbox.add(*change));
        drop(outbox);
        self.0.wake.notify_one();
    }

    /// Announces this here alone.
    pub(crate) fn announce_here(&self, change: Change) {
        // An error means that nobody listens, which is no fault.
        let _ = self.0.changes.send(change);
    }

    /// Sends a notice, here and to the other processes.
    pub(crate) fn notify(&self, notice: Notice) {
        self.notice_here(notice.clone());
        let mut outbox = self.0.outbox.lock();
        if outbox.notices.len() >= NOTICES_WAITING {
            outbox.notices.pop_front();
        }
        outbox.notices.push_back(notice);
        drop(outbox);
        self.0.wake.notify_one();
    }

    fn notice_here(&self, notice: Notice) {
        let _ = self.0.notices.send(notice);
    }

    /// Nothing more comes: what is in the outbox is sent, and that is all.
    pub(crate) fn stop(&self) {
        self.0.outbox.lock().stopped = true;
        self.0.wake.notify_one();
    }

    fn has_stopped(&self) -> bool {
        self.0.outbox.lock().stopped
    }
}

impl Outbox {
    fn add(&mut self, change: Change) {
        match change {
            Change::Session { session, by_owner } => {
                // The owner is to be woken if anybody else wrote.
                *self.sessions.entry(session).or_insert(true) &= by_owner;
            }
            Change::Ports => self.ports = true,
            Change::Any => self.any = true,
        }
        if self.sessions.len() > SESSIONS_WAITING {
            self.sessions.clear();
            self.any = true;
        }
    }

    fn take_changes(&mut self) -> Vec<Change> {
        let sessions = std::mem::take(&mut self.sessions).into_iter();
        let mut changes: Vec<_> = sessions.map(|(session, by_owner)| Change::Session { session, by_owner }).collect();
        changes.extend(std::mem::take(&mut self.ports).then_some(Change::Ports));
        changes.extend(std::mem::take(&mut self.any).then_some(Change::Any));
        changes
    }
}
