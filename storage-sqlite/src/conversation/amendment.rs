//! What happens to messages after they were sent: edits, deletions, reactions.
//!
//! Of what is kept of it, an edit is written into its message, and a reaction is read along with it. A change whose message
//! has not come yet waits: the chat counts those, so that storing a message looks for them only where there are any.

use rusqlite::{Row, params};
use seatport::conversation::{Amendment, AmendmentChange, Content, StoredMessage};
use seatport::{EventBody, MessageId, Timestamp};

use super::Conversation;
use super::chat::Thread;
use super::message::TAKEN_BACK;
use crate::codes::Json;
use crate::error::Failure;
use crate::search::index::text;
use crate::sql::{all, execute, first};

/// What the column `change` says.
const DELETE: i64 = 0;
const EDIT: i64 = 1;
const REACTION: i64 = 2;

/// A change as it is written.
pub(super) struct Change {
    pub(super) target: String,
    change: i64,
    /// Whose, if it is a reaction; or else empty.
    slot: String,
    at: i64,
    id: String,
    value: Option<String>,
}

/// What waits for a message.
#[derive(Default)]
pub(super) struct Waiting {
    count: u64,
    pub(super) deleted: bool,
    pub(super) edit: Option<(Timestamp, Content)>,
    pub(super) reacted: bool,
}

impl Change {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (target, change, slot) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Self { target, change, slot, at: row.get(3)?, id: row.get(4)?, value: row.get(5)? })
    }

    fn content(&self) -> Result<Content, Failure> {
        let text = self.value.as_deref().unwrap_or_default();
        Ok(serde_json::from_str(text)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, error.into()))?)
    }
}

impl Conversation<'_> {
    /// Keeps a change of a message that is stored or still to come.
    pub(crate) fn amend(&mut self, amendment: &Amendment) -> Result<(), Failure> {
        let mut chat = self.chat_or_new(&amendment.chat)?;
        let (change, slot, value) = match &amendment.change {
            AmendmentChange::Delete => (DELETE, String::new(), None),
            AmendmentChange::Edit(content) => {
                let content = serde_json::to_string(content);
                let content = content.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                (EDIT, String::new(), Some(content))
            }
            AmendmentChange::React(emoji) => (REACTION, self.canonical(&amendment.sender)?.into(), emoji.clone()),
        };
        let (target, at, id) = (amendment.target.as_str().to_owned(), amendment.at.as_millis(), amendment.id.as_str());
        let change = Change { target, change, slot, at, id: id.to_owned(), value };
        let before = self.stored_in(&chat, &change.target)?;
        self.keep(&mut chat, &change)?;
        if before.is_some() && self.stored_in(&chat, &change.target)? != before {
            self.event(&EventBody::MessageAmended { chat: chat.address, id: amendment.target.clone() })?;
        }
        Ok(())
    }

    fn stored_in(&self, chat: &Thread, id: &str) -> Result<Option<StoredMessage>, Failure> {
        let sql = "SELECT seq FROM message WHERE chat = ?1 AND id = ?2";
        match first(self.connection, sql, params![chat.key, id], |row| row.get(0))? {
            Some(place) => self.message_at(place),
            None => Ok(None),
        }
    }

    /// Keeps a change, and shows it in its message if that is stored.
    pub(super) fn keep(&self, chat: &mut Thread, change: &Change) -> Result<(), Failure> {
        let sql = "SELECT seq, body FROM message WHERE chat = ?1 AND id = ?2";
        let found = first(self.connection, sql, params![chat.key, change.target], |row| {
            Ok((row.get::<_, u64>(0)?, row.get::<_, i64>(1)?))
        })?;
        match found {
            None => self.wait(chat, change),
            Some((_, TAKEN_BACK)) => Ok(()),
            Some((place, _)) if change.change == DELETE => self.take_back(chat, place, &change.target),
            Some((place, _)) => {
                if self.put(chat, change, false)? {
                    self.show(chat, place, &change.target)?;
                }
                Ok(())
            }
        }
    }

    /// Keeps a change until its message comes.
    fn wait(&self, chat: &mut Thread, change: &Change) -> Result<(), Failure> {
        let sql = "SELECT count(*), count(*) FILTER (WHERE change = 0) FROM amendment WHERE chat = ?1 AND target = ?2";
        let counts = |row: &Row<'_>| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?));
        let before = first(self.connection, sql, params![chat.key, change.target], counts)?.unwrap_or_default();
        if before.1 > 0 {
            // It was taken back, which is final.
            return Ok(());
        }
        if change.change == DELETE {
            self.drop_changes(chat, &change.target)?;
        }
        self.put(chat, change, true)?;
        let after = first(self.connection, sql, params![chat.key, change.target], counts)?.unwrap_or_default();
        chat.waiting = chat.waiting + after.0 - before.0;
        self.save_waiting(chat)
    }

    /// Writes a change unless there is a later one in its place; answers whether it did.
    fn put(&self, chat: &Thread, change: &Change, waits: bool) -> Result<bool, Failure> {
        let sql = "INSERT INTO amendment (chat, target, change, slot, at, id, waits, value)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET at = excluded.at, id = excluded.id, value = excluded.value
             WHERE (excluded.at, excluded.id) > (at, id)";
        let Change { target, change, slot, at, id, value } = change;
        let values = params![chat.key, target, change, slot, at, id, waits, value];
        Ok(execute(self.connection, sql, values)? > 0)
    }

    /// Writes into a stored message what its changes make of it.
    pub(super) fn show(&self, chat: &Thread, place: u64, target: &str) -> Result<(), Failure> {
        let changes = self.changes(chat, target)?;
        if changes.iter().any(|change| change.change == REACTION) {
            let sql = "UPDATE message SET reacted = 1 WHERE session = ?1 AND seq = ?2 AND reacted = 0";
            execute(self.connection, sql, params![self.head.key, place])?;
        }
        let Some(edit) = changes.iter().find(|change| change.change == EDIT) else { return Ok(()) };
        let content = edit.content()?;
        let before = self.content_at(place)?;
        let sql = "UPDATE message SET content = ?3, edited_at = ?4 WHERE session = ?1 AND seq = ?2";
        execute(self.connection, sql, params![self.head.key, place, Json(&content), edit.at])?;
        self.index_message(place, &text(&before), &text(&content))
    }

    /// Empties a stored message; nothing of its content, edits and reactions is kept.
    pub(super) fn take_back(&self, chat: &Thread, place: u64, target: &str) -> Result<(), Failure> {
        let before = self.content_at(place)?;
        self.drop_changes(chat, target)?;
        let sql =
            "UPDATE message SET content = ?3, body = 2, edited_at = NULL, reacted = 0 WHERE session = ?1 AND seq = ?2";
        execute(self.connection, sql, params![self.head.key, place, Json(&Content::Deleted)])?;
        self.index_message(place, &text(&before), "")
    }

    pub(super) fn content_at(&self, place: u64) -> Result<Content, Failure> {
        let sql = "SELECT content FROM message WHERE session = ?1 AND seq = ?2";
        let found = first(self.connection, sql, params![self.head.key, place], |row| row.get(0))?;
        // It was found by its place a moment ago, in this transaction.
        Ok(found.map_or(Content::Deleted, |Json(content)| content))
    }

    fn changes(&self, chat: &Thread, target: &str) -> Result<Vec<Change>, Failure> {
        let sql = "SELECT target, change, slot, at, id, value FROM amendment WHERE chat = ?1 AND target = ?2";
        Ok(all(self.connection, sql, params![chat.key, target], Change::read)?)
    }

    fn drop_changes(&self, chat: &Thread, target: &str) -> Result<(), Failure> {
        execute(self.connection, "DELETE FROM amendment WHERE chat = ?1 AND target = ?2", params![chat.key, target])?;
        Ok(())
    }

    fn save_waiting(&self, chat: &Thread) -> Result<(), Failure> {
        execute(self.connection, "UPDATE chat SET waiting = ?2 WHERE key = ?1", params![chat.key, chat.waiting])?;
        Ok(())
    }

    /// What waits for a message that is about to be stored, if it is not there yet.
    pub(super) fn waiting_for(&self, chat: &Thread, target: &MessageId) -> Result<Waiting, Failure> {
        let mut waiting = Waiting::default();
        if chat.waiting == 0 {
            return Ok(waiting);
        }
        let sql =
            "SELECT target, change, slot, at, id, value FROM amendment WHERE chat = ?1 AND target = ?2 AND waits = 1";
        for change in all(self.connection, sql, params![chat.key, target.as_str()], Change::read)? {
            waiting.count += 1;
            match change.change {
                DELETE => waiting.deleted = true,
                EDIT => waiting.edit = Some((Timestamp::from_millis(change.at), change.content()?)),
                _ => waiting.reacted = true,
            }
        }
        Ok(waiting)
    }

    /// The message has come and shows what waited for it.
    pub(super) fn apply_waiting(
        &self,
        chat: &mut Thread,
        target: &MessageId,
        waiting: &Waiting,
    ) -> Result<(), Failure> {
        if waiting.count == 0 {
            return Ok(());
        }
        chat.waiting -= waiting.count;
        if waiting.deleted {
            return self.drop_changes(chat, target.as_str());
        }
        let sql = "UPDATE amendment SET waits = 0 WHERE chat = ?1 AND target = ?2";
        execute(self.connection, sql, params![chat.key, target.as_str()])?;
        Ok(())
    }

    /// Takes all changes out of a chat, or those that wait.
    pub(super) fn take_changes(&self, chat: &mut Thread, only_waiting: bool) -> Result<Vec<Change>, Failure> {
        if only_waiting && chat.waiting == 0 {
            return Ok(Vec::new());
        }
        let sql = "DELETE FROM amendment WHERE chat = ?1 AND waits >= ?2 RETURNING target, change, slot, at, id, value";
        let changes = all(self.connection, sql, params![chat.key, only_waiting], Change::read)?;
        chat.waiting = 0;
        self.save_waiting(chat)?;
        Ok(changes)
    }
}
