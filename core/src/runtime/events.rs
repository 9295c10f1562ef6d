//! Following the event feed.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};

use crate::error::Error;
use crate::event::{Cursors, Event};
use crate::ids::SessionId;
use crate::policy::Action;
use crate::runtime::desk::Desk;
use crate::storage::{Change, StoredSession};

/// Sessions looked at in one read when the stream begins.
const HEADS: u32 = 1000;
/// Events read of one session at a time.
const BATCH: u32 = 256;

/// How often a follower looks at all sessions by itself: hints from other nodes may get lost. It is one read for a thousand
/// sessions, so it comes more rarely than a look at one.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Follows the events of all sessions that an agent sees. It reads from the storage at the follower's own pace: a slow one
/// holds nobody up and misses nothing. Made by [`Desk::events`].
///
/// Each session's events come in their order. [`cursors`](Self::cursors) says what was answered so far: keep it, once those
/// events are handled, and give it to the next [`Desk::events`] to go on from there. The events of a deleted session are gone
/// with it, and nothing in the feed says so.
///
/// Events that are older than the host [keeps](crate::SeatportBuilder::retention) are gone too, and whoever comes too late for
/// them is told, by [`Error::EventsTrimmed`]: then the session's card, chats and messages tell what the events would have.
///
/// ```
/// use seatport::{Cursors, Desk, Error, EventBody};
///
/// async fn count_messages(desk: &Desk, handled: Cursors) -> Result<Cursors, Error> {
///     let mut feed = desk.events(handled).await?;
///     let mut messages = 0;
///     while messages < 100 {
///         if let EventBody::MessageStored { inbound: true, .. } = feed.next().await?.body {
///             messages += 1;
///         }
///     }
///     Ok(feed.cursors().clone()) // serializable: keep it, and go on from here another day
/// }
/// ```
#[derive(Debug)]
pub struct EventStream {
    desk: Desk,
    changes: broadcast::Receiver<Change>,
    cursors: Cursors,
    /// Whether the events are for somebody who has to see all sessions, so that a part of them will not do.
    all: bool,
    /// Whether hints were missed, so that every session has to be looked at.
    behind: bool,
    /// When every session is looked at again in any case.
    look_at: Instant,
    /// Sessions that may have events to read.
    due: BTreeSet<SessionId>,
    read: VecDeque<Event>,
}

impl EventStream {
    pub(crate) fn new(desk: Desk, cursors: Cursors) -> Self {
        // Subscribed before looking, so that nothing falls in between.
        let changes = desk.node().storage.changes();
        let (due, read) = (BTreeSet::new(), VecDeque::new());
        Self { desk, changes, cursors, all: false, behind: true, look_at: Instant::now(), due, read }
    }

    /// The same for somebody who has to see all sessions: refused, once the agent does not, where another stream leaves out what
    /// the agent does not see.
    pub(crate) fn of_all(desk: Desk, cursors: Cursors) -> Self {
        Self { all: true, ..Self::new(desk, cursors) }
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The next event, once there is one. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::EventsTrimmed`] when the next events of a session are not kept any more, once for each such gap: the next call
    /// goes on behind it. [`Error::ShutDown`] once the node ends; [`Error::UnknownAgent`] or [`Error::Denied`] once the agent may
    /// not follow any more; [`Error::Storage`] when the storage fails. After an error the call may be repeated; nothing is
    /// passed over that was not named.
    pub async fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.read.pop_front() {
                self.cursors.handled(&event);
                return Ok(event);
            }
            if self.behind || Instant::now() >= self.look_at {
                self.look_at_all().await?;
                self.behind = false;
                self.look_at = Instant::now() + LOOK_AGAIN;
            }
            self.read_due().await?;
            if self.read.is_empty() {
                self.wait().await?;
            }
        }
    }

    /// The next events, at least one and at most `max`, once there is one. Cancel-safe.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<Event>, Error> {
        let mut batch = vec![self.next().await?];
        while batch.len() < max {
            let Some(event) = self.read.pop_front() else { break };
            self.cursors.handled(&event);
            batch.push(event);
        }
        Ok(batch)
    }

    /// What was answered so far.
    #[must_use]
    pub fn cursors(&self) -> &Cursors {
        &self.cursors
    }

    async fn read_due(&mut self) -> Result<(), Error> {
        while let Some(session) = self.due.first().copied() {
            let after = self.cursors.after(session);
            let (last, events) = match self.followed(session).await? {
                Some((stored, true)) => {
                    (stored.last_event, self.desk.node().storage.events(session, after, BATCH).await?)
                }
                Some((_, false)) => (0, Vec::new()),
                None => {
                    self.forget(session);
                    continue;
                }
            };
            // What comes next, if nothing is missing: what was read first, or else what will follow the last event.
            let kept_from = events.first().map_or(last + 1, |event| event.seq);
            let trimmed = kept_from > after + 1;
            if trimmed && events.is_empty() && self.desk.node().storage.session(session).await?.is_none() {
                self.forget(session);
                continue;
            }
            if events.len() < BATCH as usize {
                self.due.remove(&session);
            }
            self.read.extend(events);
            if trimmed {
                self.cursors.0.insert(session, kept_from - 1);
                return Err(Error::EventsTrimmed { session, after, kept_from });
            }
            if !self.read.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn followed(&self, session: SessionId) -> Result<Option<(StoredSession, bool)>, Error> {
        if self.all {
            self.desk.admit_to_all(Action::FollowEvents).await?;
        }
        self.desk.followed(session).await
    }

    /// The session was deleted, and its events with it.
    fn forget(&mut self, session: SessionId) {
        self.due.remove(&session);
        self.cursors.0.remove(&session);
    }

    async fn wait(&mut self) -> Result<(), Error> {
        let mut phase = self.desk.node().phase.subscribe();
        let ends = async {
            // Lets go of the phase at once: who asks for it again while somebody wants to change it waits for ever.
            let _ = phase.wait_for(|phase| *phase != super::node::Phase::Running).await;
        };
        let change = tokio::select! {
            biased;
            change = self.changes.recv() => change,
            () = sleep_until(self.look_at) => return Ok(()),
            () = ends => return self.desk.node().running(),
        };
        match change {
            Ok(Change::Session { session, .. }) => drop(self.due.insert(session)),
            Ok(Change::Ports) => {}
            Ok(Change::Any) | Err(broadcast::error::RecvError::Lagged(_)) => self.behind = true,
            Err(broadcast::error::RecvError::Closed) => return self.desk.node().running(),
        }
        Ok(())
    }

    async fn look_at_all(&mut self) -> Result<(), Error> {
        let mut after = None;
        loop {
            let heads = self.desk.node().storage.event_heads(after, HEADS).await?;
            let full = heads.len() == HEADS as usize;
            after = heads.last().map(|head| head.session).or(after);
            let cursors = &self.cursors;
            self.due
                .extend(heads.iter().filter(|head| head.last > cursors.after(head.session)).map(|head| head.session));
            if !full {
                return Ok(());
            }
        }
    }
}
