//! What was read, and what of it the network is to be told.

use super::{Consequences, Conversations};
use crate::event::EventBody;
use crate::ids::{Address, MessageId};
use crate::storage::ReadMark;

/// Whether a message was read, from the first of these to the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    /// By nobody.
    Unread,
    /// Here, and the network is to be told.
    Untold,
    /// And the network knows, or need not.
    Read,
}

impl Conversations {
    pub(super) fn reading(&self, place: u64) -> Reading {
        match () {
            () if self.unread.contains(&place) => Reading::Unread,
            () if self.untold.contains(&place) => Reading::Untold,
            () => Reading::Read,
        }
    }

    pub(super) fn set_reading(&mut self, place: u64, reading: Reading) {
        self.unread.remove(&place);
        self.untold.remove(&place);
        match reading {
            Reading::Unread => self.unread.insert(place),
            Reading::Untold => self.untold.insert(place),
            Reading::Read => true,
        };
    }

    /// Marks the unread messages of a chat as read, in the order of their places.
    pub(in crate::memory) fn mark_read(&mut self, mark: &ReadMark, consequences: &mut Consequences) {
        let chat = self.canonical(&mark.chat);
        let up_to = match &mark.up_to {
            None => Some(u64::MAX),
            Some(id) => self.place(&chat, id),
        };
        let Some((thread, up_to)) = self.chats.get(&chat).zip(up_to) else { return };
        let unread = thread.places().filter(|place| *place <= up_to && self.unread.contains(place));
        let newly_read: Vec<u64> = unread.collect();

        let reading = if mark.tell { Reading::Untold } else { Reading::Read };
        newly_read.iter().for_each(|place| self.set_reading(*place, reading));
        if !newly_read.is_empty() {
            consequences.events.push(EventBody::ChatRead { chat });
        }
    }

    /// The network knows that this message was read.
    pub(in crate::memory) fn told(&mut self, chat: &Address, id: &MessageId) {
        if let Some(place) = self.place(chat, id) {
            self.untold.remove(&place);
        }
    }
}
