//! Contacts.

use super::{Consequences, Conversations};
use crate::clock::Timestamp;
use crate::conversation::{Contact, ContactUpdate};
use crate::event::EventBody;
use crate::ids::Address;

impl Contact {
    fn seen(&mut self, first: Option<Timestamp>, last: Option<Timestamp>) {
        self.first_seen = [self.first_seen, first].into_iter().flatten().min();
        self.last_seen = self.last_seen.max(last);
    }

    /// Adds what was known under another address, where nothing is known under this one.
    pub(super) fn join(&mut self, other: Self) {
        self.phone = self.phone.take().or(other.phone);
        self.name = self.name.take().or(other.name);
        self.saved_name = self.saved_name.take().or(other.saved_name);
        self.avatar = self.avatar.take().or(other.avatar);
        self.seen(other.first_seen, other.last_seen);
    }
}

impl Conversations {
    /// Notes that this person wrote at this time.
    pub(super) fn meet(&mut self, address: &Address, name: Option<String>, at: Timestamp) {
        let contact = self.contacts.entry(address.clone()).or_insert_with(|| Contact::unknown(address.clone()));
        contact.seen(Some(at), Some(at));
        contact.name = name.or(contact.name.take());
    }

    /// Keeps what the network says about a person.
    pub(in crate::memory) fn update_contact(&mut self, update: &ContactUpdate, consequences: &mut Consequences) {
        let address = self.canonical(&update.address);
        let is_new = !self.contacts.contains_key(&address);
        let contact = self.contacts.entry(address.clone()).or_insert_with(|| Contact::unknown(address.clone()));
        if update.apply_to(contact) && !is_new {
            consequences.events.push(EventBody::ContactChanged { address });
        }
    }
}
