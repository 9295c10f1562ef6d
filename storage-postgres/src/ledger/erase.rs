//! A session leaves the ledger.

use std::collections::BTreeSet;

use seatport::SessionId;
use seatport::leads::ledger::{self, PairId, PersonId};

use super::rows::{AllMissing, Depth, Rows};
use super::{load, store};
use crate::codes::Id;
use crate::error::Failure;
use crate::sql::{Connection, all, execute};

/// How many pairs are in memory at a time.
const PIECE: usize = 1_000;

/// Takes a session out of the ledger, see [`seatport::leads::ledger::erase`]. Whoever deletes it holds the lock on its row, so
/// that nobody tells of it any more; its persons may be told of by other sessions, and are locked for that.
pub(crate) async fn erase(tx: &Connection, session: SessionId) -> Result<(), Failure> {
    let pairs = locked_pairs(tx, session).await?;
    for piece in pairs.chunks(PIECE) {
        let persons = piece.iter().map(|(_, person)| *person);
        let mut before = Rows::of_locked(persons.clone());
        let mut missing = AllMissing {
            persons: persons.map(|person| (person, Depth::Firsts)).collect(),
            visits: piece.iter().map(|(pair, _)| *pair).collect(),
        };
        let after = loop {
            load::fetch(tx, &mut before, &missing).await?;
            let mut after = before.clone();
            match ledger::erase(&mut after, session) {
                Ok(()) => break after,
                Err(more) => {
                    missing = AllMissing::default();
                    missing.add(more);
                }
            }
        };
        store::difference(&before, &after).run(tx).await?;
    }
    execute(tx, "DELETE FROM shift WHERE session = $1", &[&Id(session)]).await?;
    Ok(())
}

/// The session's pairs, with all their persons locked.
async fn locked_pairs(tx: &Connection, session: SessionId) -> Result<Vec<(PairId, PersonId)>, Failure> {
    let mut wait = "";
    loop {
        let sql = format!(
            "SELECT id FROM person WHERE id = ANY (ARRAY(SELECT person FROM pair WHERE session = $1)) ORDER BY id FOR UPDATE {wait}"
        );
        let locked = all(tx, &sql, &[&Id(session)], |row| Ok(PersonId(row.try_get(0)?))).await?;
        let locked: BTreeSet<PersonId> = locked.into_iter().collect();
        let sql = "SELECT id, person FROM pair WHERE session = $1";
        let pairs =
            all(tx, sql, &[&Id(session)], |row| Ok((PairId(row.try_get(0)?), PersonId(row.try_get(1)?)))).await?;
        if pairs.iter().all(|(_, person)| locked.contains(person)) {
            return Ok(pairs);
        }
        // Somebody was merged while we waited. Whoever has locks does not wait for more, see `load`.
        wait = "NOWAIT";
    }
}
