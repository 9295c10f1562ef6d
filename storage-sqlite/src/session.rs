//! Sessions.

use async_trait::async_trait;
use rusqlite::{Row, ToSql};
use seatport::storage::{Coded, Committed, Deletion, Page, SessionCommit, SessionStore, StorageError, StoredSession};
use seatport::{AuditEntry, PortNumber, SessionFilter, SessionId};

use crate::SqliteStorage;
use crate::codes::Json;
use crate::delete::Doomed;
use crate::lease::Nodes;
use crate::page::List;
use crate::sql::first;
use crate::{commit, delete};

/// What [`stored`] reads.
const ROW: &str = "SELECT record, revision, port, unread, last_event, owner, epoch FROM session";

fn stored(row: &Row<'_>, nodes: &Nodes) -> rusqlite::Result<StoredSession> {
    let Json(record) = row.get(0)?;
    Ok(StoredSession {
        record,
        revision: row.get(1)?,
        port: row.get::<_, Option<_>>(2)?.map(PortNumber),
        unread: row.get(3)?,
        last_event: row.get(4)?,
        owner: nodes.owner(row, 5)?,
    })
}

#[async_trait]
impl SessionStore for SqliteStorage {
    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StorageError> {
        let nodes = self.nodes.clone();
        let read = self.readers.read(move |connection| {
            Ok(first(connection, &format!("{ROW} WHERE id = ?1"), [id.as_bytes()], |row| stored(row, &nodes))?)
        });
        read.await
    }

    async fn sessions(&self, filter: &SessionFilter, page: Page) -> Result<Vec<StoredSession>, StorageError> {
        let nodes = self.nodes.clone();
        let filter = filter.clone();
        let read = self.readers.read(move |connection| {
            let agent = filter.agent.as_ref().map(|agent| agent.as_ref().map(|agent| agent.as_str()));
            let text = filter.text.as_ref().map(|text| text.to_ascii_lowercase());
            let statuses = Json(filter.statuses.iter().map(|status| status.code()).collect::<Vec<_>>());
            let live = Json(nodes.live());

            let mut sql = format!("{ROW} WHERE true");
            let mut values: Vec<(&str, &dyn ToSql)> = Vec::new();
            if !filter.statuses.is_empty() {
                // What was awaiting login (3) or online (4) is connecting (2) while nobody drives it.
                sql.push_str(
                    " AND CASE WHEN status IN (3, 4)
                          AND (owner IS NULL OR owner NOT IN (SELECT value FROM json_each(:live)))
                          THEN 2 ELSE status END IN (SELECT value FROM json_each(:statuses))",
                );
                values.extend([(":live", &live as &dyn ToSql), (":statuses", &statuses)]);
            }
            if let Some(agent) = &agent {
                sql.push_str(" AND agent IS :agent");
                values.push((":agent", agent));
            }
            if let Some(text) = &text {
                sql.push_str(" AND instr(search, :text) > 0");
                values.push((":text", text));
            }
            let list = List { select: &sql, by: &["id"], edge: &[":edge"], descending: false };
            let page = page.map(|id| *id.as_bytes());
            Ok(list.part(connection, &page, values, |id| vec![id as _], |row| stored(row, &nodes))?)
        });
        read.await
    }

    async fn commit(&self, commit: SessionCommit) -> Result<Committed, StorageError> {
        let nodes = self.nodes.clone();
        self.writer.write(move |step| commit::land(step, &nodes, &commit)).await
    }

    async fn delete(
        &self,
        id: SessionId,
        revision: u64,
        deletion: Deletion,
        audit: AuditEntry,
    ) -> Result<(), StorageError> {
        delete::delete(&self.writer, Doomed { id, revision, deletion, audit }).await
    }
}
