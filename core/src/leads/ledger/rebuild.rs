//! The totals, from nothing but the rows they are totals of.

use super::change::Change;
use super::rows::LedgerRows;
use super::standings;

/// How many persons are read at a time.
const PAGE: u32 = 100;

/// Makes the totals again from everything else in the ledger. They come out as they were: for the day somebody doubts them,
/// and for the tests that make sure nobody needs to. Adjustments stay as they are.
///
/// Reads the whole ledger, in one transaction.
///
/// # Errors
/// Those of the rows; the transaction has to be rolled back then.
pub fn rebuild<R: LedgerRows>(rows: &mut R) -> Result<(), R::Error> {
    rows.restart_totals()?;
    let mut after = None;
    loop {
        let persons = rows.persons(after, PAGE)?;
        if persons.is_empty() {
            return Ok(());
        }
        let mut counted = Change::default();
        for person in persons {
            let standings = standings(rows, person)?;
            counted.firsts(&standings, &rows.traces(person)?, 1);
            for standing in &standings {
                counted.returning(standing, &rows.visits(standing.pair.id)?, 1);
            }
            after = Some(person);
        }
        for (entry, count) in counted.into_entries() {
            rows.add(&entry, count)?;
        }
    }
}
