//! Events: writing, reading and trimming them.

use async_trait::async_trait;
use futures_util::FutureExt;
use seatport::storage::{EventStore, StorageError};
use seatport::{ConsumerName, Cursors, Event, EventBody, EventHead, Retention, SessionId, Timestamp};
use tokio_postgres::Row;

use crate::codes::{At, Count, Id, Json};
use crate::error::Failure;
use crate::sql::{Connection, all, execute, first, integer};
use crate::{PostgresStorage, consumer};

/// An event at its place in the sequence of the session with this key.
#[derive(Debug)]
pub(crate) struct NewEvent<'a> {
    pub(crate) session: i64,
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) body: &'a EventBody,
}

/// Adds events. The transaction holds the sessions' rows.
pub(crate) async fn add(tx: &Connection, events: &[NewEvent<'_>]) -> Result<(), Failure> {
    if events.is_empty() {
        return Ok(());
    }
    let sessions: Vec<_> = events.iter().map(|event| event.session).collect();
    let places: Vec<_> = events.iter().map(|event| Count(event.seq)).collect();
    let times: Vec<_> = events.iter().map(|event| At(event.at)).collect();
    let bodies: Vec<_> = events.iter().map(|event| Json(event.body)).collect();
    let sql = "INSERT INTO event (session, seq, at, body)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])";
    execute(tx, sql, &[&sessions, &places, &times, &bodies]).await?;
    Ok(())
}

/// How far a session's sequence was trimmed, where it ends, and how far every consumer has handled it.
struct Sequence {
    key: i64,
    trimmed: u64,
    last: u64,
    handled: u64,
}

/// The columns of a [`Sequence`], of the table `session`; the smallest of no numbers is null.
const SEQUENCE: &str = "key, trimmed, last_event,
     (SELECT min(coalesce(seq, 0)) FROM consumer LEFT JOIN acknowledged ON acknowledged.session = key AND consumer = name)";

impl Sequence {
    fn read(row: &Row) -> Result<Self, Failure> {
        let (Count(trimmed), Count(last)) = (row.try_get(1)?, row.try_get(2)?);
        let handled = row.try_get::<_, Option<Count>>(3)?.map_or(u64::MAX, |Count(handled)| handled);
        Ok(Self { key: row.try_get(0)?, trimmed, last, handled })
    }

    /// The last event of those that may go, in one call.
    fn end(&self, limit: u32) -> u64 {
        self.last.min(self.handled).min(self.trimmed + u64::from(limit))
    }

    /// The last of those that are too many, whatever their age.
    fn too_many(&self, keep: &Retention) -> u64 {
        keep.count.map_or(0, |count| self.last.saturating_sub(count))
    }
}

/// Whether a session has events that nobody has a use for.
async fn has_too_much(on: &Connection, session: SessionId, keep: &Retention, now: Timestamp) -> Result<bool, Failure> {
    let sql = format!(
        "SELECT {SEQUENCE}, (SELECT at FROM event WHERE event.session = key AND event.seq = trimmed + 1)
         FROM session WHERE id = $1"
    );
    let found = |row: &Row| Ok((Sequence::read(row)?, row.try_get::<_, Option<At>>(4)?));
    Ok(first(on, &sql, &[&Id(session)], found).await?.is_some_and(|(sequence, oldest)| {
        let too_old = oldest.zip(keep.age).is_some_and(|(At(oldest), age)| oldest < now - age);
        sequence.end(1) > sequence.trimmed && (too_old || sequence.too_many(keep) > sequence.trimmed)
    }))
}

/// Removes a session's oldest events that nobody has a use for; answers how many.
async fn trim(
    tx: &Connection,
    session: SessionId,
    keep: &Retention,
    now: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    let locked = first(tx, "SELECT FROM session WHERE id = $1 FOR UPDATE", &[&Id(session)], |_| Ok(())).await?;
    if locked.is_none() {
        return Ok(0);
    }
    consumer::share(tx).await?;
    let sql = format!("SELECT {SEQUENCE} FROM session WHERE id = $1");
    let Some(sequence) = first(tx, &sql, &[&Id(session)], Sequence::read).await? else { return Ok(0) };
    let Sequence { key, trimmed, .. } = sequence;
    let end = sequence.end(limit);

    // All that are too many go, whatever their age; of those that follow, the old ones, up to the first that is not.
    let too_many = sequence.too_many(keep).min(end);
    let gone = match keep.age {
        None => too_many,
        Some(age) => {
            let sql =
                "SELECT seq FROM event WHERE session = $1 AND seq > $2 AND seq <= $3 AND at >= $4 ORDER BY seq LIMIT 1";
            let (after, before) = (Count(too_many.max(trimmed)), At(now - age));
            let kept = first(tx, sql, &[&key, &after, &Count(end), &before], |row| Ok(row.try_get(0)?)).await?;
            kept.map_or(end, |Count(kept): Count| kept - 1)
        }
    };
    if gone <= trimmed {
        return Ok(0);
    }
    execute(tx, "DELETE FROM event WHERE session = $1 AND seq <= $2", &[&key, &Count(gone)]).await?;
    execute(tx, "UPDATE session SET trimmed = $2 WHERE key = $1", &[&key, &Count(gone)]).await?;
    Ok(gone - trimmed)
}

#[async_trait]
impl EventStore for PostgresStorage {
    async fn events(&self, session: SessionId, after: u64, limit: u32) -> Result<Vec<Event>, StorageError> {
        let read = self.read((session, integer(after), i64::from(limit)), |on, (session, after, limit)| {
            async move {
                let sql = "SELECT seq, at, body FROM event
                     WHERE session = (SELECT key FROM session WHERE id = $1) AND seq > $2 ORDER BY seq LIMIT $3";
                let event = |row: &Row| {
                    let (Count(seq), At(at), Json(body)) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                    Ok(Event { session: *session, seq, at, body })
                };
                all(on, sql, &[&Id(*session), after, limit], event).await
            }
            .boxed()
        });
        read.await
    }

    async fn event_heads(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<EventHead>, StorageError> {
        let after = after.unwrap_or(SessionId::from_bytes([0; 16]));
        let read = self.read((Id(after), i64::from(limit)), |on, (after, limit)| {
            async move {
                let sql = "SELECT id, trimmed, last_event FROM session WHERE id > $1 ORDER BY id LIMIT $2";
                let head = |row: &Row| {
                    let (Id(session), Count(trimmed), Count(last)) =
                        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                    Ok(EventHead { session, trimmed, last })
                };
                all(on, sql, &[after, limit], head).await
            }
            .boxed()
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
        // Nearly always there is nothing to do, and nobody is held up to find that out.
        let look =
            self.read((session, *keep, now), |on, (session, keep, now)| has_too_much(on, *session, keep, *now).boxed());
        if !look.await? {
            return Ok(0);
        }
        let write = self.write((session, *keep, now, limit), |tx, (session, keep, now, limit)| {
            async move { trim(tx, *session, keep, *now, *limit).await }.boxed()
        });
        write.await
    }

    async fn register_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError> {
        let write =
            self.write(consumer.clone(), |tx, consumer| async move { consumer::register(tx, consumer).await }.boxed());
        write.await
    }

    async fn remove_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError> {
        let write =
            self.write(consumer.clone(), |tx, consumer| async move { consumer::remove(tx, consumer).await }.boxed());
        write.await
    }

    async fn consumers(&self) -> Result<Vec<ConsumerName>, StorageError> {
        self.read((), |on, ()| consumer::all_names(on).boxed()).await
    }

    async fn acknowledge(&self, consumer: &ConsumerName, handled: &Cursors) -> Result<(), StorageError> {
        let write = self.write((consumer.clone(), handled.clone()), |tx, (consumer, handled)| {
            async move { consumer::acknowledge(tx, consumer, handled).await }.boxed()
        });
        write.await
    }

    async fn acknowledged(&self, consumer: &ConsumerName) -> Result<Cursors, StorageError> {
        self.read(consumer, |on, consumer| consumer::acknowledged(on, consumer).boxed()).await
    }
}
