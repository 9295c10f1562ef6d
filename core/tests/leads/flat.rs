//! A message costs the same, however much is known already.

use std::cell::RefCell;
use std::convert::Infallible;

use seatport::leads::ledger::{self, LedgerRows, Moment, Pair, PairFacts, PairId, PersonId, Shift, Trace, Visit};
use seatport::leads::{Fact, LeadAdjustment, LeadEntry, PersonKey, Tables};
use seatport::{SessionId, Timestamp};

use crate::log::{DAY, HOUR, SECOND};
use crate::office::{ANN, Office, at};

/// Writes down which rows are asked for.
struct Watched {
    tables: Tables,
    calls: RefCell<Vec<&'static str>>,
}

/// Hands these methods on to the tables, and writes their names down.
macro_rules! watched {
    (reads { $(fn $read:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* }
     writes { $(fn $write:ident($($put:ident: $put_type:ty),*) -> $done:ty;)* }) => {
        impl LedgerRows for Watched {
            type Error = Infallible;
            $(fn $read(&self, $($arg: $type),*) -> Result<$answer, Infallible> {
                self.calls.borrow_mut().push(stringify!($read));
                self.tables.$read($($arg),*)
            })*
            $(fn $write(&mut self, $($put: $put_type),*) -> Result<$done, Infallible> {
                self.calls.borrow_mut().push(stringify!($write));
                self.tables.$write($($put),*)
            })*
        }
    };
}

watched! {
    reads {
        fn person(key: &PersonKey) -> Option<PersonId>;
        fn persons(after: Option<PersonId>, limit: u32) -> Vec<PersonId>;
        fn traces(person: PersonId) -> Vec<Trace>;
        fn pair(person: PersonId, session: SessionId) -> Option<Pair>;
        fn pairs(person: PersonId) -> Vec<Pair>;
        fn session_pairs(session: SessionId, limit: u32) -> Vec<Pair>;
        fn visit_until(pair: PairId, moment: &Moment) -> Option<Visit>;
        fn visit_after(pair: PairId, moment: Option<&Moment>) -> Option<Visit>;
        fn visits(pair: PairId) -> Vec<Visit>;
        fn shift(session: SessionId, at: Timestamp) -> Option<Shift>;
    }
    writes {
        fn add_person(key: &PersonKey) -> PersonId;
        fn add_key(person: PersonId, key: &PersonKey) -> ();
        fn join_person(from: PersonId, to: PersonId) -> ();
        fn remove_person(person: PersonId) -> ();
        fn add_trace(person: PersonId, trace: &Trace) -> ();
        fn add_pair(person: PersonId, session: SessionId, facts: &PairFacts) -> PairId;
        fn put_pair(pair: &Pair) -> ();
        fn remove_pair(pair: PairId) -> ();
        fn put_visit(pair: PairId, visit: &Visit) -> ();
        fn remove_visit(pair: PairId, start: &Moment) -> ();
        fn remove_shifts(session: SessionId) -> ();
        fn add(entry: &LeadEntry, change: i64) -> ();
        fn adjust(adjustment: &LeadAdjustment) -> ();
        fn add_anonymous(entry: &LeadEntry, count: u64) -> ();
        fn restart_totals() -> ();
    }
}

/// What is asked for when Ann, who has written to two sessions on a hundred days, writes to the first one at this time.
fn calls(millis: i64) -> Vec<&'static str> {
    let mut office = Office::new();
    office.answered(ANN, 0, 300 * DAY, crate::office::mei());
    for visit in 0..100 {
        office.writes(ANN, 0, visit * 3 * DAY).writes(ANN, 0, visit * 3 * DAY + HOUR).writes(ANN, 1, visit * 3 * DAY);
    }
    let mut watched = Watched { tables: office.tables, calls: RefCell::default() };
    let fact = Fact::Wrote { at: at(millis), id: "m".parse().unwrap() };
    let Ok(()) = ledger::record(&mut watched, &ANN, office.sessions[0], Some(at(0)), &fact, at(millis));
    watched.calls.into_inner()
}

#[test]
fn a_message_of_the_visit_under_way_touches_one_pair_and_one_visit() {
    let latest = 99 * 3 * DAY + HOUR + SECOND;
    assert_eq!(calls(latest), ["person", "pair", "visit_until", "visit_after", "put_visit"]);
}

#[test]
fn a_message_that_is_heard_again_changes_nothing() {
    assert_eq!(calls(150 * DAY + HOUR), ["person", "pair", "visit_until"]);
}

#[test]
fn a_returning_visit_looks_at_its_neighbours_only() {
    let expected = ["person", "pair", "visit_until", "visit_after", "shift", "visit_after", "put_visit", "add"];
    assert_eq!(calls(99 * 3 * DAY + 2 * DAY), expected);
}
