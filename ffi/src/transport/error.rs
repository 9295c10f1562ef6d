//! What goes wrong between Seatport and a transport of the host.

use seatport::lifecycle::{Reason as CoreReason, ReasonKind};
use seatport::transport::{ConnectError, SendError};
use seatport::vault::VaultError;

use crate::card::Reason;
use crate::error::SeatportError;
use crate::host::Trouble;

/// What goes wrong between Seatport and a transport of the host: a transport throws it, and is thrown it by its signals and its
/// vault. One that a transport does not catch goes on to Seatport, which does the right thing with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The connection was lost, or did not come about; dialling again may help.
    #[error("{}", said(.reason))]
    Lost {
        /// Why.
        reason: Reason,
    },
    /// The network refused; only a person can help.
    #[error("{}", said(.reason))]
    Rejected {
        /// Why.
        reason: Reason,
    },
    /// The network will never take this message.
    #[error("{problem}")]
    Refused {
        /// The network's words. No secret: people see it.
        problem: String,
    },
    /// The network may take it later.
    #[error("{problem}")]
    Later {
        /// The network's words. No secret: people see it.
        problem: String,
    },
    /// This connection is over: what is told to its signals is not heard any more. Stop what belongs to it.
    #[error("{problem}")]
    Ended {
        /// The text for people.
        problem: String,
    },
    /// It is not stored, and must not be acknowledged to the network, which then delivers it again.
    #[error("{problem}")]
    NotStored {
        /// The text for people.
        problem: String,
    },
    /// A value was not acceptable; nothing was told or stored.
    #[error("{problem}")]
    Invalid {
        /// What is wrong with it, and the way out.
        problem: String,
    },
    /// A fault in the transport, or a call that took too long.
    #[error("{problem}")]
    Unexpected {
        /// The text for people.
        problem: String,
    },
}

/// A reason in words.
fn said(reason: &Reason) -> String {
    CoreReason::try_from(reason.clone()).map_or_else(|invalid| invalid.to_string(), |reason| reason.to_string())
}

impl TransportError {
    /// What every signal answers on a connection that is over.
    pub(crate) fn ended() -> Self {
        Self::Ended { problem: "this connection is over; stop what belongs to it".to_owned() }
    }

    /// What becomes of a dial that failed so.
    pub(crate) fn of_a_dial(self) -> ConnectError {
        match self {
            Self::Lost { reason } => CoreReason::try_from(reason).map_or_else(fault, ConnectError::Lost),
            Self::Rejected { reason } => CoreReason::try_from(reason).map_or_else(fault, ConnectError::Rejected),
            other => ConnectError::Lost(CoreReason::new(ReasonKind::ConnectionLost).code(short(&other.to_string()))),
        }
    }

    /// What becomes of a message that could not be sent so, and of the connection.
    pub(crate) fn of_a_message(self) -> (SendError, Option<ConnectError>) {
        match self {
            Self::Refused { problem } => (SendError::Refused(problem), None),
            Self::Lost { .. } | Self::Rejected { .. } => {
                let end = self.of_a_dial();
                (SendError::Later(end.to_string()), Some(end))
            }
            other => (SendError::Later(other.to_string()), None),
        }
    }
}

/// What becomes of a dial whose reason cannot be read.
fn fault(invalid: seatport::Invalid) -> ConnectError {
    ConnectError::Lost(CoreReason::new(ReasonKind::ConnectionLost).code(short(&invalid.to_string())))
}

/// A reason's code goes to every card: the first line of a problem, and not more than 200 characters of it.
fn short(problem: &str) -> String {
    problem.lines().next().unwrap_or_default().chars().take(200).collect()
}

impl From<Trouble> for TransportError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Left => Self::ended(),
            other => Self::Unexpected { problem: other.to_string() },
        }
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for TransportError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unexpected { problem: format!("the transport failed: {}", error.reason) }
    }
}

impl From<SeatportError> for TransportError {
    /// A value that cannot be read.
    fn from(error: SeatportError) -> Self {
        match error {
            SeatportError::Invalid { detail, .. } => Self::Invalid { problem: detail },
            other => Self::Unexpected { problem: other.to_string() },
        }
    }
}

impl From<seatport::Invalid> for TransportError {
    fn from(invalid: seatport::Invalid) -> Self {
        Self::Invalid { problem: invalid.to_string() }
    }
}

impl From<VaultError> for TransportError {
    /// A vault that cannot be opened needs a person; a storage that is away does not.
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Revoked => Self::ended(),
            other => match ConnectError::from(other) {
                ConnectError::Lost(reason) => Self::Lost { reason: reason.into() },
                ConnectError::Rejected(reason) => Self::Rejected { reason: reason.into() },
            },
        }
    }
}
