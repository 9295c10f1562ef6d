//! Contacts, chats and messages. A commit writes them through [`Conversation`]; [`reading`] reads them.

mod amendment;
mod chat;
mod columns;
mod contact;
mod identity;
mod message;
mod read_mark;
mod reading;

use rusqlite::{Connection, params};
use seatport::conversation::Contact;
use seatport::leads::{Fact, PersonKey, ledger};
use seatport::{Address, EventBody, Timestamp};

use crate::codes::Text;
use crate::error::Failure;
use crate::head::Head;
use crate::ledger::Ledger;
use crate::search::index::{self, CONTACTS, MESSAGES, Texts};
use crate::sql::{first, integer};

pub(crate) use columns::{MESSAGE, contact, message as stored_message};

/// The columns that [`contact`](contact()) reads.
pub(crate) const CONTACT: &str = "k.address, k.phone, k.name, k.saved_name, k.avatar, k.first_seen, k.last_seen";

/// The conversations of one session, inside the writer's transaction.
pub(crate) struct Conversation<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) texts: &'a Texts,
    pub(crate) head: &'a mut Head,
    /// The time of the commit.
    pub(crate) at: Timestamp,
}

impl Conversation<'_> {
    fn event(&mut self, body: &EventBody) -> Result<(), Failure> {
        self.head.add_event(self.connection, self.at, body)
    }

    /// The text of the message at this place changes; an empty one is none.
    fn index_message(&self, place: u64, before: &str, after: &str) -> Result<(), Failure> {
        if self.head.indexed.place.is_some_and(|last| place > last) {
            return Ok(());
        }
        MESSAGES.replace(self.texts, index::number(self.head.key, integer(place)), before, after)
    }

    /// The text of the contact with this key changes.
    fn index_contact(&self, key: i64, before: Option<&Contact>, after: Option<&Contact>) -> Result<(), Failure> {
        let end = self.head.indexed.address.as_deref();
        let text = |contact: Option<&Contact>| {
            let indexed = contact.filter(|contact| end.is_none_or(|end| contact.address.as_str() < end));
            indexed.map(Contact::searchable).unwrap_or_default()
        };
        CONTACTS.replace(self.texts, index::number(self.head.key, key), &text(before), &text(after))
    }

    /// Tells the ledger what happened between a person and this session.
    fn tell(&self, person: &PersonKey, fact: &Fact) -> Result<(), Failure> {
        let mut ledger = Ledger::new(self.connection);
        ledger::record(&mut ledger, person, self.head.id, self.head.first_login, fact, self.at)
    }

    /// Tells the ledger that two keys are one person's.
    fn same_person(&self, one: &PersonKey, other: &PersonKey) -> Result<(), Failure> {
        ledger::same_person(&mut Ledger::new(self.connection), one, other, self.at)
    }

    /// The address that counts: itself, unless it was given up.
    fn canonical(&self, address: &Address) -> Result<Address, Failure> {
        let sql = "SELECT canonical FROM alias WHERE session = ?1 AND address = ?2";
        let found = first(self.connection, sql, params![self.head.key, address.as_str()], |row| row.get(0))?;
        Ok(found.map_or_else(|| address.clone(), |Text(canonical)| canonical))
    }
}
