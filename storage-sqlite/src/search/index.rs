//! Keeping the indexes of texts in step with what is stored.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use seatport::conversation::Content;

use super::grams::{folded, of_text};
use crate::error::Failure;
use crate::sql::execute;

/// How many bits of a number in an index are the place within the session.
const PLACE_BITS: u32 = 40;

/// The largest place that has room in such a number.
pub(crate) const LAST_PLACE: i64 = (1 << PLACE_BITS) - 1;

/// The number under which an index knows a text: a message's place, or a contact's key, in a session.
pub(crate) fn number(session: i64, place: i64) -> i64 {
    session << PLACE_BITS | place
}

/// The session and the place of a number.
pub(crate) fn place(number: i64) -> (i64, i64) {
    (number >> PLACE_BITS, number & LAST_PLACE)
}

/// The index of the messages' texts.
pub(crate) const MESSAGES: Index = Index(0);
/// The index of the contacts' texts.
pub(crate) const CONTACTS: Index = Index(1);

const ADD: [&str; 2] = [
    "INSERT INTO message_text (rowid, grams) VALUES (?1, ?2)",
    "INSERT INTO contact_text (rowid, grams) VALUES (?1, ?2)",
];
const REMOVE: [&str; 2] = [
    "INSERT INTO message_text (message_text, rowid, grams) VALUES ('delete', ?1, ?2)",
    "INSERT INTO contact_text (contact_text, rowid, grams) VALUES ('delete', ?1, ?2)",
];

/// What becomes of the indexes with one transaction. Written at its end and in the order of the numbers: FTS5 writes what it
/// was given to the database each time when a number is below the one before, and at some statements of others.
#[derive(Default)]
pub(crate) struct Texts(RefCell<[BTreeMap<i64, Text>; 2]>);

#[derive(Default)]
struct Text {
    /// The grams of what is in the index before the transaction and is to be taken out.
    removed: String,
    /// The grams of what is to be in it.
    added: String,
}

impl Texts {
    /// Writes all of it.
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (index, texts) in self.0.take().into_iter().enumerate() {
            for (number, Text { removed, added }) in texts {
                if removed == added {
                    continue;
                }
                if !removed.is_empty() {
                    execute(connection, REMOVE[index], params![number, removed])?;
                }
                if !added.is_empty() {
                    execute(connection, ADD[index], params![number, added])?;
                }
            }
        }
        Ok(())
    }
}

/// One of the two indexes. It does not hold the texts, so whoever takes one out has to say what it was.
pub(crate) struct Index(usize);

impl Index {
    /// Adds a text.
    pub(crate) fn add(&self, texts: &Texts, number: i64, text: &str) -> Result<(), Failure> {
        let grams = of_text(&folded(text));
        // A text without a word is in no index.
        if !grams.is_empty() {
            texts.0.borrow_mut()[self.0].entry(number).or_default().added = grams;
        }
        Ok(())
    }

    /// Takes out a text, the one that was added.
    pub(crate) fn remove(&self, texts: &Texts, number: i64, text: &str) -> Result<(), Failure> {
        let grams = of_text(&folded(text));
        if !grams.is_empty() {
            let mut texts = texts.0.borrow_mut();
            let pending = texts[self.0].entry(number).or_default();
            if std::mem::take(&mut pending.added).is_empty() {
                pending.removed = grams;
            }
        }
        Ok(())
    }

    /// Replaces a text by another one.
    pub(crate) fn replace(&self, texts: &Texts, number: i64, old: &str, new: &str) -> Result<(), Failure> {
        if old != new {
            self.remove(texts, number, old)?;
            self.add(texts, number, new)?;
        }
        Ok(())
    }
}

/// The text by which a message is found; empty if it has none.
pub(crate) fn text(content: &Content) -> std::borrow::Cow<'_, str> {
    content.searchable().unwrap_or_default()
}
