//! Exporting a session: everything that is kept of its conversations, as lines of JSON.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Desk;
use crate::audit::Outcome;
use crate::clock::Timestamp;
use crate::conversation::{Chat, ChatCursor, Contact, StoredMessage};
use crate::error::Error;
use crate::ids::{Address, MessageId, SessionId};
use crate::policy::Action;
use crate::session::Card;
use crate::storage::{Page, StorageError, StorageErrorKind};

/// What the first line of every export says it is.
pub const EXPORT_FORMAT: &str = "seatport-session";
/// The version of the format. It changes when something changes its meaning or goes; something new may come at any time.
pub const EXPORT_VERSION: u32 = 1;

/// How many contacts, chats or messages are read at a time.
const PAGE: u32 = 500;

/// One line of an export.
///
/// The first is the header. Then come the contacts, by address; and then each chat, followed by its messages, the oldest first
/// (by their time, and then by their place). The end says how much there was: without it the export is not whole.
///
/// ```
/// use seatport::{EXPORT_FORMAT, ExportLine};
/// # let header = r#"{"end":{"contacts":0,"chats":0,"messages":0}}"#;
/// match serde_json::from_str::<ExportLine>(header)? {
///     ExportLine::Header(header) => assert_eq!((header.format.as_str(), header.version), (EXPORT_FORMAT, 1)),
///     ExportLine::Message(stored) => println!("{}: {:?}", stored.message.at, stored.message.content),
///     _ => {}
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportLine {
    /// What this is.
    Header(Box<ExportHeader>),
    /// Somebody the account knows.
    Contact(Box<Contact>),
    /// A chat, without its newest message: that is among those that follow.
    Chat(Box<Chat>),
    /// A message of the chat before.
    Message(Box<StoredMessage>),
    /// Nothing follows.
    End(ExportEnd),
}

/// The first line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportHeader {
    /// [`EXPORT_FORMAT`].
    pub format: String,
    /// [`EXPORT_VERSION`].
    pub version: u32,
    /// When it was begun.
    pub exported_at: Timestamp,
    /// The session and its account, as whoever exported it saw them.
    pub card: Card,
}

/// The last line of an export: how many lines of each kind came before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportEnd {
    /// Contacts.
    pub contacts: u64,
    /// Chats.
    pub chats: u64,
    /// Messages.
    pub messages: u64,
}

/// Reads a session's conversations, line by line, each a piece of JSON without a line end: see [`ExportLine`]. Made by
/// [`Desk::export_session`].
///
/// Everything that is there when it begins is in it; what comes while it is read may be in it or not. It holds a page at a
/// time, and the addresses of the chats it has written, however much history there is.
///
/// ```
/// use std::io::Write;
///
/// use seatport::{Desk, Error, SessionId};
///
/// async fn keep_and_delete(desk: &Desk, session: SessionId, path: &str) -> Result<(), Box<dyn std::error::Error>> {
///     let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
///     let mut export = desk.export_session(session).await?;
///     while let Some(line) = export.next().await? {
///         writeln!(file, "{line}")?;
///     }
///     file.into_inner()?.sync_all()?; // on the disk, before it is gone from the database
///     Ok(desk.delete(session).await?)
/// }
/// ```
pub struct Export {
    desk: Desk,
    session: SessionId,
    stage: Stage,
    lines: VecDeque<ExportLine>,
    counted: ExportEnd,
    /// Chats whose turn has not come yet, and those that are written.
    chats: VecDeque<Address>,
    written: BTreeSet<Address>,
    /// The chats before this one are still to be listed.
    listed: Option<ChatCursor>,
}

/// What is read next.
enum Stage {
    Header,
    /// Contacts after this one.
    Contacts(Option<Address>),
    /// The next chat.
    Chats,
    /// Messages of this chat, those that are newer than this one.
    Messages(Address, Option<(u64, MessageId)>),
    Over,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("session", &self.session).field("so_far", &self.counted).finish_non_exhaustive()
    }
}

impl Desk {
    /// Begins to export a session: its card, contacts, chats and messages, to be written to a file, say, before it is deleted.
    /// In whatever state it is. It holds what people said, and where the transport says so the keys to their media: keep it as
    /// well as the database.
    ///
    /// # Errors
    /// [`Error::UnknownSession`].
    pub async fn export_session(&self, session: SessionId) -> Result<Export, Error> {
        self.admit_to(Action::Export, session).await?;
        self.node().storage.record(self.line(Action::Export, Some(session), Outcome::Done)).await?;
        Ok(Export {
            desk: self.clone(),
            session,
            stage: Stage::Header,
            lines: VecDeque::new(),
            counted: ExportEnd::default(),
            chats: VecDeque::new(),
            written: BTreeSet::new(),
            listed: None,
        })
    }
}

impl Export {
    /// The next line; none after the last one. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::UnknownSession`] once the session was deleted; [`Error::Denied`] once the agent lost sight of it;
    /// [`Error::UnknownAgent`] once the agent was removed; [`Error::ShutDown`] once the node ends; [`Error::Storage`] when the
    /// storage fails, and then the call may be repeated.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        while self.lines.is_empty() {
            if matches!(self.stage, Stage::Over) {
                return Ok(None);
            }
            self.read_on().await?;
        }
        let line = self.lines.front().map(serde_json::to_string).transpose().map_err(|error| {
            StorageError::new(StorageErrorKind::Corrupt, "a row cannot be written as JSON; restore a backup")
                .caused_by(error)
        })?;
        match self.lines.pop_front() {
            Some(ExportLine::Contact(_)) => self.counted.contacts += 1,
            Some(ExportLine::Chat(_)) => self.counted.chats += 1,
            Some(ExportLine::Message(_)) => self.counted.messages += 1,
            _ => {}
        }
        Ok(line)
    }

    /// Reads the next page. Whatever it changes, it changes after the last wait: a call that is dropped has done nothing.
    async fn read_on(&mut self) -> Result<(), Error> {
        let (agent, stored) = self.desk.admit_to(Action::Export, self.session).await?;
        let storage = &self.desk.node().storage;
        match &self.stage {
            Stage::Header => {
                self.lines.push_back(ExportLine::Header(Box::new(ExportHeader {
                    format: EXPORT_FORMAT.to_owned(),
                    version: EXPORT_VERSION,
                    exported_at: self.desk.node().now(),
                    card: self.desk.card_of(&agent, stored),
                })));
                self.stage = Stage::Contacts(None);
            }
            Stage::Contacts(after) => {
                let page = after.clone().map_or(Page::first(PAGE), |after| Page::after(after, PAGE));
                let contacts = storage.contacts(self.session, page).await?;
                self.stage = match contacts.last() {
                    Some(last) => Stage::Contacts(Some(last.address.clone())),
                    None => Stage::Chats,
                };
                self.lines.extend(contacts.into_iter().map(|contact| ExportLine::Contact(Box::new(contact))));
            }
            Stage::Chats => match self.chats.front() {
                Some(next) => {
                    let chat = storage.chat(self.session, next).await?;
                    self.chats.pop_front();
                    // It may have become one with another chat, or have been met before.
                    if let Some(chat) = chat.filter(|chat| self.written.insert(chat.address.clone())) {
                        self.stage = Stage::Messages(chat.address.clone(), None);
                        self.lines.push_back(ExportLine::Chat(Box::new(Chat { last: None, ..chat })));
                    }
                }
                None => self.list_chats().await?,
            },
            Stage::Messages(chat, last) => {
                let page = last.as_ref().map_or(Page::last(PAGE), |(place, _)| Page::before(*place, PAGE));
                let messages = storage.messages(self.session, chat, page).await?;
                let newest = match (messages.first(), last) {
                    (Some(newest), _) => Some((newest.seq, newest.message.id.clone())),
                    // Nothing newer: unless it moved to another place, when its chat became one with another.
                    (None, Some((place, id))) => {
                        let now_at = storage.message(self.session, chat, id).await?.map(|stored| stored.seq);
                        now_at.filter(|now_at| now_at != place).map(|now_at| (now_at, id.clone()))
                    }
                    (None, None) => None,
                };
                self.stage = match newest {
                    Some(newest) => Stage::Messages(chat.clone(), Some(newest)),
                    None => Stage::Chats,
                };
                self.lines.extend(messages.into_iter().rev().map(|stored| ExportLine::Message(Box::new(stored))));
            }
            Stage::Over => {}
        }
        Ok(())
    }

    /// Lists chats from the end of the list: a chat that gets a message meanwhile moves to the front, and so is met again and
    /// not passed over.
    async fn list_chats(&mut self) -> Result<(), Error> {
        let page = self.listed.clone().map_or(Page::last(PAGE), |listed| Page::before(listed, PAGE));
        let chats = self.desk.node().storage.chats(self.session, page).await?;
        match chats.first() {
            Some(first) => self.listed = Some(first.cursor()),
            None => {
                // Whoever deletes the session while the chats were listed has not made an empty list of them.
                self.desk.admit_to(Action::Export, self.session).await?;
                self.lines.push_back(ExportLine::End(self.counted));
                self.stage = Stage::Over;
            }
        }
        self.chats.extend(chats.into_iter().rev().map(|chat| chat.address));
        Ok(())
    }
}
