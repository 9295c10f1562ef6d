//! Agents: the people who work on sessions.

use serde::{Deserialize, Serialize};

use crate::error::Invalid;
use crate::ids::AgentId;
use crate::text::single_line;

/// What an agent may do; the table is in [`policy`](crate::policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// 主管: everything, the data centre and the binding of agents included.
    Supervisor,
    /// 坐席: everything but the data centre, the audit trail and the binding of agents.
    Agent,
}

/// A person who works on sessions (坐席).
///
/// ```
/// use seatport::{Agent, Role};
/// let mei = Agent::new("mei", "Mei Lin", Role::Supervisor).unwrap();
/// assert_eq!(mei.id.as_str(), "mei");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The host's own id of the person.
    pub id: AgentId,
    /// What colleagues call the person; 1 to 256 bytes.
    pub name: String,
    /// What the person may do.
    pub role: Role,
}

impl Agent {
    /// Checks id and name.
    ///
    /// # Errors
    /// [`Invalid`] when one of them is empty, too long or holds control characters.
    pub fn new(id: impl AsRef<str>, name: impl Into<String>, role: Role) -> Result<Self, Invalid> {
        Ok(Self { id: AgentId::new(id)?, name: single_line("agent name", name.into(), 1, 256)?, role })
    }
}
