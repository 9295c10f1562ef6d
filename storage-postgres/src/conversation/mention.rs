//! Which rows a batch of commits may touch: what they name.

use std::collections::HashMap;

use seatport::storage::SessionCommit;
use seatport::{Address, MessageId, SessionId};

/// What commits name, each once. The number of an address is its place in the list.
#[derive(Debug, Default)]
pub(super) struct Mentions<'a> {
    pub(super) addresses: Vec<Named<'a>>,
    /// Messages, by the number of the chat.
    pub(super) messages: Vec<Sought<'a>>,
    /// Chats that are marked as read, by number, and up to which message.
    pub(super) marks: Vec<(usize, Option<&'a MessageId>)>,
    numbers: HashMap<(SessionId, &'a Address), usize>,
    found: HashMap<(usize, &'a MessageId), usize>,
}

/// An address.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) session: SessionId,
    pub(super) address: &'a Address,
    /// Whether a chat is to be added under it if there is none.
    pub(super) adds: bool,
}

/// A message that may be stored.
#[derive(Debug)]
pub(super) struct Sought<'a> {
    pub(super) chat: usize,
    pub(super) id: &'a MessageId,
    /// Whether it is delivered: then it is most likely new.
    pub(super) delivered: bool,
    /// Whether it is amended, so that one has to know what it says and what was changed before.
    pub(super) amended: bool,
}

/// Why a message is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It is to be stored.
    Delivered,
    /// What it says changes. It may come later than that.
    Amended,
    /// It is told about.
    Known,
}

impl<'a> Mentions<'a> {
    pub(super) fn of(commits: &[&'a SessionCommit]) -> Self {
        let mut mentions = Self::default();
        commits.iter().for_each(|commit| mentions.add(commit));
        mentions
    }

    fn add(&mut self, commit: &'a SessionCommit) {
        let session = commit.session;
        for update in &commit.contacts {
            self.address(session, &update.address, false);
        }
        for news in &commit.chats {
            self.address(session, &news.update.address, true);
        }
        for incoming in &commit.messages {
            let message = &incoming.message;
            self.address(session, &message.sender, false);
            self.message(session, &message.chat, &message.id, Reason::Delivered);
        }
        for amendment in &commit.amendments {
            self.address(session, &amendment.sender, false);
            self.message(session, &amendment.chat, &amendment.target, Reason::Amended);
        }
        for update in &commit.updates {
            self.message(session, &update.chat, &update.id, Reason::Known);
        }
        for mark in &commit.read {
            let chat = match &mark.up_to {
                Some(id) => self.message(session, &mark.chat, id, Reason::Known),
                None => self.address(session, &mark.chat, false),
            };
            self.marks.push((chat, mark.up_to.as_ref()));
        }
        for (chat, id) in &commit.told {
            self.message(session, chat, id, Reason::Known);
        }
    }

    pub(super) fn address(&mut self, session: SessionId, address: &'a Address, adds: bool) -> usize {
        let number = *self.numbers.entry((session, address)).or_insert(self.addresses.len());
        match self.addresses.get_mut(number) {
            Some(named) => named.adds |= adds,
            None => self.addresses.push(Named { session, address, adds }),
        }
        number
    }

    /// Answers the number of the chat.
    pub(super) fn message(
        &mut self,
        session: SessionId,
        chat: &'a Address,
        id: &'a MessageId,
        reason: Reason,
    ) -> usize {
        let (delivered, amended) = (reason == Reason::Delivered, reason == Reason::Amended);
        let chat = self.address(session, chat, delivered || amended);
        let found = *self.found.entry((chat, id)).or_insert(self.messages.len());
        match self.messages.get_mut(found) {
            Some(sought) => {
                sought.delivered |= delivered;
                sought.amended |= amended;
            }
            None => self.messages.push(Sought { chat, id, delivered, amended }),
        }
        chat
    }
}
