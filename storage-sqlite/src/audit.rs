//! The audit trail.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use seatport::storage::{AuditStore, StorageError};
use seatport::{AuditEntry, AuditLine};

use crate::SqliteStorage;
use crate::codes::Json;
use crate::error::Failure;
use crate::sql::{all, execute, integer};

/// Adds a line.
pub(crate) fn add(connection: &Connection, entry: &AuditEntry) -> Result<(), Failure> {
    execute(connection, "INSERT INTO audit (entry) VALUES (?1)", [Json(entry)])?;
    Ok(())
}

#[async_trait]
impl AuditStore for SqliteStorage {
    async fn record(&self, entry: AuditEntry) -> Result<(), StorageError> {
        self.writer.write(move |step| add(step.connection, &entry)).await
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditLine>, StorageError> {
        let read = self.readers.read(move |connection| {
            let sql = "SELECT number, entry FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2";
            Ok(all(connection, sql, params![integer(after), limit], |row| {
                let Json(entry) = row.get(1)?;
                Ok(AuditLine { number: row.get(0)?, entry })
            })?)
        });
        read.await
    }
}
