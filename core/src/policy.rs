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
    /// Delete a session, and forget its people in the lead ledger too.
    Erase,
    /// Read contacts, chats and messages, and search them.
    Read,
    /// Export a session's contacts and messages.
    Export,
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
const TABLE: [(Action, &str, &[Role], Option<Command>); 19] = [
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
    (Action::Erase, "erase sessions", &[Supervisor, Agent], Some(Command::Delete)),
    (Action::Read, "read conversations", &[Supervisor, Agent], None),
    (Action::Export, "export conversations", &[Supervisor, Agent], None),
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

    /// Whether it is done to one session, and so may stand on its card.
    #[must_use]
    pub fn concerns_one_session(self) -> bool {
        !matches!(self, Self::Add | Self::FollowEvents | Self::ReadAudit | Self::ViewDataCentre)
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
    /// Only on those bound to them. As they cannot bind, they cannot add accounts either; and what needs a view of all
    /// sessions, as a [consumer](crate::Desk::consume) does, is not for them.
    BoundOnly,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, index, "{:?} stands in the wrong row", row.0);
        }
        // The last variant closes the table: a new one without a row would have no place in it.
        assert_eq!(Action::ViewDataCentre as usize + 1, TABLE.len());
    }

    #[test]
    fn each_role_may_exactly_this() {
        let cells = [
            // action, supervisor, agent
            (Action::View, true, true),
            (Action::Add, true, true),
            (Action::Start, true, true),
            (Action::Stop, true, true),
            (Action::Restart, true, true),
            (Action::RefreshLogin, true, true),
            (Action::LogOut, true, true),
            (Action::Assign, true, false),
            (Action::SetRemark, true, true),
            (Action::SetEnvironment, true, true),
            (Action::Delete, true, true),
            (Action::Erase, true, true),
            (Action::Read, true, true),
            (Action::Export, true, true),
            (Action::Send, true, true),
            (Action::MarkRead, true, true),
            (Action::FollowEvents, true, true),
            (Action::ReadAudit, true, false),
            (Action::ViewDataCentre, true, false),
        ];
        assert_eq!(Action::all().collect::<Vec<_>>(), cells.map(|cell| cell.0));
        for (action, supervisor, agent) in cells {
            assert_eq!(action.allowed_to(Supervisor), supervisor, "a supervisor and {action:?}");
            assert_eq!(action.allowed_to(Agent), agent, "an agent and {action:?}");
        }
    }

    #[test]
    fn every_lifecycle_command_is_given_by_one_action_and_deletion_by_two() {
        for command in Command::ALL {
            let given_by: Vec<Action> = Action::all().filter(|action| action.command() == Some(command)).collect();
            let actions = if command == Command::Delete { 2 } else { 1 };
            assert_eq!(given_by.len(), actions, "{command:?} is given by {given_by:?}");
        }
        assert_eq!(Action::RefreshLogin.command(), Some(Command::Resume));
        assert_eq!(Action::Assign.command(), None);
    }

    #[test]
    fn no_two_actions_read_the_same() {
        let texts: std::collections::HashSet<String> = Action::all().map(|action| action.to_string()).collect();
        assert_eq!(texts.len(), TABLE.len());
    }
}
