//! The register of agents.

use async_trait::async_trait;
use futures_util::FutureExt;
use seatport::storage::{AgentStore, StorageError, StorageErrorKind};
use seatport::{Agent, AgentId};
use tokio_postgres::Row;

use crate::PostgresStorage;
use crate::codes::{Code, Count, Free, Text};
use crate::error::Failure;
use crate::sql::{all, execute, first};

fn agent(row: &Row) -> Result<Agent, Failure> {
    let (Text(id), Free(name), Code(role)) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Agent { id, name, role })
}

#[async_trait]
impl AgentStore for PostgresStorage {
    async fn put_agent(&self, agent: Agent) -> Result<(), StorageError> {
        let write = self.write(agent, |tx, agent| {
            async move {
                let sql = "INSERT INTO agent (id, name, role) VALUES ($1, $2, $3)
                     ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = excluded.role";
                execute(tx, sql, &[&agent.id.as_str(), &Free(&agent.name), &Code(agent.role)]).await?;
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<Agent>, StorageError> {
        let read = self.read(id, |on, id| {
            async move { first(on, "SELECT id, name, role FROM agent WHERE id = $1", &[&id.as_str()], agent).await }
                .boxed()
        });
        read.await
    }

    async fn agents(&self) -> Result<Vec<Agent>, StorageError> {
        self.read((), |on, ()| all(on, "SELECT id, name, role FROM agent ORDER BY id", &[], agent).boxed()).await
    }

    async fn remove_agent(&self, id: &AgentId) -> Result<(), StorageError> {
        let write = self.write(id.clone(), |tx, id| {
            async move {
                let id = id.as_str();
                let removed = execute(tx, "DELETE FROM agent WHERE id = $1", &[&id]).await?;
                if removed == 0 {
                    return Err(StorageErrorKind::NotFound.into());
                }
                // Refused after all, the transaction leaves nothing behind.
                let sql = "SELECT count(*) FROM session WHERE agent = $1";
                match first(tx, sql, &[&id], |row| Ok(row.try_get(0)?)).await? {
                    None | Some(Count(0)) => Ok(()),
                    Some(Count(sessions)) => Err(StorageErrorKind::AgentBound { sessions }.into()),
                }
            }
            .boxed()
        });
        write.await
    }
}
