//! What moves the lifecycle.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::lifecycle::{Account, Lifecycle, Reason};

/// What a person asks of the lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Run, on a port.
    Start,
    /// Come to rest and release the port.
    Stop,
    /// Close the connection and dial again, on the same port.
    Restart,
    /// Try again now: a new round of login codes, or the next dial.
    Resume,
    /// Log the account out and forget its credentials.
    LogOut,
    /// Delete every trace.
    Delete,
}

impl Command {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Start, Self::Stop, Self::Restart, Self::Resume, Self::LogOut, Self::Delete];
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Resume => "refresh login",
            Self::LogOut => "log out",
            Self::Delete => "delete",
        })
    }
}

/// Everything that can happen to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A person asks for something.
    Command(Command),
    /// The transport issued a login code.
    Challenge,
    /// The phone accepted the login.
    Paired {
        /// Who logged in.
        account: Account,
        /// Whether the network wants a new connection now.
        redial: bool,
    },
    /// The account is online.
    Ready {
        /// Who is online.
        account: Account,
    },
    /// The connection was lost; dialling again may help.
    Lost(Reason),
    /// The network refused; only a person can help.
    Rejected(Reason),
    /// The round of login codes ran out.
    LoginExpired,
    /// The connection is closed, as asked.
    Closed,
    /// The time allowed for this state is over. Every state has at most one such deadline.
    Deadline,
    /// A process took the session over: whatever connection there was is gone.
    Adopted,
}

/// A command that the session's state does not allow. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {command} a session that is {}: {}", state_word(.state), way_out(.state, .command))]
pub struct IllegalTransition {
    /// The state it is in.
    pub state: Lifecycle,
    /// The command that was refused.
    pub command: Command,
}

fn state_word(state: &Lifecycle) -> &'static str {
    match state {
        Lifecycle::Stopped => "stopped",
        Lifecycle::Connecting { .. } => "connecting",
        Lifecycle::AwaitingLogin => "awaiting login",
        Lifecycle::Online => "online",
        Lifecycle::Backoff { .. } => "waiting to reconnect",
        Lifecycle::Blocked => "blocked",
        Lifecycle::Stopping { .. } => "stopping",
    }
}

fn way_out(state: &Lifecycle, command: &Command) -> &'static str {
    match (state, command) {
        (Lifecycle::Stopping { .. }, _) => "wait until it has stopped",
        (_, Command::Delete) => "stop it first",
        (Lifecycle::Stopped, _) => "start it first",
        (_, Command::LogOut) => "no account is logged in",
        (_, Command::Resume) => "its login needs no refreshing",
        _ => "the command does not apply",
    }
}
