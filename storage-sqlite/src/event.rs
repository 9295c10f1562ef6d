//! Events: writing, reading and trimming them.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use seatport::storage::{EventStore, StorageError};
use seatport::{ConsumerName, Cursors, Event, EventBody, EventHead, Retention, SessionId, Timestamp};

use crate::codes::Json;
use crate::error::Failure;
use crate::sql::{all, execute, first, integer};
use crate::{SqliteStorage, consumer};

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

/// Removes a session's oldest events that nobody has a use for; answers how many.
fn trim(
    connection: &Connection,
    session: SessionId,
    keep: &Retention,
    now: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    let sql = "SELECT key, trimmed, last_event FROM session WHERE id = ?1";
    let row = first(connection, sql, [session.as_bytes()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?, row.get::<_, u64>(2)?))
    })?;
    let Some((key, trimmed, last)) = row else { return Ok(0) };
    let handled = consumer::handled_by_all(connection, key)?.unwrap_or(u64::MAX);
    let end = last.min(handled).min(trimmed + u64::from(limit));

    // All that are too many go, whatever their age; of those that follow, the old ones, up to the first that is not.
    let too_many = keep.count.map_or(0, |count| last.saturating_sub(count)).min(end);
    let gone = match keep.age {
        None => too_many,
        Some(age) => {
            let sql =
                "SELECT seq FROM event WHERE session = ?1 AND seq > ?2 AND seq <= ?3 AND at >= ?4 ORDER BY seq LIMIT 1";
            let values = params![key, integer(too_many.max(trimmed)), integer(end), (now - age).as_millis()];
            let kept: Option<u64> = first(connection, sql, values, |row| row.get(0))?;
            kept.map_or(end, |kept| kept - 1)
        }
    };
    if gone <= trimmed {
        return Ok(0);
    }
    execute(connection, "DELETE FROM event WHERE session = ?1 AND seq <= ?2", params![key, integer(gone)])?;
    execute(connection, "UPDATE session SET trimmed = ?2 WHERE key = ?1", params![key, gone])?;
    Ok(gone - trimmed)
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

    async fn event_heads(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<EventHead>, StorageError> {
        let read = self.readers.read(move |connection| {
            let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
            let sql = "SELECT id, trimmed, last_event FROM session WHERE id > ?1 ORDER BY id LIMIT ?2";
            Ok(all(connection, sql, params![after, limit], |row| {
                let session = SessionId::from_bytes(row.get(0)?);
                Ok(EventHead { session, trimmed: row.get(1)?, last: row.get(2)? })
            })?)
        });
        read.await
    }

    async fn trim_events(
        &self,
        session: SessionId,
        keep: &Retention,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StorageError> {
        let keep = *keep;
        self.writer.write(move |step| trim(step.connection, session, &keep, now, limit)).await
    }

    async fn register_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError> {
        let consumer = consumer.clone();
        self.writer.write(move |step| consumer::register(step.connection, &consumer)).await
    }

    async fn remove_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError> {
        let consumer = consumer.clone();
        self.writer.write(move |step| consumer::remove(step.connection, &consumer)).await
    }

    async fn consumers(&self) -> Result<Vec<ConsumerName>, StorageError> {
        self.readers.read(consumer::all_names).await
    }

    async fn acknowledge(&self, consumer: &ConsumerName, handled: &Cursors) -> Result<(), StorageError> {
        let (consumer, handled) = (consumer.clone(), handled.clone());
        self.writer.write(move |step| consumer::acknowledge(step.connection, &consumer, &handled)).await
    }

    async fn acknowledged(&self, consumer: &ConsumerName) -> Result<Cursors, StorageError> {
        let consumer = consumer.clone();
        self.readers.read(move |connection| consumer::acknowledged(connection, &consumer)).await
    }
}
