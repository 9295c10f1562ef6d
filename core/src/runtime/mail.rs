//! What reaches a session's task past the storage.

use crate::ids::{Address, MessageId};

/// What a session's task is handed besides hints: things that are worth nothing later.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Tell the network that these messages were read.
    MarkRead {
        /// In which chat.
        chat: Address,
        /// The messages, with their senders.
        messages: Vec<(MessageId, Address)>,
    },
}
