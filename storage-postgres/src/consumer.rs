//! Consumers of events, and what they have acknowledged.
//!
//! Two kinds of work go on at the same time as all others of their kind: acknowledging, and trimming events. They share the
//! [lock](share) that those take [alone](alone) who change what there is to acknowledge for, or by whom. So a consumer
//! that is registered misses nothing that is being trimmed, and no acknowledgement stays behind.

use seatport::storage::StorageErrorKind;
use seatport::{ConsumerName, Cursors, SessionId};
use tokio_postgres::Row;

use crate::codes::{Count, Id, Text};
use crate::error::Failure;
use crate::sql::{Connection, all, execute, first};

/// Waits until nobody changes the consumers, and keeps it so to the end of the transaction.
pub(crate) async fn share(tx: &Connection) -> Result<(), Failure> {
    let sql = "SELECT pg_advisory_xact_lock_shared(hashtextextended(current_schema() || '.consumer', 0))";
    execute(tx, sql, &[]).await?;
    Ok(())
}

/// Waits until nobody acknowledges or trims, and keeps it so to the end of the transaction.
pub(crate) async fn alone(tx: &Connection) -> Result<(), Failure> {
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.consumer', 0))";
    execute(tx, sql, &[]).await?;
    Ok(())
}

async fn check(on: &Connection, consumer: &ConsumerName) -> Result<(), Failure> {
    let known = first(on, "SELECT FROM consumer WHERE name = $1", &[&consumer.as_str()], |_| Ok(())).await?;
    Ok(known.ok_or(StorageErrorKind::NotFound)?)
}

pub(crate) async fn register(tx: &Connection, consumer: &ConsumerName) -> Result<(), Failure> {
    alone(tx).await?;
    execute(tx, "INSERT INTO consumer (name) VALUES ($1) ON CONFLICT DO NOTHING", &[&consumer.as_str()]).await?;
    Ok(())
}

pub(crate) async fn remove(tx: &Connection, consumer: &ConsumerName) -> Result<(), Failure> {
    alone(tx).await?;
    if execute(tx, "DELETE FROM consumer WHERE name = $1", &[&consumer.as_str()]).await? == 0 {
        return Err(StorageErrorKind::NotFound.into());
    }
    execute(tx, "DELETE FROM acknowledged WHERE consumer = $1", &[&consumer.as_str()]).await?;
    Ok(())
}

pub(crate) async fn all_names(on: &Connection) -> Result<Vec<ConsumerName>, Failure> {
    let names = all(on, "SELECT name FROM consumer ORDER BY name", &[], |row| {
        let Text(name) = row.try_get(0)?;
        Ok(name)
    });
    names.await
}

pub(crate) async fn acknowledge(tx: &Connection, consumer: &ConsumerName, handled: &Cursors) -> Result<(), Failure> {
    share(tx).await?;
    check(tx, consumer).await?;
    let sessions: Vec<_> = handled.0.keys().copied().map(Id).collect();
    let places: Vec<_> = handled.0.values().copied().map(Count).collect();
    // In one order, so that no two who acknowledge for the same consumer wait for one another.
    let sql = "INSERT INTO acknowledged (session, consumer, seq)
         SELECT key, $1, handled.seq FROM unnest($2::uuid[], $3::bigint[]) AS handled (id, seq)
         JOIN session ON session.id = handled.id ORDER BY key
         ON CONFLICT (session, consumer) DO UPDATE SET seq = excluded.seq WHERE acknowledged.seq < excluded.seq";
    execute(tx, sql, &[&consumer.as_str(), &sessions, &places]).await?;
    Ok(())
}

pub(crate) async fn acknowledged(on: &Connection, consumer: &ConsumerName) -> Result<Cursors, Failure> {
    // One statement, so that a consumer that is removed meanwhile is not taken for one that has handled nothing.
    let sql = "SELECT id, seq FROM consumer
         LEFT JOIN (acknowledged JOIN session ON key = session) ON consumer = name WHERE name = $1";
    let cursor = |row: &Row| -> Result<(Option<Id<SessionId>>, Option<Count>), Failure> {
        Ok((row.try_get(0)?, row.try_get(1)?))
    };
    let cursors = all(on, sql, &[&consumer.as_str()], cursor).await?;
    if cursors.is_empty() {
        return Err(StorageErrorKind::NotFound.into());
    }
    let cursors = cursors.into_iter().filter_map(|(session, seq)| Some((session?.0, seq?.0)));
    Ok(Cursors(cursors.collect()))
}
