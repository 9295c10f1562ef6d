//! The storage's methods that read conversations.

use async_trait::async_trait;
use rusqlite::{Connection, Row, named_params, params};
use seatport::conversation::{Chat, ChatCursor, Contact, ContactHit, MessageHit, SearchQuery, StoredMessage};
use seatport::storage::{ConversationStore, Edge, Page, StorageError};
use seatport::{Address, MessageId, SendKey, SessionId};

use super::CONTACT;
use super::chat::{coverage, recency};
use super::columns::{MESSAGE, MESSAGE_COLUMNS, contact, message};
use crate::SqliteStorage;
use crate::codes::{Code, Text, time};
use crate::error::Failure;
use crate::page::List;
use crate::search;
use crate::sql::{all, first, integer};

/// The key of a session's row.
const SESSION: &str = "(SELECT key FROM session WHERE id = :session)";

/// The address that counts for the one that is asked for.
const CANONICAL: &str = "coalesce((SELECT canonical FROM alias
    WHERE session = (SELECT key FROM session WHERE id = :session) AND address = :address), :address)";

/// A chat with the name of the person it is with, and its newest message.
const CHAT: &str =
    "c.address, c.kind, coalesce(k.saved_name, k.name), c.unread, c.archived, c.muted_until, c.oldest, c.complete
    FROM chat AS c
    LEFT JOIN contact AS k ON k.session = c.session AND k.address = c.address
    LEFT JOIN message AS m ON m.session = c.session AND m.seq = c.last";

fn chat(row: &Row<'_>) -> rusqlite::Result<Chat> {
    // Without a newest message its columns are null.
    let last = row.get::<_, Option<u64>>(0)?.map(|_| message(row)).transpose()?;
    let next = MESSAGE_COLUMNS;
    let (Text(address), Code(kind)) = (row.get(next)?, row.get(next + 1)?);
    Ok(Chat {
        address,
        kind,
        name: row.get(next + 2)?,
        unread: row.get(next + 3)?,
        archived: row.get(next + 4)?,
        muted_until: time(row, next + 5)?,
        coverage: coverage(row, next + 6)?,
        last,
    })
}

/// The key of a chat's row.
fn key(connection: &Connection, session: SessionId, chat: &Address) -> Result<Option<i64>, Failure> {
    let sql = format!("SELECT key FROM chat WHERE session = {SESSION} AND address = {CANONICAL}");
    let values = named_params! { ":session": session.as_bytes(), ":address": chat.as_str() };
    Ok(first(connection, &sql, values, |row| row.get(0))?)
}

/// The time and the place of an edge of a page; none if the chat has no message there.
fn edge(
    connection: &Connection,
    session: SessionId,
    chat: i64,
    page: &Page<u64>,
) -> Result<Option<Page<(i64, i64)>>, Failure> {
    let at = |place: u64| {
        let place = integer(place);
        let sql =
            "SELECT at FROM message WHERE session = (SELECT key FROM session WHERE id = ?1) AND seq = ?2 AND chat = ?3";
        let at = first(connection, sql, params![session.as_bytes(), place, chat], |row| row.get(0));
        Ok::<_, Failure>(at?.map(|at: i64| (at, place)))
    };
    let edge = match page.edge {
        Edge::First => Some(Edge::First),
        Edge::After(place) => at(place)?.map(Edge::After),
        Edge::Before(place) => at(place)?.map(Edge::Before),
        Edge::Last => Some(Edge::Last),
    };
    Ok(edge.map(|edge| Page { edge, limit: page.limit }))
}

#[async_trait]
impl ConversationStore for SqliteStorage {
    async fn contacts(&self, session: SessionId, page: Page<Address>) -> Result<Vec<Contact>, StorageError> {
        let read = self.readers.read(move |connection| {
            let select = format!("SELECT {CONTACT} FROM contact AS k WHERE k.session = {SESSION}");
            let list = List { select: &select, by: &["k.address"], edge: &[":edge"], descending: false };
            let page = page.map(String::from);
            let values = vec![(":session", session.as_bytes() as _)];
            Ok(list.part(connection, &page, values, |address| vec![address as _], contact)?)
        });
        read.await
    }

    async fn contact(&self, session: SessionId, address: &Address) -> Result<Option<Contact>, StorageError> {
        let address = address.clone();
        let read = self.readers.read(move |connection| {
            let sql =
                format!("SELECT {CONTACT} FROM contact AS k WHERE k.session = {SESSION} AND k.address = {CANONICAL}");
            let values = named_params! { ":session": session.as_bytes(), ":address": address.as_str() };
            Ok(first(connection, &sql, values, contact)?)
        });
        read.await
    }

    async fn chats(&self, session: SessionId, page: Page<ChatCursor>) -> Result<Vec<Chat>, StorageError> {
        let read = self.readers.read(move |connection| {
            let select = format!("SELECT {MESSAGE}, {CHAT} WHERE c.session = {SESSION} AND c.listed = 1");
            let by = ["c.recency", "c.address"];
            let list = List { select: &select, by: &by, edge: &[":recency", ":address"], descending: false };
            let page = page.map(|cursor| (recency(cursor.at), String::from(cursor.address)));
            let values = vec![(":session", session.as_bytes() as _)];
            Ok(list.part(connection, &page, values, |(at, address)| vec![at as _, address as _], chat)?)
        });
        read.await
    }

    async fn chat(&self, session: SessionId, address: &Address) -> Result<Option<Chat>, StorageError> {
        let address = address.clone();
        let read = self.readers.read(move |connection| {
            let sql = format!(
                "SELECT {MESSAGE}, {CHAT} WHERE c.session = {SESSION} AND c.address = {CANONICAL} AND c.listed = 1"
            );
            let values = named_params! { ":session": session.as_bytes(), ":address": address.as_str() };
            Ok(first(connection, &sql, values, chat)?)
        });
        read.await
    }

    async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        page: Page<u64>,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let chat = chat.clone();
        let read = self.readers.read(move |connection| {
            let Some(chat) = key(connection, session, &chat)? else { return Ok(Vec::new()) };
            // Before and after a place of another chat, or of none, there is nothing here.
            let Some(page) = edge(connection, session, chat, &page)? else { return Ok(Vec::new()) };
            let select =
                format!("SELECT {MESSAGE} FROM message AS m JOIN chat AS c ON c.key = m.chat WHERE m.chat = :chat");
            let by = ["m.at", "m.seq"];
            let list = List { select: &select, by: &by, edge: &[":at", ":place"], descending: true };
            let values = vec![(":chat", &chat as _)];
            Ok(list.part(connection, &page, values, |(at, place)| vec![at as _, place as _], message)?)
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

    async fn keyed(&self, session: SessionId, key: &SendKey) -> Result<Option<StoredMessage>, StorageError> {
        let key = key.clone();
        let read = self.readers.read(move |connection| {
            let sql = format!(
                "SELECT {MESSAGE} FROM send_key AS s
                 JOIN message AS m ON m.session = s.session AND m.seq = s.seq JOIN chat AS c ON c.key = m.chat
                 WHERE s.session = {SESSION} AND s.key = :key"
            );
            let values = named_params! { ":session": session.as_bytes(), ":key": key.as_str() };
            Ok(first(connection, &sql, values, message)?)
        });
        read.await
    }

    async fn pending(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        let read = self.readers.read(move |connection| {
            // Left to itself SQLite would walk through all messages of the session, for the same order.
            let sql = format!(
                "SELECT {MESSAGE} FROM message AS m INDEXED BY message_pending JOIN chat AS c ON c.key = m.chat
                 WHERE m.session = {SESSION} AND m.direction = 1 AND m.status = 0 ORDER BY m.seq LIMIT :limit"
            );
            let values = named_params! { ":session": session.as_bytes(), ":limit": limit };
            Ok(all(connection, &sql, values, message)?)
        });
        read.await
    }

    async fn untold_reads(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        let read = self.readers.read(move |connection| {
            let sql = format!(
                "SELECT {MESSAGE} FROM message AS m INDEXED BY message_untold JOIN chat AS c ON c.key = m.chat
                 WHERE m.session = {SESSION} AND m.unread = 2 ORDER BY m.seq LIMIT :limit"
            );
            let values = named_params! { ":session": session.as_bytes(), ":limit": limit };
            Ok(all(connection, &sql, values, message)?)
        });
        read.await
    }

    async fn search_messages(
        &self,
        query: &SearchQuery,
        after: Option<(SessionId, u64)>,
        limit: u32,
    ) -> Result<Vec<MessageHit>, StorageError> {
        let query = query.clone();
        self.readers.read(move |connection| search::messages(connection, &query, after, limit)).await
    }

    async fn search_contacts(
        &self,
        query: &SearchQuery,
        after: Option<&(SessionId, Address)>,
        limit: u32,
    ) -> Result<Vec<ContactHit>, StorageError> {
        let (query, after) = (query.clone(), after.cloned());
        self.readers.read(move |connection| search::contacts(connection, &query, after.as_ref(), limit)).await
    }
}
