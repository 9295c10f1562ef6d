//! The audit trail.

use async_trait::async_trait;
use futures_util::FutureExt;
use seatport::storage::{AuditStore, StorageError, StorageErrorKind};
use seatport::{AuditEntry, AuditHash, AuditLine};
use tokio_postgres::Row;

use crate::PostgresStorage;
use crate::codes::{Count, Json};
use crate::error::Failure;
use crate::sql::{Connection, all, execute, first, integer, prepare};

/// Whoever adds lines holds this until they are durable, so that none is numbered twice and every line follows from the one
/// before.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.audit', 0))";

const LAST: &str = "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1";

/// Adds lines, chained to the last one. The last thing that a transaction does: everyone who adds a line waits for its end.
pub(crate) async fn add(tx: &Connection, entries: &[&AuditEntry]) -> Result<(), Failure> {
    if entries.is_empty() {
        return Ok(());
    }
    // In this order, and each of them sees what was durable when it began.
    prepare(tx, &[LOCK, LAST]).await?;
    let last = first(tx, LAST, &[], |row| {
        let Count(number) = row.try_get(0)?;
        Ok((number, hash(row.try_get(1)?)?))
    });
    let (_, last) = tokio::try_join!(biased; execute(tx, LOCK, &[]), last)?;

    let (mut number, mut hash) = last.unwrap_or((0, AuditHash::START));
    let (mut numbers, mut hashes) = (Vec::new(), Vec::new());
    for entry in entries {
        number += 1;
        hash = hash.followed_by(number, entry);
        numbers.push(Count(number));
        hashes.push(*hash.as_bytes());
    }
    let hashes: Vec<_> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    let entries: Vec<_> = entries.iter().map(Json).collect();
    let sql = "INSERT INTO audit (number, hash, entry) SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[])";
    execute(tx, sql, &[&numbers, &hashes, &entries]).await?;
    Ok(())
}

fn hash(bytes: &[u8]) -> Result<AuditHash, Failure> {
    let bytes = bytes.try_into().map_err(|_| StorageErrorKind::Corrupt)?;
    Ok(AuditHash::from_bytes(bytes))
}

#[async_trait]
impl AuditStore for PostgresStorage {
    async fn record(&self, entry: AuditEntry) -> Result<(), StorageError> {
        self.write(entry, |tx, entry| async move { add(tx, &[entry]).await }.boxed()).await
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditLine>, StorageError> {
        let read = self.read((integer(after), i64::from(limit)), |on, (after, limit)| {
            async move {
                let sql = "SELECT number, entry, hash FROM audit WHERE number > $1 ORDER BY number LIMIT $2";
                let line = |row: &Row| {
                    let (Count(number), Json(entry)) = (row.try_get(0)?, row.try_get(1)?);
                    Ok(AuditLine { number, entry, hash: hash(row.try_get(2)?)? })
                };
                all(on, sql, &[after, limit], line).await
            }
            .boxed()
        });
        read.await
    }
}
