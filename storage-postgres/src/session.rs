//! Sessions.

use async_trait::async_trait;
use futures_util::FutureExt;
use seatport::storage::{
    Coded, Committed, Deletion, Fence, Page, SessionCommit, SessionStore, StorageError, StoredSession,
};
use seatport::{AuditEntry, NodeId, PortNumber, SessionFilter, SessionId};
use tokio_postgres::Row;

use crate::PostgresStorage;
use crate::codes::{Count, Free, Id, Json};
use crate::delete::{self, Doomed};
use crate::error::Failure;
use crate::page::List;
use crate::sql::first;

/// What [`stored`] reads.
const ROW: &str = "SELECT s.record, s.revision, s.port, s.unread, s.last_event, n.id, s.epoch
     FROM session AS s LEFT JOIN node AS n ON n.id = s.owner AND n.expires_at > clock_timestamp()";

fn stored(row: &Row) -> Result<StoredSession, Failure> {
    let (Json(record), Count(revision), Count(unread)) = (row.try_get(0)?, row.try_get(1)?, row.try_get(3)?);
    let (Count(last_event), Count(epoch)) = (row.try_get(4)?, row.try_get(6)?);
    let port = row.try_get::<_, Option<Count<u32>>>(2)?.map(|Count(number)| PortNumber(number));
    let owner = row.try_get::<_, Option<Id<NodeId>>>(5)?.map(|Id(node)| Fence { node, epoch });
    Ok(StoredSession { record, revision, port, unread, last_event, owner })
}

#[async_trait]
impl SessionStore for PostgresStorage {
    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StorageError> {
        let read = self.read(id, |on, id| {
            async move { first(on, &format!("{ROW} WHERE s.id = $1"), &[&Id(*id)], stored).await }.boxed()
        });
        read.await
    }

    async fn sessions(&self, filter: &SessionFilter, page: Page) -> Result<Vec<StoredSession>, StorageError> {
        let read = self.read((filter, page), |on, (filter, page)| {
            async move {
                let statuses: Vec<_> = filter.statuses.iter().map(|status| status.code()).collect();
                let agent = filter.agent.as_ref().map(|agent| agent.as_ref().map(|agent| agent.as_str()));
                let text = filter.text.as_ref().map(|text| Free(text.to_ascii_lowercase()));

                let mut sql = format!("{ROW} WHERE true");
                let mut values: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = Vec::new();
                if !statuses.is_empty() {
                    values.push(&statuses);
                    // What was awaiting login (3) or online (4) is connecting (2) while nobody drives it.
                    sql.push_str(&format!(
                        " AND CASE WHEN s.status IN (3, 4) AND n.id IS NULL THEN 2::smallint ELSE s.status END = ANY(${})",
                        values.len()
                    ));
                }
                if let Some(agent) = &agent {
                    values.push(agent);
                    sql.push_str(&format!(" AND s.agent IS NOT DISTINCT FROM ${}", values.len()));
                }
                if let Some(text) = &text {
                    values.push(text);
                    sql.push_str(&format!(" AND strpos(s.search, ${}) > 0", values.len()));
                }
                let list = List { select: &sql, by: &["s.id"], descending: false };
                let page = page.map(Id);
                list.part(on, &page, values, |id| vec![id], stored).await
            }
            .boxed()
        });
        read.await
    }

    async fn commit(&self, commit: SessionCommit) -> Result<Committed, StorageError> {
        self.handle.writers.land(&self.handle.core, commit).await
    }

    async fn delete(
        &self,
        id: SessionId,
        revision: u64,
        deletion: Deletion,
        audit: AuditEntry,
    ) -> Result<(), StorageError> {
        delete::delete(self, Doomed { id, revision, deletion, audit }).await
    }
}
