//! The people who work on sessions.

use seatport::Invalid;

use crate::mirror::mirror;

mirror! {
    /// What an agent may do.
    Role = seatport::Role {
        /// 主管: everything, the data centre, the audit trail and the binding of agents included.
        Supervisor,
        /// 坐席: everything but the data centre, the audit trail and the binding of agents.
        Agent,
    }
}

mirror! {
    /// Which sessions agents work on. Supervisors always work on all.
    AgentScope = seatport::AgentScope {
        /// On all of them.
        All,
        /// Only on those bound to them. As they cannot bind, they cannot add accounts either; and what needs a view of all
        /// sessions, as a consumer of the events does, is not for them.
        BoundOnly,
    }
}

/// A person who works on sessions (坐席).
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Agent {
    /// The host's own id of the person: 1 to 128 bytes, no control characters.
    pub id: String,
    /// What colleagues call the person: 1 to 256 bytes, no control characters.
    pub name: String,
    /// What the person may do.
    pub role: Role,
}

impl From<seatport::Agent> for Agent {
    fn from(agent: seatport::Agent) -> Self {
        Self { id: agent.id.into(), name: agent.name, role: agent.role.into() }
    }
}

impl TryFrom<Agent> for seatport::Agent {
    type Error = Invalid;

    fn try_from(agent: Agent) -> Result<Self, Invalid> {
        Self::new(agent.id, agent.name, agent.role.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_checked_on_the_way_in() {
        let agent = |id: &str, name: &str| Agent { id: id.into(), name: name.into(), role: Role::Supervisor };
        let mei = seatport::Agent::try_from(agent("mei", "Mei Lin")).unwrap();
        assert_eq!(Agent::from(mei), agent("mei", "Mei Lin"));
        assert_eq!(seatport::Agent::try_from(agent("", "Mei Lin")).unwrap_err().field, "agent id");
        assert_eq!(seatport::Agent::try_from(agent("mei", "a\nb")).unwrap_err().field, "agent name");
    }
}
