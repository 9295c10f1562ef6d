//! How a [`LeadEntry`] is written into columns: as [`EntryColumns`] says.

use rusqlite::Row;
use rusqlite::types::{ToSql, Type};
use seatport::leads::LeadEntry;
use seatport::storage::EntryColumns;

/// The columns of an entry, in their order.
pub(crate) const ENTRY: &str = "quarter, session, agent, class, late, replier, seconds";

/// The values of the columns, in their order, and one more.
pub(crate) fn values<'a>(entry: &'a EntryColumns, more: &'a dyn ToSql) -> [&'a dyn ToSql; 8] {
    let EntryColumns { quarter, session, agent, class, late, replier, seconds } = entry;
    [quarter, session, agent, class, late, replier, seconds, more]
}

/// The entry in the columns from this one on.
pub(crate) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<LeadEntry> {
    let columns = EntryColumns {
        quarter: row.get(column)?,
        session: row.get(column + 1)?,
        agent: row.get(column + 2)?,
        class: row.get(column + 3)?,
        late: row.get(column + 4)?,
        replier: row.get(column + 5)?,
        seconds: row.get(column + 6)?,
    };
    let unwritten = |error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error));
    columns.try_into().map_err(unwritten)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use seatport::leads::{EntryClass, LeadWindow, Replier, Reply, Windows};
    use seatport::{AgentId, Random, SessionId, Timestamp};

    use super::*;

    /// Entries of every sort, in their order.
    fn entries() -> Vec<LeadEntry> {
        let agents = [None, Some("a"), Some("mei"), Some("美")].map(|id| id.map(|id| id.parse::<AgentId>().unwrap()));
        let sets = [Windows::default(), Windows::default().with(LeadWindow::Days7), Windows::from_bits(15)];
        let leads = sets.map(|new_in| EntryClass::Lead { new_in });
        let mut entries = Vec::new();
        for seed in 1..3 {
            let session = SessionId::generate(Timestamp::from_millis(0), &Random::seeded(seed));
            for agent in &agents {
                for class in leads.into_iter().chain([EntryClass::OutreachReply, EntryClass::Returning]) {
                    for quarter in [-900_000, 0, 900_000].map(Timestamp::from_millis) {
                        for by in
                            agents.iter().map(|agent| agent.clone().map(Replier::Agent)).chain([Some(Replier::Device)])
                        {
                            for (late, seconds) in [(false, 0), (false, 70), (true, 7)] {
                                let reply = by.clone().map(|by| Reply { by, seconds });
                                entries.push(LeadEntry { quarter, session, agent: agent.clone(), class, late, reply });
                            }
                        }
                    }
                }
            }
        }
        entries.sort();
        entries.dedup();
        entries
    }

    #[test]
    fn columns_sort_as_entries_do_and_give_them_back() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (quarter, session, agent, class, late, replier, seconds, place)")
            .unwrap();
        let entries = entries();
        for (place, entry) in entries.iter().enumerate().rev() {
            let sql = "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
            connection.execute(sql, &values(&entry.into(), &place)[..]).unwrap();
        }
        let mut read_back = connection.prepare(&format!("SELECT {ENTRY} FROM t ORDER BY {ENTRY}")).unwrap();
        let found: Vec<_> = read_back.query_map([], |row| read(row, 0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(found, entries);
    }
}
