//! What a connection is told.

use tokio::sync::oneshot;

use crate::conversation::Content;
use crate::ids::{Address, MessageId};

/// Why a message was not taken by the network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The network will never take this one.
    #[error("the network refused the message: {0}")]
    Refused(String),
    /// It may take it later: on this connection, or on the next.
    #[error("the message could not be sent now: {0}")]
    Later(String),
}

/// What a connection is told to do. A transport answers each `done`; one that is dropped counts as [`SendError::Later`].
#[derive(Debug)]
#[non_exhaustive]
pub enum TransportCommand {
    /// Send a message. A transport [refuses](SendError::Refused) what its network has no words for.
    Send {
        /// To which chat.
        chat: Address,
        /// The id to send it under: sending the same id again must not show it twice where the network can tell.
        id: MessageId,
        /// What to say.
        content: Content,
        /// The message it answers.
        quoted: Option<MessageId>,
        /// Whether the network took it.
        done: oneshot::Sender<Result<(), SendError>>,
    },
    /// Tell the network that these messages of a chat were read. Telling it again does no harm.
    MarkRead {
        /// Which chat.
        chat: Address,
        /// The inbound messages that were read, with their senders.
        messages: Vec<(MessageId, Address)>,
        /// Whether the network heard it.
        done: oneshot::Sender<Result<(), SendError>>,
    },
    /// Unlink this device from the account, then close.
    LogOut,
    /// Close. The signals end when that is done.
    Close,
}
