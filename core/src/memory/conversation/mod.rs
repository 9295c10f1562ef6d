//! Contacts, chats and messages: what one session has said and heard.

mod amendment;
mod chat;
mod contact;
mod identity;
mod message;
mod read_mark;
mod reading;
mod search;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::lead::Telling;
use super::part;
use crate::conversation::{Chat, ChatCursor, Contact, StoredMessage};
use crate::event::EventBody;
use crate::ids::{Address, MessageId, SendKey};
use crate::storage::{Edge, Page};

use amendment::Amendments;
use chat::Thread;
use message::Kept;

/// What one session has said and heard.
#[derive(Default)]
pub(super) struct Conversations {
    /// By place.
    messages: BTreeMap<u64, Kept>,
    /// The last place that was given; none is given twice.
    last_place: u64,
    /// The place of each message, by the network's id.
    places: BTreeMap<(Address, MessageId), u64>,
    /// The place of each message that came with an idempotency key.
    keys: BTreeMap<SendKey, u64>,
    /// What became of messages after they were sent, those that are still to come included.
    amendments: BTreeMap<(Address, MessageId), Amendments>,
    /// The places of the messages that nobody has read.
    unread: BTreeSet<u64>,
    /// The places of the messages whose reading the network is to be told of.
    untold: BTreeSet<u64>,
    chats: BTreeMap<Address, Thread>,
    contacts: BTreeMap<Address, Contact>,
    /// What each address that was given up stands for: never one that was given up itself.
    aliases: BTreeMap<Address, Address>,
}

/// What follows from the writes of a commit.
#[derive(Default)]
pub(super) struct Consequences {
    /// Events, in the order of the writes.
    pub(super) events: Vec<EventBody>,
    /// What the ledger is told.
    pub(super) tellings: Vec<Telling>,
}

impl Conversations {
    /// Unread messages over all chats.
    pub(super) fn unread(&self) -> u64 {
        self.unread.len() as u64
    }

    /// Whether a message with this idempotency key is stored.
    pub(super) fn has_used(&self, key: &SendKey) -> bool {
        self.keys.contains_key(key)
    }

    /// The address that counts: itself, unless it was given up.
    fn canonical(&self, address: &Address) -> Address {
        self.aliases.get(address).unwrap_or(address).clone()
    }

    /// The place of a message, if it is stored.
    fn place(&self, chat: &Address, id: &MessageId) -> Option<u64> {
        self.places.get(&(self.canonical(chat), id.clone())).copied()
    }

    /// The message at this place as it is now.
    fn at(&self, place: u64) -> Option<StoredMessage> {
        let kept = self.messages.get(&place)?;
        let amendments = self.amendments.get(&(kept.message.chat.clone(), kept.message.id.clone()));
        Some(kept.shown(place, amendments))
    }

    fn contact(&self, address: &Address) -> Option<Contact> {
        self.contacts.get(&self.canonical(address)).cloned()
    }

    fn contact_page(&self, page: &Page<Address>) -> Vec<Contact> {
        part(self.contacts.values().cloned(), page, |contact| contact.address.clone())
    }

    fn chat(&self, address: &Address) -> Option<Chat> {
        let address = self.canonical(address);
        let thread = self.chats.get(&address)?;
        let contact = self.contacts.get(&address);
        Some(Chat {
            kind: thread.kind,
            name: contact.and_then(|contact| contact.saved_name.clone().or_else(|| contact.name.clone())),
            unread: thread.places().filter(|place| self.unread.contains(place)).count() as u64,
            archived: thread.archived,
            muted_until: thread.muted_until,
            coverage: thread.coverage,
            last: thread.places().next_back().and_then(|place| self.at(place)),
            address,
        })
    }

    fn chat_page(&self, page: Page<ChatCursor>) -> Vec<Chat> {
        let newest_first = |cursor: ChatCursor| (Reverse(cursor.at), cursor.address);
        let cursors =
            self.chats.iter().map(|(address, thread)| ChatCursor { at: thread.newest(), address: address.clone() });
        let mut list: Vec<_> = cursors.map(newest_first).collect();
        list.sort();
        let edge = match page.edge {
            Edge::First => Edge::First,
            Edge::After(cursor) => Edge::After(newest_first(cursor)),
            Edge::Before(cursor) => Edge::Before(newest_first(cursor)),
            Edge::Last => Edge::Last,
        };
        let found = part(list.into_iter(), &Page { edge, limit: page.limit }, Clone::clone);
        found.iter().filter_map(|(_, address)| self.chat(address)).collect()
    }

    /// A part of a chat's messages, newest first; nothing before or after a place that holds no message of the chat.
    fn message_page(&self, chat: &Address, page: &Page<u64>) -> Option<Vec<StoredMessage>> {
        let chat = self.canonical(chat);
        let thread = self.chats.get(&chat)?;
        let edge = |place: u64| {
            let kept = self.messages.get(&place).filter(|kept| kept.message.chat == chat)?;
            Some(Reverse((kept.message.at, place)))
        };
        let edge = match page.edge {
            Edge::First => Edge::First,
            Edge::After(place) => Edge::After(edge(place)?),
            Edge::Before(place) => Edge::Before(edge(place)?),
            Edge::Last => Edge::Last,
        };
        let newest_first = thread.order.iter().rev().map(|place| Reverse(*place));
        let found = part(newest_first, &Page { edge, limit: page.limit }, |place| *place);
        Some(found.into_iter().filter_map(|Reverse((_, place))| self.at(place)).collect())
    }
}
