//! Contacts, chats and messages: reading them. They are readable whatever state the session is in.

use super::{Desk, limited};
use crate::conversation::{Chat, ChatCursor, Contact, StoredMessage};
use crate::error::Error;
use crate::ids::{Address, MessageId, SessionId};
use crate::policy::Action;
use crate::storage::Page;

impl Desk {
    /// Contacts by address; a page never holds more than 1000.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a page of zero contacts.
    pub async fn contacts(&self, session: SessionId, page: Page<Address>) -> Result<Vec<Contact>, Error> {
        self.admit_to(Action::Read, session).await?;
        Ok(self.node().storage.contacts(session, limited(page)?).await?)
    }

    /// Chats, those with the newest message first; a page never holds more than 1000.
    ///
    /// ```
    /// use seatport::{Desk, Error, Page, SessionId};
    ///
    /// async fn all_with_unread(desk: &Desk, session: SessionId) -> Result<u64, Error> {
    ///     let (mut unread, mut page) = (0, Page::first(100));
    ///     loop {
    ///         let chats = desk.chats(session, page).await?;
    ///         let Some(last) = chats.last() else { return Ok(unread) };
    ///         page = Page::after(last.cursor(), 100);
    ///         unread += chats.iter().filter(|chat| chat.unread > 0).count() as u64;
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a page of zero chats.
    pub async fn chats(&self, session: SessionId, page: Page<ChatCursor>) -> Result<Vec<Chat>, Error> {
        self.admit_to(Action::Read, session).await?;
        Ok(self.node().storage.chats(session, limited(page)?).await?)
    }

    /// One chat.
    ///
    /// # Errors
    /// [`Error::UnknownChat`].
    pub async fn chat(&self, session: SessionId, address: &Address) -> Result<Chat, Error> {
        self.admit_to(Action::Read, session).await?;
        let chat = self.node().storage.chat(session, address).await?;
        chat.ok_or_else(|| Error::UnknownChat(address.clone()))
    }

    /// One message, if it is stored: what an [event](crate::EventBody::MessageStored) tells of, for instance.
    ///
    /// # Errors
    /// [`Error::UnknownSession`].
    pub async fn message(
        &self,
        session: SessionId,
        chat: &Address,
        id: &MessageId,
    ) -> Result<Option<StoredMessage>, Error> {
        self.admit_to(Action::Read, session).await?;
        Ok(self.node().storage.message(session, chat, id).await?)
    }

    /// Messages of a chat, newest first; a page never holds more than 1000, and goes by the
    /// [places](StoredMessage::seq) of messages. A chat that is not there has none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a page of zero messages.
    pub async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        page: Page<u64>,
    ) -> Result<Vec<StoredMessage>, Error> {
        self.admit_to(Action::Read, session).await?;
        Ok(self.node().storage.messages(session, chat, limited(page)?).await?)
    }
}
