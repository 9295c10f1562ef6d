//! Contacts.

use std::collections::hash_map::Entry;

use seatport::conversation::{Contact, ContactUpdate};
use seatport::{Address, EventBody, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Conversation, Talk};
use crate::codes::{At, Free};
use crate::error::Failure;
use crate::sql::{Connection, execute};

/// A contact, and the key of its row if it has one.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) key: Option<i64>,
    pub(super) contact: Contact,
    /// The times of the first and the latest message changed.
    pub(super) seen: bool,
    /// What else is known changed.
    pub(super) changed: bool,
}

/// The earlier of two times, as far as they are known.
pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

impl Person {
    /// The columns `key, phone, name, saved_name, avatar, first_seen, last_seen` from the given one on; none if they are those of
    /// no row.
    pub(super) fn read(row: &Row, column: usize, address: &Address) -> Result<Option<Self>, Failure> {
        let Some(key) = row.try_get(column)? else { return Ok(None) };
        let text = |column| Ok::<_, Failure>(row.try_get::<_, Option<Free<String>>>(column)?.map(|Free(text)| text));
        let time = |column| Ok::<_, Failure>(row.try_get::<_, Option<At>>(column)?.map(|At(time)| time));
        let contact = Contact {
            address: address.clone(),
            phone: text(column + 1)?,
            name: text(column + 2)?,
            saved_name: text(column + 3)?,
            avatar: text(column + 4)?,
            first_seen: time(column + 5)?,
            last_seen: time(column + 6)?,
        };
        Ok(Some(Self { key: Some(key), contact, seen: false, changed: false }))
    }

    /// One that is to be added.
    fn new(address: Address) -> Self {
        Self { key: None, contact: Contact::unknown(address), seen: false, changed: true }
    }
}

impl Conversation<'_> {
    /// Notes that this person wrote at this time.
    pub(super) fn meet(&mut self, address: &Address, name: Option<&str>, at: Timestamp) {
        let entry = self.talk.contacts.entry(address.clone());
        let person = entry.or_insert_with(|| Person::new(address.clone()));
        let contact = &mut person.contact;
        if let Some(name) = name
            && contact.name.as_deref() != Some(name)
        {
            contact.name = Some(name.to_owned());
            person.changed = true;
        }
        let before = (contact.first_seen, contact.last_seen);
        contact.first_seen = earlier(contact.first_seen, Some(at));
        contact.last_seen = contact.last_seen.max(Some(at));
        person.seen |= before != (contact.first_seen, contact.last_seen);
    }

    /// Keeps what the network says about a person.
    pub(super) fn update_contact(&mut self, update: &ContactUpdate) {
        let address = self.canonical(&update.address).clone();
        match self.talk.contacts.entry(address.clone()) {
            Entry::Vacant(nobody) => {
                let person = nobody.insert(Person::new(address));
                update.apply_to(&mut person.contact);
            }
            Entry::Occupied(mut known) => {
                let person = known.get_mut();
                if update.apply_to(&mut person.contact) {
                    person.changed = true;
                    self.event(EventBody::ContactChanged { address });
                }
            }
        }
    }
}

const INSERT: &str = "INSERT INTO contact (phone, name, saved_name, avatar, first_seen, last_seen, session, address)
     SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])";

const UPDATE: &str =
    "UPDATE contact AS k SET phone = u.phone, name = u.name, saved_name = u.saved_name, avatar = u.avatar,
         first_seen = u.first_seen, last_seen = u.last_seen
     FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
         AS u (phone, name, saved_name, avatar, first_seen, last_seen, key)
     WHERE k.key = u.key";

/// As little as there can be: it runs whenever somebody writes.
const SEEN: &str = "UPDATE contact AS k SET first_seen = u.first_seen, last_seen = u.last_seen
     FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[]) AS u (key, first_seen, last_seen) WHERE k.key = u.key";

/// The statements that [`write`] runs.
pub(super) const WRITES: [&str; 3] = [INSERT, UPDATE, SEEN];

/// Writes the rows of contacts that are new or changed.
pub(super) async fn write<'a>(on: &Connection, talks: impl Iterator<Item = &'a Talk> + Clone) -> Result<(), Failure> {
    let (mut new, mut changed, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for (talk, person) in talks.flat_map(|talk| talk.contacts.values().map(move |person| (talk, person))) {
        match person.key {
            None => new.push((talk.key, person)),
            Some(key) if person.changed => changed.push((key, person)),
            Some(key) if person.seen => seen.push((key, person)),
            Some(_) => (),
        }
    }
    changed.sort_unstable_by_key(|(key, _)| *key);
    seen.sort_unstable_by_key(|(key, _)| *key);
    new.sort_unstable_by_key(|(session, person)| (*session, &person.contact.address));
    let (insert, update) = (rows(on, INSERT, &new, true), rows(on, UPDATE, &changed, false));
    tokio::try_join!(biased; insert, update, rows_seen(on, &seen))?;
    Ok(())
}

/// The number of a row is its session's key if it is new, or else its own.
async fn rows(on: &Connection, sql: &str, rows: &[(i64, &Person)], new: bool) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let contacts = || rows.iter().map(|(_, person)| &person.contact);
    let phone: Vec<_> = contacts().map(|contact| contact.phone.as_deref().map(Free)).collect();
    let name: Vec<_> = contacts().map(|contact| contact.name.as_deref().map(Free)).collect();
    let saved_name: Vec<_> = contacts().map(|contact| contact.saved_name.as_deref().map(Free)).collect();
    let avatar: Vec<_> = contacts().map(|contact| contact.avatar.as_deref().map(Free)).collect();
    let first_seen: Vec<_> = contacts().map(|contact| contact.first_seen.map(At)).collect();
    let last_seen: Vec<_> = contacts().map(|contact| contact.last_seen.map(At)).collect();
    let number: Vec<_> = rows.iter().map(|(number, _)| *number).collect();
    let address: Vec<_> = contacts().map(|contact| contact.address.as_str()).collect();
    let mut values: Vec<&(dyn ToSql + Sync)> =
        vec![&phone, &name, &saved_name, &avatar, &first_seen, &last_seen, &number];
    if new {
        values.push(&address);
    }
    execute(on, sql, &values).await?;
    Ok(())
}

async fn rows_seen(on: &Connection, rows: &[(i64, &Person)]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let key: Vec<_> = rows.iter().map(|(key, _)| *key).collect();
    let first_seen: Vec<_> = rows.iter().map(|(_, person)| person.contact.first_seen.map(At)).collect();
    let last_seen: Vec<_> = rows.iter().map(|(_, person)| person.contact.last_seen.map(At)).collect();
    execute(on, SEEN, &[&key, &first_seen, &last_seen]).await?;
    Ok(())
}
