//! The storage's methods that read conversations: one statement each, but for the searches.

use async_trait::async_trait;
use futures_util::FutureExt;
use seatport::conversation::{Chat, ChatCursor, Contact, ContactHit, MessageHit, SearchQuery, StoredMessage};
use seatport::storage::{ConversationStore, Edge, Page, StorageError};
use seatport::{Address, MessageId, SendKey, SessionId};

use super::columns::{CHAT, CONTACT, IN_CHAT, MESSAGE, WITH_ITS_OWN, chat, contact, message};
use super::recency;
use crate::PostgresStorage;
use crate::codes::{Count, Id};
use crate::page::List;
use crate::search;
use crate::sql::{all, first};

/// The key of a session's row; its id is the first parameter.
const SESSION: &str = "(SELECT key FROM session WHERE id = $1)";

/// The address that counts for the second parameter.
const CANONICAL: &str = "coalesce((SELECT canonical FROM alias
    WHERE session = (SELECT key FROM session WHERE id = $1) AND address = $2), $2)";

/// The key of the row of the chat with that address.
fn chat_key() -> String {
    format!("(SELECT key FROM chat WHERE session = {SESSION} AND address = {CANONICAL})")
}

#[async_trait]
impl ConversationStore for PostgresStorage {
    async fn contacts(&self, session: SessionId, page: Page<Address>) -> Result<Vec<Contact>, StorageError> {
        let page = page.map(String::from);
        let read = self.read((Id(session), page), |on, (session, page)| {
            async move {
                let select = format!("SELECT {CONTACT} FROM contact AS k WHERE k.session = {SESSION}");
                let list = List { select: &select, by: &["k.address"], descending: false };
                list.part(on, page, vec![session], |address| vec![address], contact).await
            }
            .boxed()
        });
        read.await
    }

    async fn contact(&self, session: SessionId, address: &Address) -> Result<Option<Contact>, StorageError> {
        let read = self.read((Id(session), address.as_str()), |on, (session, address)| {
            async move {
                let sql = format!(
                    "SELECT {CONTACT} FROM contact AS k WHERE k.session = {SESSION} AND k.address = {CANONICAL}"
                );
                first(on, &sql, &[session, address], contact).await
            }
            .boxed()
        });
        read.await
    }

    async fn chats(&self, session: SessionId, page: Page<ChatCursor>) -> Result<Vec<Chat>, StorageError> {
        let page = page.map(|cursor| (recency(cursor.at), String::from(cursor.address)));
        let read = self.read((Id(session), page), |on, (session, page)| {
            async move {
                let select = format!(
                    "SELECT {MESSAGE}, {CHAT} FROM chat AS c {WITH_ITS_OWN} WHERE c.session = {SESSION} AND c.listed = 1"
                );
                let list = List { select: &select, by: &["c.recency", "c.address"], descending: false };
                list.part(on, page, vec![session], |(at, address)| vec![at, address], chat).await
            }
            .boxed()
        });
        read.await
    }

    async fn chat(&self, session: SessionId, address: &Address) -> Result<Option<Chat>, StorageError> {
        let read = self.read((Id(session), address.as_str()), |on, (session, address)| {
            async move {
                let sql = format!(
                    "SELECT {MESSAGE}, {CHAT} FROM chat AS c {WITH_ITS_OWN}
                     WHERE c.session = {SESSION} AND c.address = {CANONICAL} AND c.listed = 1"
                );
                first(on, &sql, &[session, address], chat).await
            }
            .boxed()
        });
        read.await
    }

    async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        page: Page<u64>,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let read = self.read((Id(session), chat.as_str(), page), |on, (session, chat, page)| {
            async move {
                let (place, backwards) = match page.edge {
                    Edge::First => (None, false),
                    Edge::After(place) => (Some(Count(place)), false),
                    Edge::Before(place) => (Some(Count(place)), true),
                    Edge::Last => (None, true),
                };
                let (chat_key, limit) = (chat_key(), i64::from(page.limit));
                let (way, sign) = if backwards { ("ASC", ">") } else { ("DESC", "<") };
                // Before and after a place of another chat, or of none, there is nothing: its time is null.
                let beyond = format!(
                    "AND (m.at, m.seq) {sign} ((
                         SELECT e.at FROM message AS e WHERE e.session = {SESSION} AND e.seq = $4 AND e.chat = {chat_key}
                     ), $4)"
                );
                let beyond = if place.is_some() { beyond.as_str() } else { "" };
                let sql = format!(
                    "SELECT {MESSAGE} FROM message AS m {IN_CHAT} WHERE m.chat = {chat_key} {beyond}
                     ORDER BY m.at {way}, m.seq {way} LIMIT $3"
                );
                let mut part = match &place {
                    Some(place) => all(on, &sql, &[session, chat, &limit, place], message).await?,
                    None => all(on, &sql, &[session, chat, &limit], message).await?,
                };
                if backwards {
                    part.reverse();
                }
                Ok(part)
            }
            .boxed()
        });
        read.await
    }

    async fn message(
        &self,
        session: SessionId,
        chat: &Address,
        id: &MessageId,
    ) -> Result<Option<StoredMessage>, StorageError> {
        let read = self.read((Id(session), chat.as_str(), id.as_str()), |on, (session, chat, id)| {
            async move {
                let chat_key = chat_key();
                let sql =
                    format!("SELECT {MESSAGE} FROM message AS m {IN_CHAT} WHERE m.chat = {chat_key} AND m.id = $3");
                first(on, &sql, &[session, chat, id], message).await
            }
            .boxed()
        });
        read.await
    }

    async fn keyed(&self, session: SessionId, key: &SendKey) -> Result<Option<StoredMessage>, StorageError> {
        let read = self.read((Id(session), key.as_str()), |on, (session, key)| {
            async move {
                let sql = format!(
                    "SELECT {MESSAGE} FROM message AS m {IN_CHAT} WHERE m.session = {SESSION}
                       AND m.seq = (SELECT seq FROM send_key WHERE session = {SESSION} AND key = $2)"
                );
                first(on, &sql, &[session, key], message).await
            }
            .boxed()
        });
        read.await
    }

    async fn pending(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        let read = self.read((Id(session), i64::from(limit)), |on, (session, limit)| {
            async move {
                let sql = format!(
                    "SELECT {MESSAGE} FROM message AS m {IN_CHAT}
                     WHERE m.session = {SESSION} AND m.direction = 1 AND m.status = 0 ORDER BY m.seq LIMIT $2"
                );
                all(on, &sql, &[session, limit], message).await
            }
            .boxed()
        });
        read.await
    }

    async fn untold_reads(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        let read = self.read((Id(session), i64::from(limit)), |on, (session, limit)| {
            async move {
                let sql = format!(
                    "SELECT {MESSAGE} FROM message AS m {IN_CHAT}
                     WHERE m.session = {SESSION} AND m.unread = 2 ORDER BY m.seq LIMIT $2"
                );
                all(on, &sql, &[session, limit], message).await
            }
            .boxed()
        });
        read.await
    }

    async fn search_messages(
        &self,
        query: &SearchQuery,
        after: Option<(SessionId, u64)>,
        limit: u32,
    ) -> Result<Vec<MessageHit>, StorageError> {
        let read = self.read((query, after, limit), |on, (query, after, limit)| {
            search::messages(on, query, *after, *limit).boxed()
        });
        read.await
    }

    async fn search_contacts(
        &self,
        query: &SearchQuery,
        after: Option<&(SessionId, Address)>,
        limit: u32,
    ) -> Result<Vec<ContactHit>, StorageError> {
        let read = self.read((query, after, limit), |on, (query, after, limit)| {
            search::contacts(on, query, *after, *limit).boxed()
        });
        read.await
    }
}

#[cfg(test)]
mod tests;
