//! The register of agents.

use async_trait::async_trait;
use rusqlite::{Row, params};
use seatport::storage::{AgentStore, StorageError, StorageErrorKind};
use seatport::{Agent, AgentId};

use crate::SqliteStorage;
use crate::codes::{Code, Text};
use crate::sql::{all, execute, first};

fn agent(row: &Row<'_>) -> rusqlite::Result<Agent> {
    let (Text(id), Code(role)) = (row.get(0)?, row.get(2)?);
    Ok(Agent { id, name: row.get(1)?, role })
}

#[async_trait]
impl AgentStore for SqliteStorage {
    async fn put_agent(&self, agent: Agent) -> Result<(), StorageError> {
        let write = self.writer.write(move |step| {
            let sql = "INSERT INTO agent (id, name, role) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = excluded.role";
            execute(step.connection, sql, params![agent.id.as_str(), agent.name, Code(agent.role)])?;
            Ok(())
        });
        write.await
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<Agent>, StorageError> {
        let id = id.clone();
        let read = self.readers.read(move |connection| {
            Ok(first(connection, "SELECT id, name, role FROM agent WHERE id = ?1", [id.as_str()], agent)?)
        });
        read.await
    }

    async fn agents(&self) -> Result<Vec<Agent>, StorageError> {
        let read = self
            .readers
            .read(|connection| Ok(all(connection, "SELECT id, name, role FROM agent ORDER BY id", [], agent)?));
        read.await
    }

    async fn remove_agent(&self, id: &AgentId) -> Result<(), StorageError> {
        let id = id.clone();
        let write = self.writer.write(move |step| {
            let known = first(step.connection, "SELECT 1 FROM agent WHERE id = ?1", [id.as_str()], |_| Ok(()))?;
            known.ok_or(StorageErrorKind::NotFound)?;
            let sql = "SELECT count(*) FROM session WHERE agent = ?1";
            let sessions = first(step.connection, sql, [id.as_str()], |row| row.get(0))?.unwrap_or(0);
            if sessions > 0 {
                return Err(StorageErrorKind::AgentBound { sessions }.into());
            }
            execute(step.connection, "DELETE FROM agent WHERE id = ?1", [id.as_str()])?;
            Ok(())
        });
        write.await
    }
}
