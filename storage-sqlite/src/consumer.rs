//! Consumers of events, and what they have acknowledged.

use rusqlite::{Connection, params};
use seatport::storage::StorageErrorKind;
use seatport::{ConsumerName, Cursors, SessionId};

use crate::codes::Text;
use crate::error::Failure;
use crate::sql::{all, execute, first, integer};

fn check(connection: &Connection, consumer: &ConsumerName) -> Result<(), Failure> {
    let known = first(connection, "SELECT 1 FROM consumer WHERE name = ?1", [consumer.as_str()], |_| Ok(()))?;
    Ok(known.ok_or(StorageErrorKind::NotFound)?)
}

pub(crate) fn register(connection: &Connection, consumer: &ConsumerName) -> Result<(), Failure> {
    execute(connection, "INSERT INTO consumer (name) VALUES (?1) ON CONFLICT DO NOTHING", [consumer.as_str()])?;
    Ok(())
}

pub(crate) fn remove(connection: &Connection, consumer: &ConsumerName) -> Result<(), Failure> {
    check(connection, consumer)?;
    execute(connection, "DELETE FROM consumer WHERE name = ?1", [consumer.as_str()])?;
    Ok(())
}

pub(crate) fn all_names(connection: &Connection) -> Result<Vec<ConsumerName>, Failure> {
    Ok(all(connection, "SELECT name FROM consumer ORDER BY name", [], |row| {
        let Text(name) = row.get(0)?;
        Ok(name)
    })?)
}

pub(crate) fn acknowledge(connection: &Connection, consumer: &ConsumerName, handled: &Cursors) -> Result<(), Failure> {
    check(connection, consumer)?;
    for (session, seq) in &handled.0 {
        let sql = "INSERT INTO acknowledged (session, consumer, seq) SELECT key, ?2, ?3 FROM session WHERE id = ?1
             ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)";
        execute(connection, sql, params![session.as_bytes(), consumer.as_str(), integer(*seq)])?;
    }
    Ok(())
}

pub(crate) fn acknowledged(connection: &Connection, consumer: &ConsumerName) -> Result<Cursors, Failure> {
    check(connection, consumer)?;
    let sql = "SELECT id, seq FROM acknowledged JOIN session ON key = session WHERE consumer = ?1";
    let cursors =
        all(connection, sql, [consumer.as_str()], |row| Ok((SessionId::from_bytes(row.get(0)?), row.get(1)?)))?;
    Ok(Cursors(cursors.into_iter().collect()))
}

/// The last event of a session that every consumer has handled; none if there is no consumer.
pub(crate) fn handled_by_all(connection: &Connection, session: i64) -> Result<Option<u64>, Failure> {
    let sql = "SELECT min(coalesce(seq, 0)) FROM consumer LEFT JOIN acknowledged ON session = ?1 AND consumer = name";
    Ok(first(connection, sql, [session], |row| row.get(0))?.flatten())
}
