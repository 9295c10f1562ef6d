//! Sending messages, and taking back what was not sent yet.

use std::time::Duration;

use super::Desk;
use crate::clock::Timestamp;
use crate::conversation::{
    Author, ChatKind, Content, Direction, Media, Message, MessageStatus, SendFailure, StoredMessage,
};
use crate::error::{Error, Invalid};
use crate::ids::{Address, MessageId, SendKey, SessionId};
use crate::lifecycle::Login;
use crate::policy::Action;
use crate::session::CardStatus;
use crate::storage::{Expect, Incoming, MessageUpdate, SessionCommit, StorageErrorKind, StoredSession};
use crate::text::{multi_line, single_line};

/// The longest text that can be sent, in bytes of UTF-8; WhatsApp takes 65,536 characters.
const MAX_TEXT_BYTES: usize = 65_536;
/// How far a node's clock may be behind others so that what is said here still comes after what is there.
const MOST_BEHIND: Duration = Duration::from_secs(2 * 3600);
/// The longest name of a file and the longest MIME type, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// How a message is to be sent. The default sends it once for each call, as an answer to nothing, and not from a stopped
/// session.
///
/// ```
/// use seatport::{SendKey, SendOptions, WhenStopped};
/// # fn f() -> Result<(), seatport::Invalid> {
/// let once = SendOptions::default().key(SendKey::new("order 17, confirmation")?);
/// let answer = SendOptions::default().quoting("3EB0A1".parse()?).when_stopped(WhenStopped::Queue);
/// assert_eq!(answer.key, None);
/// # let _ = once;
/// # Ok(())
/// # }
/// # f().unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Names the message, so that asking again does not send it again: the same key answers the message that was stored
    /// under it. A session remembers its keys as long as its messages.
    pub key: Option<SendKey>,
    /// The message it answers, in the same chat.
    pub quoted: Option<MessageId>,
    /// What to do when the session is not on its way to the network.
    pub when_stopped: WhenStopped,
}

impl SendOptions {
    /// The same under this key.
    #[must_use]
    pub fn key(self, key: SendKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The same as an answer to this message.
    #[must_use]
    pub fn quoting(self, message: MessageId) -> Self {
        Self { quoted: Some(message), ..self }
    }

    /// The same with another way to treat a session that is not on its way.
    #[must_use]
    pub fn when_stopped(self, when_stopped: WhenStopped) -> Self {
        Self { when_stopped, ..self }
    }
}

/// What to do with a message when the session will not connect by itself. It will while its card says
/// [`Online`](CardStatus::Online) or [`Connecting`](CardStatus::Connecting) and its account is
/// [logged in](Login::LoggedIn); then the message waits for the network in any case. One that is stopped, stopping, blocked,
/// or waits for somebody to scan a code will not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenStopped {
    /// The message is refused with [`Error::NotSending`].
    #[default]
    Refuse,
    /// The message is stored and waits until somebody starts the session or logs it in. It needs an account to be sent from:
    /// where none ever logged in it is refused all the same. Should another account take the session over, it is
    /// [cancelled](SendFailure::Cancelled).
    Queue,
}

impl Desk {
    /// Sends a text, to a chat that is there or to a new one. Answers its id.
    ///
    /// The message is stored at once, survives a restart, and is handed to the network when the session is online: each
    /// session's messages in the order in which they came, with a [pause](crate::Timing::send_every) after each. What becomes
    /// of it the message's status says: an address that the network does not know, for instance, is
    /// [`Failed`](MessageStatus::Failed).
    ///
    /// ```
    /// use seatport::{Address, Desk, Error, MessageId, SendKey, SendOptions, SessionId};
    ///
    /// /// However often the shop calls this, the customer reads it once.
    /// async fn confirm(desk: &Desk, session: SessionId, customer: &Address, order: u64) -> Result<MessageId, Error> {
    ///     let once = SendOptions::default().key(SendKey::new(format!("order {order}, confirmation"))?);
    ///     desk.send_text(session, customer, format!("Order {order} is on its way."), once).await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotSending`] when the session is not on its way to the network, as [`WhenStopped`] explains;
    /// [`Error::KeyReused`] when the key belongs to a message that goes to another chat or says something else;
    /// [`Error::UnknownMessage`] when the chat has no such message to quote; [`Error::UnknownTransport`] when the session's
    /// transport is not part of this host; [`Error::Invalid`] for an empty text, one over 64 KiB, or one with control
    /// characters other than line feed and tab.
    pub async fn send_text(
        &self,
        session: SessionId,
        chat: &Address,
        text: impl Into<String>,
        options: SendOptions,
    ) -> Result<MessageId, Error> {
        let text = text.into();
        let content = |_: &StoredSession| Ok(Content::Text(multi_line("text", text, 1, MAX_TEXT_BYTES)?));
        self.send(session, chat, content, options).await
    }

    /// Sends a picture, a recording, a file: what [`Media::reference`] names, in the form that the transport reads. Everything
    /// else is as for [`send_text`](Self::send_text).
    ///
    /// ```
    /// use seatport::conversation::{Media, MediaKind, MediaReference};
    /// use seatport::{Address, Desk, Error, MessageId, SendOptions, SessionId};
    ///
    /// async fn invoice(desk: &Desk, session: SessionId, customer: &Address) -> Result<MessageId, Error> {
    ///     let mut invoice = Media::new(MediaKind::Document, "application/pdf");
    ///     invoice.file_name = Some("invoice.pdf".to_owned());
    ///     invoice.caption = Some("for May".to_owned());
    ///     invoice.reference = Some(MediaReference::new("/srv/invoices/17.pdf"));
    ///     desk.send_media(session, customer, invoice, SendOptions::default()).await
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of [`send_text`](Self::send_text); [`Error::Unsupported`] when the network's transport sends no media;
    /// [`Error::Invalid`] for media without a reference, a MIME type that is none, an empty file name or one over 255 bytes, a
    /// caption that could not be sent as a text.
    pub async fn send_media(
        &self,
        session: SessionId,
        chat: &Address,
        media: Media,
        options: SendOptions,
    ) -> Result<MessageId, Error> {
        let content = |stored: &StoredSession| {
            let transport = self.transport(stored.record.transport.as_str())?;
            match transport.capabilities().media {
                true => Ok(Content::Media(checked(media)?)),
                false => Err(Error::Unsupported { transport: transport.name(), what: "send media" }),
            }
        };
        self.send(session, chat, content, options).await
    }

    /// Takes a message back that waits to be sent: it is [`Failed`](MessageStatus::Failed) from now on, because it was
    /// [cancelled](SendFailure::Cancelled). Cancelling it again changes nothing.
    ///
    /// One that is being handed to the network at this very moment may still arrive; then its status says so:
    /// [`Sent`](MessageStatus::Sent) or more.
    ///
    /// # Errors
    /// [`Error::AlreadySent`] when the network has taken or refused it, or it is not one of ours; [`Error::UnknownMessage`]
    /// when the chat has no such message.
    pub async fn cancel_send(&self, session: SessionId, chat: &Address, message: &MessageId) -> Result<(), Error> {
        self.admit_to(Action::Send, session).await?;
        let storage = &self.node().storage;
        let look = async || {
            let found = storage.message(session, chat, message).await?;
            found.ok_or_else(|| Error::UnknownMessage(message.clone()))
        };
        let found = look().await?;
        if found.message.status != MessageStatus::Pending {
            return cancelled(&found);
        }
        let change = |stored: &StoredSession| {
            let mut commit = SessionCommit::new(session, self.node().now(), Expect::Revision(stored.revision));
            commit.updates.push(MessageUpdate {
                chat: found.message.chat.clone(),
                id: message.clone(),
                status: MessageStatus::Failed,
                failure: Some(SendFailure::Cancelled),
            });
            Ok(Some(commit))
        };
        self.change(Action::Send, session, change).await?;
        // The network may have been faster.
        cancelled(&look().await?)
    }

    async fn send(
        &self,
        session: SessionId,
        chat: &Address,
        content: impl FnOnce(&StoredSession) -> Result<Content, Error>,
        options: SendOptions,
    ) -> Result<MessageId, Error> {
        let (_, stored) = self.admit_to(Action::Send, session).await?;
        let content = content(&stored)?;
        if let Some(id) = self.sent_before(session, chat, &content, options.key.as_ref()).await? {
            return Ok(id);
        }
        let transport = self.transport(stored.record.transport.as_str())?;
        let storage = &self.node().storage;
        if let Some(quoted) = &options.quoted {
            let known = storage.message(session, chat, quoted).await?;
            known.ok_or_else(|| Error::UnknownMessage(quoted.clone()))?;
        }
        let known = storage.chat(session, chat).await?;
        let (chat, kind) = match &known {
            Some(known) => (&known.address, known.kind),
            None => (chat, transport.chat_kind(chat)),
        };
        let last = known.as_ref().and_then(|known| known.last.as_ref()).map(|last| last.message.at);
        let phone = storage.contact(session, chat).await?.and_then(|contact| contact.phone);
        let person = self.node().people.person(&transport.name(), chat, phone.as_deref());
        let id = transport.new_message_id(&self.node().random)?;
        let change = |stored: &StoredSession| {
            let now = self.node().now();
            let mut commit = SessionCommit::new(session, now, Expect::Revision(stored.revision));
            let message = Message {
                chat: chat.clone(),
                id: id.clone(),
                direction: Direction::Outbound,
                sender: sender(stored, options.when_stopped)?,
                author: Some(Author::Agent(self.agent.clone())),
                content: content.clone(),
                at: said_at(now, last),
                status: MessageStatus::Pending,
                quoted: options.quoted.clone(),
            };
            let person = (kind == ChatKind::Person).then_some(person);
            commit.messages.push(Incoming { kind, person, key: options.key.clone(), ..Incoming::new(message) });
            Ok(Some(commit))
        };
        match self.change(Action::Send, session, change).await {
            Ok(_) => Ok(id),
            // Somebody used the key since it was looked up; most likely for this very message.
            Err(Error::Storage(error)) if error.kind() == StorageErrorKind::Exists => {
                let before = self.sent_before(session, chat, &content, options.key.as_ref()).await?;
                before.ok_or(Error::Contended(session))
            }
            Err(error) => Err(error),
        }
    }

    /// The message that was stored under this key, if it is the same one.
    async fn sent_before(
        &self,
        session: SessionId,
        chat: &Address,
        content: &Content,
        key: Option<&SendKey>,
    ) -> Result<Option<MessageId>, Error> {
        let Some(key) = key else { return Ok(None) };
        let storage = &self.node().storage;
        let Some(before) = storage.keyed(session, key).await? else { return Ok(None) };
        let id = before.message.id.clone();
        // The chat may have another address by now; whoever asks by the old one finds it all the same.
        let same_chat = storage.message(session, chat, &id).await?.is_some_and(|found| found.seq == before.seq);
        // What it said at first is not kept once it was edited or deleted.
        let rewritten = before.edited_at.is_some() || before.message.content == Content::Deleted;
        if same_chat && (rewritten || before.message.content == *content) {
            Ok(Some(id))
        } else {
            Err(Error::KeyReused { key: key.clone(), message: id })
        }
    }
}

/// The account that a message is sent from, if one can be sent now or later.
fn sender(stored: &StoredSession, when_stopped: WhenStopped) -> Result<Address, Error> {
    let (facts, status) = (&stored.record.facts, stored.status());
    let connects = matches!(status, CardStatus::Online | CardStatus::Connecting) && facts.login == Login::LoggedIn;
    let account = facts.account.as_ref().filter(|_| connects || when_stopped == WhenStopped::Queue);
    let account = account.ok_or(Error::NotSending { session: stored.record.id, state: status })?;
    Ok(account.address.clone())
}

/// When something is said now in a chat whose last message has this time. An answer comes after what it answers, also where
/// this node's clock is behind the network's, or behind that of the node where somebody wrote before: else it would stand in
/// front of it, and to the lead figures it would look as if we had written first.
fn said_at(now: Timestamp, last: Option<Timestamp>) -> Timestamp {
    let next = last.map(|last| last + Duration::from_millis(1));
    // A time that no clock shows, which the network may give to anything, is not followed.
    next.filter(|next| *next <= now + MOST_BEHIND).map_or(now, |next| next.max(now))
}

/// Whether it was cancelled.
fn cancelled(found: &StoredMessage) -> Result<(), Error> {
    match (found.message.status, &found.failure) {
        (MessageStatus::Failed, Some(SendFailure::Cancelled)) => Ok(()),
        (status, _) => Err(Error::AlreadySent { message: found.message.id.clone(), status }),
    }
}

/// The media, put together as it should be.
fn checked(media: Media) -> Result<Media, Invalid> {
    let mime_type = single_line("MIME type", media.mime_type, 1, MAX_NAME_BYTES)?;
    let mut parts = mime_type.splitn(2, '/');
    if !mime_type.is_ascii() || !(0..2).all(|_| parts.next().is_some_and(|part| !part.trim().is_empty())) {
        return Err(Invalid::new("MIME type", "not a type and a subtype", "write it like image/jpeg"));
    }
    if media.reference.as_ref().is_none_or(|reference| reference.as_str().is_empty()) {
        return Err(Invalid::new("media", "without a reference", "say where the transport reads the bytes from"));
    }
    let file_name = media.file_name.map(|name| single_line("file name", name, 1, MAX_NAME_BYTES)).transpose()?;
    let caption = media.caption.map(|text| multi_line("caption", text, 1, MAX_TEXT_BYTES)).transpose()?;
    Ok(Media { mime_type, file_name, caption, ..media })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_comes_after_what_was_said_before_unless_that_has_an_impossible_time() {
        let at = |second: i64| Timestamp::from_millis(second * 1000);
        let after = |second: i64| at(second) + Duration::from_millis(1);
        assert_eq!(said_at(at(10_000), None), at(10_000));
        assert_eq!(said_at(at(10_000), Some(at(9_000))), at(10_000));
        assert_eq!(said_at(at(10_000), Some(at(10_000))), after(10_000));
        assert_eq!(said_at(at(10_000), Some(at(13_600))), after(13_600));
        assert_eq!(said_at(at(10_000), Some(at(100_000))), at(10_000));
    }
}
