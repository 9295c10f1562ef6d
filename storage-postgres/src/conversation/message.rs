//! Messages: storing them, and what becomes of ours.

use seatport::conversation::{Author, Content, Direction, Message, MessageStatus, SendFailure};
use seatport::leads::Fact;
use seatport::storage::{Coded, Incoming, MessageUpdate};
use seatport::{Address, EventBody, MessageId, Timestamp};
use tokio_postgres::Row;

use super::Conversation;
use super::chat::recency;
use super::read_mark::Reading;
use crate::codes::{At, Code, Count, Flag, Json};
use crate::error::Failure;
use crate::ledger::Telling;

/// What the column `body` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// It could not be decrypted so far.
    Undecrypted,
    /// It is as it was sent.
    Clear,
    /// It was taken back.
    TakenBack,
}

impl Coded for Body {
    const CODES: &'static [(i16, Self)] = &[(0, Self::Undecrypted), (1, Self::Clear), (2, Self::TakenBack)];
}

impl Body {
    pub(super) fn of(content: &Content) -> Self {
        if *content == Content::Undecryptable { Self::Undecrypted } else { Self::Clear }
    }
}

/// A message, as far as the batch needs it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) place: u64,
    pub(super) at: Timestamp,
    pub(super) status: MessageStatus,
    pub(super) failure: Option<SendFailure>,
    pub(super) body: Body,
    pub(super) edited_at: Option<Timestamp>,
    pub(super) reacted: bool,
    pub(super) author: Option<Author>,
    /// What it says now. Of a message that was stored before it is here only if it is amended.
    pub(super) content: Option<Content>,
    /// What it quotes. Of a message that was stored before it is here only if it was filled in.
    pub(super) quoted: Option<MessageId>,
    /// As it was when it was loaded; [`Thread::readings`](super::chat::Thread) knows better.
    pub(super) reading: Reading,
    /// The rest of a message that is new.
    pub(super) new: Option<New>,
    pub(super) changed: Changed,
}

/// What only a new message needs.
#[derive(Debug)]
pub(super) struct New {
    pub(super) direction: Direction,
    pub(super) sender: Address,
}

/// Which columns of a stored message are to be written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changed {
    /// `status` and `failure`.
    pub(super) status: bool,
    /// `body`, `edited_at` and `reacted`.
    pub(super) body: bool,
    /// Beside them `content`.
    pub(super) content: bool,
    /// Beside them `quoted`.
    pub(super) quoted: bool,
}

impl Kept {
    /// The columns `seq, at, status, body, edited_at, reacted, author, content, unread` from the given one on.
    pub(super) fn read(row: &Row, column: usize) -> Result<Self, Failure> {
        let (Count(place), At(at), Code(status)) =
            (row.try_get(column)?, row.try_get(column + 1)?, row.try_get(column + 2)?);
        let (Code(body), Flag(reacted), Code(reading)) =
            (row.try_get(column + 3)?, row.try_get(column + 5)?, row.try_get(column + 8)?);
        Ok(Self {
            place,
            at,
            status,
            failure: None,
            body,
            edited_at: row.try_get::<_, Option<At>>(column + 4)?.map(|At(at)| at),
            reacted,
            author: row.try_get::<_, Option<Json<_>>>(column + 6)?.map(|Json(author)| author),
            content: row.try_get::<_, Option<Json<_>>>(column + 7)?.map(|Json(content)| content),
            quoted: None,
            reading,
            new: None,
            changed: Changed::default(),
        })
    }

    fn new(message: &Message, sender: Address, place: u64) -> Self {
        Self {
            place,
            at: message.at,
            status: message.status,
            failure: None,
            body: Body::of(&message.content),
            edited_at: None,
            reacted: false,
            author: message.author.clone(),
            content: Some(message.content.clone()),
            quoted: message.quoted.clone(),
            reading: Reading::Read,
            new: Some(New { direction: message.direction, sender }),
            changed: Changed::default(),
        }
    }

    /// Takes the content and the quote of the same message, if it could not be decrypted so far; answers whether it did. An
    /// edit that came before covers the content.
    pub(super) fn fill_in(&mut self, content: &Content, quoted: Option<&MessageId>) -> bool {
        if self.body != Body::Undecrypted {
            return false;
        }
        self.body = Body::Clear;
        self.quoted = quoted.cloned();
        (self.changed.body, self.changed.quoted) = (true, true);
        if self.edited_at.is_none() {
            self.content = Some(content.clone());
            self.changed.content = true;
        }
        true
    }
}

impl Conversation<'_> {
    /// Stores a message that is not there yet, or fills in one that could not be decrypted.
    pub(super) fn store(&mut self, incoming: &Incoming) -> Result<(), Failure> {
        let message = &incoming.message;
        let inbound = message.direction == Direction::Inbound;
        let (chat, sender) = (self.canonical(&message.chat).clone(), self.canonical(&message.sender).clone());
        let thread = self.talk.thread(&chat)?;
        let stored = EventBody::MessageStored { chat, id: message.id.clone(), inbound };
        if let Some(kept) = thread.messages.get_mut(&message.id) {
            let clear = message.content != Content::Undecryptable;
            if clear && kept.fill_in(&message.content, message.quoted.as_ref()) {
                self.event(stored);
            }
            return Ok(());
        }

        let counters = &mut self.head.counters;
        counters.last_message += 1;
        let place = counters.last_message;
        thread.changed = true;
        if inbound && !incoming.historical {
            counters.unread += 1;
            thread.unread += 1;
            thread.unread_places.insert(place);
            thread.readings.insert(place, Reading::Unread);
        }
        if !thread.details.listed {
            (thread.details.listed, thread.details.kind) = (true, incoming.kind);
        }
        // Of two with the same time the later place is the newer one.
        if recency(Some(message.at)) <= thread.recency {
            (thread.last, thread.recency) = (Some(place), recency(Some(message.at)));
        }
        let mut kept = Kept::new(message, sender.clone(), place);
        if let Some(changes) = thread.changes.get_mut(&message.id) {
            thread.waiting = thread.waiting.saturating_sub(changes.count());
            changes.reach(&mut kept);
        }
        thread.messages.insert(message.id.clone(), kept);
        let same_person = incoming.person.and_then(|person| thread.is_with(person));

        if let Some(key) = &incoming.key {
            self.talk.send_keys.insert(key.clone(), place);
        }
        if inbound {
            self.meet(&sender, incoming.sender_name.as_deref(), message.at);
        }
        self.tell(same_person);
        self.tell(incoming.fact().map(|(person, fact)| Telling::Fact(person, fact)));
        self.event(stored);
        Ok(())
    }

    /// Raises the status of a message; passes over an unknown one.
    pub(super) fn raise_status(&mut self, update: &MessageUpdate) {
        let MessageUpdate { chat, id, status, failure } = update;
        let chat = self.canonical(chat).clone();
        let Some(thread) = self.talk.chats.get_mut(&chat) else { return };
        let Some(kept) = thread.messages.get_mut(id) else { return };
        let before = kept.status;
        if before >= *status {
            return;
        }
        kept.status = *status;
        kept.failure = failure.clone().filter(|_| *status == MessageStatus::Failed);
        kept.changed.status = true;

        let taken = before < MessageStatus::Sent && *status >= MessageStatus::Sent;
        let by = kept.author.clone().filter(|_| taken);
        let answered = by.map(|by| Fact::Answered { at: kept.at, id: id.clone(), by });
        let telling = thread.person.zip(answered).map(|(person, fact)| Telling::Fact(person, fact));
        self.tell(telling);
        self.event(EventBody::MessageStatusChanged { chat, id: id.clone(), status: *status });
    }
}
