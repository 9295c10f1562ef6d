//! The totals anew.

use seatport::leads::LeadEntry;
use seatport::leads::ledger::{self, PersonId};

use super::entry::{Columns, ENTRY};
use super::load;
use super::rows::{AllMissing, Depth, Rows};
use super::store::add_to;
use crate::error::Failure;
use crate::sql::{Connection, all, execute};
use crate::statements::{Column, parameters};

/// How many persons are in memory at a time.
const PIECE: i64 = 1_000;

/// Counts every visit again, and corrects the totals where they differ. In a transaction that sees the database as it was at
/// its beginning: so it waits for nobody, and nobody for it. Only when a total is wrong and changes meanwhile it fails, with a
/// serialization failure, and is to be done again.
pub(crate) async fn rebuild(tx: &Connection) -> Result<(), Failure> {
    let sql = format!(
        "SET LOCAL statement_timeout = 0;
         CREATE TEMPORARY TABLE counted (
             quarter bigint NOT NULL, session uuid NOT NULL, agent text COLLATE \"C\" NOT NULL, class smallint NOT NULL,
             late smallint NOT NULL, replier text COLLATE \"C\" NOT NULL, seconds bigint NOT NULL, count bigint NOT NULL,
             PRIMARY KEY ({ENTRY})
         ) ON COMMIT DROP;
         INSERT INTO counted ({ENTRY}, count) SELECT {ENTRY}, count FROM lead_anonymous"
    );
    tx.batch_execute(&sql).await?;
    let mut after = i64::MIN;
    loop {
        let sql = "SELECT id FROM person WHERE id > $1 ORDER BY id LIMIT $2";
        let persons = all(tx, sql, &[&after, &PIECE], |row| Ok(PersonId(row.try_get(0)?))).await?;
        let Some(last) = persons.last() else { break };
        after = last.0;
        let counted = count(tx, persons).await?;
        let (entries, counts): (Vec<LeadEntry>, Vec<i64>) = counted.into_iter().unzip();
        let columns = Columns::of(&entries).and([Box::new(counts) as Column]);
        // Each time it is another table, so the statement is not kept.
        tx.execute(&add_to("counted"), &parameters(&columns)).await?;
    }
    let sql = format!(
        "WITH wrong AS (
             SELECT {ENTRY}, sum(count)::bigint AS count
             FROM (SELECT {ENTRY}, count FROM counted UNION ALL SELECT {ENTRY}, -count FROM lead_total) AS both_ways
             GROUP BY {ENTRY} HAVING sum(count) <> 0
         )
         INSERT INTO lead_total ({ENTRY}, count) SELECT {ENTRY}, count FROM wrong ORDER BY {ENTRY}
         ON CONFLICT ({ENTRY}) DO UPDATE SET count = lead_total.count + excluded.count"
    );
    let corrected = tx.execute(&sql, &[]).await?;
    if corrected > 0 {
        tracing::warn!(corrected, "lead totals were wrong and have been corrected");
        execute(tx, "DELETE FROM lead_total WHERE count <= 0", &[]).await?;
    }
    Ok(())
}

/// What the visits of these persons count as.
async fn count(tx: &Connection, persons: Vec<PersonId>) -> Result<Vec<(LeadEntry, i64)>, Failure> {
    let mut rows = Rows::of_locked(persons.iter().copied());
    let persons = persons.into_iter().map(|person| (person, Depth::All)).collect();
    let missing = AllMissing { persons, ..AllMissing::default() };
    load::fetch(tx, &mut rows, &missing).await?;
    ledger::rebuild(&mut rows).map_err(|_| load::not_there())?;
    Ok(rows.totals.into_iter().filter(|(_, count)| *count != 0).collect())
}
