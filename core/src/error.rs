//! What a call can answer instead of success. Every error names the thing and the way out.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audit::AuditFault;
use crate::conversation::MessageStatus;
use crate::ids::{Address, AgentId, ConsumerName, MessageId, NodeId, SendKey, SessionId, TransportName};
use crate::lifecycle::IllegalTransition;
use crate::policy::Action;
use crate::port::Occupied;
use crate::storage::StorageError;
use crate::vault::VaultError;

/// A value that cannot be accepted: what it was meant to be, what is wrong with it, and what would be right.
///
/// ```
/// use seatport::AgentId;
/// let error = AgentId::new("").unwrap_err();
/// assert_eq!(error.to_string(), "invalid agent id: empty; give it at least one character");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("invalid {field}: {problem}; {way_out}")]
#[non_exhaustive]
pub struct Invalid {
    /// What the value was meant to be: `remark`, `proxy`, `time zone`, …
    pub field: String,
    /// What is wrong with it. Never holds a secret.
    pub problem: String,
    /// What the caller can do about it.
    pub way_out: String,
}

impl Invalid {
    /// An invalid `field`, for hosts and transports with checks of their own. `problem` must not repeat a secret.
    pub fn new(field: impl Into<String>, problem: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into(), way_out: way_out.into() }
    }
}

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Retry {
    /// The same call will fail again until somebody changes something.
    No,
    /// The same call may succeed in a moment: the cause is busy or away.
    Later,
}

/// Everything a call on a [`Desk`](crate::Desk) or on [`Seatport`](crate::Seatport) can answer instead of success.
///
/// ```
/// use seatport::{Error, Retry};
///
/// fn said_to_a_person(error: &Error) -> String {
///     match (error, error.retry()) {
///         (Error::PoolFull { holders, .. }, _) => format!("{} sessions hold the ports: stop one of them", holders.len()),
///         (error, Retry::Later) => format!("{error}; try again in a moment"),
///         (error, Retry::No) => error.to_string(),
///     }
/// }
/// # assert_eq!(said_to_a_person(&Error::UnknownAgent("li".parse().unwrap())),
/// #     "unknown agent li: register it with Seatport::agents().put first");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value was not acceptable; nothing was changed.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There is no such session: it was never added here, or it was deleted.
    #[error("unknown session {0}: list the cards to see which there are")]
    UnknownSession(SessionId),
    /// There is no such agent.
    #[error("unknown agent {0}: register it with Seatport::agents().put first")]
    UnknownAgent(AgentId),
    /// No transport of this name was given to the builder.
    #[error("unknown transport {name:?}: this host has {known}; give it to the builder with transport(…)")]
    UnknownTransport {
        /// The name asked for.
        name: String,
        /// The names there are, comma-separated.
        known: String,
    },
    /// There is no such chat in this session.
    #[error("unknown chat {0}: list the chats of the session to see which there are")]
    UnknownChat(Address),
    /// There is no such contact in this session.
    #[error("unknown contact {0}: list the contacts of the session to see which there are")]
    UnknownContact(Address),
    /// There is no such message in this chat.
    #[error("unknown message {0}: list the messages of the chat to see which there are")]
    UnknownMessage(MessageId),
    /// The agent's role does not allow the action. Nothing was changed; the attempt is in the audit trail.
    #[error("agent {agent} may not {action}: ask a supervisor")]
    Denied {
        /// Who asked.
        agent: AgentId,
        /// What for.
        action: Action,
    },
    /// The session's state does not allow the command.
    #[error(transparent)]
    IllegalTransition(#[from] IllegalTransition),
    /// No port is free, or sessions that came earlier are waiting for the next one.
    #[error(
        "no free port: {occupied} of {capacity} occupied and {waiting} waiting; stop a session or raise the capacity"
    )]
    PoolFull {
        /// How many ports the organisation has.
        capacity: u32,
        /// How many are occupied; more than `capacity` after it was lowered.
        occupied: u32,
        /// How many starts were already queued.
        waiting: u32,
        /// The holders that the caller may see.
        holders: Vec<Occupied>,
    },
    /// A start waited for a port and none came in time. Nothing was changed.
    #[error("no port became free within {waited:?}; stop a session, raise the capacity or wait longer")]
    PortWaitTimedOut {
        /// How long it waited.
        waited: Duration,
    },
    /// There is no login code to show now: none was issued, or the last one has expired.
    #[error(
        "session {0} has no valid login code; while it awaits login a new one follows, otherwise call refresh_login"
    )]
    NoLoginCode(SessionId),
    /// The transport cannot do this.
    #[error("transport {transport} cannot {what}; leave that out, or use another network")]
    Unsupported {
        /// Which transport.
        transport: TransportName,
        /// What was asked of it.
        what: &'static str,
    },
    /// Messages cannot be sent while the session is in this state.
    #[error(
        "session {session} is {state} and sends nothing; start it (or refresh its login) first, or let the message wait: \
         WhenStopped::Queue, once an account has logged in"
    )]
    NotSending {
        /// Which session.
        session: SessionId,
        /// The card status at the moment of the call.
        state: crate::session::CardStatus,
    },
    /// The idempotency key belongs to another message. Nothing was sent.
    #[error("idempotency key {key} belongs to message {message}, to another chat or with other words; use a fresh one")]
    KeyReused {
        /// Which key.
        key: SendKey,
        /// The message that was stored under it.
        message: MessageId,
    },
    /// The message does not wait to be sent any more, so that nobody can cancel it.
    #[error("message {message} is {status} already; it is too late to cancel it")]
    AlreadySent {
        /// Which message.
        message: MessageId,
        /// What has become of it.
        status: MessageStatus,
    },
    /// The agent is still bound to sessions.
    #[error("agent {agent} is bound to {sessions} session(s); assign them to somebody else first")]
    AgentBound {
        /// Who was to be removed.
        agent: AgentId,
        /// How many sessions are bound to the agent.
        sessions: u64,
    },
    /// There is no such consumer of the event feed.
    #[error("unknown consumer {0}: it was never registered, or somebody forgot it; call consume to begin anew")]
    UnknownConsumer(ConsumerName),
    /// The next events of a session are not kept any more. The next call goes on behind them.
    #[error(
        "events {} to {} of session {session} were trimmed before they were read; look at the session itself and go on, or \
         read the feed as a consumer: nothing is trimmed before it acknowledges",
        after + 1,
        kept_from - 1
    )]
    EventsTrimmed {
        /// Of which session.
        session: SessionId,
        /// The last event that was read.
        after: u64,
        /// The first one after it that is kept, or will be.
        kept_from: u64,
    },
    /// The audit trail is not as it was written.
    #[error("line {number} of the audit trail {fault}; somebody changed the database: compare it with a backup")]
    AuditBroken {
        /// The first line that is not right.
        number: u64,
        /// What is wrong with it.
        fault: AuditFault,
    },
    /// Another change of the same session kept winning.
    #[error("session {0} is being changed by others at the same moment; try again")]
    Contended(SessionId),
    /// The vault refused: wrong key, or a key is missing.
    #[error(transparent)]
    Vault(VaultError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The operating system gave no entropy.
    #[error("the operating system gave no randomness")]
    Entropy(#[source] std::io::Error),
    /// `shutdown` was called: this instance does nothing more.
    #[error("node {0} was shut down; build a new Seatport")]
    ShutDown(NodeId),
}

impl From<VaultError> for Error {
    /// A storage that fails under the vault is a failing storage.
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Storage(error) => Self::Storage(error),
            error => Self::Vault(error),
        }
    }
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::PoolFull { .. } | Self::PortWaitTimedOut { .. } | Self::Contended(_) | Self::EventsTrimmed { .. } => {
                Retry::Later
            }
            Self::Storage(error) => error.retry(),
            _ => Retry::No,
        }
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "do not retry",
            Self::Later => "retry later",
        })
    }
}
