//! Lead figures: reading the ledger's totals.

use async_trait::async_trait;
use futures_util::FutureExt;
use seatport::Timestamp;
use seatport::leads::{LeadAdjustment, LeadTotal};
use seatport::storage::{LeadStore, StorageError};

use crate::PostgresStorage;
use crate::codes::{At, Code, Count};
use crate::ledger;
use crate::ledger::entry::{self, ENTRY};
use crate::sql::{all, execute, first};

#[async_trait]
impl LeadStore for PostgresStorage {
    async fn lead_totals(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadTotal>, StorageError> {
        let read = self.read((At(from), At(until)), |on, (from, until)| {
            async move {
                let sql = format!(
                    "SELECT {ENTRY}, count FROM lead_total WHERE quarter >= $1 AND quarter < $2 ORDER BY {ENTRY}"
                );
                all(on, &sql, &[from, until], |row| {
                    let Count(count) = row.try_get(7)?;
                    Ok(LeadTotal { entry: entry::read(row)?, count })
                })
                .await
            }
            .boxed()
        });
        read.await
    }

    async fn lead_adjustments(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadAdjustment>, StorageError> {
        let read = self.read((At(from), At(until)), |on, (from, until)| {
            async move {
                let sql = format!(
                    "SELECT {ENTRY}, change, posted_at, reason, number FROM lead_adjustment
                     WHERE quarter >= $1 AND quarter < $2"
                );
                let mut found = all(on, &sql, &[from, until], |row| {
                    let (At(posted_at), Code(reason)) = (row.try_get(8)?, row.try_get(9)?);
                    let (entry, change) = (entry::read(row)?, row.try_get(7)?);
                    Ok((row.try_get::<_, i64>(10)?, LeadAdjustment { posted_at, reason, entry, change }))
                })
                .await?;
                // In the order in which they were made: by their numbers. The index goes by the time they are about.
                found.sort_unstable_by_key(|(number, _)| *number);
                Ok(found.into_iter().map(|(_, adjustment)| adjustment).collect())
            }
            .boxed()
        });
        read.await
    }

    async fn rebuild_leads(&self) -> Result<(), StorageError> {
        self.write_in_snapshot((), |tx, ()| ledger::rebuild(tx).boxed()).await
    }

    async fn ledger_key(&self) -> Result<Option<Vec<u8>>, StorageError> {
        let read = self.read((), |on, ()| {
            async move {
                let key = first(on, "SELECT ledger_key FROM organisation", &[], |row| Ok(row.try_get(0)?));
                Ok(key.await?.flatten())
            }
            .boxed()
        });
        read.await
    }

    async fn replace_ledger_key(&self, old: Option<&[u8]>, sealed: &[u8]) -> Result<bool, StorageError> {
        let replaced = self.write((old.map(<[u8]>::to_vec), sealed.to_vec()), |tx, (old, sealed)| {
            async move {
                let sql = "UPDATE organisation SET ledger_key = $2 WHERE ledger_key IS NOT DISTINCT FROM $1";
                Ok(execute(tx, sql, &[old, sealed]).await? > 0)
            }
            .boxed()
        });
        replaced.await
    }
}
