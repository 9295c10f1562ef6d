//! Contacts, chats and messages: reading them, whatever state the session is in.

use super::Desk;
use crate::conversation::{Chat, Contact, StoredMessage};
use crate::error::SeatportError;
use crate::instance::all;
use crate::page::Page;

#[uniffi::export]
impl Desk {
    /// Contacts by address; a page never holds more than 1000. The place of a contact is its address.
    ///
    /// # Errors
    /// `Invalid` for a page of zero contacts.
    pub async fn contacts(&self, session: String, page: Page) -> Result<Vec<Contact>, SeatportError> {
        let (session, page) = (session.parse()?, page.of_contacts()?);
        self.run(move |desk| async move { Ok(all(desk.contacts(session, page).await?)) }).await
    }

    /// One contact.
    ///
    /// # Errors
    /// `UnknownContact`.
    pub async fn contact(&self, session: String, address: String) -> Result<Contact, SeatportError> {
        let (session, address) = (session.parse()?, address.parse()?);
        self.run(move |desk| async move { Ok(desk.contact(session, &address).await?.into()) }).await
    }

    /// Chats, those with the newest message first; a page never holds more than 1000. The place of a chat is its `cursor`.
    ///
    /// # Errors
    /// `Invalid` for a page of zero chats.
    pub async fn chats(&self, session: String, page: Page) -> Result<Vec<Chat>, SeatportError> {
        let (session, page) = (session.parse()?, page.of_chats()?);
        self.run(move |desk| async move { Ok(all(desk.chats(session, page).await?)) }).await
    }

    /// One chat.
    ///
    /// # Errors
    /// `UnknownChat`.
    pub async fn chat(&self, session: String, address: String) -> Result<Chat, SeatportError> {
        let (session, address) = (session.parse()?, address.parse()?);
        self.run(move |desk| async move { Ok(desk.chat(session, &address).await?.into()) }).await
    }

    /// Messages of a chat, newest first; a page never holds more than 1000. The place of a message is its `seq`, in decimal. A chat
    /// that is not there has none.
    ///
    /// # Errors
    /// `Invalid` for a page of zero messages.
    pub async fn messages(
        &self,
        session: String,
        chat: String,
        page: Page,
    ) -> Result<Vec<StoredMessage>, SeatportError> {
        let (session, chat, page) = (session.parse()?, chat.parse()?, page.of_messages()?);
        self.run(move |desk| async move { Ok(all(desk.messages(session, &chat, page).await?)) }).await
    }

    /// One message, if it is stored.
    ///
    /// # Errors
    /// `UnknownSession`.
    pub async fn message(
        &self,
        session: String,
        chat: String,
        id: String,
    ) -> Result<Option<StoredMessage>, SeatportError> {
        let (session, chat, id) = (session.parse()?, chat.parse()?, id.parse()?);
        self.run(move |desk| async move { Ok(desk.message(session, &chat, &id).await?.map(Into::into)) }).await
    }

    /// Marks a chat as read, here and on the network, as soon as that can be reached.
    ///
    /// # Errors
    /// `UnknownChat`.
    pub async fn mark_read(&self, session: String, chat: String) -> Result<(), SeatportError> {
        let (session, chat) = (session.parse()?, chat.parse()?);
        self.run(move |desk| async move { Ok(desk.mark_read(session, &chat).await?) }).await
    }

    /// Marks a chat as read up to this message: what came after it stays unread.
    ///
    /// # Errors
    /// `UnknownChat`, `UnknownMessage`.
    pub async fn mark_read_up_to(&self, session: String, chat: String, message: String) -> Result<(), SeatportError> {
        let (session, chat, message) = (session.parse()?, chat.parse()?, message.parse()?);
        self.run(move |desk| async move { Ok(desk.mark_read_up_to(session, &chat, &message).await?) }).await
    }
}
