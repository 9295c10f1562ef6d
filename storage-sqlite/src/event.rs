//! Events.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use seatport::storage::{EventStore, StorageError};
use seatport::{Event, EventBody, SessionId, Timestamp};

use crate::SqliteStorage;
use crate::codes::Json;
use crate::error::Failure;
use crate::sql::{all, execute, integer};

/// Adds an event at this place of a session's sequence.
pub(crate) fn add(
    connection: &Connection,
    session: i64,
    seq: u64,
    at: Timestamp,
    body: &EventBody,
) -> Result<(), Failure> {
    let sql = "INSERT INTO event (session, seq, at, body) VALUES (?1, ?2, ?3, ?4)";
    execute(connection, sql, params![session, seq, at.as_millis(), Json(body)])?;
    Ok(())
}

#[async_trait]
impl EventStore for SqliteStorage {
    async fn events(&self, session: SessionId, after: u64, limit: u32) -> Result<Vec<Event>, StorageError> {
        let read = self.readers.read(move |connection| {
            let sql = "SELECT seq, at, body FROM event
                 WHERE session = (SELECT key FROM session WHERE id = ?1) AND seq > ?2 ORDER BY seq LIMIT ?3";
            Ok(all(connection, sql, params![session.as_bytes(), integer(after), limit], |row| {
                let Json(body) = row.get(2)?;
                Ok(Event { session, seq: row.get(0)?, at: Timestamp::from_millis(row.get(1)?), body })
            })?)
        });
        read.await
    }

    async fn event_heads(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<(SessionId, u64)>, StorageError> {
        let read = self.readers.read(move |connection| {
            let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
            let sql = "SELECT id, last_event FROM session WHERE id > ?1 ORDER BY id LIMIT ?2";
            Ok(all(connection, sql, params![after, limit], |row| {
                Ok((SessionId::from_bytes(row.get(0)?), row.get(1)?))
            })?)
        });
        read.await
    }
}
