//! From a step of the lifecycle to the commit that makes it so.

use crate::clock::Timestamp;
use crate::event::EventBody;
use crate::lifecycle::{Facts, Login, Step};
use crate::session::{CardStatus, SessionRecord};
use crate::storage::{Expect, SessionCommit, StoredSession};

/// The commit that takes `stored` one step further. It lands only if the row is still the one that was read.
pub(crate) fn step_commit(stored: &StoredSession, step: Step, at: Timestamp) -> SessionCommit {
    let mut commit = SessionCommit::new(stored.record.id, at, Expect::Revision(stored.revision));
    commit.record = Some(advanced(&stored.record, &step, at));
    commit.port = step.port;
    commit.forget_credentials = step.forget_credentials;
    commit.events = events(&stored.record.facts, &step.next);
    commit
}

/// The record after the step.
pub(crate) fn advanced(record: &SessionRecord, step: &Step, at: Timestamp) -> SessionRecord {
    let since = if record.facts.lifecycle == step.next.lifecycle { record.since } else { at };
    SessionRecord { facts: step.next.clone(), since, ..record.clone() }
}

/// What subscribers hear of the way from one set of facts to the next.
pub(crate) fn events(before: &Facts, after: &Facts) -> Vec<EventBody> {
    let mut events = Vec::new();
    let status = CardStatus::of(after, true);
    if status != CardStatus::of(before, true) || after.reason != before.reason {
        events.push(EventBody::StatusChanged { status, reason: after.reason.clone() });
    }
    match (before.login, after.login, &after.account) {
        (_, Login::LoggedIn, Some(account)) if before.login != after.login || before.account != after.account => {
            events.push(EventBody::LoggedIn { account: account.clone() });
        }
        (Login::LoggedIn, Login::LoggedOut, _) => events.push(EventBody::LoggedOut),
        _ => {}
    }
    events
}
