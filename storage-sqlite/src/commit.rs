//! Landing a [`SessionCommit`]: its parts in the order in which the type's documentation lists them.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use seatport::lifecycle::PortChange;
use seatport::storage::{Change, Committed, Expect, SessionCommit, StorageErrorKind};

use crate::conversation::Conversation;
use crate::error::Failure;
use crate::head::Head;
use crate::lease::Nodes;
use crate::sql::first;
use crate::writer::Step;
use crate::{audit, port, vault};

/// Lands a commit inside the writer's transaction.
pub(crate) fn land(step: &mut Step<'_>, nodes: &Nodes, commit: &SessionCommit) -> Result<Committed, Failure> {
    let connection = step.connection;
    let found = Head::read(connection, nodes, commit.session)?;
    check_expectation(commit, found.as_ref())?;
    if let Some(fence) = commit.fence {
        Nodes::check(found.as_ref().and_then(|head| head.owner), fence)?;
    }

    // All that may refuse the commit comes before anything is written.
    check_keys(connection, commit, found.as_ref())?;
    let held = found.as_ref().and_then(|head| head.counters.port);
    let port = match commit.port {
        PortChange::Keep => held,
        PortChange::Release => None,
        PortChange::Claim if held.is_some() => held,
        PortChange::Claim => Some(port::lowest_free(connection)?),
    };

    let mut head = match (found, &commit.record) {
        (Some(head), None) => head,
        (Some(head), Some(record)) => head.rewrite(connection, record, commit.at)?,
        (None, Some(record)) => Head::insert(connection, commit.session, record, commit.at)?,
        // Refused above.
        (None, None) => return Err(StorageErrorKind::NotFound.into()),
    };
    let before = head.counters;

    head.counters.port = port;
    if held.is_some() && port.is_none() {
        step.announce(Change::Ports);
    }
    if commit.forget_credentials {
        vault::forget_credentials(connection, head.key)?;
    }
    vault::apply(connection, head.key, &commit.vault)?;

    let mut of = Conversation { connection, texts: step.texts, head: &mut head, at: commit.at };
    commit.identities.iter().try_for_each(|identity| of.identify(identity))?;
    commit.contacts.iter().try_for_each(|update| of.update_contact(update))?;
    commit.chats.iter().try_for_each(|news| of.update_chat(news))?;
    commit.messages.iter().try_for_each(|incoming| of.store(incoming))?;
    commit.amendments.iter().try_for_each(|amendment| of.amend(amendment))?;
    commit.updates.iter().try_for_each(|update| of.raise_status(update))?;
    commit.read.iter().try_for_each(|mark| of.mark_read(mark))?;
    commit.told.iter().try_for_each(|(chat, id)| of.told(chat, id))?;

    commit.events.iter().try_for_each(|body| head.add_event(connection, commit.at, body))?;
    commit.audit.iter().try_for_each(|entry| audit::add(connection, entry))?;
    head.write_counters(connection, before)?;

    step.announce(Change::Session { session: commit.session, by_owner: commit.fence.is_some() });
    if commit.amendments.iter().any(|amendment| amendment.change == seatport::conversation::AmendmentChange::Delete) {
        step.sweep();
    }
    let counters = head.counters;
    Ok(Committed {
        revision: head.revision,
        port: counters.port,
        last_event: counters.last_event,
        unread: counters.unread,
    })
}

fn check_expectation(commit: &SessionCommit, found: Option<&Head>) -> Result<(), StorageErrorKind> {
    match (commit.expect, found) {
        (Expect::New, Some(_)) => Err(StorageErrorKind::Exists),
        (Expect::New, None) if commit.record.is_some() => Ok(()),
        (_, None) => Err(StorageErrorKind::NotFound),
        (Expect::Revision(expected), Some(head)) if head.revision != expected => Err(StorageErrorKind::Stale),
        (Expect::Revision(_) | Expect::Present, Some(_)) => Ok(()),
    }
}

/// Refuses an idempotency key that the session has used, or that the commit itself uses twice.
fn check_keys(connection: &Connection, commit: &SessionCommit, found: Option<&Head>) -> Result<(), Failure> {
    let mut new = BTreeSet::new();
    for key in commit.messages.iter().filter_map(|incoming| incoming.key.as_ref()) {
        let sql = "SELECT 1 FROM send_key WHERE session = ?1 AND key = ?2";
        let used = match found {
            Some(head) => first(connection, sql, params![head.key, key.as_str()], |_| Ok(()))?.is_some(),
            None => false,
        };
        if used || !new.insert(key) {
            return Err(StorageErrorKind::Exists.into());
        }
    }
    Ok(())
}
