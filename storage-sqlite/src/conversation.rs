//! Contacts, chats and messages: reading them.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use seatport::conversation::{Chat, Contact, Message, StoredMessage};
use seatport::storage::{ConversationStore, MessagePage, StorageError};
use seatport::{Address, MessageId, SessionId, Timestamp};

use crate::SqliteStorage;
use crate::codes::{Code, Json, Text};
use crate::error::Failure;
use crate::sql::{all, first, integer};

/// What [`message`] reads.
const MESSAGE: &str = "m.seq, c.address, m.id, m.direction, m.status, m.at, m.sender, m.author, m.content";

/// What [`chat`] reads. A chat bears the name of the person it is with. Its last message comes from the end of an index; none
/// is missing, for a chat is there from its first message on.
const CHAT: &str = "c.inbound - c.read_inbound, k.name";
const CHATS: &str = "FROM chat AS c
    LEFT JOIN contact AS k ON k.session = c.session AND k.address = c.address
    JOIN message AS m ON m.session = c.session
     AND m.seq = (SELECT seq FROM message WHERE chat = c.key ORDER BY at DESC, seq DESC LIMIT 1)
    WHERE c.session = (SELECT key FROM session WHERE id = ?1)";

fn message(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    let (Text(chat), Text(id), Code(direction), Code(status)) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
    let (Text(sender), author, Json(content)) = (row.get(6)?, row.get::<_, Option<Json<_>>>(7)?, row.get(8)?);
    let (at, author) = (Timestamp::from_millis(row.get(5)?), author.map(|Json(author)| author));
    let message = Message { chat, id, direction, sender, author, content, at, status };
    Ok(StoredMessage { seq: row.get(0)?, message })
}

fn chat(row: &Row<'_>) -> rusqlite::Result<Chat> {
    let last = message(row)?;
    Ok(Chat { address: last.message.chat.clone(), unread: row.get(9)?, name: row.get(10)?, last: Some(last) })
}

/// The key of a chat's row.
fn key(connection: &Connection, session: SessionId, chat: &Address) -> Result<Option<i64>, Failure> {
    let sql = "SELECT key FROM chat WHERE session = (SELECT key FROM session WHERE id = ?1) AND address = ?2";
    Ok(first(connection, sql, params![session.as_bytes(), chat.as_str()], |row| row.get(0))?)
}

/// The messages of a chat that come before this time and place, newest first.
fn before(connection: &Connection, chat: i64, at: i64, place: i64, limit: u32) -> Result<Vec<StoredMessage>, Failure> {
    let sql = format!(
        "SELECT {MESSAGE} FROM message AS m JOIN chat AS c ON c.key = m.chat
         WHERE m.chat = ?1 AND (m.at, m.seq) < (?2, ?3) ORDER BY m.at DESC, m.seq DESC LIMIT ?4"
    );
    Ok(all(connection, &sql, params![chat, at, place, limit], message)?)
}

#[async_trait]
impl ConversationStore for SqliteStorage {
    async fn contacts(
        &self,
        session: SessionId,
        after: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Contact>, StorageError> {
        let after = after.cloned();
        let read = self.readers.read(move |connection| {
            let after = after.as_ref().map_or("", Address::as_str);
            let sql = "SELECT address, name, first_seen, last_seen FROM contact
                 WHERE session = (SELECT key FROM session WHERE id = ?1) AND address > ?2 ORDER BY address LIMIT ?3";
            Ok(all(connection, sql, params![session.as_bytes(), after, limit], |row| {
                let Text(address) = row.get(0)?;
                Ok(Contact {
                    address,
                    name: row.get(1)?,
                    first_seen: Timestamp::from_millis(row.get(2)?),
                    last_seen: Timestamp::from_millis(row.get(3)?),
                })
            })?)
        });
        read.await
    }

    async fn chats(&self, session: SessionId, after: Option<&Address>, limit: u32) -> Result<Vec<Chat>, StorageError> {
        let after = after.cloned();
        let read = self.readers.read(move |connection| {
            let after = after.as_ref().map_or("", Address::as_str);
            let sql = format!("SELECT {MESSAGE}, {CHAT} {CHATS} AND c.address > ?2 ORDER BY c.address LIMIT ?3");
            Ok(all(connection, &sql, params![session.as_bytes(), after, limit], chat)?)
        });
        read.await
    }

    async fn chat(&self, session: SessionId, address: &Address) -> Result<Option<Chat>, StorageError> {
        let address = address.clone();
        let read = self.readers.read(move |connection| {
            let sql = format!("SELECT {MESSAGE}, {CHAT} {CHATS} AND c.address = ?2");
            Ok(first(connection, &sql, params![session.as_bytes(), address.as_str()], chat)?)
        });
        read.await
    }

    async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        page: MessagePage,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let chat = chat.clone();
        let read = self.readers.read(move |connection| {
            let Some(chat) = key(connection, session, &chat)? else { return Ok(Vec::new()) };
            let Some(place) = page.before else { return before(connection, chat, i64::MAX, i64::MAX, page.limit) };
            let sql = "SELECT at FROM message
                 WHERE session = (SELECT key FROM session WHERE id = ?1) AND seq = ?2 AND chat = ?3";
            let place = integer(place);
            match first(connection, sql, params![session.as_bytes(), place, chat], |row| row.get(0))? {
                Some(at) => before(connection, chat, at, place, page.limit),
                // A place of another chat, or of none: nothing comes before it here.
                None => Ok(Vec::new()),
            }
        });
        read.await
    }

    async fn message(
        &self,
        session: SessionId,
        chat: &Address,
        id: &MessageId,
    ) -> Result<Option<StoredMessage>, StorageError> {
        let (chat, id) = (chat.clone(), id.clone());
        let read = self.readers.read(move |connection| {
            let Some(chat) = key(connection, session, &chat)? else { return Ok(None) };
            let sql = format!(
                "SELECT {MESSAGE} FROM message AS m JOIN chat AS c ON c.key = m.chat WHERE m.chat = ?1 AND m.id = ?2"
            );
            Ok(first(connection, &sql, params![chat, id.as_str()], message)?)
        });
        read.await
    }

    async fn pending(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        let read = self.readers.read(move |connection| {
            // Left to itself SQLite would walk through all messages of the session, for the same order.
            let sql = format!(
                "SELECT {MESSAGE} FROM message AS m INDEXED BY message_pending JOIN chat AS c ON c.key = m.chat
                 WHERE m.session = (SELECT key FROM session WHERE id = ?1) AND m.direction = 1 AND m.status = 0
                 ORDER BY m.seq LIMIT ?2"
            );
            Ok(all(connection, &sql, params![session.as_bytes(), limit], message)?)
        });
        read.await
    }
}
