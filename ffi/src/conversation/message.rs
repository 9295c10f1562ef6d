//! Messages.

use std::time::SystemTime;

use seatport::conversation;

use crate::conversation::Content;
use crate::mirror::mirror;
use crate::time::told;

mirror! {
    /// Which way a message went.
    Direction = conversation::Direction {
        /// From the other side to the account.
        Inbound,
        /// From the account to the other side.
        Outbound,
    }
}

mirror! {
    /// How far a message has come, from the first of these to the last. It rises and never goes back: a message that failed may
    /// still turn out to be sent, one that was sent does not fail.
    MessageStatus = conversation::MessageStatus {
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
}

/// Who wrote an outbound message; of an inbound one the sender is all there is to say.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Author {
    /// This agent, through a desk.
    Agent {
        /// The id of the agent.
        agent: String,
    },
    /// The owner of the account, on the phone or another device.
    Device,
}

impl From<conversation::Author> for Author {
    fn from(author: conversation::Author) -> Self {
        match author {
            conversation::Author::Agent(agent) => Self::Agent { agent: agent.into() },
            conversation::Author::Device => Self::Device,
        }
    }
}

/// Why a message of ours was not sent.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SendFailure {
    /// The network refused it.
    Refused {
        /// The network's words.
        problem: String,
    },
    /// Somebody cancelled it before it was sent.
    Cancelled,
    /// Something that this version of the package has no word for.
    Other {
        /// What, for people.
        text: String,
    },
}

impl From<conversation::SendFailure> for SendFailure {
    fn from(failure: conversation::SendFailure) -> Self {
        match failure {
            conversation::SendFailure::Refused(problem) => Self::Refused { problem },
            conversation::SendFailure::Cancelled => Self::Cancelled,
            newer => Self::Other { text: newer.to_string() },
        }
    }
}

/// A message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Message {
    /// The address of its chat.
    pub chat: String,
    /// The network's id: the same message is stored once, however often it arrives.
    pub id: String,
    /// Which way it went.
    pub direction: Direction,
    /// The address of who sent it: in a group not the same as the chat.
    pub sender: String,
    /// Who wrote it, if it is outbound.
    pub author: Option<Author>,
    /// What it says.
    pub content: Content,
    /// The network's time of it; for a pending message the time it was handed in.
    pub at: SystemTime,
    /// How far it has come. An inbound message is `Delivered` from the start, one from the phone `Sent`, one from a desk
    /// `Pending`.
    pub status: MessageStatus,
    /// The id of the message it answers, in the same chat.
    pub quoted: Option<String>,
}

impl From<conversation::Message> for Message {
    fn from(message: conversation::Message) -> Self {
        Self {
            chat: message.chat.into(),
            id: message.id.into(),
            direction: message.direction.into(),
            sender: message.sender.into(),
            author: message.author.map(Into::into),
            content: message.content.into(),
            at: told(message.at),
            status: message.status.into(),
            quoted: message.quoted.map(Into::into),
        }
    }
}

/// What somebody put under a message.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Reaction {
    /// The address of who did.
    pub sender: String,
    /// What: an emoji.
    pub emoji: String,
    /// When.
    pub at: SystemTime,
}

impl From<conversation::Reaction> for Reaction {
    fn from(reaction: conversation::Reaction) -> Self {
        Self { sender: reaction.sender.into(), emoji: reaction.emoji, at: told(reaction.at) }
    }
}

/// A message as it is now, with its place: `seq` counts the session's messages in the order they were stored.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StoredMessage {
    /// 1 for the session's first message, then one more for each. In decimal, its place in the list of messages.
    pub seq: u64,
    /// The message; an edit has changed its content.
    pub message: Message,
    /// When it was last edited.
    pub edited_at: Option<SystemTime>,
    /// What people put under it: one of each sender at most, by sender.
    pub reactions: Vec<Reaction>,
    /// Why it failed, if it did.
    pub failure: Option<SendFailure>,
}

impl From<conversation::StoredMessage> for StoredMessage {
    fn from(stored: conversation::StoredMessage) -> Self {
        Self {
            seq: stored.seq,
            message: stored.message.into(),
            edited_at: stored.edited_at.map(told),
            reactions: stored.reactions.into_iter().map(Into::into).collect(),
            failure: stored.failure.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_today_has_a_word() {
        let refused = SendFailure::from(conversation::SendFailure::Refused("no such number".into()));
        assert_eq!(refused, SendFailure::Refused { problem: "no such number".into() });
        assert_eq!(SendFailure::from(conversation::SendFailure::Cancelled), SendFailure::Cancelled);
    }
}
