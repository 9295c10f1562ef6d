//! Who was bound to a session, and whether it ought to run, from when on.

use rusqlite::{Connection, params};
use seatport::leads::ledger::Shift;
use seatport::{AgentId, SessionId, Timestamp};

use crate::codes::Text;
use crate::error::Failure;
use crate::sql::{execute, first};

/// Notes who is bound from this time on, unless that is so already.
pub(crate) fn note(
    connection: &Connection,
    session: SessionId,
    at: Timestamp,
    agent: Option<&AgentId>,
    running: bool,
) -> Result<(), Failure> {
    let before = until(connection, session, at)?;
    if before.is_some_and(|shift| shift.agent.as_ref() == agent && shift.running == running) {
        return Ok(());
    }
    let sql = "INSERT INTO shift (session, at, agent, running) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET agent = excluded.agent, running = excluded.running";
    let agent = agent.map(AgentId::as_str);
    execute(connection, sql, params![session.as_bytes(), at.as_millis(), agent, running])?;
    Ok(())
}

/// The last shift that began at this time or before.
fn until(connection: &Connection, session: SessionId, at: Timestamp) -> Result<Option<Shift>, Failure> {
    let sql = "SELECT at, agent, running FROM shift WHERE session = ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1";
    Ok(first(connection, sql, params![session.as_bytes(), at.as_millis()], shift)?)
}

/// The shift in force at this time; before the first one that one.
pub(crate) fn at(connection: &Connection, session: SessionId, at: Timestamp) -> Result<Option<Shift>, Failure> {
    if let Some(found) = until(connection, session, at)? {
        return Ok(Some(found));
    }
    let sql = "SELECT at, agent, running FROM shift WHERE session = ?1 ORDER BY at LIMIT 1";
    Ok(first(connection, sql, [session.as_bytes()], shift)?)
}

fn shift(row: &rusqlite::Row<'_>) -> rusqlite::Result<Shift> {
    let agent = row.get::<_, Option<Text<_>>>(1)?.map(|Text(agent)| agent);
    Ok(Shift { at: Timestamp::from_millis(row.get(0)?), agent, running: row.get(2)? })
}
