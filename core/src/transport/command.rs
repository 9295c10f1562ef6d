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

/// What a connection is told to do.
///
/// - A transport answers each `done`, or drops it, which counts as [`SendError::Later`]: as soon as it knows, and at the latest when
///   the connection ends, however that comes about.
/// - Once the signals have ended no command is taken any more.
#[derive(Debug)]
#[non_exhaustive]
pub enum TransportCommand {
    /// Send a message, with texts to the letter. A transport [refuses](SendError::Refused) what its network has no words for, and
    /// puts off only what may succeed later: an empty text is sent or refused. The connection lives on either way.
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
    /// Tell the network that these messages of a chat were read. Telling it again does no harm. A transport whose network does
    /// not care agrees, or refuses; there is nothing to put off.
    MarkRead {
        /// Which chat.
        chat: Address,
        /// The inbound messages that were read, with their senders.
        messages: Vec<(MessageId, Address)>,
        /// Whether the network heard it.
        done: oneshot::Sender<Result<(), SendError>>,
    },
    /// Unlink this device from the account, then close: the credentials must no longer log in.
    LogOut,
    /// Close, whether or not an account is logged in. The signals end when that is done. After 4 s Seatport no longer waits, and
    /// drops the connection. It may be said more than once.
    Close,
}
