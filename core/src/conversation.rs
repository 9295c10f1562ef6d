//! Conversations: the people an account talks to, the chat with each, and what was said.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
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

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Content {
    /// Text.
    Text(String),
    /// Something this version does not show; the network's name for it.
    Unsupported(String),
    /// A message that could not be decrypted. The network may send it again.
    Undecryptable,
}

/// How far a message has come, from the first of these to the last. It rises and never goes back: a message that failed may
/// still turn out to be sent, one that was sent does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MessageStatus {
    /// Stored, and not yet taken by the network.
    Pending,
    /// The network would not take it.
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

/// A message as it is stored.
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
}

/// A message with the place the storage gave it: `seq` counts the session's messages in the order they were stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// 1 for the session's first message, then one more for each.
    pub seq: u64,
    /// The message.
    pub message: Message,
}

/// A chat in a session's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The other side: a person or a group.
    pub address: Address,
    /// What the other side calls itself.
    pub name: Option<String>,
    /// Inbound messages stored since the chat was last read.
    pub unread: u64,
    /// The newest message, by time and then by place.
    pub last: Option<StoredMessage>,
}

/// A person an account has talked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The person's address.
    pub address: Address,
    /// What the person calls itself, as far as it is known.
    pub name: Option<String>,
    /// The time of the first message from the person.
    pub first_seen: Timestamp,
    /// The time of the latest message from the person.
    pub last_seen: Timestamp,
}
