//! Writing messages: what a commit stores, updates and marks as read.

use rusqlite::{Connection, params};
use seatport::conversation::{Content, Direction, Message};
use seatport::storage::{Incoming, MessageUpdate, ReadMark};
use seatport::{Address, EventBody, Timestamp};

use crate::codes::{Code, Json};
use crate::error::Failure;
use crate::sql::{execute, first};

/// The conversations of one session, inside the writer's transaction.
pub(crate) struct Conversation<'a> {
    pub(crate) connection: &'a Connection,
    /// The key of the session's row.
    pub(crate) session: i64,
}

/// A chat's row; the schema says what the numbers count.
struct Chat {
    key: i64,
    last: u64,
    inbound: u64,
    read: u64,
    read_inbound: u64,
}

impl Conversation<'_> {
    /// Stores a message that is not there yet, or fills in one that could not be decrypted; then there is an event to add.
    /// `last` is the place of the session's last message, `unread` counts those of all its chats.
    pub(crate) fn store(
        &self,
        incoming: &Incoming,
        last: &mut u64,
        unread: &mut u64,
    ) -> Result<Option<EventBody>, Failure> {
        let Incoming { message, sender_name } = incoming;
        let inbound = message.direction == Direction::Inbound;
        let chat = match self.chat(&message.chat)? {
            Some(chat) => chat,
            None => self.add_chat(&message.chat)?,
        };
        let place = *last + 1;
        let up_to_here = chat.inbound + u64::from(inbound);
        if self.insert(&chat, message, place, up_to_here)? {
            *last = place;
            let sql = "UPDATE chat SET last = ?2, inbound = ?3 WHERE key = ?1";
            execute(self.connection, sql, params![chat.key, place, up_to_here])?;
            if inbound {
                *unread += 1;
                self.meet(&message.sender, sender_name.as_deref(), message.at)?;
            }
        } else if !self.fill_in(&chat, message)? {
            return Ok(None);
        }
        Ok(Some(EventBody::MessageStored { chat: message.chat.clone(), id: message.id.clone(), inbound }))
    }

    /// Raises the status of a message; passes over an unknown one.
    pub(crate) fn raise_status(&self, update: &MessageUpdate) -> Result<Option<EventBody>, Failure> {
        let MessageUpdate { chat, id, status } = update;
        let Some(found) = self.chat(chat)? else { return Ok(None) };
        let sql = "UPDATE message SET status = ?3 WHERE chat = ?1 AND id = ?2 AND status < ?3";
        let raised = execute(self.connection, sql, params![found.key, id.as_str(), Code(*status)])? > 0;
        Ok(raised.then(|| EventBody::MessageStatusChanged { chat: chat.clone(), id: id.clone(), status: *status }))
    }

    /// Moves a read mark forward; passes over an unknown chat or message.
    pub(crate) fn mark_read(&self, mark: &ReadMark, unread: &mut u64) -> Result<Option<EventBody>, Failure> {
        let Some(chat) = self.chat(&mark.chat)? else { return Ok(None) };
        let up_to = match &mark.up_to {
            None => Some((chat.last, chat.inbound)),
            Some(id) => {
                let sql = "SELECT seq, inbound FROM message WHERE chat = ?1 AND id = ?2";
                let place = params![chat.key, id.as_str()];
                first(self.connection, sql, place, |row| Ok((row.get(0)?, row.get(1)?)))?
            }
        };
        let Some((read, read_inbound)) = up_to.filter(|(place, _)| chat.read < *place) else { return Ok(None) };
        let sql = "UPDATE chat SET read = ?2, read_inbound = ?3 WHERE key = ?1";
        execute(self.connection, sql, params![chat.key, read, read_inbound])?;
        *unread -= read_inbound - chat.read_inbound;
        Ok(Some(EventBody::ChatRead { chat: mark.chat.clone() }))
    }

    fn chat(&self, address: &Address) -> Result<Option<Chat>, Failure> {
        let sql = "SELECT key, last, inbound, read, read_inbound FROM chat WHERE session = ?1 AND address = ?2";
        Ok(first(self.connection, sql, params![self.session, address.as_str()], |row| {
            Ok(Chat {
                key: row.get(0)?,
                last: row.get(1)?,
                inbound: row.get(2)?,
                read: row.get(3)?,
                read_inbound: row.get(4)?,
            })
        })?)
    }

    fn add_chat(&self, address: &Address) -> Result<Chat, Failure> {
        let sql = "INSERT INTO chat (session, address) VALUES (?1, ?2)";
        execute(self.connection, sql, params![self.session, address.as_str()])?;
        Ok(Chat { key: self.connection.last_insert_rowid(), last: 0, inbound: 0, read: 0, read_inbound: 0 })
    }

    /// Writes a message unless the chat has one with its id; answers whether it did.
    fn insert(&self, chat: &Chat, message: &Message, place: u64, inbound: u64) -> Result<bool, Failure> {
        let sql =
            "INSERT INTO message (session, seq, chat, id, direction, inbound, status, at, sender, author, content)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (chat, id) DO NOTHING";
        let values = params![
            self.session,
            place,
            chat.key,
            message.id.as_str(),
            Code(message.direction),
            inbound,
            Code(message.status),
            message.at.as_millis(),
            message.sender.as_str(),
            message.author.as_ref().map(Json),
            Json(&message.content),
        ];
        Ok(execute(self.connection, sql, values)? > 0)
    }

    /// Gives a stored message that could not be decrypted its content; answers whether it did.
    fn fill_in(&self, chat: &Chat, message: &Message) -> Result<bool, Failure> {
        if message.content == Content::Undecryptable {
            return Ok(false);
        }
        let sql = "UPDATE message SET content = ?3 WHERE chat = ?1 AND id = ?2 AND content = ?4";
        let values = params![chat.key, message.id.as_str(), Json(&message.content), Json(&Content::Undecryptable)];
        Ok(execute(self.connection, sql, values)? > 0)
    }

    /// Notes that this person wrote at this time.
    fn meet(&self, person: &Address, name: Option<&str>, at: Timestamp) -> Result<(), Failure> {
        let sql = "INSERT INTO contact (session, address, name, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?4)
             ON CONFLICT DO UPDATE SET
                 name = coalesce(excluded.name, name),
                 first_seen = min(first_seen, excluded.first_seen),
                 last_seen = max(last_seen, excluded.last_seen)";
        execute(self.connection, sql, params![self.session, person.as_str(), name, at.as_millis()])?;
        Ok(())
    }
}
