//! Keeping the indexes of texts in step with what is stored.

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
pub(crate) const MESSAGES: Index = Index {
    add: "INSERT INTO message_text (rowid, grams) VALUES (?1, ?2)",
    remove: "INSERT INTO message_text (message_text, rowid, grams) VALUES ('delete', ?1, ?2)",
};

/// The index of the contacts' texts.
pub(crate) const CONTACTS: Index = Index {
    add: "INSERT INTO contact_text (rowid, grams) VALUES (?1, ?2)",
    remove: "INSERT INTO contact_text (contact_text, rowid, grams) VALUES ('delete', ?1, ?2)",
};

/// One of the two indexes. It does not hold the texts, so whoever takes one out has to say what it was.
pub(crate) struct Index {
    add: &'static str,
    remove: &'static str,
}

impl Index {
    /// Adds a text.
    pub(crate) fn add(&self, connection: &Connection, number: i64, text: &str) -> Result<(), Failure> {
        self.write(connection, self.add, number, text)
    }

    /// Takes out a text, the one that was added.
    pub(crate) fn remove(&self, connection: &Connection, number: i64, text: &str) -> Result<(), Failure> {
        self.write(connection, self.remove, number, text)
    }

    /// Replaces a text by another one.
    pub(crate) fn replace(&self, connection: &Connection, number: i64, old: &str, new: &str) -> Result<(), Failure> {
        if old != new {
            self.remove(connection, number, old)?;
            self.add(connection, number, new)?;
        }
        Ok(())
    }

    fn write(&self, connection: &Connection, sql: &str, number: i64, text: &str) -> Result<(), Failure> {
        let grams = of_text(&folded(text));
        // A text without a word is in no index.
        if !grams.is_empty() {
            execute(connection, sql, params![number, grams])?;
        }
        Ok(())
    }
}

/// The text by which a message is found; empty if it has none.
pub(crate) fn text(content: &Content) -> std::borrow::Cow<'_, str> {
    content.searchable().unwrap_or_default()
}
