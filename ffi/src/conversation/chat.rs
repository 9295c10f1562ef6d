//! Chats.

use std::time::SystemTime;

use seatport::{Invalid, conversation};

use crate::conversation::StoredMessage;
use crate::mirror::mirror;
use crate::page::chat_place;
use crate::time::{given, told};

mirror! {
    /// Whom a chat is with.
    ChatKind = conversation::ChatKind, or Other "kind of a chat" {
        /// One person. Only these chats bring leads.
        Person,
        /// A group.
        Group,
        /// Anything that speaks to many: status posts, broadcasts, channels.
        Broadcast,
    }
}

/// A chat in a session's list: those with the newest message first, then by address; those without a message last.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Chat {
    /// The address of the other side: a person or a group.
    pub address: String,
    /// Whom it is with.
    pub kind: ChatKind,
    /// What the account's owner calls the other side, or else what it calls itself.
    pub name: Option<String>,
    /// Inbound messages that nobody has read.
    pub unread: u64,
    /// Whether the account's owner put it aside.
    pub archived: bool,
    /// Until when it makes no sound.
    pub muted_until: Option<SystemTime>,
    /// How far back the network's history of it was received, if any was.
    pub coverage: Option<Coverage>,
    /// The newest message, by time and then by place.
    pub last: Option<StoredMessage>,
    /// Its place in the list of chats: pass it on for the next page.
    pub cursor: String,
}

impl From<conversation::Chat> for Chat {
    fn from(chat: conversation::Chat) -> Self {
        let cursor = chat_place(&chat.cursor());
        Self {
            address: chat.address.into(),
            kind: chat.kind.into(),
            name: chat.name,
            unread: chat.unread,
            archived: chat.archived,
            muted_until: chat.muted_until.map(told),
            coverage: chat.coverage.map(Into::into),
            last: chat.last.map(Into::into),
            cursor,
        }
    }
}

/// How far back the network's history of a chat was received.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Coverage {
    /// The time of the oldest message that came with it.
    pub oldest: SystemTime,
    /// Whether the network has nothing older.
    pub complete: bool,
}

impl From<conversation::Coverage> for Coverage {
    fn from(coverage: conversation::Coverage) -> Self {
        Self { oldest: told(coverage.oldest), complete: coverage.complete }
    }
}

impl TryFrom<Coverage> for conversation::Coverage {
    type Error = Invalid;

    fn try_from(coverage: Coverage) -> Result<Self, Invalid> {
        Ok(Self { oldest: given(coverage.oldest)?, complete: coverage.complete })
    }
}

/// What the network says about a chat. What is left out stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ChatUpdate {
    /// The address of the chat.
    pub address: String,
    /// Whom it is with.
    pub kind: ChatKind,
    /// The phone number of the person it is with, E.164 digits without `+`, where the network tells.
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// Whether it was put aside.
    #[uniffi(default = None)]
    pub archived: Option<bool>,
    /// Whether it makes a sound.
    #[uniffi(default = None)]
    pub muting: Option<Muting>,
    /// How far back its history was received.
    #[uniffi(default = None)]
    pub coverage: Option<Coverage>,
    /// There was something said in it at this time, whether or not the messages came along.
    #[uniffi(default = None)]
    pub active_at: Option<SystemTime>,
}

/// Whether a chat makes a sound.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Muting {
    /// It does.
    Off,
    /// It does not, until then.
    Until {
        /// When it makes one again.
        at: SystemTime,
    },
}

impl TryFrom<ChatUpdate> for conversation::ChatUpdate {
    type Error = Invalid;

    fn try_from(update: ChatUpdate) -> Result<Self, Invalid> {
        let muted_until = match update.muting {
            None => None,
            Some(Muting::Off) => Some(None),
            Some(Muting::Until { at }) => Some(Some(given(at)?)),
        };
        Ok(Self {
            address: update.address.parse()?,
            kind: update.kind.try_into()?,
            phone: update.phone,
            archived: update.archived,
            muted_until,
            coverage: update.coverage.map(TryInto::try_into).transpose()?,
            active_at: update.active_at.map(given).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use seatport::{Address, Timestamp};

    use super::*;

    fn update(muting: Option<Muting>) -> ChatUpdate {
        ChatUpdate {
            address: "a".into(),
            kind: ChatKind::Group,
            phone: None,
            archived: None,
            muting,
            coverage: None,
            active_at: None,
        }
    }

    #[test]
    fn a_chat_that_makes_a_sound_is_told_from_one_of_which_nothing_was_said() {
        let core = |muting| conversation::ChatUpdate::try_from(update(muting)).unwrap().muted_until;
        let at = UNIX_EPOCH + Duration::from_secs(7);
        assert_eq!(core(None), None);
        assert_eq!(core(Some(Muting::Off)), Some(None));
        assert_eq!(core(Some(Muting::Until { at })), Some(Some(Timestamp::from_millis(7_000))));
    }

    #[test]
    fn an_update_is_checked() {
        let never = UNIX_EPOCH + Duration::from_secs(1 << 50);
        let coverage = Some(Coverage { oldest: never, complete: true });
        let refused = [
            (ChatUpdate { address: String::new(), ..update(None) }, "address"),
            (ChatUpdate { kind: ChatKind::Other, ..update(None) }, "kind of a chat"),
            (update(Some(Muting::Until { at: never })), "time"),
            (ChatUpdate { coverage, ..update(None) }, "time"),
            (ChatUpdate { active_at: Some(never), ..update(None) }, "time"),
        ];
        for (update, field) in refused {
            assert_eq!(conversation::ChatUpdate::try_from(update).unwrap_err().field, field);
        }
    }

    #[test]
    fn the_cursor_of_a_chat_is_its_place_in_the_list() {
        let chat = conversation::Chat {
            address: Address::new("a").unwrap(),
            kind: conversation::ChatKind::Person,
            name: None,
            unread: 0,
            archived: false,
            muted_until: None,
            coverage: None,
            last: None,
        };
        let after = crate::page::Edge::After { place: Chat::from(chat.clone()).cursor };
        let page = crate::page::Page { edge: after, limit: 1 }.of_chats().unwrap();
        assert_eq!(page, seatport::Page::after(chat.cursor(), 1));
    }
}
