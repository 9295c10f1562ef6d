//! What was read, and what of it the network is to be told.

use seatport::storage::ReadMark;
use seatport::{Address, EventBody, MessageId};

use super::{Conversation, Talk};
use seatport::storage::Coded;

use crate::codes::{Code, Count};
use crate::error::Failure;
use crate::sql::{Connection, execute};

/// Whether a message was read, from the first of these to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reading {
    /// By nobody.
    Unread,
    /// Here, and the network is to be told.
    Untold,
    /// And the network knows, or need not.
    Read,
}

impl Coded for Reading {
    const CODES: &'static [(i16, Self)] = &[(0, Self::Read), (1, Self::Unread), (2, Self::Untold)];
}

impl Conversation<'_> {
    /// Marks the unread messages of a chat as read, in the order of their places.
    pub(super) fn mark_read(&mut self, mark: &ReadMark) {
        let chat = self.canonical(&mark.chat).clone();
        let Some(thread) = self.talk.chats.get_mut(&chat) else { return };
        let up_to = match &mark.up_to {
            None => Some(u64::MAX),
            Some(id) => thread.messages.get(id).map(|kept| kept.place),
        };
        let Some(up_to) = up_to else { return };
        let reading = if mark.tell { Reading::Untold } else { Reading::Read };
        let newly_read = thread.unread_places.extract_if(..=up_to, |_| true).map(|place| (place, reading));
        let before = thread.unread;
        for (place, reading) in newly_read {
            thread.readings.insert(place, reading);
            thread.unread = thread.unread.saturating_sub(1);
        }
        let read = before - thread.unread;
        if read > 0 {
            thread.changed = true;
            self.head.counters.unread = self.head.counters.unread.saturating_sub(read);
            self.event(EventBody::ChatRead { chat });
        }
    }

    /// The network knows that this message was read.
    pub(super) fn told(&mut self, chat: &Address, id: &MessageId) {
        let chat = self.canonical(chat).clone();
        let Some(thread) = self.talk.chats.get_mut(&chat) else { return };
        let Some(kept) = thread.messages.get(id) else { return };
        if thread.readings.get(&kept.place).copied().unwrap_or(kept.reading) == Reading::Untold {
            thread.readings.insert(kept.place, Reading::Read);
        }
    }
}

/// The statement that [`write`] runs.
pub(super) const WRITE: &str = "UPDATE message AS m SET unread = u.unread
     FROM UNNEST($1::bigint[], $2::bigint[], $3::smallint[]) AS u (session, seq, unread)
     WHERE m.session = u.session AND m.seq = u.seq";

/// Writes what was read of the messages that were stored before.
pub(super) async fn write<'a>(on: &Connection, talks: impl Iterator<Item = &'a Talk>) -> Result<(), Failure> {
    let (mut session, mut seq, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for talk in talks {
        let readings = talk.chats.values().flat_map(|thread| &thread.readings);
        for (place, reading) in readings.filter(|(place, _)| **place <= talk.last_stored) {
            session.push(talk.key);
            seq.push(Count(*place));
            unread.push(Code(*reading));
        }
    }
    if session.is_empty() {
        return Ok(());
    }
    execute(on, WRITE, &[&session, &seq, &unread]).await?;
    Ok(())
}
