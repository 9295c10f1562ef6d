//! Contacts, chats and messages. Readable whatever state the session is in.

use super::{Desk, MAX_PAGE, limited};
use crate::conversation::{Author, Chat, Contact, Content, Direction, Message, MessageStatus, StoredMessage};
use crate::error::Error;
use crate::ids::{Address, MessageId, SessionId};
use crate::policy::Action;
use crate::runtime::mail::Mail;
use crate::session::CardStatus;
use crate::storage::{Expect, Incoming, MessagePage, ReadMark, SessionCommit, StoredSession};
use crate::text::multi_line;

/// The longest text that can be sent, in bytes of UTF-8; WhatsApp takes 65,536 characters.
const MAX_TEXT_BYTES: usize = 65_536;
/// The network is told of at most so many newly read messages in one call.
const MAX_READ_RECEIPTS: u32 = 256;

impl Desk {
    /// Contacts by address, those after `after`, at most `limit`; a page never holds more than 1000.
    ///
    /// # Errors
    /// [`Error::UnknownSession`].
    pub async fn contacts(
        &self,
        session: SessionId,
        after: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Contact>, Error> {
        self.admit_to(Action::Read, session).await?;
        Ok(self.node().storage.contacts(session, after, limited(limit)?).await?)
    }

    /// Chats by address, those after `after`, at most `limit`; a page never holds more than 1000.
    ///
    /// # Errors
    /// [`Error::UnknownSession`].
    pub async fn chats(&self, session: SessionId, after: Option<&Address>, limit: u32) -> Result<Vec<Chat>, Error> {
        self.admit_to(Action::Read, session).await?;
        Ok(self.node().storage.chats(session, after, limited(limit)?).await?)
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

    /// Messages of a chat, newest first; a page never holds more than 1000. A chat that is not there has none.
    ///
    /// # Errors
    /// [`Error::UnknownSession`].
    pub async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        page: MessagePage,
    ) -> Result<Vec<StoredMessage>, Error> {
        self.admit_to(Action::Read, session).await?;
        let page = MessagePage { limit: limited(page.limit)?, ..page };
        Ok(self.node().storage.messages(session, chat, page).await?)
    }

    /// Marks everything that is stored of a chat as read, here and, if the session is online, on the network.
    ///
    /// # Errors
    /// [`Error::UnknownChat`].
    pub async fn mark_read(&self, session: SessionId, chat: &Address) -> Result<(), Error> {
        self.mark(session, chat, None).await
    }

    /// Marks a chat as read up to this message, the newest that was seen: what was stored after it stays unread.
    ///
    /// # Errors
    /// [`Error::UnknownChat`]; [`Error::UnknownMessage`] when the chat has no such message.
    pub async fn mark_read_up_to(&self, session: SessionId, chat: &Address, message: &MessageId) -> Result<(), Error> {
        self.mark(session, chat, Some(message)).await
    }

    async fn mark(&self, session: SessionId, chat: &Address, up_to: Option<&MessageId>) -> Result<(), Error> {
        self.admit_to(Action::MarkRead, session).await?;
        let storage = &self.node().storage;
        let look = async || storage.chat(session, chat).await?.ok_or_else(|| Error::UnknownChat(chat.clone()));
        let mut known = look().await?;
        let last = match up_to {
            None => u64::MAX,
            Some(id) => {
                let stored = storage.message(session, chat, id).await?;
                stored.ok_or_else(|| Error::UnknownMessage(id.clone()))?.seq
            }
        };
        // How many are unread, and which: from one moment, though messages may come while the desk looks.
        let (unread, newest) = loop {
            let unread = u32::try_from(known.unread).unwrap_or(u32::MAX).min(MAX_READ_RECEIPTS);
            let page = MessagePage::newest(unread.saturating_mul(2).min(MAX_PAGE));
            let newest = storage.messages(session, chat, page).await?;
            let again = look().await?;
            if again == known {
                break (unread, newest);
            }
            known = again;
        };
        self.change(Action::MarkRead, session, |stored| {
            let mut commit = SessionCommit::new(session, self.node().now(), Expect::Revision(stored.revision));
            commit.read.push(ReadMark { chat: chat.clone(), up_to: up_to.cloned() });
            Ok((known.unread > 0).then_some(commit))
        })
        .await?;
        // Unread are those that were stored last.
        let mut inbound: Vec<_> =
            newest.into_iter().filter(|stored| stored.message.direction == Direction::Inbound).collect();
        inbound.sort_by_key(|stored| std::cmp::Reverse(stored.seq));
        let messages: Vec<_> = inbound
            .into_iter()
            .take(unread as usize)
            .filter(|stored| stored.seq <= last)
            .map(|stored| (stored.message.id, stored.message.sender))
            .collect();
        if !messages.is_empty() {
            self.node().mail(session, Mail::MarkRead { chat: chat.clone(), messages });
        }
        Ok(())
    }

    /// Sends a text, to a chat that is there or to a new one. It is stored at once and handed to the network when the session
    /// is online; what becomes of it the message's status says: an address that the network does not know, for instance, is
    /// [`Failed`](MessageStatus::Failed). Answers its id.
    ///
    /// # Errors
    /// [`Error::NotSending`] unless the session is online, or connecting with an account that has logged in before, on a
    /// transport that is part of this host; [`Error::Invalid`] for an empty text, one over 64 KiB, or one with control
    /// characters other than line feed and tab.
    pub async fn send_text(
        &self,
        session: SessionId,
        chat: &Address,
        text: impl Into<String>,
    ) -> Result<MessageId, Error> {
        let text = text.into();
        let mut id = None;
        let change = |stored: &StoredSession| {
            let text = multi_line("text", text.clone(), 1, MAX_TEXT_BYTES)?;
            let status = stored.status();
            let account = match (&stored.record.facts.account, status) {
                (Some(account), CardStatus::Online | CardStatus::Connecting) => account,
                _ => return Err(Error::NotSending { session, state: status }),
            };
            let transport = self.node().transports.get(&stored.record.transport);
            let transport = transport.ok_or(Error::NotSending { session, state: status })?;
            let (now, fresh) = (self.node().now(), transport.new_message_id(&self.node().random)?);
            let mut commit = SessionCommit::new(session, now, Expect::Revision(stored.revision));
            commit.messages.push(Incoming {
                message: Message {
                    chat: chat.clone(),
                    id: fresh.clone(),
                    direction: Direction::Outbound,
                    sender: account.address.clone(),
                    author: Some(Author::Agent(self.agent.clone())),
                    content: Content::Text(text),
                    at: now,
                    status: MessageStatus::Pending,
                },
                sender_name: None,
            });
            id = Some(fresh);
            Ok(Some(commit))
        };
        self.change(Action::Send, session, change).await?;
        id.ok_or(Error::Contended(session))
    }
}
