//! Messages: storing them, and what becomes of ours.

use rusqlite::params;
use seatport::conversation::{Content, Direction, Message, MessageStatus};
use seatport::storage::{Incoming, MessageUpdate};
use seatport::{Address, EventBody};

use super::amendment::Waiting;
use super::chat::{Thread, recency};
use super::read_mark::{READ, UNREAD};
use super::{Conversation, MESSAGE, stored_message};
use crate::codes::{Code, Json, millis};
use crate::error::Failure;
use crate::search::index::text;
use crate::sql::{execute, first};

/// What the column `body` says: it could not be decrypted so far.
pub(super) const UNDECRYPTED: i64 = 0;
/// It is as it was sent.
pub(super) const CLEAR: i64 = 1;
/// It was taken back.
pub(super) const TAKEN_BACK: i64 = 2;

impl Conversation<'_> {
    /// Stores a message that is not there yet, or fills in one that could not be decrypted.
    pub(crate) fn store(&mut self, incoming: &Incoming) -> Result<(), Failure> {
        let message = &incoming.message;
        let mut chat = self.chat_or_new(&message.chat)?;
        let waiting = self.waiting_for(&chat, &message.id)?;
        let sender =
            if message.sender == message.chat { chat.address.clone() } else { self.canonical(&message.sender)? };
        let inbound = message.direction == Direction::Inbound;
        let unread = inbound && !incoming.historical;
        if !self.insert(&chat, message, &sender, unread, &waiting)? {
            let quoted = message.quoted.as_ref().map(|quoted| quoted.as_str());
            let filled = message.content != Content::Undecryptable
                && self.fill_in(&chat, message.id.as_str(), &message.content, quoted)?;
            return if filled { self.stored(&chat, message) } else { Ok(()) };
        }

        let place = self.head.counters.last_message + 1;
        self.head.counters.last_message = place;
        if let Some(key) = &incoming.key {
            let sql = "INSERT INTO send_key (session, key, seq) VALUES (?1, ?2, ?3)";
            execute(self.connection, sql, params![self.head.key, key.as_str(), place])?;
        }
        self.apply_waiting(&mut chat, &message.id, &waiting)?;
        if inbound {
            self.meet(&sender, incoming.sender_name.as_deref(), message.at)?;
        }
        if unread {
            chat.unread += 1;
            self.head.counters.unread += 1;
        }
        if !chat.listed {
            (chat.listed, chat.kind) = (true, incoming.kind);
        }
        // Of two with the same time the later place is the newer one.
        if recency(Some(message.at)) <= chat.recency {
            (chat.last, chat.recency) = (Some(place), recency(Some(message.at)));
        }
        if let Some(person) = incoming.person {
            self.is_with(&mut chat, person)?;
        }
        if let Some((person, fact)) = incoming.fact() {
            self.tell(&person, &fact)?;
        }
        self.save_chat(&chat)?;
        self.stored(&chat, message)
    }

    fn stored(&mut self, chat: &Thread, message: &Message) -> Result<(), Failure> {
        let inbound = message.direction == Direction::Inbound;
        self.event(&EventBody::MessageStored { chat: chat.address.clone(), id: message.id.clone(), inbound })
    }

    /// Writes a message at the next place, with what waited for it, unless the chat has one with its id; answers whether it did.
    fn insert(
        &self,
        chat: &Thread,
        message: &Message,
        sender: &Address,
        unread: bool,
        waiting: &Waiting,
    ) -> Result<bool, Failure> {
        let sql = "INSERT INTO message (session, seq, chat, id, direction, status, unread, body, reacted, at, edited_at, sender,
                 author, quoted, content)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT (chat, id) DO NOTHING";
        let place = self.head.counters.last_message + 1;
        let (content, body) = match waiting {
            Waiting { deleted: true, .. } => (&Content::Deleted, TAKEN_BACK),
            Waiting { edit, .. } => {
                let body = if message.content == Content::Undecryptable { UNDECRYPTED } else { CLEAR };
                (edit.as_ref().map_or(&message.content, |(_, content)| content), body)
            }
        };
        let values = params![
            self.head.key,
            place,
            chat.key,
            message.id.as_str(),
            Code(message.direction),
            Code(message.status),
            if unread { UNREAD } else { READ },
            body,
            waiting.reacted,
            message.at.as_millis(),
            millis(waiting.edit.as_ref().map(|(at, _)| *at)),
            sender.as_str(),
            message.author.as_ref().map(Json),
            message.quoted.as_ref().map(|quoted| quoted.as_str()),
            Json(content),
        ];
        if execute(self.connection, sql, values)? == 0 {
            return Ok(false);
        }
        self.index_message(place, "", &text(content))?;
        Ok(true)
    }

    /// Gives a stored message that could not be decrypted its content and what it quotes; answers whether it did. An edit that
    /// came before covers the content.
    pub(super) fn fill_in(
        &self,
        chat: &Thread,
        id: &str,
        content: &Content,
        quoted: Option<&str>,
    ) -> Result<bool, Failure> {
        let sql = "UPDATE message SET body = 1, quoted = ?3, content = iif(edited_at IS NULL, ?4, content)
             WHERE chat = ?1 AND id = ?2 AND body = 0 RETURNING seq, edited_at IS NULL";
        let values = params![chat.key, id, quoted, Json(content)];
        let filled = first(self.connection, sql, values, |row| Ok((row.get::<_, u64>(0)?, row.get::<_, bool>(1)?)))?;
        if let Some((place, true)) = filled {
            self.index_message(place, "", &text(content))?;
        }
        Ok(filled.is_some())
    }

    /// Raises the status of a message; passes over an unknown one.
    pub(crate) fn raise_status(&mut self, update: &MessageUpdate) -> Result<(), Failure> {
        let MessageUpdate { chat, id, status, failure } = update;
        let Some(chat) = self.chat(chat)? else { return Ok(()) };
        let sql = "SELECT seq, status FROM message WHERE chat = ?1 AND id = ?2";
        let found = first(self.connection, sql, params![chat.key, id.as_str()], |row| {
            let Code(before): Code<MessageStatus> = row.get(1)?;
            Ok((row.get::<_, u64>(0)?, before))
        })?;
        let Some((place, before)) = found.filter(|(_, before)| before < status) else { return Ok(()) };

        let sql = "UPDATE message SET status = ?3, failure = ?4 WHERE session = ?1 AND seq = ?2";
        let failure = failure.as_ref().filter(|_| *status == MessageStatus::Failed).map(Json);
        execute(self.connection, sql, params![self.head.key, place, Code(*status), failure])?;
        let answered = before < MessageStatus::Sent && *status >= MessageStatus::Sent;
        if let Some(person) = chat.person.filter(|_| answered)
            && let Some(stored) = self.message_at(place)?
            && let Some(fact) = stored.message.answered(before, *status)
        {
            self.tell(&person, &fact)?;
        }
        self.event(&EventBody::MessageStatusChanged { chat: chat.address, id: id.clone(), status: *status })
    }

    /// The message at this place as it is now.
    pub(super) fn message_at(&self, place: u64) -> Result<Option<seatport::conversation::StoredMessage>, Failure> {
        let sql = format!(
            "SELECT {MESSAGE} FROM message AS m JOIN chat AS c ON c.key = m.chat WHERE m.session = ?1 AND m.seq = ?2"
        );
        Ok(first(self.connection, &sql, params![self.head.key, place], stored_message)?)
    }
}
