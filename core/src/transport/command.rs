//! What a connection is told.

use tokio::sync::oneshot;

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
    /// Send a text.
    SendText {
        /// To which chat.
        chat: Address,
        /// The id to send it under: sending the same id again must not show it twice where the network can tell.
        id: MessageId,
        /// The text.
        text: String,
        /// Whether the network took it.
        done: oneshot::Sender<Result<(), SendError>>,
    },
    /// Tell the network that the chat was read, up to and including these messages.
    MarkRead {
        /// Which chat.
        chat: Address,
        /// The newest inbound messages, with their senders.
        messages: Vec<(MessageId, Address)>,
    },
    /// Unlink this device from the account, then close.
    LogOut,
    /// Close. The signals end when that is done.
    Close,
}
