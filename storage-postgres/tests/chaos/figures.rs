//! What is counted and measured on the way.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use seatport::{SessionId, Timestamp};

use crate::LEASE;
use crate::fault::Fault;
use crate::processes::offline::{offline, percentiles};
use crate::world::World;

/// Counts and times. Its clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Figures(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    rounds: BTreeMap<Fault, u32>,
    /// What a node drove when it was killed or drained, to be looked up in the journal at the end.
    killed: Vec<(SessionId, Timestamp)>,
    drained: Vec<(SessionId, Timestamp)>,
    drains_that_failed: u32,
    lines: Vec<String>,
}

impl Figures {
    pub(crate) fn round(&self, fault: Fault) {
        *self.0.lock().rounds.entry(fault).or_default() += 1;
    }

    pub(crate) fn killed(&self, sessions: Vec<SessionId>, at: Timestamp) {
        self.0.lock().killed.extend(sessions.into_iter().map(|session| (session, at)));
    }

    pub(crate) fn drained(&self, sessions: Vec<SessionId>, at: Timestamp, succeeded: bool) {
        let mut inner = self.0.lock();
        if succeeded {
            inner.drained.extend(sessions.into_iter().map(|session| (session, at)));
        } else {
            inner.drains_that_failed += 1;
        }
    }

    /// A line for the end.
    pub(crate) fn line(&self, line: String) {
        self.0.lock().lines.push(line);
    }

    /// Looks up in the journal how long whoever was killed or drained was away.
    pub(crate) fn look_up(&self, world: &World) {
        let journal = world.messenger.journal();
        let mut inner = self.0.lock();
        let away = |who: &[(SessionId, Timestamp)]| -> Vec<Duration> {
            who.iter().filter_map(|(session, at)| offline(&journal, *session, *at)).collect()
        };
        let (killed, drained) = (away(&inner.killed), away(&inner.drained));
        let lines = [
            format!("offline after a kill (other faults included; lease {LEASE:.1?}): {}", percentiles(killed)),
            format!("offline at a drain (other faults included): {}", percentiles(drained)),
            format!("{} drains were cut short by another fault", inner.drains_that_failed),
        ];
        inner.lines.extend(lines);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.0.lock();
        for (number, (fault, count)) in inner.rounds.iter().enumerate() {
            write!(f, "{}{count} x {fault:?}", if number == 0 { "" } else { ", " })?;
        }
        inner.lines.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
