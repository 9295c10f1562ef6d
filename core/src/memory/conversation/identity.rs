//! Two addresses turn out to be one person's.

use std::collections::btree_map::Entry;

use super::{Consequences, Conversations};
use crate::conversation::Contact;
use crate::event::EventBody;
use crate::ids::Address;
use crate::memory::lead::Telling;
use crate::storage::Identity;

impl Conversations {
    /// Keeps in mind that one address stands for another one from now on, and moves what is stored along.
    pub(in crate::memory) fn identify(&mut self, identity: Identity, consequences: &mut Consequences) {
        let Identity { address, canonical, persons } = identity;
        consequences.tellings.extend(persons.map(|persons| Telling::SamePerson(persons.alias, persons.person)));

        let canonical = self.canonical(&canonical);
        let done_before = self.aliases.get(&address) == Some(&canonical);
        // In a circle, the address is the end of it.
        if done_before || canonical == address {
            return;
        }
        for stands_for in self.aliases.values_mut().filter(|stands_for| **stands_for == address) {
            *stands_for = canonical.clone();
        }
        self.aliases.insert(address.clone(), canonical.clone());

        let moved_contact = self.move_contact(&address, &canonical);
        self.move_amendments(&address, &canonical);
        let moved_chat = self.move_chat(&address, &canonical);
        self.rename_sender(&address, &canonical);
        if moved_contact || moved_chat {
            consequences.events.push(EventBody::IdentityMerged { address, canonical });
        }
    }

    fn move_contact(&mut self, from: &Address, to: &Address) -> bool {
        let Some(contact) = self.contacts.remove(from) else { return false };
        match self.contacts.entry(to.clone()) {
            Entry::Occupied(mut known) => known.get_mut().join(contact),
            Entry::Vacant(nobody) => _ = nobody.insert(Contact { address: to.clone(), ..contact }),
        }
        true
    }

    fn move_chat(&mut self, from: &Address, to: &Address) -> bool {
        let Some(moved) = self.chats.remove(from) else { return false };
        let places: Vec<u64> = moved.places().collect();
        match self.chats.entry(to.clone()) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.person = known.person.or(moved.person);
                known.order.extend(moved.order);
            }
            Entry::Vacant(nothing) => _ = nothing.insert(moved),
        }
        places.into_iter().for_each(|place| self.move_message(place, to));
        true
    }

    /// Puts a message into another chat. Where that has it already, the one that was stored first stays.
    fn move_message(&mut self, place: u64, to: &Address) {
        let Some(kept) = self.messages.get_mut(&place) else { return };
        let id = kept.message.id.clone();
        let from = std::mem::replace(&mut kept.message.chat, to.clone());
        self.places.remove(&(from, id.clone()));
        let name = (to.clone(), id);
        let other = self.places.get(&name).copied().unwrap_or(place);
        let (first, last) = (place.min(other), place.max(other));
        self.places.insert(name.clone(), first);
        // Before it might be filled in: what was taken back under either address stays so.
        self.empty_if_deleted(&name);
        if first != last {
            self.drop_duplicate(last, first);
        }
    }

    /// Drops a message that is stored twice; it was read if either was.
    fn drop_duplicate(&mut self, dropped: u64, kept: u64) {
        let reading = self.reading(dropped).max(self.reading(kept));
        self.set_reading(kept, reading);
        self.unread.remove(&dropped);
        self.untold.remove(&dropped);
        self.keys.values_mut().filter(|place| **place == dropped).for_each(|place| *place = kept);
        let Some(gone) = self.messages.remove(&dropped) else { return };
        if let Some(thread) = self.chats.get_mut(&gone.message.chat) {
            thread.order.remove(&(gone.message.at, dropped));
        }
        if let Some(kept) = self.messages.get_mut(&kept) {
            kept.fill_in(gone.message);
        }
    }

    fn move_amendments(&mut self, from: &Address, to: &Address) {
        let moved: Vec<_> = self.amendments.extract_if(.., |(chat, _), _| chat == from).collect();
        for ((_, target), amendments) in moved {
            let name = (to.clone(), target);
            self.amendments.entry(name.clone()).or_default().join(amendments);
            self.empty_if_deleted(&name);
        }
    }

    /// What somebody said and put under messages in any chat is the other address's.
    fn rename_sender(&mut self, from: &Address, to: &Address) {
        for kept in self.messages.values_mut().filter(|kept| kept.message.sender == *from) {
            kept.message.sender = to.clone();
        }
        self.amendments.values_mut().for_each(|amendments| amendments.rename(from, to));
    }
}
