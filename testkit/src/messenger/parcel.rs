//! What the network delivers to an account: each parcel is kept for each device until the device acknowledges it.

use seatport::conversation::{
    Amendment, AmendmentChange, ChatKind, ChatUpdate, ContactUpdate, Content, History, MessageStatus,
};
use seatport::transport::{InboundMessage, SamePerson};
use seatport::{Address, MessageId, Timestamp};
use serde::{Deserialize, Serialize};

/// One or more things of a kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Parcel {
    Messages(Vec<Letter>),
    Amendments(Vec<Amendment>),
    History(Past),
    Contact(ContactUpdate),
    Chat(ChatUpdate),
    Identity { address: Address, canonical: Address, phone: Option<String> },
    Status { chat: Address, id: MessageId, status: MessageStatus },
    Read { chat: Address, up_to: Option<MessageId> },
}

impl Parcel {
    /// Takes the next one in, if the two may arrive as one; otherwise gives it back.
    pub(super) fn join(&mut self, next: Self, most: usize) -> Option<Self> {
        match (self, next) {
            (Self::Messages(letters), Self::Messages(more)) if letters.len() + more.len() <= most => {
                letters.extend(more);
                None
            }
            (Self::Amendments(amendments), Self::Amendments(more)) if amendments.len() + more.len() <= most => {
                amendments.extend(more);
                None
            }
            (_, next) => Some(next),
        }
    }
}

/// A message on its way to an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Letter {
    pub(super) chat: Address,
    pub(super) kind: ChatKind,
    pub(super) phone: Option<String>,
    pub(super) id: MessageId,
    pub(super) sender: Address,
    pub(super) sender_name: Option<String>,
    pub(super) from_account: bool,
    pub(super) content: Content,
    pub(super) at: Timestamp,
    pub(super) quoted: Option<MessageId>,
}

impl Letter {
    /// What it says after a change. Who put what under it is not part of it.
    pub(super) fn amend(&mut self, change: &AmendmentChange) {
        match change {
            AmendmentChange::Edit(content) => self.content = content.clone(),
            AmendmentChange::Delete => self.content = Content::Deleted,
            AmendmentChange::React(_) => {}
        }
    }
}

impl From<Letter> for InboundMessage {
    fn from(letter: Letter) -> Self {
        let Letter { chat, kind, phone, id, sender, sender_name, from_account, content, at, quoted } = letter;
        Self { chat, kind, phone, id, sender, sender_name, from_account, content, at, quoted }
    }
}

/// A piece of the history that a newly linked device gets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Past {
    pub(super) messages: Vec<Letter>,
    pub(super) chats: Vec<ChatUpdate>,
    pub(super) contacts: Vec<ContactUpdate>,
    pub(super) progress: u8,
}

impl From<Past> for History {
    fn from(past: Past) -> Self {
        let Past { messages, chats, contacts, progress } = past;
        let messages = messages.into_iter().map(Into::into).collect();
        Self { messages, chats, contacts, progress: Some(progress) }
    }
}

/// Who turned out to be whom, as Seatport hears it.
pub(super) fn same_person(address: Address, canonical: Address, phone: Option<String>) -> SamePerson {
    SamePerson { address, canonical, phone }
}
