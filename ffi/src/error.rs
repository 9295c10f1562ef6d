//! What a call can answer instead of success.

use std::time::Duration;

use seatport::storage::StorageErrorKind;
use seatport::{Error, Invalid, Retry};

use crate::audit::AuditFault;
use crate::card::{Action, CardStatus};
use crate::conversation::MessageStatus;
use crate::port::Occupied;

/// What a call can answer instead of success. `detail` is the whole text for people: it names the thing and the way out, and
/// never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[non_exhaustive]
pub enum SeatportError {
    /// A value was not acceptable; nothing was changed.
    #[error("{detail}")]
    Invalid {
        /// The text for people.
        detail: String,
        /// What the value was meant to be: `remark`, `proxy`, `time zone`, …
        field: String,
        /// What is wrong with it.
        problem: String,
        /// What the caller can do about it.
        way_out: String,
    },
    /// There is no such session: it was never added here, or it was deleted.
    #[error("{detail}")]
    UnknownSession {
        /// The text for people.
        detail: String,
        /// The id that was asked for.
        session: String,
    },
    /// There is no such agent.
    #[error("{detail}")]
    UnknownAgent {
        /// The text for people.
        detail: String,
        /// The id that was asked for.
        agent: String,
    },
    /// No network of this name was given to the options.
    #[error("{detail}")]
    UnknownTransport {
        /// The text for people.
        detail: String,
        /// The name that was asked for.
        name: String,
    },
    /// There is no such chat in this session.
    #[error("{detail}")]
    UnknownChat {
        /// The text for people.
        detail: String,
        /// The address that was asked for.
        chat: String,
    },
    /// There is no such contact in this session.
    #[error("{detail}")]
    UnknownContact {
        /// The text for people.
        detail: String,
        /// The address that was asked for.
        address: String,
    },
    /// There is no such message in this chat.
    #[error("{detail}")]
    UnknownMessage {
        /// The text for people.
        detail: String,
        /// The id that was asked for.
        message_id: String,
    },
    /// There is no such consumer of the event feed.
    #[error("{detail}")]
    UnknownConsumer {
        /// The text for people.
        detail: String,
        /// The name that was asked for.
        name: String,
    },
    /// The agent's role does not allow the action. Nothing was changed; the attempt is in the audit trail.
    #[error("{detail}")]
    Denied {
        /// The text for people.
        detail: String,
        /// Who asked.
        agent: String,
        /// What for.
        action: Action,
    },
    /// The session's state does not allow the command.
    #[error("{detail}")]
    IllegalTransition {
        /// The text for people.
        detail: String,
    },
    /// No port is free, or sessions that came earlier are waiting for the next one. The same call may succeed later.
    #[error("{detail}")]
    PoolFull {
        /// The text for people.
        detail: String,
        /// How many ports the organisation has.
        capacity: u32,
        /// How many are occupied; more than `capacity` after it was lowered.
        occupied: u32,
        /// How many starts were already queued.
        waiting: u32,
        /// The holders that the caller may see.
        holders: Vec<Occupied>,
    },
    /// A start waited for a port and none came in time. Nothing was changed. The same call may succeed later.
    #[error("{detail}")]
    PortWaitTimedOut {
        /// The text for people.
        detail: String,
        /// How long it waited.
        waited: Duration,
    },
    /// There is no login code to show now: none was issued, or the last one has expired.
    #[error("{detail}")]
    NoLoginCode {
        /// The text for people.
        detail: String,
        /// Of which session.
        session: String,
    },
    /// The network cannot do this.
    #[error("{detail}")]
    Unsupported {
        /// The text for people.
        detail: String,
        /// Which network.
        transport: String,
    },
    /// Messages cannot be sent while the session is in this state.
    #[error("{detail}")]
    NotSending {
        /// The text for people.
        detail: String,
        /// Which session.
        session: String,
        /// The card status at the moment of the call.
        status: CardStatus,
    },
    /// The idempotency key belongs to another message. Nothing was sent.
    #[error("{detail}")]
    KeyReused {
        /// The text for people.
        detail: String,
        /// Which key.
        key: String,
        /// The message that was stored under it.
        message_id: String,
    },
    /// The message does not wait to be sent any more, so that nobody can cancel it.
    #[error("{detail}")]
    AlreadySent {
        /// The text for people.
        detail: String,
        /// Which message.
        message_id: String,
        /// What has become of it.
        status: MessageStatus,
    },
    /// The agent is still bound to sessions.
    #[error("{detail}")]
    AgentBound {
        /// The text for people.
        detail: String,
        /// Who was to be removed.
        agent: String,
        /// How many sessions are bound to the agent.
        sessions: u64,
    },
    /// The next events of a session are not kept any more. The next call goes on behind them.
    #[error("{detail}")]
    EventsTrimmed {
        /// The text for people.
        detail: String,
        /// Of which session.
        session: String,
        /// The last event that was read.
        after: u64,
        /// The first one after it that is kept, or will be.
        kept_from: u64,
    },
    /// The audit trail is not as it was written.
    #[error("{detail}")]
    AuditBroken {
        /// The text for people.
        detail: String,
        /// The first line that is not right.
        number: u64,
        /// What is wrong with it.
        fault: AuditFault,
    },
    /// Another change of the same session kept winning. The same call may succeed later.
    #[error("{detail}")]
    Contended {
        /// The text for people.
        detail: String,
        /// Which session.
        session: String,
    },
    /// The vault refused: wrong key, or a key is missing.
    #[error("{detail}")]
    Vault {
        /// The text for people.
        detail: String,
    },
    /// The storage failed.
    #[error("{detail}")]
    Storage {
        /// The text for people.
        detail: String,
        /// What went wrong, in one word: `Busy`, `InUse`, `Corrupt`, `Full`, …
        kind: String,
        /// Whether the same call may succeed later.
        retry: bool,
    },
    /// This instance was shut down: it does nothing more.
    #[error("{detail}")]
    ShutDown {
        /// The text for people.
        detail: String,
    },
    /// This was closed: an event feed, say.
    #[error("{detail}")]
    Closed {
        /// The text for people.
        detail: String,
    },
    /// A call into the host failed, or did not answer in time.
    #[error("{detail}")]
    Host {
        /// The text for people.
        detail: String,
    },
    /// The library was built without this part.
    #[error("{detail}")]
    NotBuilt {
        /// The text for people.
        detail: String,
        /// The feature that it was built without.
        feature: String,
    },
    /// A fault in Seatport itself, or in the operating system. Please report it.
    #[error("{detail}")]
    Internal {
        /// The text for people.
        detail: String,
    },
}

impl SeatportError {
    /// What asks for a part that this library was built without.
    #[cfg_attr(
        all(feature = "sqlite", feature = "postgres", feature = "testkit", feature = "whatsapp"),
        expect(dead_code)
    )]
    pub(crate) fn not_built(feature: &str) -> Self {
        let detail = format!("this library was built without {feature}; build seatport-ffi with --features {feature}");
        Self::NotBuilt { detail, feature: feature.to_owned() }
    }

    /// What a reader answers that was closed.
    pub(crate) fn closed() -> Self {
        Self::Closed { detail: "this was closed; ask the desk for a new one".to_owned() }
    }

    /// What every call answers on an instance that has ended.
    pub(crate) fn ended() -> Self {
        Self::ShutDown { detail: "this instance was shut down; open a new one".to_owned() }
    }
}

impl From<Invalid> for SeatportError {
    fn from(invalid: Invalid) -> Self {
        let detail = invalid.to_string();
        Self::Invalid { detail, field: invalid.field, problem: invalid.problem, way_out: invalid.way_out }
    }
}

impl From<seatport::storage::StorageError> for SeatportError {
    fn from(error: seatport::storage::StorageError) -> Self {
        Error::from(error).into()
    }
}

impl From<Error> for SeatportError {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let retry = error.retry() == Retry::Later;
        match error {
            Error::Invalid(invalid) => invalid.into(),
            Error::UnknownSession(session) => Self::UnknownSession { detail, session: session.to_string() },
            Error::UnknownAgent(agent) => Self::UnknownAgent { detail, agent: agent.to_string() },
            Error::UnknownTransport { name, .. } => Self::UnknownTransport { detail, name },
            Error::UnknownChat(chat) => Self::UnknownChat { detail, chat: chat.to_string() },
            Error::UnknownContact(address) => Self::UnknownContact { detail, address: address.to_string() },
            Error::UnknownMessage(message) => Self::UnknownMessage { detail, message_id: message.to_string() },
            Error::UnknownConsumer(name) => Self::UnknownConsumer { detail, name: name.to_string() },
            Error::Denied { agent, action } => Self::Denied { detail, agent: agent.to_string(), action: action.into() },
            Error::IllegalTransition(_) => Self::IllegalTransition { detail },
            Error::PoolFull { capacity, occupied, waiting, holders } => {
                let holders = holders.into_iter().map(Into::into).collect();
                Self::PoolFull { detail, capacity, occupied, waiting, holders }
            }
            Error::PortWaitTimedOut { waited } => Self::PortWaitTimedOut { detail, waited },
            Error::NoLoginCode(session) => Self::NoLoginCode { detail, session: session.to_string() },
            Error::Unsupported { transport, .. } => Self::Unsupported { detail, transport: transport.to_string() },
            Error::NotSending { session, state } => {
                Self::NotSending { detail, session: session.to_string(), status: state.into() }
            }
            Error::KeyReused { key, message } => {
                Self::KeyReused { detail, key: key.to_string(), message_id: message.to_string() }
            }
            Error::AlreadySent { message, status } => {
                Self::AlreadySent { detail, message_id: message.to_string(), status: status.into() }
            }
            Error::AgentBound { agent, sessions } => Self::AgentBound { detail, agent: agent.to_string(), sessions },
            Error::EventsTrimmed { session, after, kept_from } => {
                Self::EventsTrimmed { detail, session: session.to_string(), after, kept_from }
            }
            Error::AuditBroken { number, fault } => Self::AuditBroken { detail, number, fault: fault.into() },
            Error::Contended(session) => Self::Contended { detail, session: session.to_string() },
            Error::Vault(_) => Self::Vault { detail },
            // The storage ends with the instance: a call that was under way may meet it closed.
            Error::Storage(error) if error.kind() == StorageErrorKind::Closed => Self::ended(),
            Error::Storage(error) => Self::Storage { detail, kind: kind(&error), retry },
            Error::ShutDown(_) => Self::ShutDown { detail },
            _ => Self::Internal { detail },
        }
    }
}

/// The kind of a storage's error in one word.
fn kind(error: &seatport::storage::StorageError) -> String {
    let kind = format!("{:?}", error.kind());
    kind.chars().take_while(char::is_ascii_alphabetic).collect()
}

impl From<uniffi::UnexpectedUniFFICallbackError> for SeatportError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Host { detail: format!("the host failed: {}; see its own log", error.reason) }
    }
}
