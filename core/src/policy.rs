//! Who may do what: one table, role × action.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::agent::Role;
use crate::lifecycle::Command;

/// What an agent can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Action {
    /// See cards, live status and login codes.
    View,
    /// Add an account.
    Add,
    /// Start a session.
    Start,
    /// Stop a session.
    Stop,
    /// Restart a session.
    Restart,
    /// Ask for a new login code, or for the next try now.
    RefreshLogin,
    /// Log the account out.
    LogOut,
    /// Bind an agent, change it, or unbind it.
    Assign,
    /// Edit the remark.
    SetRemark,
    /// Edit the environment.
    SetEnvironment,
    /// Delete a session.
    Delete,
    /// Read contacts, chats and messages.
    Read,
    /// Send messages.
    Send,
    /// Mark chats as read.
    MarkRead,
    /// Follow the event feed.
    FollowEvents,
    /// Read the audit trail.
    ReadAudit,
    /// See the data centre.
    ViewDataCentre,
}

use Role::{Agent, Supervisor};

/// The table: each action with the roles that may, and the lifecycle command behind it, if there is one.
const TABLE: [(Action, &str, &[Role], Option<Command>); 17] = [
    (Action::View, "see sessions", &[Supervisor, Agent], None),
    (Action::Add, "add accounts", &[Supervisor, Agent], None),
    (Action::Start, "start sessions", &[Supervisor, Agent], Some(Command::Start)),
    (Action::Stop, "stop sessions", &[Supervisor, Agent], Some(Command::Stop)),
    (Action::Restart, "restart sessions", &[Supervisor, Agent], Some(Command::Restart)),
    (Action::RefreshLogin, "refresh logins", &[Supervisor, Agent], Some(Command::Resume)),
    (Action::LogOut, "log accounts out", &[Supervisor, Agent], Some(Command::LogOut)),
    (Action::Assign, "bind or change agents", &[Supervisor], None),
    (Action::SetRemark, "edit remarks", &[Supervisor, Agent], None),
    (Action::SetEnvironment, "edit environments", &[Supervisor, Agent], None),
    (Action::Delete, "delete sessions", &[Supervisor, Agent], Some(Command::Delete)),
    (Action::Read, "read conversations", &[Supervisor, Agent], None),
    (Action::Send, "send messages", &[Supervisor, Agent], None),
    (Action::MarkRead, "mark chats as read", &[Supervisor, Agent], None),
    (Action::FollowEvents, "follow events", &[Supervisor, Agent], None),
    (Action::ReadAudit, "read the audit trail", &[Supervisor], None),
    (Action::ViewDataCentre, "see the data centre", &[Supervisor], None),
];

impl Action {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    fn row(self) -> &'static (Action, &'static str, &'static [Role], Option<Command>) {
        // The table is in the order of the enum; a test holds it to that.
        &TABLE[self as usize]
    }

    /// Whether agents of this role may, on sessions they can see.
    ///
    /// ```
    /// use seatport::{Action, Role};
    /// assert!(Action::Assign.allowed_to(Role::Supervisor));
    /// assert!(!Action::Assign.allowed_to(Role::Agent));
    /// ```
    #[must_use]
    pub fn allowed_to(self, role: Role) -> bool {
        self.row().2.contains(&role)
    }

    /// The lifecycle command this action gives, if it gives one.
    #[must_use]
    pub fn command(self) -> Option<Command> {
        self.row().3
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().1)
    }
}

/// Which sessions agents work on. Supervisors always work on all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AgentScope {
    /// On all of them.
    #[default]
    All,
    /// Only on those bound to them. As they cannot bind, they cannot add accounts either.
    BoundOnly,
}
