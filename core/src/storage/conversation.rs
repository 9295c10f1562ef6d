//! Contacts, chats and messages: reading them. They are written by [`SessionCommit`](super::SessionCommit).

use async_trait::async_trait;

use crate::conversation::{Chat, Contact, StoredMessage};
use crate::ids::{Address, MessageId, SessionId};
use crate::storage::StorageError;

/// Which part of a chat: newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagePage {
    /// Those before the message at this place; from the newest if none.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

impl MessagePage {
    /// The newest `limit`.
    #[must_use]
    pub fn newest(limit: u32) -> Self {
        Self { before: None, limit }
    }

    /// The `limit` before the message at this place.
    #[must_use]
    pub fn before(seq: u64, limit: u32) -> Self {
        Self { before: Some(seq), limit }
    }
}

/// Conversations. All of it stays readable whatever state the session is in. An unknown session has none.
#[async_trait]
pub trait ConversationStore {
    /// Contacts by address, those after `after`, at most `limit`.
    ///
    /// - Who ever sent an inbound message is there; first and last seen are the earliest and latest time of those.
    /// - The name is the one that the message stored last told, of those that told one.
    async fn contacts(
        &self,
        session: SessionId,
        after: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Contact>, StorageError>;

    /// Chats by address, those after `after`, at most `limit`.
    ///
    /// - `name` is that of the contact with the chat's address.
    /// - `unread` counts the inbound messages stored after the read mark, in the order of places.
    /// - The sum of it over all chats is the session's `unread`.
    async fn chats(&self, session: SessionId, after: Option<&Address>, limit: u32) -> Result<Vec<Chat>, StorageError>;

    /// One chat, if there is one with this address.
    async fn chat(&self, session: SessionId, address: &Address) -> Result<Option<Chat>, StorageError>;

    /// Messages of a chat, newest first: by time, then by place.
    ///
    /// - Pages over a chat that does not change show each message once, late arrivals with an old time in their place.
    /// - Before a place that holds no message of this chat there is nothing.
    async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        page: MessagePage,
    ) -> Result<Vec<StoredMessage>, StorageError>;

    /// One message, if it is stored.
    async fn message(
        &self,
        session: SessionId,
        chat: &Address,
        id: &MessageId,
    ) -> Result<Option<StoredMessage>, StorageError>;

    /// The outbound messages that the network has not taken yet (`Pending`), in the order of their places, at most `limit`.
    async fn pending(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError>;
}
