//! Marking chats as read.

use super::Desk;
use crate::error::Error;
use crate::ids::{Address, MessageId, SessionId};
use crate::policy::Action;
use crate::storage::{Expect, ReadMark, SessionCommit, StoredSession};

impl Desk {
    /// Marks everything that is stored of a chat as read. The network is told too: when the session is online, and if need be
    /// after a restart. A chat without unread messages stays as it is.
    ///
    /// # Errors
    /// [`Error::UnknownChat`].
    pub async fn mark_read(&self, session: SessionId, chat: &Address) -> Result<(), Error> {
        self.mark(session, chat, None).await
    }

    /// Like [`mark_read`](Self::mark_read), up to this message, the newest that was seen: what was stored after it stays unread.
    ///
    /// # Errors
    /// [`Error::UnknownChat`]; [`Error::UnknownMessage`] when the chat has no such message.
    pub async fn mark_read_up_to(&self, session: SessionId, chat: &Address, message: &MessageId) -> Result<(), Error> {
        self.mark(session, chat, Some(message)).await
    }

    async fn mark(&self, session: SessionId, chat: &Address, up_to: Option<&MessageId>) -> Result<(), Error> {
        self.admit_to(Action::MarkRead, session).await?;
        let storage = &self.node().storage;
        let known = storage.chat(session, chat).await?.ok_or_else(|| Error::UnknownChat(chat.clone()))?;
        if let Some(id) = up_to {
            storage.message(session, chat, id).await?.ok_or_else(|| Error::UnknownMessage(id.clone()))?;
        }
        if known.unread == 0 {
            return Ok(());
        }
        let change = |stored: &StoredSession| {
            let mut commit = SessionCommit::new(session, self.node().now(), Expect::Revision(stored.revision));
            commit.read.push(ReadMark { chat: known.address.clone(), up_to: up_to.cloned(), tell: true });
            Ok(Some(commit))
        };
        self.change(Action::MarkRead, session, change).await.map(drop)
    }
}
