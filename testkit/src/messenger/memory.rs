//! What a phone knows of its account's past, and tells a newly linked device.

use std::collections::BTreeMap;

use seatport::conversation::{Amendment, ChatKind, ChatUpdate, ContactUpdate, Coverage};
use seatport::{Address, MessageId};

use super::parcel::{Letter, Parcel, Past};

/// Chats and people, as the phone shows them.
#[derive(Default)]
pub(super) struct Memory {
    chats: BTreeMap<Address, ChatMemory>,
    people: BTreeMap<Address, ContactUpdate>,
}

struct ChatMemory {
    known: ChatUpdate,
    /// By time, the oldest first.
    letters: Vec<Letter>,
}

impl Memory {
    /// Keeps what is delivered.
    pub(super) fn note(&mut self, parcel: &Parcel) {
        match parcel {
            Parcel::Messages(letters) => letters.iter().for_each(|letter| self.note_letter(letter)),
            Parcel::Amendments(amendments) => amendments.iter().for_each(|amendment| self.note_amendment(amendment)),
            Parcel::Contact(update) => self.note_contact(update),
            Parcel::Chat(update) => {
                let known = &mut self.chat(&update.address, update.kind).known;
                known.archived = update.archived.or(known.archived);
                known.muted_until = update.muted_until.or(known.muted_until);
            }
            Parcel::History(_) | Parcel::Identity { .. } | Parcel::Status { .. } | Parcel::Read { .. } => {}
        }
    }

    fn chat(&mut self, address: &Address, kind: ChatKind) -> &mut ChatMemory {
        self.chats
            .entry(address.clone())
            .or_insert_with(|| ChatMemory { known: ChatUpdate::new(address.clone(), kind), letters: Vec::new() })
    }

    fn note_letter(&mut self, letter: &Letter) {
        if !letter.from_account {
            self.note_contact(&ContactUpdate {
                name: letter.sender_name.clone(),
                ..ContactUpdate::new(letter.sender.clone())
            });
        }
        let chat = self.chat(&letter.chat, letter.kind);
        chat.known.phone = letter.phone.clone().or_else(|| chat.known.phone.clone());
        match chat.letters.iter_mut().rev().find(|known| known.id == letter.id) {
            Some(known) => known.content = letter.content.clone(),
            None => chat.letters.push(letter.clone()),
        }
    }

    fn note_amendment(&mut self, amendment: &Amendment) {
        let letters = self.chats.get_mut(&amendment.chat).map(|chat| chat.letters.as_mut_slice()).unwrap_or_default();
        if let Some(letter) = letters.iter_mut().find(|letter| letter.id == amendment.target) {
            letter.amend(&amendment.change);
        }
    }

    fn note_contact(&mut self, update: &ContactUpdate) {
        let known =
            self.people.entry(update.address.clone()).or_insert_with(|| ContactUpdate::new(update.address.clone()));
        known.phone = update.phone.clone().or_else(|| known.phone.take());
        known.name = update.name.clone().or_else(|| known.name.take());
        known.saved_name = update.saved_name.clone().or_else(|| known.saved_name.take());
        known.avatar = update.avatar.clone().or_else(|| known.avatar.take());
    }

    /// The newest message that came in from this chat.
    pub(super) fn newest(&self, chat: &Address) -> Option<MessageId> {
        let newest = self.chats.get(chat)?.letters.iter().rev().find(|letter| !letter.from_account);
        newest.map(|letter| letter.id.clone())
    }

    /// Whether there is a chat with this address.
    pub(super) fn knows(&self, chat: &Address) -> bool {
        self.chats.contains_key(chat)
    }

    /// All of it, in pieces of one chat each with at most so many messages, the newest first; the people come with the first
    /// piece.
    pub(super) fn pieces(&self, most: usize) -> Vec<Past> {
        let mut pieces = Vec::new();
        for chat in self.chats.values() {
            let newest_first: Vec<_> = chat.letters.iter().rev().cloned().collect();
            let mut left = newest_first.len();
            if left == 0 {
                pieces.push(Past { chats: vec![chat.known.clone()], ..Past::default() });
            }
            for messages in newest_first.chunks(most.max(1)) {
                left -= messages.len();
                let mut known = chat.known.clone();
                known.active_at = newest_first.first().map(|letter| letter.at);
                known.coverage = messages.last().map(|oldest| Coverage { oldest: oldest.at, complete: left == 0 });
                pieces.push(Past { messages: messages.to_vec(), chats: vec![known], ..Past::default() });
            }
        }
        if pieces.is_empty() && !self.people.is_empty() {
            pieces.push(Past::default());
        }
        if let Some(first) = pieces.first_mut() {
            first.contacts = self.people.values().cloned().collect();
        }
        let count = pieces.len();
        for (index, piece) in pieces.iter_mut().enumerate() {
            piece.progress = u8::try_from((index + 1) * 100 / count).unwrap_or(100);
        }
        pieces
    }
}
