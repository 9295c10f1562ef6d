//! The storage's methods that read conversations.

use async_trait::async_trait;

use super::Conversations;
use crate::conversation::{
    Chat, ChatCursor, Contact, ContactHit, Direction, MessageHit, MessageStatus, SearchQuery, StoredMessage,
};
use crate::ids::{Address, MessageId, SendKey, SessionId};
use crate::memory::{MemoryStorage, taken};
use crate::storage::{ConversationStore, Page, StorageError};

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
    async fn contacts(&self, session: SessionId, page: Page<Address>) -> Result<Vec<Contact>, StorageError> {
        self.conversations(session, |of| of.contact_page(&page))
    }

    async fn contact(&self, session: SessionId, address: &Address) -> Result<Option<Contact>, StorageError> {
        self.conversations(session, |of| of.contact(address))
    }

    async fn chats(&self, session: SessionId, page: Page<ChatCursor>) -> Result<Vec<Chat>, StorageError> {
        self.conversations(session, |of| of.chat_page(page))
    }

    async fn chat(&self, session: SessionId, address: &Address) -> Result<Option<Chat>, StorageError> {
        self.conversations(session, |of| of.chat(address))
    }

    async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        page: Page<u64>,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        self.conversations(session, |of| of.message_page(chat, &page).unwrap_or_default())
    }

    async fn message(
        &self,
        session: SessionId,
        chat: &Address,
        id: &MessageId,
    ) -> Result<Option<StoredMessage>, StorageError> {
        self.conversations(session, |of| of.place(chat, id).and_then(|place| of.at(place)))
    }

    async fn keyed(&self, session: SessionId, key: &SendKey) -> Result<Option<StoredMessage>, StorageError> {
        self.conversations(session, |of| of.keys.get(key).and_then(|place| of.at(*place)))
    }

    async fn pending(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        self.conversations(session, |of| {
            let pending = of.messages.iter().filter(|(_, kept)| {
                kept.message.direction == Direction::Outbound && kept.message.status == MessageStatus::Pending
            });
            taken(pending.filter_map(|(place, _)| of.at(*place)), limit)
        })
    }

    async fn untold_reads(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        self.conversations(session, |of| taken(of.untold.iter().filter_map(|place| of.at(*place)), limit))
    }

    async fn search_messages(
        &self,
        query: &SearchQuery,
        after: Option<(SessionId, u64)>,
        limit: u32,
    ) -> Result<Vec<MessageHit>, StorageError> {
        Ok(self.open()?.search_messages(query, after, limit))
    }

    async fn search_contacts(
        &self,
        query: &SearchQuery,
        after: Option<&(SessionId, Address)>,
        limit: u32,
    ) -> Result<Vec<ContactHit>, StorageError> {
        Ok(self.open()?.search_contacts(query, after, limit))
    }
}
