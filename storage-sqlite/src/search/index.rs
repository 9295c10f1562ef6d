//! Keeping the indexes of texts in step with what is stored.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use seatport::conversation::Content;

use super::grams::of_text;
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
    ///
    /// Of a text that is replaced only the grams that differ: FTS5 (3.53, `detail=none` with `secure-delete`) loses every later
    /// number of a gram that is taken out and put in again under one number in one transaction. Both statements run all the
    /// same, without a gram if need be, for FTS5 counts its texts.
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let grams = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
        for (index, texts) in self.0.take().into_iter().enumerate() {
            for (number, Text { mut removed, mut added }) in texts {
                if removed == added {
                    continue;
                }
                let (was_in, is_in) = (!removed.is_empty(), !added.is_empty());
                if was_in && is_in {
                    let (old, new) = (grams(&removed), grams(&added));
                    removed = old.difference(&new).map(String::as_str).collect::<Vec<_>>().join(" ");
                    added = new.difference(&old).map(String::as_str).collect::<Vec<_>>().join(" ");
                }
                if was_in {
                    execute(connection, REMOVE[index], params![number, removed])?;
                }
                if is_in {
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
        let grams = of_text(text);
        // A text without a word is in no index.
        if !grams.is_empty() {
            texts.0.borrow_mut()[self.0].entry(number).or_default().added = grams;
        }
        Ok(())
    }

    /// Takes out a text, the one that was added.
    pub(crate) fn remove(&self, texts: &Texts, number: i64, text: &str) -> Result<(), Failure> {
        let grams = of_text(text);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers under which the index of messages has this gram, in their order.
    fn found(connection: &Connection, gram: &str) -> Vec<i64> {
        let sql = "SELECT rowid FROM message_text WHERE message_text MATCH ?1 ORDER BY rowid";
        let mut ask = connection.prepare(sql).unwrap();
        ask.query_map([format!("\"{gram}\"")], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_text_that_changes_hides_no_later_one_of_the_same_transaction() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../migrations/0001_initial.sql")).unwrap();
        let texts = Texts::default();
        CONTACTS.add(&texts, 10, "anna").unwrap();
        texts.write(&connection).unwrap();
        CONTACTS.replace(&texts, 10, "anna", "annabel").unwrap();
        CONTACTS.add(&texts, 11, "annika").unwrap();
        texts.write(&connection).unwrap();
        let sql = "SELECT count(*) FROM contact_text WHERE contact_text MATCH '\"ann\"'";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap(), 2);
    }

    #[test]
    fn whatever_happens_to_a_text_in_a_transaction_the_index_holds_the_last_one() {
        let connection = Connection::open_in_memory().unwrap();
        let schema = include_str!("../migrations/0001_initial.sql");
        connection.execute_batch(schema).unwrap();
        let texts = Texts::default();
        for number in [7, 3, 5] {
            MESSAGES.add(&texts, number, "one").unwrap();
        }
        MESSAGES.remove(&texts, 5, "one").unwrap();
        MESSAGES.replace(&texts, 3, "one", "two").unwrap();
        texts.write(&connection).unwrap();
        assert_eq!((found(&connection, "one"), found(&connection, "two")), (vec![7], vec![3]));

        MESSAGES.replace(&texts, 7, "one", "two").unwrap();
        MESSAGES.replace(&texts, 7, "two", "six").unwrap();
        MESSAGES.replace(&texts, 3, "two", "").unwrap();
        MESSAGES.replace(&texts, 3, "", "two").unwrap();
        MESSAGES.add(&texts, 5, "six").unwrap();
        MESSAGES.remove(&texts, 5, "six").unwrap();
        texts.write(&connection).unwrap();
        assert_eq!(found(&connection, "one"), Vec::<i64>::new());
        assert_eq!((found(&connection, "two"), found(&connection, "six")), (vec![3], vec![7]));
        let check = "INSERT INTO message_text (message_text, rank) VALUES ('integrity-check', 0)";
        connection.execute_batch(check).unwrap();
    }
}
