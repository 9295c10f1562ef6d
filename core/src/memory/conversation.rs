//! Contacts, chats and messages.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;

use super::{MemoryStorage, following, page};
use crate::clock::Timestamp;
use crate::conversation::{Chat, Contact, Content, Direction, Message, MessageStatus, StoredMessage};
use crate::event::EventBody;
use crate::ids::{Address, MessageId, SessionId};
use crate::storage::{ConversationStore, Incoming, MessagePage, MessageUpdate, ReadMark, StorageError};

/// What one session has said and heard.
#[derive(Default)]
pub(super) struct Conversations {
    /// In the order they were stored: the message at place `n` has index `n - 1`.
    messages: Vec<Message>,
    /// The place of each message, by the network's id.
    places: HashMap<(Address, MessageId), u64>,
    chats: BTreeMap<Address, Thread>,
    contacts: BTreeMap<Address, Contact>,
}

/// One chat: which messages belong to it.
#[derive(Default)]
struct Thread {
    /// By time, then by place.
    order: BTreeSet<(Timestamp, u64)>,
    /// The place of the message that was stored last.
    newest: u64,
    /// The read mark: everything up to this place is read.
    read: u64,
    /// The places of the inbound messages after the read mark.
    unread: BTreeSet<u64>,
}

impl Conversations {
    /// Unread messages over all chats.
    pub(super) fn unread(&self) -> u64 {
        self.chats.values().map(|thread| thread.unread.len() as u64).sum()
    }

    /// Stores a message that is not there yet, or fills in one that could not be decrypted.
    pub(super) fn store(&mut self, Incoming { message, sender_name }: Incoming) -> Option<EventBody> {
        let inbound = message.direction == Direction::Inbound;
        let event = EventBody::MessageStored { chat: message.chat.clone(), id: message.id.clone(), inbound };

        if let Some(stored) = self.find_mut(&message.chat, &message.id) {
            let fills_in = stored.content == Content::Undecryptable && message.content != Content::Undecryptable;
            return fills_in.then(|| {
                stored.content = message.content;
                event
            });
        }

        let place = self.messages.len() as u64 + 1;
        let thread = self.chats.entry(message.chat.clone()).or_default();
        thread.order.insert((message.at, place));
        thread.newest = place;
        if inbound {
            thread.unread.insert(place);
            self.meet(&message.sender, sender_name, message.at);
        }
        self.places.insert((message.chat.clone(), message.id.clone()), place);
        self.messages.push(message);
        Some(event)
    }

    /// Notes that this person wrote at this time.
    fn meet(&mut self, address: &Address, name: Option<String>, at: Timestamp) {
        let contact = self.contacts.entry(address.clone()).or_insert_with(|| Contact {
            address: address.clone(),
            name: None,
            first_seen: at,
            last_seen: at,
        });
        contact.first_seen = contact.first_seen.min(at);
        contact.last_seen = contact.last_seen.max(at);
        if name.is_some() {
            contact.name = name;
        }
    }

    /// Raises the status of a message.
    pub(super) fn raise_status(&mut self, update: MessageUpdate) -> Option<EventBody> {
        let message = self.find_mut(&update.chat, &update.id)?;
        (message.status < update.status).then(|| {
            message.status = update.status;
            EventBody::MessageStatusChanged { chat: update.chat, id: update.id, status: update.status }
        })
    }

    /// Moves the read mark of a chat forward.
    pub(super) fn mark_read(&mut self, mark: ReadMark) -> Option<EventBody> {
        let up_to = mark.up_to.map(|id| self.place(&mark.chat, &id));
        let thread = self.chats.get_mut(&mark.chat)?;
        let place = match up_to {
            Some(place) => place?,
            None => thread.newest,
        };
        (thread.read < place).then(|| {
            thread.read = place;
            thread.unread = thread.unread.split_off(&(place + 1));
            EventBody::ChatRead { chat: mark.chat }
        })
    }

    fn place(&self, chat: &Address, id: &MessageId) -> Option<u64> {
        self.places.get(&(chat.clone(), id.clone())).copied()
    }

    fn find_mut(&mut self, chat: &Address, id: &MessageId) -> Option<&mut Message> {
        let place = self.place(chat, id)?;
        self.messages.get_mut(index(place))
    }

    fn at(&self, place: u64) -> Option<StoredMessage> {
        self.messages.get(index(place)).map(|message| StoredMessage { seq: place, message: message.clone() })
    }

    fn chat(&self, address: &Address) -> Option<Chat> {
        let thread = self.chats.get(address)?;
        Some(Chat {
            address: address.clone(),
            name: self.contacts.get(address).and_then(|contact| contact.name.clone()),
            unread: thread.unread.len() as u64,
            last: thread.order.last().and_then(|(_, place)| self.at(*place)),
        })
    }

    /// A chat's messages before a place, newest first.
    fn before(&self, chat: &Address, before: Option<u64>) -> impl Iterator<Item = StoredMessage> {
        let thread = self.chats.get(chat);
        let end = match before {
            None => Some((Timestamp::from_millis(i64::MAX), u64::MAX)),
            Some(place) => self.messages.get(index(place)).filter(|m| m.chat == *chat).map(|m| (m.at, place)),
        };
        let places = thread.zip(end).into_iter().flat_map(|(thread, end)| thread.order.range(..end).rev());
        places.filter_map(|(_, place)| self.at(*place))
    }
}

fn index(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX).wrapping_sub(1)
}

impl MemoryStorage {
    /// Reads a session's conversations; of an unknown session, empty ones.
    fn conversations<T>(&self, session: SessionId, read: impl FnOnce(&Conversations) -> T) -> Result<T, StorageError> {
        let state = self.open()?;
        Ok(match state.sessions.get(&session) {
            Some(session) => read(&session.conversations),
            None => read(&Conversations::default()),
        })
    }
}

#[async_trait]
impl ConversationStore for MemoryStorage {
    async fn contacts(
        &self,
        session: SessionId,
        after: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Contact>, StorageError> {
        self.conversations(session, |of| {
            page(following(&of.contacts, after).map(|(_, contact)| contact.clone()), limit)
        })
    }

    async fn chats(&self, session: SessionId, after: Option<&Address>, limit: u32) -> Result<Vec<Chat>, StorageError> {
        self.conversations(session, |of| {
            page(following(&of.chats, after).filter_map(|(address, _)| of.chat(address)), limit)
        })
    }

    async fn chat(&self, session: SessionId, address: &Address) -> Result<Option<Chat>, StorageError> {
        self.conversations(session, |of| of.chat(address))
    }

    async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        part: MessagePage,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        self.conversations(session, |of| page(of.before(chat, part.before), part.limit))
    }

    async fn message(
        &self,
        session: SessionId,
        chat: &Address,
        id: &MessageId,
    ) -> Result<Option<StoredMessage>, StorageError> {
        self.conversations(session, |of| of.place(chat, id).and_then(|place| of.at(place)))
    }

    async fn pending(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        self.conversations(session, |of| {
            let stored = (1..).zip(&of.messages);
            let pending = stored
                .filter(|(_, m)| m.direction == Direction::Outbound && m.status == MessageStatus::Pending)
                .map(|(seq, message)| StoredMessage { seq, message: message.clone() });
            page(pending, limit)
        })
    }
}
