//! The indexes of texts: what FTS5 was given, as far as it can be told from what it keeps.
//!
//! They hold no texts, and no trigger can watch them. But which pieces stand in which text is all that is in them, and that is
//! enough to give the same to another index.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Connection;

/// Each index, the table whose rows it is of, and the columns of that table that make its numbers: the second one's place in
/// the number is the lowest 40 bits, as in `storage-sqlite/src/search/index.rs`.
pub(super) const INDEXES: [Index; 2] = [
    Index { name: "message_text", of: "message", session: "\"session\"", place: "\"seq\"" },
    Index { name: "contact_text", of: "contact", session: "\"session\"", place: "\"key\"" },
];
const PLACE_BITS: u32 = 40;

/// An index of texts.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) name: &'static str,
    pub(super) of: &'static str,
    pub(super) session: &'static str,
    pub(super) place: &'static str,
}

/// The texts of an index, by number: their pieces, separated by spaces.
pub(super) type Texts = BTreeMap<i64, String>;

impl Index {
    /// The number of a text.
    pub(super) fn number(session: i64, place: i64) -> i64 {
        session << PLACE_BITS | place
    }

    /// The statement that adds a text.
    pub(super) fn adds(&self) -> String {
        format!("INSERT INTO {} (rowid, grams) VALUES (?, ?)", self.name)
    }

    /// All that is in it.
    pub(super) fn read(&self, connection: &Connection) -> Result<Texts> {
        let vocabulary = format!("bench_{}", self.name);
        connection.execute_batch(&format!(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.{vocabulary} USING fts5vocab ('main', '{}', 'instance')",
            self.name
        ))?;
        let mut texts = Texts::new();
        let mut instances = connection.prepare(&format!("SELECT doc, term FROM temp.{vocabulary}"))?;
        let mut rows = instances.query([])?;
        while let Some(row) = rows.next()? {
            let text = texts.entry(row.get(0)?).or_default();
            text.push_str(row.get_ref(1)?.as_str()?);
            text.push(' ');
        }
        Ok(texts)
    }
}
