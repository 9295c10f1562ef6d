//! Agents.

use async_trait::async_trait;

use crate::agent::Agent;
use crate::ids::AgentId;
use crate::storage::StorageError;

/// The register of agents.
#[async_trait]
pub trait AgentStore {
    /// Adds an agent, or replaces name and role of the one with the same id.
    async fn put_agent(&self, agent: Agent) -> Result<(), StorageError>;

    /// The agent with this id, if there is one.
    async fn agent(&self, id: &AgentId) -> Result<Option<Agent>, StorageError>;

    /// All agents, by id.
    async fn agents(&self) -> Result<Vec<Agent>, StorageError>;

    /// Removes an agent.
    ///
    /// - Answers `NotFound` for an unknown one.
    /// - Answers `AgentBound` while sessions are bound to it, and changes nothing.
    async fn remove_agent(&self, id: &AgentId) -> Result<(), StorageError>;
}
