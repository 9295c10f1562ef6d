//! What happens to messages after they were sent: edits, deletions, reactions.

use std::collections::BTreeMap;

use super::{Consequences, Conversations};
use crate::clock::Timestamp;
use crate::conversation::{Amendment, AmendmentChange, Content, Reaction, StoredMessage};
use crate::event::EventBody;
use crate::ids::{Address, MessageId};

/// Which of two changes counts: the later one, by time and then by id.
type Moment = (Timestamp, MessageId);

/// What became of one message, whether or not it is stored.
#[derive(Clone, Default)]
pub(super) struct Amendments {
    /// It was taken back, which is final: the rest is empty then.
    deleted: bool,
    /// The latest edit.
    edit: Option<(Moment, Content)>,
    /// The latest word of each sender; none if that takes the reaction away.
    reactions: BTreeMap<Address, (Moment, Option<String>)>,
}

impl Amendments {
    /// Shows a message with these changes.
    pub(super) fn apply(&self, shown: &mut StoredMessage) {
        if let Some(((at, _), content)) = &self.edit {
            shown.message.content = content.clone();
            shown.edited_at = Some(*at);
        }
        let reactions = self.reactions.iter().filter_map(|(sender, ((at, _), emoji))| {
            Some(Reaction { sender: sender.clone(), emoji: emoji.clone()?, at: *at })
        });
        shown.reactions = reactions.collect();
    }

    fn of(amendment: Amendment) -> Self {
        let moment = (amendment.at, amendment.id);
        match amendment.change {
            AmendmentChange::Delete => Self { deleted: true, ..Self::default() },
            AmendmentChange::Edit(content) => Self { edit: Some((moment, content)), ..Self::default() },
            AmendmentChange::React(emoji) => {
                Self { reactions: BTreeMap::from([(amendment.sender, (moment, emoji))]), ..Self::default() }
            }
        }
    }

    /// Adds what is known from elsewhere of the same message.
    pub(super) fn join(&mut self, other: Self) {
        if self.deleted || other.deleted {
            *self = Self { deleted: true, ..Self::default() };
            return;
        }
        if let Some(edit) = other.edit
            && self.edit.as_ref().is_none_or(|known| known.0 < edit.0)
        {
            self.edit = Some(edit);
        }
        for (sender, reaction) in other.reactions {
            self.react(sender, reaction);
        }
    }

    fn react(&mut self, sender: Address, reaction: (Moment, Option<String>)) {
        if self.reactions.get(&sender).is_none_or(|known| known.0 < reaction.0) {
            self.reactions.insert(sender, reaction);
        }
    }

    /// What one sender put under the message counts as another's from now on.
    pub(super) fn rename(&mut self, from: &Address, to: &Address) {
        if let Some(reaction) = self.reactions.remove(from) {
            self.react(to.clone(), reaction);
        }
    }
}

impl Conversations {
    /// Keeps a change of a message that is stored or still to come.
    pub(in crate::memory) fn amend(&mut self, mut amendment: Amendment, consequences: &mut Consequences) {
        let name = (self.canonical(&amendment.chat), amendment.target.clone());
        amendment.sender = self.canonical(&amendment.sender);

        let place = self.places.get(&name).copied();
        let before = place.and_then(|place| self.at(place));
        self.amendments.entry(name.clone()).or_default().join(Amendments::of(amendment));
        self.empty_if_deleted(&name);
        if place.and_then(|place| self.at(place)) != before {
            consequences.events.push(EventBody::MessageAmended { chat: name.0, id: name.1 });
        }
    }

    /// What a message said is not kept once it was taken back, be that before it came.
    pub(super) fn empty_if_deleted(&mut self, name: &(Address, MessageId)) {
        let place = self.places.get(name);
        if self.amendments.get(name).is_some_and(|amendments| amendments.deleted)
            && let Some(kept) = place.and_then(|place| self.messages.get_mut(place))
        {
            kept.message.content = Content::Deleted;
        }
    }
}
