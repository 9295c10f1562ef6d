//! Lead figures: reading the ledger's totals.

use async_trait::async_trait;
use rusqlite::params;
use seatport::Timestamp;
use seatport::leads::{LeadAdjustment, LeadTotal, ledger};
use seatport::storage::{LeadStore, StorageError};

use crate::SqliteStorage;
use crate::codes::Code;
use crate::ledger::Ledger;
use crate::ledger::entry::{self, ENTRY};
use crate::sql::{all, execute, first};

#[async_trait]
impl LeadStore for SqliteStorage {
    async fn lead_totals(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadTotal>, StorageError> {
        let read = self.readers.read(move |connection| {
            let sql =
                format!("SELECT {ENTRY}, count FROM lead_total WHERE quarter >= ?1 AND quarter < ?2 ORDER BY {ENTRY}");
            Ok(all(connection, &sql, [from.as_millis(), until.as_millis()], |row| {
                Ok(LeadTotal { entry: entry::read(row, 0)?, count: row.get(7)? })
            })?)
        });
        read.await
    }

    async fn lead_adjustments(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadAdjustment>, StorageError> {
        let read = self.readers.read(move |connection| {
            let sql = format!(
                "SELECT {ENTRY}, change, posted_at, reason, number FROM lead_adjustment WHERE quarter >= ?1 AND quarter < ?2"
            );
            let mut found = all(connection, &sql, [from.as_millis(), until.as_millis()], |row| {
                let (posted_at, Code(reason)) = (Timestamp::from_millis(row.get(8)?), row.get(9)?);
                let adjustment = LeadAdjustment { posted_at, reason, entry: entry::read(row, 0)?, change: row.get(7)? };
                Ok((row.get::<_, i64>(10)?, adjustment))
            })?;
            // In the order in which they were made: by their numbers. The index goes by the time they are about.
            found.sort_unstable_by_key(|(number, _)| *number);
            Ok(found.into_iter().map(|(_, adjustment)| adjustment).collect())
        });
        read.await
    }

    async fn rebuild_leads(&self) -> Result<(), StorageError> {
        self.writer.write(|step| ledger::rebuild(&mut Ledger::new(step.connection))).await
    }

    async fn ledger_key(&self) -> Result<Option<Vec<u8>>, StorageError> {
        let read = self.readers.read(|connection| {
            Ok(first(connection, "SELECT ledger_key FROM organisation", [], |row| row.get(0))?.flatten())
        });
        read.await
    }

    async fn replace_ledger_key(&self, old: Option<&[u8]>, sealed: &[u8]) -> Result<bool, StorageError> {
        let (old, sealed) = (old.map(<[u8]>::to_vec), sealed.to_vec());
        let write = self.writer.write(move |step| {
            let sql = "UPDATE organisation SET ledger_key = ?2 WHERE ledger_key IS ?1";
            Ok(execute(step.connection, sql, params![old, sealed])? > 0)
        });
        write.await
    }
}
