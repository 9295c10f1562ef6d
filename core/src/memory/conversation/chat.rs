//! Chats.

use std::collections::BTreeSet;

use super::{Consequences, Conversations};
use crate::clock::Timestamp;
use crate::conversation::{ChatKind, ChatUpdate, Coverage};
use crate::event::EventBody;
use crate::leads::{Fact, PersonKey};
use crate::memory::lead::Telling;
use crate::storage::ChatNews;

/// One chat: what is known of it, and which messages belong to it.
#[derive(Default)]
pub(super) struct Thread {
    pub(super) kind: ChatKind,
    pub(super) archived: bool,
    pub(super) muted_until: Option<Timestamp>,
    pub(super) coverage: Option<Coverage>,
    /// The person it is with, by the key that was told last.
    pub(super) person: Option<PersonKey>,
    /// Its messages, by time and then by place.
    pub(super) order: BTreeSet<(Timestamp, u64)>,
}

impl Thread {
    /// The places of its messages, the oldest first.
    pub(super) fn places(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.order.iter().map(|(_, place)| *place)
    }

    /// The time of the newest message.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.order.last().map(|(at, _)| *at)
    }

    /// Notes whom it is with. If that person was known by another key, the ledger has to learn that the two are one.
    pub(super) fn is_with(&mut self, person: PersonKey) -> Option<Telling> {
        let before = self.person.replace(person).filter(|before| *before != person)?;
        Some(Telling::SamePerson(before, person))
    }

    fn update(&mut self, update: &ChatUpdate) {
        self.kind = update.kind;
        self.archived = update.archived.unwrap_or(self.archived);
        self.muted_until = update.muted_until.unwrap_or(self.muted_until);
        self.coverage = self.coverage.into_iter().chain(update.coverage).reduce(|known, more| Coverage {
            oldest: known.oldest.min(more.oldest),
            complete: known.complete || more.complete,
        });
    }

    /// What people see of it, its messages aside.
    fn details(&self) -> impl PartialEq + use<> {
        (self.kind, self.archived, self.muted_until, self.coverage)
    }
}

impl Conversations {
    /// Keeps what the network says about a chat.
    pub(in crate::memory) fn update_chat(&mut self, news: ChatNews, consequences: &mut Consequences) {
        let ChatNews { update, person } = news;
        let address = self.canonical(&update.address);
        let before = self.chats.get(&address).map(Thread::details);
        let thread = self.chats.entry(address.clone()).or_default();
        thread.update(&update);
        if before != Some(thread.details()) {
            consequences.events.push(EventBody::ChatChanged { chat: address });
        }
        if let Some(person) = person {
            consequences.tellings.extend(thread.is_with(person));
            consequences.tellings.extend(update.active_at.map(|at| Telling::Fact(person, Fact::Known { at })));
        }
    }
}
