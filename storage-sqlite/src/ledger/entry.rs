//! How a [`LeadEntry`] is written into columns: so that the columns, compared one after the other, sort as entries do.

use rusqlite::Row;
use rusqlite::types::{FromSqlError, ToSql};
use seatport::leads::{EntryClass, LeadEntry, Replier, Reply, Windows};
use seatport::{AgentId, SessionId, Timestamp};

/// The columns of an entry, in their order.
pub(crate) const ENTRY: &str = "quarter, session, agent, class, late, replier, seconds";

/// What stands in the column `class` for the two classes that are no lead; a lead has the number of its set of windows, which
/// is below 16.
const OUTREACH_REPLY: i64 = 16;
const RETURNING: i64 = 17;

/// What the column `replier` begins with: an agent's id follows, or nothing. No reply is an empty text.
const BY_AGENT: char = 'a';
const BY_DEVICE: &str = "d";

/// An entry as it is written.
pub(crate) struct Columns {
    quarter: i64,
    session: [u8; 16],
    agent: String,
    class: i64,
    late: bool,
    replier: String,
    seconds: u32,
}

impl Columns {
    pub(crate) fn of(entry: &LeadEntry) -> Self {
        let (replier, seconds) = match &entry.reply {
            None => (String::new(), 0),
            Some(Reply { by: Replier::Agent(agent), seconds }) => (format!("{BY_AGENT}{agent}"), *seconds),
            Some(Reply { by: Replier::Device, seconds }) => (BY_DEVICE.to_owned(), *seconds),
        };
        Self {
            quarter: entry.quarter.as_millis(),
            session: *entry.session.as_bytes(),
            // An id has at least one character.
            agent: entry.agent.as_ref().map_or_else(String::new, ToString::to_string),
            class: match entry.class {
                EntryClass::Lead { new_in } => new_in.bits().into(),
                EntryClass::OutreachReply => OUTREACH_REPLY,
                EntryClass::Returning => RETURNING,
            },
            late: entry.late,
            replier,
            seconds,
        }
    }

    /// The values of the columns, in their order, and one more.
    pub(crate) fn and<'a>(&'a self, more: &'a dyn ToSql) -> [&'a dyn ToSql; 8] {
        [&self.quarter, &self.session, &self.agent, &self.class, &self.late, &self.replier, &self.seconds, more]
    }
}

/// The entry in the columns from this one on.
pub(crate) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<LeadEntry> {
    let replier: String = row.get(column + 5)?;
    let by = match replier.strip_prefix(BY_AGENT) {
        _ if replier.is_empty() => None,
        Some(id) => Some(Replier::Agent(agent(column + 5, id)?)),
        None => Some(Replier::Device),
    };
    let seconds = row.get(column + 6)?;
    let bound: String = row.get(column + 2)?;
    let class = match row.get(column + 3)? {
        OUTREACH_REPLY => EntryClass::OutreachReply,
        RETURNING => EntryClass::Returning,
        windows => {
            let bits =
                u8::try_from(windows).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column + 3, windows))?;
            EntryClass::Lead { new_in: Windows::from_bits(bits) }
        }
    };
    Ok(LeadEntry {
        quarter: Timestamp::from_millis(row.get(column)?),
        session: SessionId::from_bytes(row.get(column + 1)?),
        agent: if bound.is_empty() { None } else { Some(agent(column + 2, &bound)?) },
        class,
        late: row.get(column + 4)?,
        reply: by.map(|by| Reply { by, seconds }),
    })
}

fn agent(column: usize, text: &str) -> rusqlite::Result<AgentId> {
    let text_is = rusqlite::types::Type::Text;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            text_is,
            FromSqlError::other::<seatport::Invalid>(error).into(),
        )
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use seatport::leads::LeadWindow;
    use seatport::{Random, SessionId};

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
            connection.execute(sql, &Columns::of(entry).and(&place)[..]).unwrap();
        }
        let mut read_back = connection.prepare(&format!("SELECT {ENTRY} FROM t ORDER BY {ENTRY}")).unwrap();
        let found: Vec<_> = read_back.query_map([], |row| read(row, 0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(found, entries);
    }
}
