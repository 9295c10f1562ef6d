//! Messages.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::conversation::Content;
use crate::ids::{Address, AgentId, MessageId};

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// From the other side to the account.
    Inbound,
    /// From the account to the other side.
    Outbound,
}

/// Who wrote an outbound message; of an inbound one the sender is all there is to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Author {
    /// This agent, through a desk.
    Agent(AgentId),
    /// The owner of the account, on the phone or another device.
    Device,
}

/// How far a message has come, from the first of these to the last. It rises and never goes back: a message that failed may
/// still turn out to be sent, one that was sent does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MessageStatus {
    /// Stored, and not yet taken by the network.
    Pending,
    /// The network would not take it, or somebody cancelled it.
    Failed,
    /// Taken by the network.
    Sent,
    /// On the other side's device.
    Delivered,
    /// Seen by the other side.
    Read,
}

impl fmt::Display for MessageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
        })
    }
}

/// Why a message of ours was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SendFailure {
    /// The network refused it; its words.
    Refused(String),
    /// Somebody cancelled it before it was sent.
    Cancelled,
}

impl fmt::Display for SendFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "the network refused it: {why}"),
            Self::Cancelled => f.write_str("it was cancelled before it was sent"),
        }
    }
}

/// A message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// In which chat.
    pub chat: Address,
    /// The network's id: the same message is stored once, however often it arrives.
    pub id: MessageId,
    /// Which way it went.
    pub direction: Direction,
    /// Who sent it: in a group not the same as the chat.
    pub sender: Address,
    /// Who wrote it, if it is outbound.
    pub author: Option<Author>,
    /// What it says.
    pub content: Content,
    /// The network's time of it; for a pending message the time it was handed in.
    pub at: Timestamp,
    /// How far it has come. An inbound message is [`Delivered`](MessageStatus::Delivered) from the start, one from the phone
    /// [`Sent`](MessageStatus::Sent), one from a desk [`Pending`](MessageStatus::Pending).
    pub status: MessageStatus,
    /// The message it answers, in the same chat.
    pub quoted: Option<MessageId>,
}

/// What somebody put under a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reaction {
    /// Who.
    pub sender: Address,
    /// What: an emoji.
    pub emoji: String,
    /// When.
    pub at: Timestamp,
}

/// A message as it is now, with the place the storage gave it: `seq` counts the session's messages in the order they were
/// stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// 1 for the session's first message, then one more for each.
    pub seq: u64,
    /// The message; an edit has changed its content.
    pub message: Message,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// What people put under it: one of each sender at most, by sender.
    pub reactions: Vec<Reaction>,
    /// Why it [failed](MessageStatus::Failed), if it did.
    pub failure: Option<SendFailure>,
}
