//! Messages: storing them, and what becomes of ours.

use super::amendment::Amendments;
use super::chat::Thread;
use super::{Consequences, Conversations};
use crate::conversation::{Content, Direction, Message, MessageStatus, SendFailure, StoredMessage};
use crate::event::EventBody;
use crate::ids::SendKey;
use crate::memory::lead::Telling;
use crate::storage::{Incoming, MessageUpdate};

/// A message as it was sent; an edit is kept beside it.
pub(super) struct Kept {
    pub(super) message: Message,
    pub(super) failure: Option<SendFailure>,
}

impl Kept {
    /// The message as it is now.
    pub(super) fn shown(&self, place: u64, amendments: Option<&Amendments>) -> StoredMessage {
        let mut shown = StoredMessage {
            seq: place,
            message: self.message.clone(),
            edited_at: None,
            reactions: Vec::new(),
            failure: self.failure.clone(),
        };
        if let Some(amendments) = amendments {
            amendments.apply(&mut shown);
        }
        shown
    }

    /// Takes the content of the same message, if only now it could be decrypted; answers whether it did.
    pub(super) fn fill_in(&mut self, clear: Message) -> bool {
        let fills_in = self.message.content == Content::Undecryptable && clear.content != Content::Undecryptable;
        if fills_in {
            self.message.content = clear.content;
            self.message.quoted = clear.quoted;
        }
        fills_in
    }
}

impl Conversations {
    /// Stores a message that is not there yet, or fills in one that could not be decrypted.
    pub(in crate::memory) fn store(&mut self, incoming: Incoming, consequences: &mut Consequences) {
        let fact = incoming.fact();
        let Incoming { mut message, kind, sender_name, person, historical, key } = incoming;
        message.chat = self.canonical(&message.chat);
        message.sender = self.canonical(&message.sender);
        let inbound = message.direction == Direction::Inbound;
        let stored = EventBody::MessageStored { chat: message.chat.clone(), id: message.id.clone(), inbound };

        let known = self.place(&message.chat, &message.id).and_then(|place| self.messages.get_mut(&place));
        if let Some(kept) = known {
            if kept.fill_in(message) {
                consequences.events.push(stored);
            }
            return;
        }

        let place = self.next_place(key);
        if inbound {
            self.meet(&message.sender, sender_name, message.at);
        }
        if inbound && !historical {
            self.unread.insert(place);
        }
        let thread = self.chats.entry(message.chat.clone()).or_insert_with(|| Thread { kind, ..Thread::default() });
        thread.order.insert((message.at, place));
        if let Some(person) = person {
            consequences.tellings.extend(thread.is_with(person));
        }
        consequences.tellings.extend(fact.map(|(person, fact)| Telling::Fact(person, fact)));
        consequences.events.push(stored);
        self.keep(place, message);
    }

    fn next_place(&mut self, key: Option<SendKey>) -> u64 {
        self.last_place += 1;
        self.keys.extend(key.map(|key| (key, self.last_place)));
        self.last_place
    }

    fn keep(&mut self, place: u64, message: Message) {
        let name = (message.chat.clone(), message.id.clone());
        self.places.insert(name.clone(), place);
        self.messages.insert(place, Kept { message, failure: None });
        self.empty_if_deleted(&name);
    }

    /// Raises the status of a message.
    pub(in crate::memory) fn raise_status(&mut self, update: MessageUpdate, consequences: &mut Consequences) {
        let MessageUpdate { chat, id, status, failure } = update;
        let place = self.place(&chat, &id);
        let Some(kept) = place.and_then(|place| self.messages.get_mut(&place)) else { return };
        let before = kept.message.status;
        if before >= status {
            return;
        }
        kept.message.status = status;
        kept.failure = failure.filter(|_| status == MessageStatus::Failed);

        let chat = kept.message.chat.clone();
        let person = self.chats.get(&chat).and_then(|thread| thread.person);
        let answered = kept.message.answered(before, status);
        consequences.tellings.extend(person.zip(answered).map(|(person, fact)| Telling::Fact(person, fact)));
        consequences.events.push(EventBody::MessageStatusChanged { chat, id, status });
    }
}
