//! Chats.

use serde::{Deserialize, Deserializer, Serialize};

use crate::clock::Timestamp;
use crate::conversation::StoredMessage;
use crate::ids::Address;

/// Whom a chat is with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ChatKind {
    /// One person. Only these chats bring leads.
    #[default]
    Person,
    /// A group.
    Group,
    /// Anything that speaks to many: status posts, broadcasts, channels.
    Broadcast,
}

/// A chat in a session's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The other side: a person or a group.
    pub address: Address,
    /// Whom it is with.
    pub kind: ChatKind,
    /// What the account's owner calls the other side, or else what it calls itself.
    pub name: Option<String>,
    /// Inbound messages that nobody has read.
    pub unread: u64,
    /// Whether the account's owner put it aside.
    pub archived: bool,
    /// Until when it makes no sound.
    pub muted_until: Option<Timestamp>,
    /// How far back the network's history of it was received, if any was.
    pub coverage: Option<Coverage>,
    /// The newest message, by time and then by place.
    pub last: Option<StoredMessage>,
}

impl Chat {
    /// Where it stands in the list of chats.
    #[must_use]
    pub fn cursor(&self) -> ChatCursor {
        ChatCursor { at: self.last.as_ref().map(|last| last.message.at), address: self.address.clone() }
    }
}

/// A place in the list of chats: those with the newest message first, then by address; those without a message last.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChatCursor {
    /// The time of the newest message.
    pub at: Option<Timestamp>,
    /// The chat's address.
    pub address: Address,
}

/// How far back the network's history of a chat was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Coverage {
    /// The time of the oldest message that came with it.
    pub oldest: Timestamp,
    /// Whether the network has nothing older.
    pub complete: bool,
}

/// What the network says about a chat. What is left out stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatUpdate {
    /// Which chat.
    pub address: Address,
    /// Whom it is with.
    pub kind: ChatKind,
    /// The phone number of the person it is with, E.164 digits without `+`, where the network tells.
    pub phone: Option<String>,
    /// Whether it was put aside.
    pub archived: Option<bool>,
    /// Until when it makes no sound; `Some(None)` for one that does.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub muted_until: Option<Option<Timestamp>>,
    /// How far back its history was received.
    pub coverage: Option<Coverage>,
    /// There was something said in it at this time, whether or not the messages came along.
    pub active_at: Option<Timestamp>,
}

impl ChatUpdate {
    /// Says nothing yet.
    #[must_use]
    pub fn new(address: Address, kind: ChatKind) -> Self {
        Self { address, kind, phone: None, archived: None, muted_until: None, coverage: None, active_at: None }
    }
}

/// Whatever is there was said, "none" included; only what is left out was not.
pub(super) fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_as_json_tells_none_from_nothing_said() {
        let said = |muted_until| {
            let update = ChatUpdate { muted_until, ..ChatUpdate::new(Address::new("a").unwrap(), ChatKind::Person) };
            let json = serde_json::to_string(&update).unwrap();
            assert_eq!(serde_json::from_str::<ChatUpdate>(&json).unwrap(), update, "{json}");
        };
        [None, Some(None), Some(Some(Timestamp::from_millis(7)))].into_iter().for_each(said);
    }
}
