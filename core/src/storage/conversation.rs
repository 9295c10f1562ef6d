//! Contacts, chats and messages: reading them. They are written by [`SessionCommit`](super::SessionCommit).

use async_trait::async_trait;

use crate::conversation::{Chat, ChatCursor, Contact, ContactHit, MessageHit, SearchQuery, StoredMessage};
use crate::ids::{Address, MessageId, SendKey, SessionId};
use crate::storage::{Page, StorageError};

/// Conversations. All of it stays readable whatever state the session is in. An unknown session has none.
///
/// Wherever a chat or contact is asked for by an address that was [merged](super::Identity) into another one, that other one
/// is answered, under its own address.
#[async_trait]
pub trait ConversationStore {
    /// Contacts, in the order of their addresses.
    ///
    /// - Who ever sent an inbound message is there, and who was ever told of by a
    ///   [`ContactUpdate`](crate::conversation::ContactUpdate).
    /// - First and last seen are the earliest and latest time of the inbound messages, none without one.
    /// - The name is the one that was told last, of those that were told; and so are the other details.
    async fn contacts(&self, session: SessionId, page: Page<Address>) -> Result<Vec<Contact>, StorageError>;

    /// One contact, if there is one with this address.
    async fn contact(&self, session: SessionId, address: &Address) -> Result<Option<Contact>, StorageError>;

    /// Chats, those with the newest message first, then by address; those without a message last.
    ///
    /// - `name` is that of the contact with the chat's address: the saved one, or else its own.
    /// - `unread` counts the inbound messages that were not read; those of the [history](super::Incoming::historical) count
    ///   as read.
    /// - The sum of it over all chats is the session's `unread`.
    /// - A page goes by the cursor alone: it need not belong to a chat that is there.
    async fn chats(&self, session: SessionId, page: Page<ChatCursor>) -> Result<Vec<Chat>, StorageError>;

    /// One chat, if there is one with this address.
    async fn chat(&self, session: SessionId, address: &Address) -> Result<Option<Chat>, StorageError>;

    /// Messages of a chat, newest first: by time, then by place.
    ///
    /// - Pages over a chat that does not change show each message once, late arrivals with an old time in their place.
    /// - Before and after a place that holds no message of this chat there is nothing.
    async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        page: Page<u64>,
    ) -> Result<Vec<StoredMessage>, StorageError>;

    /// One message, if it is stored.
    async fn message(
        &self,
        session: SessionId,
        chat: &Address,
        id: &MessageId,
    ) -> Result<Option<StoredMessage>, StorageError>;

    /// The message that was stored under this idempotency key, if one was.
    async fn keyed(&self, session: SessionId, key: &SendKey) -> Result<Option<StoredMessage>, StorageError>;

    /// The outbound messages that the network has not taken yet (`Pending`), in the order of their places, at most `limit`.
    async fn pending(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError>;

    /// The inbound messages that were read here and whose network has not been told ([`ReadMark::tell`](super::ReadMark::tell)
    /// without [`SessionCommit::told`](super::SessionCommit::told)), in the order of their places, at most `limit`.
    async fn untold_reads(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError>;

    /// Messages whose [searchable](crate::conversation::Content::searchable) text, as it is now, contains each word of the
    /// query, letter case aside, at most `limit`.
    ///
    /// - Sessions in the order in which they were added to this storage, the last one first; in a session by place, the
    ///   newest first. Those after the message at `after`, a session and a place.
    /// - Words of any length are found anywhere in a text, in every script. A query without a word finds nothing.
    /// - What was edited is found by what it says now; what was deleted is not found.
    async fn search_messages(
        &self,
        query: &SearchQuery,
        after: Option<(SessionId, u64)>,
        limit: u32,
    ) -> Result<Vec<MessageHit>, StorageError>;

    /// Contacts whose names, phone number and address together contain each word of the query, letter case aside, at most
    /// `limit`.
    ///
    /// - Sessions in the order in which they were added to this storage, the last one first; in a session by address. Those
    ///   after the contact `after`.
    async fn search_contacts(
        &self,
        query: &SearchQuery,
        after: Option<&(SessionId, Address)>,
        limit: u32,
    ) -> Result<Vec<ContactHit>, StorageError>;
}
