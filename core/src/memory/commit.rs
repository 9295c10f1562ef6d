//! Landing a commit: first everything that may refuse it, then the writes.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use super::State;
use super::conversation::Consequences;
use super::session::Session;
use crate::session::SessionRecord;
use crate::storage::{Committed, Expect, SessionCommit, StorageError, StorageErrorKind};

impl State {
    /// Lands a commit as a whole; one that is refused has written nothing.
    pub(super) fn commit(&mut self, commit: SessionCommit) -> Result<Committed, StorageError> {
        self.check_expectation(&commit)?;
        if let Some(fence) = commit.fence {
            self.check_fence(commit.session, fence)?;
        }
        self.check_keys(&commit)?;
        let port = self.port_after(commit.session, commit.port)?;

        let record = commit.record.map(without_password);
        let noted = record.is_some();
        let session = match (self.sessions.entry(commit.session), record) {
            (Entry::Occupied(entry), None) => entry.into_mut(),
            (Entry::Occupied(entry), Some(record)) => {
                let session = entry.into_mut();
                session.record = record;
                session.revision += 1;
                session
            }
            (Entry::Vacant(entry), Some(record)) => {
                self.sessions_added += 1;
                let session = entry.insert(Session::new(record, self.sessions_added));
                session.revision += 1;
                session
            }
            (Entry::Vacant(_), None) => return Err(StorageErrorKind::NotFound.into()),
        };
        if noted {
            session.note_shift(&mut self.leads, commit.at);
        }

        session.port = port;
        if commit.forget_credentials {
            session.forget_credentials();
        }
        commit.vault.into_iter().for_each(|write| session.write_vault(write));

        let (of, mut all) = (&mut session.conversations, Consequences::default());
        commit.identities.into_iter().for_each(|identity| of.identify(identity, &mut all));
        commit.contacts.iter().for_each(|update| of.update_contact(update, &mut all));
        commit.chats.into_iter().for_each(|news| of.update_chat(news, &mut all));
        commit.messages.into_iter().for_each(|incoming| of.store(incoming, &mut all));
        commit.amendments.into_iter().for_each(|amendment| of.amend(amendment, &mut all));
        commit.updates.into_iter().for_each(|update| of.raise_status(update, &mut all));
        commit.read.iter().for_each(|mark| of.mark_read(mark, &mut all));
        commit.told.iter().for_each(|(chat, id)| of.told(chat, id));
        all.tellings.into_iter().for_each(|telling| session.tell(&mut self.leads, telling, commit.at));
        all.events.into_iter().chain(commit.events).for_each(|body| session.add_event(commit.at, body));

        let committed = Committed {
            revision: session.revision,
            port,
            last_event: session.last_event(),
            unread: session.conversations.unread(),
        };
        commit.audit.into_iter().for_each(|entry| self.note(entry));
        Ok(committed)
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

    /// Refuses an idempotency key that the session has used, or that the commit itself uses twice.
    fn check_keys(&self, commit: &SessionCommit) -> Result<(), StorageError> {
        let session = self.sessions.get(&commit.session);
        let mut new = BTreeSet::new();
        let mut keys = commit.messages.iter().filter_map(|incoming| incoming.key.as_ref());
        if keys.any(|key| session.is_some_and(|session| session.conversations.has_used(key)) || !new.insert(key)) {
            return Err(StorageErrorKind::Exists.into());
        }
        Ok(())
    }
}

/// The password of a proxy is kept sealed in the vault and nowhere else.
fn without_password(mut record: SessionRecord) -> SessionRecord {
    if let Some(proxy) = &mut record.environment.proxy {
        proxy.password = None;
    }
    record
}
