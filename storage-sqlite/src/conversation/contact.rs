//! Contacts.

use rusqlite::params;
use seatport::conversation::{Contact, ContactUpdate};
use seatport::{Address, EventBody, Timestamp};

use super::{CONTACT, Conversation, columns};
use crate::codes::millis;
use crate::error::Failure;
use crate::sql::{execute, first};

/// The earlier of two times, as far as they are known.
pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

impl Conversation<'_> {
    /// The contact with the address that counts for this one, and the key of its row.
    pub(super) fn contact(&self, address: &Address) -> Result<Option<(i64, Contact)>, Failure> {
        let sql = format!(
            "SELECT {CONTACT}, k.key FROM contact AS k WHERE session = ?1
               AND address = coalesce((SELECT canonical FROM alias WHERE session = ?1 AND address = ?2), ?2)"
        );
        let values = params![self.head.key, address.as_str()];
        Ok(first(self.connection, &sql, values, |row| Ok((row.get(7)?, columns::contact(row)?)))?)
    }

    /// Notes that this person wrote at this time.
    pub(super) fn meet(&self, address: &Address, name: Option<&str>, at: Timestamp) -> Result<(), Failure> {
        let Some((key, before)) = self.contact(address)? else {
            let name = name.map(ToOwned::to_owned);
            let address = self.canonical(address)?;
            return self.add_contact(&Contact {
                name,
                first_seen: Some(at),
                last_seen: Some(at),
                ..Contact::unknown(address)
            });
        };
        if name.is_some_and(|name| before.name.as_deref() != Some(name)) {
            let contact = Contact {
                name: name.map(ToOwned::to_owned),
                first_seen: earlier(before.first_seen, Some(at)),
                last_seen: before.last_seen.max(Some(at)),
                ..before.clone()
            };
            return self.put_contact(key, &before, &contact);
        }
        // As cheap as it can be: it happens with every message that comes in.
        if before.last_seen < Some(at) || before.first_seen.is_none_or(|first| at < first) {
            let (first, last) = (earlier(before.first_seen, Some(at)), before.last_seen.max(Some(at)));
            let sql = "UPDATE contact SET first_seen = ?2, last_seen = ?3 WHERE key = ?1";
            execute(self.connection, sql, params![key, millis(first), millis(last)])?;
        }
        Ok(())
    }

    /// Keeps what the network says about a person.
    pub(crate) fn update_contact(&mut self, update: &ContactUpdate) -> Result<(), Failure> {
        let Some((key, before)) = self.contact(&update.address)? else {
            let mut contact = Contact::unknown(self.canonical(&update.address)?);
            update.apply_to(&mut contact);
            return self.add_contact(&contact);
        };
        let mut contact = before.clone();
        if !update.apply_to(&mut contact) {
            return Ok(());
        }
        self.put_contact(key, &before, &contact)?;
        self.event(&EventBody::ContactChanged { address: contact.address })
    }

    fn add_contact(&self, contact: &Contact) -> Result<(), Failure> {
        let sql = "INSERT INTO contact (session, address, phone, name, saved_name, avatar, first_seen, last_seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let Contact { address, phone, name, saved_name, avatar, first_seen, last_seen } = contact;
        let (first_seen, last_seen) = (millis(*first_seen), millis(*last_seen));
        let session = self.head.key;
        let values = params![session, address.as_str(), phone, name, saved_name, avatar, first_seen, last_seen];
        execute(self.connection, sql, values)?;
        self.index_contact(self.connection.last_insert_rowid(), None, Some(contact))
    }

    /// Replaces a contact's row.
    pub(super) fn put_contact(&self, key: i64, before: &Contact, contact: &Contact) -> Result<(), Failure> {
        let sql =
            "UPDATE contact SET address = ?2, phone = ?3, name = ?4, saved_name = ?5, avatar = ?6, first_seen = ?7,
                 last_seen = ?8
             WHERE key = ?1";
        let Contact { address, phone, name, saved_name, avatar, first_seen, last_seen } = contact;
        let (first_seen, last_seen) = (millis(*first_seen), millis(*last_seen));
        let values = params![key, address.as_str(), phone, name, saved_name, avatar, first_seen, last_seen];
        execute(self.connection, sql, values)?;
        self.index_contact(key, Some(before), Some(contact))
    }

    /// Removes a contact's row.
    pub(super) fn remove_contact(&self, key: i64, contact: &Contact) -> Result<(), Failure> {
        execute(self.connection, "DELETE FROM contact WHERE key = ?1", [key])?;
        self.index_contact(key, Some(contact), None)
    }
}
