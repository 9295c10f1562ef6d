//! Messages from the network, and what it knows from before.

use std::time::SystemTime;

use seatport::{Invalid, conversation, transport};

use crate::conversation::{ChatKind, ChatUpdate, ContactUpdate, Content};
use crate::time::given;

/// A message from the network.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct InboundMessage {
    /// The address of the chat: the other side's.
    pub chat: String,
    /// Whom the chat is with.
    pub kind: ChatKind,
    /// The network's id, unique within the chat.
    pub id: String,
    /// The address of who sent it: the other side, a member of the group, or the account itself.
    pub sender: String,
    /// What it says.
    pub content: Content,
    /// The network's time of it.
    pub at: SystemTime,
    /// Whether the account itself sent it, from the phone or another device.
    #[uniffi(default = false)]
    pub from_account: bool,
    /// The phone number of the person the chat is with, E.164 digits without `+`, where the network tells.
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// What the sender calls itself, where the network tells.
    #[uniffi(default = None)]
    pub sender_name: Option<String>,
    /// The id of the message it answers, in the same chat.
    #[uniffi(default = None)]
    pub quoted: Option<String>,
}

impl TryFrom<InboundMessage> for transport::InboundMessage {
    type Error = Invalid;

    fn try_from(message: InboundMessage) -> Result<Self, Invalid> {
        Ok(Self {
            chat: message.chat.parse()?,
            kind: message.kind.try_into()?,
            phone: message.phone,
            id: message.id.parse()?,
            sender: message.sender.parse()?,
            sender_name: message.sender_name,
            from_account: message.from_account,
            content: message.content.try_into()?,
            at: given(message.at)?,
            quoted: message.quoted.map(TryInto::try_into).transpose()?,
        })
    }
}

/// A piece of an account's history, as the network hands it to a newly linked device. It may come more than once.
///
/// Its messages are not unread, whatever they say; and whoever is in it from before the account's first login here is no lead.
#[derive(Clone, Debug, Default, uniffi::Record)]
pub struct History {
    /// Messages, oldest or newest first.
    #[uniffi(default)]
    pub messages: Vec<InboundMessage>,
    /// Chats.
    #[uniffi(default)]
    pub chats: Vec<ChatUpdate>,
    /// People.
    #[uniffi(default)]
    pub contacts: Vec<ContactUpdate>,
    /// How much of it has come so far, in percent, where the network tells.
    #[uniffi(default = None)]
    pub progress: Option<u8>,
}

impl TryFrom<History> for conversation::History {
    type Error = Invalid;

    fn try_from(history: History) -> Result<Self, Invalid> {
        if history.progress.is_some_and(|percent| percent > 100) {
            return Err(Invalid::new(
                "progress",
                "more than 100 percent",
                "leave it out where the network does not tell",
            ));
        }
        Ok(Self {
            messages: history.messages.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            chats: history.chats.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            contacts: history.contacts.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            progress: history.progress,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn message() -> InboundMessage {
        InboundMessage {
            chat: "group".into(),
            kind: ChatKind::Group,
            id: "id".into(),
            sender: "li".into(),
            content: Content::Undecryptable,
            at: UNIX_EPOCH + Duration::from_secs(7),
            from_account: true,
            phone: Some("86".into()),
            sender_name: Some("Li".into()),
            quoted: Some("before".into()),
        }
    }

    #[test]
    fn each_part_of_a_message_stands_in_its_own_place() {
        let core = transport::InboundMessage::try_from(message()).unwrap();
        let expected = transport::InboundMessage {
            chat: "group".parse().unwrap(),
            kind: conversation::ChatKind::Group,
            phone: Some("86".into()),
            id: "id".parse().unwrap(),
            sender: "li".parse().unwrap(),
            sender_name: Some("Li".into()),
            from_account: true,
            content: conversation::Content::Undecryptable,
            at: seatport::Timestamp::from_millis(7_000),
            quoted: Some("before".parse().unwrap()),
        };
        assert_eq!(core, expected);
    }

    #[test]
    fn each_part_of_a_message_is_checked() {
        let empty = String::new;
        let refused = [
            (InboundMessage { chat: empty(), ..message() }, "address"),
            (InboundMessage { kind: ChatKind::Other, ..message() }, "kind of a chat"),
            (InboundMessage { id: "a\nb".into(), ..message() }, "message id"),
            (InboundMessage { sender: empty(), ..message() }, "address"),
            (InboundMessage { quoted: Some(empty()), ..message() }, "message id"),
            (InboundMessage { at: UNIX_EPOCH + Duration::from_secs(1 << 50), ..message() }, "time"),
        ];
        for (message, field) in refused {
            assert_eq!(transport::InboundMessage::try_from(message).unwrap_err().field, field);
        }
    }

    #[test]
    fn one_bad_message_refuses_the_whole_history() {
        let messages = vec![message(), InboundMessage { id: String::new(), ..message() }];
        let history = History { messages, ..History::default() };
        assert_eq!(conversation::History::try_from(history).unwrap_err().field, "message id");
        let history = History { messages: vec![message()], progress: Some(100), ..History::default() };
        assert_eq!(conversation::History::try_from(history).unwrap().messages.len(), 1);
        let history = History { progress: Some(101), ..History::default() };
        assert_eq!(conversation::History::try_from(history).unwrap_err().field, "progress");
    }
}
