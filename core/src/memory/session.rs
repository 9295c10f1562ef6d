//! Sessions: each with all that is stored of it.

use std::collections::{BTreeMap, VecDeque};

use async_trait::async_trait;

use super::conversation::Conversations;
use super::{MemoryStorage, State, part};
use crate::audit::AuditEntry;
use crate::event::Event;
use crate::ids::{NodeId, PortNumber, SessionId};
use crate::leads::ledger;
use crate::lifecycle::{Lifecycle, PortChange};
use crate::session::SessionRecord;
use crate::storage::{
    Change, Committed, Deletion, Page, SessionCommit, SessionFilter, SessionStore, StorageError, StorageErrorKind,
    StoredSession,
};

/// One session with all that is stored of it: deleting this deletes every trace.
pub(super) struct Session {
    /// Counts the sessions in the order in which they were added.
    pub(super) number: u64,
    pub(super) record: SessionRecord,
    pub(super) revision: u64,
    pub(super) port: Option<PortNumber>,
    /// Who claimed it last; drives it only while its lease lasts.
    pub(super) owner: Option<NodeId>,
    /// Counts the claims.
    pub(super) epoch: u64,
    pub(super) vault: BTreeMap<String, Vec<u8>>,
    pub(super) conversations: Conversations,
    /// The last event that was trimmed away.
    pub(super) trimmed: u64,
    pub(super) events: VecDeque<Event>,
}

impl Session {
    pub(super) fn new(record: SessionRecord, number: u64) -> Self {
        Self {
            number,
            record,
            revision: 0,
            port: None,
            owner: None,
            epoch: 0,
            vault: BTreeMap::new(),
            conversations: Conversations::default(),
            trimmed: 0,
            events: VecDeque::new(),
        }
    }
}

impl State {
    fn row(&self, session: &Session) -> StoredSession {
        StoredSession {
            record: session.record.clone(),
            revision: session.revision,
            port: session.port,
            unread: session.conversations.unread(),
            last_event: session.last_event(),
            owner: self.owner(session),
        }
    }
}

impl SessionFilter {
    fn passes(&self, row: &StoredSession) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&row.status()))
            && self.agent.as_ref().is_none_or(|agent| *agent == row.record.agent)
            && self.text.as_ref().is_none_or(|text| searchable(&row.record).any(|field| contains(field, text)))
    }
}

/// The texts of a record that a search looks at.
fn searchable(record: &SessionRecord) -> impl Iterator<Item = &str> {
    let account = record.facts.account.iter();
    let texts = account.flat_map(|account| {
        [Some(account.address.as_str()), account.phone.as_deref(), account.name.as_deref()].into_iter().flatten()
    });
    texts.chain([record.remark.as_str()])
}

fn contains(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

#[async_trait]
impl SessionStore for MemoryStorage {
    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StorageError> {
        let state = self.open()?;
        Ok(state.sessions.get(&id).map(|session| state.row(session)))
    }

    async fn sessions(&self, filter: &SessionFilter, of: Page) -> Result<Vec<StoredSession>, StorageError> {
        let state = self.open()?;
        let rows = state.sessions.values().map(|session| state.row(session)).filter(|row| filter.passes(row));
        Ok(part(rows, &of, |row| row.record.id))
    }

    async fn commit(&self, commit: SessionCommit) -> Result<Committed, StorageError> {
        let releases_port = commit.port == PortChange::Release;
        let change = Change::Session { session: commit.session, by_owner: commit.fence.is_some() };
        let committed = self.open()?.commit(commit)?;
        self.announce(change);
        if releases_port {
            self.announce(Change::Ports);
        }
        Ok(committed)
    }

    async fn delete(
        &self,
        id: SessionId,
        revision: u64,
        deletion: Deletion,
        audit: AuditEntry,
    ) -> Result<(), StorageError> {
        let mut state = self.open()?;
        let session = state.sessions.get(&id).ok_or(StorageErrorKind::NotFound)?;
        if session.revision != revision {
            return Err(StorageErrorKind::Stale.into());
        }
        if session.record.facts.lifecycle != Lifecycle::Stopped {
            return Err(StorageErrorKind::NotStopped.into());
        }
        state.sessions.remove(&id);
        state.consumers.values_mut().for_each(|handled| _ = handled.0.remove(&id));
        if deletion == Deletion::Erase {
            let Ok(()) = ledger::erase(&mut state.leads, id);
        }
        state.note(audit);
        drop(state);
        self.announce(Change::Session { session: id, by_owner: false });
        self.announce(Change::Ports);
        Ok(())
    }
}
