//! Agents.

use async_trait::async_trait;

use super::MemoryStorage;
use crate::agent::Agent;
use crate::ids::AgentId;
use crate::storage::{AgentStore, StorageError, StorageErrorKind};

#[async_trait]
impl AgentStore for MemoryStorage {
    async fn put_agent(&self, agent: Agent) -> Result<(), StorageError> {
        self.open()?.agents.insert(agent.id.clone(), agent);
        Ok(())
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<Agent>, StorageError> {
        Ok(self.open()?.agents.get(id).cloned())
    }

    async fn agents(&self) -> Result<Vec<Agent>, StorageError> {
        Ok(self.open()?.agents.values().cloned().collect())
    }

    async fn remove_agent(&self, id: &AgentId) -> Result<(), StorageError> {
        let mut state = self.open()?;
        let bound = state.sessions.values().filter(|session| session.record.agent.as_ref() == Some(id)).count();
        if !state.agents.contains_key(id) {
            return Err(StorageErrorKind::NotFound.into());
        }
        if bound > 0 {
            return Err(StorageErrorKind::AgentBound { sessions: bound as u64 }.into());
        }
        state.agents.remove(id);
        Ok(())
    }
}
