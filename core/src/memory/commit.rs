//! Landing a commit: first everything that may refuse it, then the writes.

use std::collections::btree_map::Entry;

use super::State;
use super::session::Session;
use crate::event::EventBody;
use crate::session::SessionRecord;
use crate::storage::{Committed, Expect, SessionCommit, StorageError, StorageErrorKind};

impl State {
    /// Lands a commit as a whole; one that is refused has written nothing.
    pub(super) fn commit(&mut self, commit: SessionCommit) -> Result<Committed, StorageError> {
        self.check_expectation(&commit)?;
        if let Some(fence) = commit.fence {
            self.check_fence(commit.session, fence)?;
        }
        let port = self.port_after(commit.session, commit.port)?;

        let record = commit.record.map(without_password);
        let session = match (self.sessions.entry(commit.session), record) {
            (Entry::Occupied(entry), None) => entry.into_mut(),
            (Entry::Occupied(entry), Some(record)) => {
                let session = entry.into_mut();
                session.record = record;
                session.revision += 1;
                session
            }
            (Entry::Vacant(entry), Some(record)) => {
                let session = entry.insert(Session::new(record));
                session.revision += 1;
                session
            }
            (Entry::Vacant(_), None) => return Err(StorageErrorKind::NotFound.into()),
        };

        session.port = port;
        if commit.forget_credentials {
            session.forget_credentials();
        }
        commit.vault.into_iter().for_each(|write| session.write_vault(write));

        let conversations = &mut session.conversations;
        let mut events: Vec<EventBody> = Vec::new();
        events.extend(commit.messages.into_iter().filter_map(|incoming| conversations.store(incoming)));
        events.extend(commit.updates.into_iter().filter_map(|update| conversations.raise_status(update)));
        events.extend(commit.read.into_iter().filter_map(|mark| conversations.mark_read(mark)));
        events.extend(commit.events);
        events.into_iter().for_each(|body| session.add_event(commit.at, body));

        self.audit.extend(commit.audit);
        Ok(Committed {
            revision: session.revision,
            port,
            last_event: session.last_event(),
            unread: session.conversations.unread(),
        })
    }

    fn check_expectation(&self, commit: &SessionCommit) -> Result<(), StorageError> {
        let revision = self.sessions.get(&commit.session).map(|session| session.revision);
        match (commit.expect, revision) {
            (Expect::New, Some(_)) => Err(StorageErrorKind::Exists.into()),
            (Expect::New, None) if commit.record.is_some() => Ok(()),
            (_, None) => Err(StorageErrorKind::NotFound.into()),
            (Expect::Revision(expected), Some(found)) if expected != found => Err(StorageErrorKind::Stale.into()),
            (Expect::Revision(_) | Expect::Present, Some(_)) => Ok(()),
        }
    }
}

/// The password of a proxy is kept sealed in the vault and nowhere else.
fn without_password(mut record: SessionRecord) -> SessionRecord {
    if let Some(proxy) = &mut record.environment.proxy {
        proxy.password = None;
    }
    record
}
