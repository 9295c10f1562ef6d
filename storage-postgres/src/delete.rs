//! Deleting a session.
//!
//! With the session's row everything that hangs on it is gone, for nothing is found but by way of the row, and its key is never
//! given to another. What hangs on it is then removed in pieces, each in a transaction of its own, so that a session with
//! millions of messages keeps nobody waiting; the table `leftover` names the keys of sessions that this has not come to the
//! end of. A death in between is made up for when the database is opened next, or the next session is deleted.

use futures_util::FutureExt;
use seatport::storage::{Change, Deletion, StorageError, StorageErrorKind};
use seatport::{AuditEntry, CardStatus, SessionId};
use tokio_postgres::Row;

use crate::codes::{Code, Count, Id};
use crate::error::Failure;
use crate::sql::{Connection, execute, first};
use crate::{PostgresStorage, audit, consumer, ledger};

/// How many rows one transaction removes.
const PIECE: u64 = 5000;

/// What removes at most `$2` rows of a session with the key `$1`, in this order: amendments are found by way of the chats.
const REMOVALS: [&str; 9] = [
    "DELETE FROM message_text WHERE ctid = ANY (ARRAY(SELECT ctid FROM message_text WHERE session = $1 LIMIT $2))",
    "DELETE FROM contact_text WHERE ctid = ANY (ARRAY(SELECT ctid FROM contact_text WHERE session = $1 LIMIT $2))",
    "DELETE FROM message WHERE ctid = ANY (ARRAY(SELECT ctid FROM message WHERE session = $1 LIMIT $2))",
    "DELETE FROM send_key WHERE ctid = ANY (ARRAY(SELECT ctid FROM send_key WHERE session = $1 LIMIT $2))",
    "DELETE FROM event WHERE ctid = ANY (ARRAY(SELECT ctid FROM event WHERE session = $1 LIMIT $2))",
    "DELETE FROM contact WHERE ctid = ANY (ARRAY(SELECT ctid FROM contact WHERE session = $1 LIMIT $2))",
    "DELETE FROM alias WHERE ctid = ANY (ARRAY(SELECT ctid FROM alias WHERE session = $1 LIMIT $2))",
    "DELETE FROM amendment WHERE ctid = ANY (ARRAY(
         SELECT amendment.ctid FROM amendment JOIN chat ON chat.key = amendment.chat WHERE chat.session = $1 LIMIT $2))",
    "DELETE FROM chat WHERE ctid = ANY (ARRAY(SELECT ctid FROM chat WHERE session = $1 LIMIT $2))",
];

/// A session that is to be deleted.
#[derive(Debug)]
pub(crate) struct Doomed {
    pub(crate) id: SessionId,
    pub(crate) revision: u64,
    pub(crate) deletion: Deletion,
    pub(crate) audit: AuditEntry,
}

/// Deletes every trace of a session, if it is at rest and the one that was read.
pub(crate) async fn delete(storage: &PostgresStorage, doomed: Doomed) -> Result<(), StorageError> {
    let finished = storage.write(doomed, |tx, doomed| {
        async move {
            let finished = begin(tx, doomed).await?;
            tx.announce(Change::Session { session: doomed.id, by_owner: false });
            tx.announce(Change::Ports);
            Ok(finished)
        }
        .boxed()
    });
    if finished.await? {
        return Ok(());
    }
    // Brought to an end, whether or not the caller still waits.
    let storage = storage.clone();
    let sweeping = tokio::spawn(async move { sweep(&storage).await });
    if let Ok(Err(error)) = sweeping.await {
        // The session is gone all the same.
        tracing::warn!(%error, "the rest of a deleted session is removed later");
    }
    Ok(())
}

/// Removes what earlier deletions have left behind, in this process or another one.
pub(crate) async fn sweep(storage: &PostgresStorage) -> Result<(), StorageError> {
    while !storage.write((), |tx, ()| async move { next_piece(tx).await }.boxed()).await? {}
    Ok(())
}

/// Deletes the session, and what hangs on it as far as one piece goes; answers whether that was all.
async fn begin(tx: &Connection, doomed: &Doomed) -> Result<bool, Failure> {
    let sql = "SELECT key, revision, status FROM session WHERE id = $1 FOR UPDATE";
    let found = |row: &Row| -> Result<(i64, Count, Code<CardStatus>), Failure> {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    };
    let found = first(tx, sql, &[&Id(doomed.id)], found).await?;
    let (key, Count(revision), Code(status)) = found.ok_or(StorageErrorKind::NotFound)?;
    if revision != doomed.revision {
        return Err(StorageErrorKind::Stale.into());
    }
    if !matches!(status, CardStatus::NotStarted | CardStatus::Offline) {
        return Err(StorageErrorKind::NotStopped.into());
    }
    execute(tx, "DELETE FROM session WHERE key = $1", &[&key]).await?;
    if doomed.deletion == Deletion::Erase {
        ledger::erase(tx, doomed.id).await?;
    }
    // These two are written without the lock on the session as well, and few: they go at once.
    execute(tx, "DELETE FROM vault WHERE session = $1", &[&key]).await?;
    consumer::alone(tx).await?;
    execute(tx, "DELETE FROM acknowledged WHERE session = $1", &[&key]).await?;
    let finished = remove_piece(tx, key).await?;
    if !finished {
        execute(tx, "INSERT INTO leftover (session) VALUES ($1)", &[&key]).await?;
    }
    audit::add(tx, &[&doomed.audit]).await?;
    Ok(finished)
}

/// Removes the next piece of what is left; answers whether there was none.
async fn next_piece(tx: &Connection) -> Result<bool, Failure> {
    // Another process may be at it: the two take turns.
    let sql = "SELECT session FROM leftover ORDER BY session LIMIT 1 FOR UPDATE";
    let Some(key) = first(tx, sql, &[], |row| Ok(row.try_get::<_, i64>(0)?)).await? else {
        return Ok(true);
    };
    if remove_piece(tx, key).await? {
        execute(tx, "DELETE FROM leftover WHERE session = $1", &[&key]).await?;
    }
    Ok(false)
}

/// Removes rows that hang on a session that is gone; answers whether these were the last ones.
async fn remove_piece(tx: &Connection, key: i64) -> Result<bool, Failure> {
    let mut room = PIECE;
    for sql in REMOVALS {
        room = room.saturating_sub(execute(tx, sql, &[&key, &Count(room)]).await?);
        if room == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
