//! Events, and who still needs them.

use async_trait::async_trait;

use super::session::Session;
use super::{MemoryStorage, State, following, taken};
use crate::clock::Timestamp;
use crate::event::{Cursors, Event, EventBody, EventHead, Retention};
use crate::ids::{ConsumerName, SessionId};
use crate::storage::{EventStore, StorageError, StorageErrorKind};

impl Session {
    /// The sequence number of the last event.
    pub(super) fn last_event(&self) -> u64 {
        self.trimmed + self.events.len() as u64
    }

    /// Adds an event to the sequence.
    pub(super) fn add_event(&mut self, at: Timestamp, body: EventBody) {
        self.events.push_back(Event { session: self.record.id, seq: self.last_event() + 1, at, body });
    }

    fn head(&self) -> EventHead {
        EventHead { session: self.record.id, trimmed: self.trimmed, last: self.last_event() }
    }

    /// Removes the oldest events as long as they are not to be kept, none after number `handled`, and answers how many.
    fn trim(&mut self, keep: &Retention, now: Timestamp, handled: u64, limit: u32) -> u64 {
        let (before, last) = (self.trimmed, self.last_event());
        while let Some(oldest) = self.events.front() {
            let too_old = keep.age.is_some_and(|age| oldest.at + age < now);
            let too_many = keep.count.is_some_and(|count| last - oldest.seq >= count);
            if self.trimmed - before == u64::from(limit) || oldest.seq > handled || !(too_old || too_many) {
                break;
            }
            self.trimmed = oldest.seq;
            self.events.pop_front();
        }
        self.trimmed - before
    }
}

impl State {
    fn consumer(&mut self, name: &ConsumerName) -> Result<&mut Cursors, StorageError> {
        self.consumers.get_mut(name).ok_or_else(|| StorageErrorKind::NotFound.into())
    }
}

#[async_trait]
impl EventStore for MemoryStorage {
    async fn events(&self, session: SessionId, after: u64, limit: u32) -> Result<Vec<Event>, StorageError> {
        let state = self.open()?;
        let events = state.sessions.get(&session).into_iter().flat_map(|session| {
            let handled = usize::try_from(after.saturating_sub(session.trimmed)).unwrap_or(usize::MAX);
            session.events.iter().skip(handled)
        });
        Ok(taken(events.cloned(), limit))
    }

    async fn event_heads(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<EventHead>, StorageError> {
        let state = self.open()?;
        Ok(taken(following(&state.sessions, after.as_ref()).map(|(_, session)| session.head()), limit))
    }

    async fn trim_events(
        &self,
        session: SessionId,
        keep: &Retention,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StorageError> {
        let mut state = self.open()?;
        let handled = state.consumers.values().map(|handled| handled.after(session)).min().unwrap_or(u64::MAX);
        let session = state.sessions.get_mut(&session);
        Ok(session.map_or(0, |session| session.trim(keep, now, handled, limit)))
    }

    async fn register_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError> {
        self.open()?.consumers.entry(consumer.clone()).or_default();
        Ok(())
    }

    async fn remove_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError> {
        match self.open()?.consumers.remove(consumer) {
            Some(_) => Ok(()),
            None => Err(StorageErrorKind::NotFound.into()),
        }
    }

    async fn consumers(&self) -> Result<Vec<ConsumerName>, StorageError> {
        Ok(self.open()?.consumers.keys().cloned().collect())
    }

    async fn acknowledge(&self, consumer: &ConsumerName, handled: &Cursors) -> Result<(), StorageError> {
        let mut state = self.open()?;
        let mut handled = handled.clone();
        handled.0.retain(|session, _| state.sessions.contains_key(session));
        let acknowledged = state.consumer(consumer)?;
        for (session, seq) in handled.0 {
            let known = acknowledged.0.entry(session).or_default();
            *known = seq.max(*known);
        }
        Ok(())
    }

    async fn acknowledged(&self, consumer: &ConsumerName) -> Result<Cursors, StorageError> {
        self.open()?.consumer(consumer).cloned()
    }
}
