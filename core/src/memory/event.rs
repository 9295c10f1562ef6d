//! Events.

use async_trait::async_trait;

use super::session::Session;
use super::{MemoryStorage, following, page};
use crate::clock::Timestamp;
use crate::event::{Event, EventBody};
use crate::ids::SessionId;
use crate::storage::{EventStore, StorageError};

impl Session {
    /// The sequence number of the last event.
    pub(super) fn last_event(&self) -> u64 {
        self.events.len() as u64
    }

    /// Adds an event to the sequence.
    pub(super) fn add_event(&mut self, at: Timestamp, body: EventBody) {
        self.events.push(Event { session: self.record.id, seq: self.last_event() + 1, at, body });
    }
}

#[async_trait]
impl EventStore for MemoryStorage {
    async fn events(&self, session: SessionId, after: u64, limit: u32) -> Result<Vec<Event>, StorageError> {
        let state = self.open()?;
        let events = state.sessions.get(&session).map_or(&[][..], |session| &session.events);
        let handled = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(page(events.iter().skip(handled).cloned(), limit))
    }

    async fn event_heads(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<(SessionId, u64)>, StorageError> {
        let state = self.open()?;
        let heads = following(&state.sessions, after.as_ref()).map(|(id, session)| (*id, session.last_event()));
        Ok(page(heads, limit))
    }
}
