//! What was read, and what of it the network is to be told.

use rusqlite::params;
use seatport::storage::ReadMark;
use seatport::{Address, EventBody, MessageId};

use super::Conversation;
use crate::error::Failure;
use crate::sql::{execute, first};

/// What the column `unread` says: read, and the network knows or need not.
pub(super) const READ: i64 = 0;
/// Nobody has read it.
pub(super) const UNREAD: i64 = 1;
/// Read here, and the network is to be told.
pub(super) const UNTOLD: i64 = 2;

impl Conversation<'_> {
    /// Marks the unread messages of a chat as read, in the order of their places.
    pub(crate) fn mark_read(&mut self, mark: &ReadMark) -> Result<(), Failure> {
        // Nothing is unread in most chats that are marked.
        let Some(mut chat) = self.chat(&mark.chat)?.filter(|chat| chat.unread > 0) else { return Ok(()) };
        let up_to = match &mark.up_to {
            None => Some(i64::MAX),
            Some(id) => {
                let sql = "SELECT seq FROM message WHERE chat = ?1 AND id = ?2";
                first(self.connection, sql, params![chat.key, id.as_str()], |row| row.get(0))?
            }
        };
        let Some(up_to) = up_to else { return Ok(()) };
        let sql = "UPDATE message SET unread = ?3 WHERE chat = ?1 AND unread = 1 AND seq <= ?2";
        let reading = if mark.tell { UNTOLD } else { READ };
        let read = execute(self.connection, sql, params![chat.key, up_to, reading])? as u64;
        if read == 0 {
            return Ok(());
        }
        chat.unread = chat.unread.saturating_sub(read);
        self.head.counters.unread = self.head.counters.unread.saturating_sub(read);
        execute(self.connection, "UPDATE chat SET unread = ?2 WHERE key = ?1", params![chat.key, chat.unread])?;
        self.event(&EventBody::ChatRead { chat: chat.address })
    }

    /// The network knows that this message was read.
    pub(crate) fn told(&self, chat: &Address, id: &MessageId) -> Result<(), Failure> {
        let Some(chat) = self.chat(chat)? else { return Ok(()) };
        let sql = "UPDATE message SET unread = 0 WHERE chat = ?1 AND id = ?2 AND unread = 2";
        execute(self.connection, sql, params![chat.key, id.as_str()])?;
        Ok(())
    }
}
