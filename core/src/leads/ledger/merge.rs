//! Two keys turn out to be one person.

use super::change::Change;
use super::row::{Pair, PersonId, Visit};
use super::rows::LedgerRows;
use super::standings;
use super::visits::join;
use crate::clock::Timestamp;
use crate::leads::PersonKey;
use crate::leads::classify::Standing;

/// Tells the ledger that two keys belong to one person; `posted_at` is the time now. What that changes of the figures is
/// posted as adjustments.
///
/// Keys that were never heard of are remembered: what is told under either later is told of the same person. To say it
/// again, or the other way round, changes nothing; and among several the order does not matter.
///
/// # Errors
/// Those of the rows; the transaction has to be rolled back then.
pub fn same_person<R: LedgerRows>(
    rows: &mut R,
    a: &PersonKey,
    b: &PersonKey,
    posted_at: Timestamp,
) -> Result<(), R::Error> {
    if a == b {
        return Ok(());
    }
    match (rows.person(a)?, rows.person(b)?) {
        (None, None) => {
            let person = rows.add_person(a)?;
            rows.add_key(person, b)
        }
        (Some(person), None) => rows.add_key(person, b),
        (None, Some(person)) => rows.add_key(person, a),
        (Some(a), Some(b)) if a == b => Ok(()),
        (Some(a), Some(b)) => merge(rows, a.min(b), a.max(b), posted_at),
    }
}

/// Everything of `gone` becomes `kept`'s.
fn merge<R: LedgerRows>(rows: &mut R, kept: PersonId, gone: PersonId, posted_at: Timestamp) -> Result<(), R::Error> {
    let mut change = Change::default();
    let (theirs, ours) = (standings(rows, gone)?, standings(rows, kept)?);
    change.firsts(&theirs, &rows.traces(gone)?, -1);
    change.firsts(&ours, &rows.traces(kept)?, -1);

    for their in theirs {
        match ours.iter().find(|our| our.pair.session == their.pair.session) {
            Some(our) => unite(rows, our, &their, &mut change)?,
            None => rows.put_pair(&Pair { person: kept, ..their.pair })?,
        }
    }
    rows.join_person(gone, kept)?;

    change.firsts(&standings(rows, kept)?, &rows.traces(kept)?, 1);
    change.post(rows, posted_at, true)
}

/// Two pairs of one session become one.
fn unite<R: LedgerRows>(rows: &mut R, our: &Standing, their: &Standing, change: &mut Change) -> Result<(), R::Error> {
    let (our_visits, their_visits) = (rows.visits(our.pair.id)?, rows.visits(their.pair.id)?);
    change.returning(our, &our_visits, -1);
    change.returning(their, &their_visits, -1);

    let joined = join(our_visits.iter().chain(&their_visits).cloned());
    rows.remove_pair(their.pair.id)?;
    let starts = |visits: &[Visit], visit: &Visit| visits.iter().any(|other| other.start == visit.start);
    for visit in our_visits.iter().filter(|visit| !starts(&joined, visit)) {
        rows.remove_visit(our.pair.id, &visit.start)?;
    }
    for visit in joined.iter().filter(|visit| !our_visits.contains(visit)) {
        rows.put_visit(our.pair.id, visit)?;
    }
    let pair = Pair { facts: our.pair.facts.union(&their.pair.facts), ..our.pair.clone() };
    rows.put_pair(&pair)?;
    change.returning(&Standing { pair, first: joined.first().cloned() }, &joined, 1);
    Ok(())
}
