//! Sessions.

use async_trait::async_trait;
use rusqlite::{Row, ToSql};
use seatport::storage::{
    Change, Committed, SessionCommit, SessionStore, StorageError, StorageErrorKind, StoredSession,
};
use seatport::{AuditEntry, CardStatus, Page, PortNumber, SessionFilter, SessionId, SessionRecord};

use crate::SqliteStorage;
use crate::codes::{Code, Coded, Json};
use crate::lease::Nodes;
use crate::sql::{all, execute, first};
use crate::{audit, commit};

/// What [`stored`] reads.
const ROW: &str = "SELECT record, revision, port, unread, last_event, owner, epoch FROM session";

/// What stands between the fields in the column `search`. A search for it finds nothing sensible, for no field may hold it.
const FIELD_SEPARATOR: &str = "\u{1f}";

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

/// The status that holds while a live process drives the session.
pub(crate) fn driven_status(record: &SessionRecord) -> CardStatus {
    CardStatus::of(&record.facts, true)
}

/// The texts of a record that a search looks at, letter case of ASCII aside.
pub(crate) fn search_text(record: &SessionRecord) -> String {
    let account = record.facts.account.as_ref();
    let name = account.and_then(|account| account.name.as_deref());
    let phone = account.and_then(|account| account.phone.as_deref());
    let address = account.map(|account| account.address.as_str());
    let fields = [Some(record.remark.as_str()), name, phone, address];
    fields.map(Option::unwrap_or_default).join(FIELD_SEPARATOR).to_ascii_lowercase()
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
            let after = page.after.as_ref().map_or(&[][..], |id| id.as_bytes());
            let agent = filter.agent.as_ref().map(|agent| agent.as_ref().map(|agent| agent.as_str()));
            let text = filter.text.as_ref().map(|text| text.to_ascii_lowercase());
            let statuses = Json(filter.statuses.iter().map(|status| status.code()).collect::<Vec<_>>());
            let live = Json(nodes.live());

            let mut sql = format!("{ROW} WHERE id > :after");
            let mut values: Vec<(&str, &dyn ToSql)> = vec![(":after", &after), (":limit", &page.limit)];
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
            sql.push_str(" ORDER BY id LIMIT :limit");
            Ok(all(connection, &sql, values.as_slice(), |row| stored(row, &nodes))?)
        });
        read.await
    }

    async fn commit(&self, commit: SessionCommit) -> Result<Committed, StorageError> {
        let nodes = self.nodes.clone();
        self.writer.write(move |step| commit::land(step, &nodes, &commit)).await
    }

    async fn delete(&self, id: SessionId, revision: u64, audit: AuditEntry) -> Result<(), StorageError> {
        let write = self.writer.write(move |step| {
            let sql = "SELECT key, revision, status FROM session WHERE id = ?1";
            let row = first(step.connection, sql, [id.as_bytes()], |row| {
                let Code(status): Code<CardStatus> = row.get(2)?;
                Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?, status))
            })?;
            let (key, found, status) = row.ok_or(StorageErrorKind::NotFound)?;
            if found != revision {
                return Err(StorageErrorKind::Stale.into());
            }
            if !matches!(status, CardStatus::NotStarted | CardStatus::Offline) {
                return Err(StorageErrorKind::NotStopped.into());
            }
            // Everything that hangs on the row goes with it.
            execute(step.connection, "DELETE FROM session WHERE key = ?1", [key])?;
            audit::add(step.connection, &audit)?;
            step.sweep();
            step.announce(Change::Session { session: id, by_owner: false });
            step.announce(Change::Ports);
            Ok(())
        });
        write.await
    }
}
