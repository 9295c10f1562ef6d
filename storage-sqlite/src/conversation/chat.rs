//! Chats.

use rusqlite::{Row, params};
use seatport::conversation::{ChatKind, Coverage};
use seatport::leads::{Fact, PersonKey};
use seatport::storage::ChatNews;
use seatport::{Address, EventBody, Timestamp};

use super::Conversation;
use crate::codes::{Code, Text, millis, time};
use crate::error::Failure;
use crate::sql::{execute, first};

/// The recency of a chat without a message, see the schema.
pub(super) const NEVER: i64 = i64::MAX;

/// The place in the order of chats of one whose newest message has this time.
pub(super) fn recency(at: Option<Timestamp>) -> i64 {
    at.map_or(NEVER, |at| at.as_millis().saturating_neg().min(NEVER - 1))
}

/// A chat's row.
#[derive(Clone)]
pub(super) struct Thread {
    pub(super) key: i64,
    pub(super) address: Address,
    pub(super) kind: ChatKind,
    pub(super) listed: bool,
    pub(super) unread: u64,
    pub(super) waiting: u64,
    pub(super) last: Option<u64>,
    pub(super) recency: i64,
    pub(super) archived: bool,
    pub(super) muted_until: Option<Timestamp>,
    pub(super) coverage: Option<Coverage>,
    pub(super) person: Option<PersonKey>,
}

impl Thread {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (Text(address), Code(kind)) = (row.get(1)?, row.get(2)?);
        Ok(Self {
            key: row.get(0)?,
            address,
            kind,
            listed: row.get(3)?,
            unread: row.get(4)?,
            waiting: row.get(5)?,
            last: row.get(6)?,
            recency: row.get(7)?,
            archived: row.get(8)?,
            muted_until: time(row, 9)?,
            coverage: coverage(row, 10)?,
            person: row.get::<_, Option<[u8; 16]>>(12)?.map(PersonKey::from_bytes),
        })
    }

    /// What people see of it, its messages aside.
    fn details(&self) -> impl PartialEq + use<> {
        (self.listed, self.kind, self.archived, self.muted_until, self.coverage)
    }
}

/// The coverage in these two columns.
pub(super) fn coverage(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Coverage>> {
    let complete = row.get(column + 1)?;
    Ok(time(row, column)?.map(|oldest| Coverage { oldest, complete }))
}

impl Conversation<'_> {
    /// The chat with the address that counts for this one.
    pub(super) fn chat(&self, address: &Address) -> Result<Option<Thread>, Failure> {
        let sql = "SELECT key, address, kind, listed, unread, waiting, last, recency, archived, muted_until, oldest, complete,
                 person
             FROM chat WHERE session = ?1
               AND address = coalesce((SELECT canonical FROM alias WHERE session = ?1 AND address = ?2), ?2)";
        Ok(first(self.connection, sql, params![self.head.key, address.as_str()], Thread::read)?)
    }

    /// The same; one that is not there is added, and not listed yet.
    pub(super) fn chat_or_new(&self, address: &Address) -> Result<Thread, Failure> {
        if let Some(chat) = self.chat(address)? {
            return Ok(chat);
        }
        let address = self.canonical(address)?;
        let sql = "INSERT INTO chat (session, address, kind, listed) VALUES (?1, ?2, 0, 0)";
        execute(self.connection, sql, params![self.head.key, address.as_str()])?;
        Ok(Thread {
            key: self.connection.last_insert_rowid(),
            address,
            kind: ChatKind::Person,
            listed: false,
            unread: 0,
            waiting: 0,
            last: None,
            recency: NEVER,
            archived: false,
            muted_until: None,
            coverage: None,
            person: None,
        })
    }

    /// Writes what a message may change of a chat.
    pub(super) fn save_chat(&self, chat: &Thread) -> Result<(), Failure> {
        let sql =
            "UPDATE chat SET kind = ?2, listed = ?3, unread = ?4, waiting = ?5, last = ?6, recency = ?7, person = ?8
             WHERE key = ?1";
        let person = chat.person.as_ref().map(PersonKey::as_bytes);
        let (unread, waiting) = (chat.unread, chat.waiting);
        let values = params![chat.key, Code(chat.kind), chat.listed, unread, waiting, chat.last, chat.recency, person];
        execute(self.connection, sql, values)?;
        Ok(())
    }

    /// Writes what the network may say about a chat.
    pub(super) fn save_details(&self, chat: &Thread) -> Result<(), Failure> {
        let sql = "UPDATE chat SET archived = ?2, muted_until = ?3, oldest = ?4, complete = ?5 WHERE key = ?1";
        let (oldest, complete) = (chat.coverage.map(|c| c.oldest), chat.coverage.is_some_and(|c| c.complete));
        let values = params![chat.key, chat.archived, millis(chat.muted_until), millis(oldest), complete];
        execute(self.connection, sql, values)?;
        Ok(())
    }

    /// Keeps what the network says about a chat.
    pub(crate) fn update_chat(&mut self, news: &ChatNews) -> Result<(), Failure> {
        let ChatNews { update, person } = news;
        let before = self.chat_or_new(&update.address)?;
        let mut chat = before.clone();
        chat.listed = true;
        chat.kind = update.kind;
        chat.archived = update.archived.unwrap_or(chat.archived);
        chat.muted_until = update.muted_until.unwrap_or(chat.muted_until);
        chat.coverage = chat.coverage.into_iter().chain(update.coverage).reduce(|known, more| Coverage {
            oldest: known.oldest.min(more.oldest),
            complete: known.complete || more.complete,
        });
        if let Some(person) = person {
            self.is_with(&mut chat, *person)?;
            if let Some(at) = update.active_at {
                self.tell(person, &Fact::Known { at })?;
            }
        }
        let changed = chat.details() != before.details();
        if changed || chat.person != before.person {
            self.save_chat(&chat)?;
            self.save_details(&chat)?;
        }
        if changed {
            self.event(&EventBody::ChatChanged { chat: chat.address })?;
        }
        Ok(())
    }

    /// Notes whom a chat is with. If that person was known by another key, the ledger has to learn that the two are one.
    pub(super) fn is_with(&self, chat: &mut Thread, person: PersonKey) -> Result<(), Failure> {
        match chat.person.replace(person) {
            Some(before) if before != person => self.same_person(&before, &person),
            _ => Ok(()),
        }
    }
}
