//! What happens to a message after it was sent.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::conversation::Content;
use crate::ids::{Address, MessageId};

/// A change of a message that was sent before. It may arrive before the message does; then it waits for it.
///
/// Of two edits the later one counts, and so of two reactions of one sender, by time and then by id; a deletion is final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// In which chat.
    pub chat: Address,
    /// Of which message.
    pub target: MessageId,
    /// The network's id of the change itself.
    pub id: MessageId,
    /// Who made it. The transport has checked that they may.
    pub sender: Address,
    /// The network's time of it.
    pub at: Timestamp,
    /// What changes.
    pub change: AmendmentChange,
}

/// What changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AmendmentChange {
    /// It says this from now on.
    Edit(Content),
    /// It was taken back.
    Delete,
    /// The sender put this emoji under it; none takes an earlier one away.
    React(Option<String>),
}
