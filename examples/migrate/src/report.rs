//! What is printed: how far it has come, and in the end what there is.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

/// How often a table that takes long says so.
const EVERY: Duration = Duration::from_secs(1);

/// Lines about what is being done.
#[derive(Debug)]
pub(crate) struct Progress {
    said: Cell<Instant>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { said: Cell::new(Instant::now()) }
    }
}

impl Progress {
    /// A table's turn has come.
    pub(crate) fn begin(&self, doing: &str, table: &str, done: u64, rows: u64) {
        self.say(doing, table, done, rows);
    }

    /// So far it has come.
    pub(crate) fn at(&self, doing: &str, table: &str, done: u64, rows: u64) {
        if self.said.get().elapsed() >= EVERY {
            self.say(doing, table, done, rows);
        }
    }

    fn say(&self, doing: &str, table: &str, done: u64, rows: u64) {
        self.said.set(Instant::now());
        if done == 0 {
            println!("{doing} {table}: {rows} rows");
        } else {
            println!("{doing} {table}: {done} of {rows} rows are there");
        }
    }
}

/// What there is on both sides.
#[derive(Debug, Default)]
pub(crate) struct Report {
    tables: Vec<(&'static str, u64, String)>,
}

impl Report {
    pub(crate) fn add(&mut self, table: &'static str, rows: u64, hash: String) {
        self.tables.push((table, rows, hash));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16} {:>12}  sha256", "table", "rows")?;
        for (table, rows, hash) in &self.tables {
            writeln!(f, "{table:<16} {rows:>12}  {}", &hash[..16])?;
        }
        let rows: u64 = self.tables.iter().map(|(_, rows, _)| rows).sum();
        writeln!(f, "{:<16} {rows:>12}  the same on both sides", "all")
    }
}
