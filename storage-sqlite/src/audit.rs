//! The audit trail.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use seatport::storage::{AuditStore, StorageError};
use seatport::{AuditEntry, AuditHash, AuditLine};

use crate::SqliteStorage;
use crate::codes::Json;
use crate::error::Failure;
use crate::sql::{all, execute, first, integer};

/// Adds a line, chained to the last one.
pub(crate) fn add(connection: &Connection, entry: &AuditEntry) -> Result<(), Failure> {
    let sql = "SELECT number, hash FROM audit WHERE number = (SELECT max(number) FROM audit)";
    let last = first(connection, sql, [], |row| Ok((row.get::<_, u64>(0)?, AuditHash::from_bytes(row.get(1)?))))?;
    let (number, hash) = last.unwrap_or((0, AuditHash::START));
    let hash = hash.followed_by(number + 1, entry);
    let sql = "INSERT INTO audit (number, hash, entry) VALUES (?1, ?2, ?3)";
    execute(connection, sql, params![number + 1, hash.as_bytes(), Json(entry)])?;
    Ok(())
}

#[async_trait]
impl AuditStore for SqliteStorage {
    async fn record(&self, entry: AuditEntry) -> Result<(), StorageError> {
        self.writer.write(move |step| add(step.connection, &entry)).await
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditLine>, StorageError> {
        let read = self.readers.read(move |connection| {
            let sql = "SELECT number, entry, hash FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2";
            Ok(all(connection, sql, params![integer(after), limit], |row| {
                let Json(entry) = row.get(1)?;
                Ok(AuditLine { number: row.get(0)?, entry, hash: AuditHash::from_bytes(row.get(2)?) })
            })?)
        });
        read.await
    }
}
