//! A session leaves the ledger, and its figures stay.

use super::change::Change;
use super::row::{Trace, tie};
use super::rows::LedgerRows;
use super::standings;
use crate::ids::SessionId;
use crate::leads::classify::{PairClass, first_entries};

/// How many pairs are read at a time.
const PAGE: u32 = 100;

/// Removes who wrote to a session from the ledger, and keeps what was counted: no total changes, now or on
/// [rebuilding](super::rebuild). To delete a session takes no call: it leaves the ledger as it is.
///
/// Its visits go on to count as the entries they were, with nothing that leads to a person. A person known from no other
/// session is forgotten, so that a later first message is new again. Somebody who is known from another keeps a [`Trace`](super::Trace), so
/// that no lead there becomes new because this one can no longer be seen.
///
/// The entries are fixed as they are at this moment: what is learnt later changes them no more.
///
/// # Errors
/// Those of the rows; the transaction has to be rolled back then.
pub fn erase<R: LedgerRows>(rows: &mut R, session: SessionId) -> Result<(), R::Error> {
    loop {
        let pairs = rows.session_pairs(session, PAGE)?;
        if pairs.is_empty() {
            return rows.remove_shifts(session);
        }
        for pair in pairs {
            let standings = standings(rows, pair.person)?;
            let entries = first_entries(&standings, &rows.traces(pair.person)?);
            let mut counted = Change::default();
            for (standing, entry) in standings.iter().zip(entries).filter(|(standing, _)| standing.pair.id == pair.id) {
                entry.into_iter().for_each(|entry| counted.add(entry, 1));
                counted.returning(standing, &rows.visits(pair.id)?, 1);
                if let (PairClass::Lead, Some(first)) = (standing.class(), &standing.first) {
                    rows.add_trace(pair.person, &Trace { start: first.start.clone(), tie: tie(session) })?;
                }
            }
            for (entry, count) in counted.into_entries() {
                rows.add_anonymous(&entry, count.unsigned_abs())?;
            }
            rows.remove_pair(pair.id)?;
            if standings.len() == 1 {
                rows.remove_person(pair.person)?;
            }
        }
    }
}
