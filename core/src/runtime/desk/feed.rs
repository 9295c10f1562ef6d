//! The event feed: following it, and those who consume it.

use super::{Desk, MAX_PAGE};
use crate::agent::Agent;
use crate::audit::Outcome;
use crate::error::Error;
use crate::event::{Cursors, EventHead};
use crate::ids::{ConsumerName, SessionId};
use crate::policy::Action;
use crate::runtime::consumer::{Consumer, ConsumerState, unknown};
use crate::runtime::events::EventStream;
use crate::storage::{Page, SessionFilter, StoredSession};

impl Desk {
    /// How far the events of all sessions that the agent sees have come: [`events`](Self::events) from here on gives what
    /// happens from now on.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn cursors(&self) -> Result<Cursors, Error> {
        let agent = self.admit(Action::FollowEvents, None).await?;
        let Some(filter) = self.narrowed(&agent, &SessionFilter::default()) else { return Ok(Cursors::default()) };
        let (mut cursors, mut page) = (Cursors::default(), Page::first(MAX_PAGE));
        loop {
            let sessions = self.node().storage.sessions(&filter, page).await?;
            cursors.0.extend(sessions.iter().map(|stored| (stored.record.id, stored.last_event)));
            match sessions.last() {
                Some(last) if sessions.len() == MAX_PAGE as usize => page = Page::after(last.record.id, MAX_PAGE),
                _ => return Ok(cursors),
            }
        }
    }

    /// Follows the events of all sessions that the agent sees: everything after the cursors, and then what happens.
    ///
    /// Events that are older than the host [keeps](crate::SeatportBuilder::retention) are gone, and the stream says so. Who must
    /// not miss any is a [consumer](Self::consume).
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn events(&self, cursors: Cursors) -> Result<EventStream, Error> {
        self.admit(Action::FollowEvents, None).await?;
        Ok(EventStream::new(self.clone(), cursors))
    }

    /// Goes on where the consumer of this name has got to: gives every event that it has not acknowledged. A new one is
    /// registered, and begins with the oldest event that is kept; from now on no event is trimmed before it acknowledged it.
    ///
    /// For those who see all sessions: what a consumer acknowledges is gone for it, so it must not be handed a part.
    ///
    /// # Errors
    /// [`Error::Denied`], also for an agent who works [only on the sessions bound to it](crate::AgentScope::BoundOnly).
    pub async fn consume(&self, name: &ConsumerName) -> Result<Consumer, Error> {
        self.admit_to_all(Action::FollowEvents).await?;
        let storage = &self.node().storage;
        if !storage.consumers().await?.contains(name) {
            storage.register_consumer(name).await?;
            storage.record(self.line(Action::FollowEvents, None, Outcome::Done)).await?;
        }
        let acknowledged = storage.acknowledged(name).await.map_err(|error| unknown(error, name))?;
        // From now on nothing is trimmed that it has not acknowledged. What is gone already was before its time.
        let mut from = acknowledged.clone();
        for head in self.heads().await?.into_iter().filter(|head| head.trimmed > acknowledged.after(head.session)) {
            from.0.insert(head.session, head.trimmed);
        }
        Ok(Consumer::new(name.clone(), EventStream::of_all(self.clone(), from), acknowledged))
    }

    /// The consumers that are registered, by name, and how far behind each is. One that is never heard of again holds back all
    /// trimming until it is [forgotten](Self::forget_consumer).
    ///
    /// # Errors
    /// Those of [`consume`](Self::consume).
    pub async fn consumers(&self) -> Result<Vec<ConsumerState>, Error> {
        self.admit_to_all(Action::FollowEvents).await?;
        let storage = &self.node().storage;
        let (heads, mut consumers) = (self.heads().await?, Vec::new());
        for name in storage.consumers().await? {
            let acknowledged = storage.acknowledged(&name).await.map_err(|error| unknown(error, &name))?;
            let handled = |head: &EventHead| acknowledged.after(head.session).max(head.trimmed);
            let behind = heads.iter().map(|head| head.last.saturating_sub(handled(head))).sum();
            consumers.push(ConsumerState { name, behind });
        }
        Ok(consumers)
    }

    /// Forgets a consumer: what only it held back may be trimmed from now on.
    ///
    /// # Errors
    /// [`Error::UnknownConsumer`], and those of [`consume`](Self::consume).
    pub async fn forget_consumer(&self, name: &ConsumerName) -> Result<(), Error> {
        self.admit_to_all(Action::FollowEvents).await?;
        let storage = &self.node().storage;
        storage.remove_consumer(name).await.map_err(|error| unknown(error, name))?;
        Ok(storage.record(self.line(Action::FollowEvents, None, Outcome::Done)).await?)
    }

    /// The session whose events are asked for, while it is there, and whether the agent may still follow events and sees it.
    pub(crate) async fn followed(&self, session: SessionId) -> Result<Option<(StoredSession, bool)>, Error> {
        let agent = self.admit(Action::FollowEvents, None).await?;
        let stored = self.node().storage.session(session).await?;
        Ok(stored.map(|stored| {
            let sees = self.sees(&agent, &stored);
            (stored, sees)
        }))
    }

    /// Lets in an agent who sees all sessions, for something that concerns all of them.
    pub(crate) async fn admit_to_all(&self, action: Action) -> Result<Agent, Error> {
        let agent = self.admit(action, None).await?;
        if self.sees_all(&agent) { Ok(agent) } else { Err(self.refuse(action, None).await?) }
    }

    async fn heads(&self) -> Result<Vec<EventHead>, Error> {
        let (mut heads, mut after) = (Vec::new(), None);
        loop {
            let page = self.node().storage.event_heads(after, MAX_PAGE).await?;
            let full = page.len() == MAX_PAGE as usize;
            after = page.last().map(|head| head.session);
            heads.extend(page);
            if !full {
                return Ok(heads);
            }
        }
    }
}
