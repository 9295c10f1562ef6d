//! Contacts, chats and messages.
//!
//! A batch of commits works on them in three steps, see [`Working`]: it loads whatever the commits name, in one round trip;
//! does to that, in memory and commit by commit, what the documentation of [`SessionCommit`] says; and writes what came of it, one
//! statement for all new rows of a table and one for all changed ones. So a message costs no statement of its own.
//!
//! Only a merge of two addresses is SQL of its own, see [`identity`]: it may move any number of rows, and it is rare.

mod amendment;
mod chat;
mod columns;
mod contact;
mod identity;
mod load;
mod mention;
mod message;
mod read_mark;
mod reading;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use seatport::storage::{SessionCommit, StorageError, StorageErrorKind};
use seatport::{Address, EventBody, SendKey, SessionId, Timestamp};

use crate::error::Failure;
use crate::head::Head;
use crate::ledger::{Telling, Told};

use chat::Thread;
use contact::Person;

pub(crate) use chat::recency;
pub(crate) use columns::{CONTACT, IN_CHAT, MESSAGE, MESSAGE_COLUMNS, contact, message};
pub(crate) use identity::identify;

/// The rows of conversations that a batch of commits touches: first as they were loaded, then as they are to be.
#[derive(Debug, Default)]
pub(crate) struct Working {
    talks: HashMap<SessionId, Talk>,
}

/// Those of one session.
#[derive(Debug, Default)]
struct Talk {
    /// The key of the session's row.
    key: i64,
    /// The last place that was given before the batch.
    last_stored: u64,
    /// What the addresses that were given up stand for.
    aliases: HashMap<Address, Address>,
    contacts: HashMap<Address, Person>,
    /// Those that are not there yet included.
    chats: HashMap<Address, Thread>,
    /// New ones, each with the place of its message.
    send_keys: BTreeMap<SendKey, u64>,
}

impl Talk {
    /// The address that counts: itself, unless it was given up.
    fn canonical<'a>(&'a self, address: &'a Address) -> &'a Address {
        self.aliases.get(address).unwrap_or(address)
    }

    /// A chat, whether or not it is there yet.
    fn thread(&mut self, chat: &Address) -> Result<&mut Thread, Failure> {
        let unloaded = || StorageError::new(StorageErrorKind::Other, "a chat that a commit names was not loaded");
        Ok(self.chats.get_mut(chat).ok_or_else(unloaded)?)
    }
}

/// What one commit changes in the conversations of its session.
struct Conversation<'a> {
    talk: &'a mut Talk,
    head: &'a mut Head,
    /// The time of the commit.
    at: Timestamp,
    told: &'a mut Vec<Told>,
}

impl Working {
    /// Whether a message that the batch stores has this idempotency key. That of a message that was known already is not kept.
    pub(crate) fn has_used(&self, session: SessionId, key: &SendKey) -> bool {
        self.talks.get(&session).is_some_and(|talk| talk.send_keys.contains_key(key))
    }

    /// Applies what a commit says about contacts, chats and messages, what was read included, after those that were applied
    /// before. Its identities are not among it: see [`identify`].
    pub(crate) fn apply(
        &mut self,
        head: &mut Head,
        commit: &SessionCommit,
        told: &mut Vec<Told>,
    ) -> Result<(), Failure> {
        let talk = self.talks.entry(head.id).or_default();
        if talk.key != head.key {
            (talk.key, talk.last_stored) = (head.key, head.counters.last_message);
        }
        let mut of = Conversation { talk, head, at: commit.at, told };
        commit.contacts.iter().for_each(|update| of.update_contact(update));
        commit.chats.iter().try_for_each(|news| of.update_chat(news))?;
        commit.messages.iter().try_for_each(|incoming| of.store(incoming))?;
        commit.amendments.iter().try_for_each(|amendment| of.amend(amendment))?;
        commit.updates.iter().for_each(|update| of.raise_status(update));
        commit.read.iter().for_each(|mark| of.mark_read(mark));
        commit.told.iter().for_each(|(chat, id)| of.told(chat, id));
        Ok(())
    }
}

impl Conversation<'_> {
    fn canonical<'a>(&'a self, address: &'a Address) -> &'a Address {
        self.talk.canonical(address)
    }

    fn event(&mut self, body: EventBody) {
        self.head.add_event(self.at, body);
    }

    fn tell(&mut self, telling: Option<Telling>) {
        let (session, first_login, at) = (self.head.id, self.head.first_login, self.at);
        self.told.extend(telling.map(|telling| Told { session, first_login, at, telling }));
    }
}
