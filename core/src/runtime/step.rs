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
    let first_login_at = first_login(record, &step.next, at);
    SessionRecord { facts: step.next.clone(), since, first_login_at, ..record.clone() }
}

/// When the account that the session has after the step first logged in: as soon as it is known who that is, for what was
/// written meanwhile may come before the account is online.
fn first_login(record: &SessionRecord, next: &Facts, at: Timestamp) -> Option<Timestamp> {
    match (&record.facts.account, &next.account) {
        (_, None) => record.first_login_at,
        (Some(before), Some(after)) if before.address == after.address => record.first_login_at.or(Some(at)),
        (_, Some(_)) => Some(at),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Address, SessionId, TransportName};
    use crate::lifecycle::{Account, Input, transition};

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn moved(record: &SessionRecord, input: &Input, second: i64) -> SessionRecord {
        let step = transition(&record.facts, input, |_| at(0)).unwrap();
        advanced(record, &step, at(second))
    }

    fn account(user: &str) -> Account {
        Account { address: Address::new(user).unwrap(), phone: None, name: None }
    }

    #[test]
    fn the_first_login_is_that_of_the_account_and_not_of_the_session() {
        use crate::lifecycle::Command::{Restart, Start};
        let record = SessionRecord::new(SessionId::from_bytes([1; 16]), at(0), TransportName::new("t").unwrap());
        let record = moved(&record, &Input::Command(Start), 1);
        let record = moved(&record, &Input::Challenge, 2);
        assert_eq!(record.first_login_at, None);
        let record = moved(&record, &Input::Paired { account: account("a"), redial: true }, 3);
        assert_eq!(record.first_login_at, Some(at(3)), "the phone accepted it");
        let record = moved(&record, &Input::Ready { account: account("a") }, 4);
        let again = |record: &SessionRecord, second| {
            let record = moved(record, &Input::Command(Restart), second);
            moved(&record, &Input::Closed, second)
        };
        let renamed = Account { name: Some("Ada".to_owned()), ..account("a") };
        let record = moved(&again(&record, 5), &Input::Ready { account: renamed }, 6);
        assert_eq!(record.first_login_at, Some(at(3)), "the same account");
        let record = moved(&again(&record, 7), &Input::Ready { account: account("b") }, 8);
        assert_eq!(record.first_login_at, Some(at(8)), "another account");
    }
}
