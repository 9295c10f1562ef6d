//! What ours wrote, row by row and transaction by transaction, so that a bare loop can write the same.
//!
//! Nothing of it is known beforehand but the names of the indexes of texts; the schema comes from the database itself, so it
//! cannot fall behind.
//!
//! - A database is *watched*: triggers note the key of each row that is touched. This slows ours down a little, so that a
//!   recording is made in a run of its own, which is not timed.
//! - While ours writes, a reader holds on to the state before, so that the write-ahead log cannot begin anew: at the end it
//!   holds every transaction.
//! - The log is then applied to a copy of the state before, transaction by transaction, and after each of them the rows that
//!   it touched are read. So the bare loop writes a row once in a transaction, with its last value, however often ours wrote
//!   it; it only sets the columns that changed; and it reads nothing.
//! - The result of the bare loop is compared with that of ours, row by row.

mod log;
mod replay;
mod tables;
mod texts;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

pub use replay::{Loop, Write, connect};

use log::Log;
use tables::{Rows, Tables};
use texts::{INDEXES, Index, Texts};

/// Has a database that is closed note every row that is touched from now on.
///
/// # Errors
/// Those of SQLite.
pub fn watch(database: &Path) -> Result<()> {
    let connection = Connection::open(database)?;
    Tables::read(&connection)?.watch(&connection)
}

/// How many transactions a database in use has seen. Only the difference of two answers means something.
///
/// # Errors
/// Nobody has the database open.
pub fn transactions_seen(database: &Path) -> Result<u32> {
    log::transactions_seen(database)
}

/// Watches a database while somebody else writes to it.
#[derive(Debug)]
pub struct Recorder {
    database: PathBuf,
    /// The state before, and later the state after each transaction.
    state: PathBuf,
    tables: Tables,
    rows: Rows,
    texts: Vec<Texts>,
    /// The last note of a touched row.
    noted: i64,
    /// How many transactions of the log were there before.
    before: usize,
    /// Reads the state before, for as long as it lasts.
    _held: Connection,
}

/// What somebody wrote.
#[derive(Debug)]
pub struct Recording {
    statements: Vec<String>,
    transactions: Vec<Vec<Write>>,
    /// How many messages each transaction holds.
    pub messages: Vec<usize>,
    /// The state after the last one.
    state: PathBuf,
}

impl Recorder {
    /// Begins. The database was [watched](watch) before it was opened by the one who writes to it, and at this moment nobody
    /// writes. Two copies of it are made: `before`, which is not watched and stays as it is now, and `state`, which will be as
    /// it is when the recording [ends](Self::end).
    ///
    /// # Errors
    /// Those of SQLite and of the file system.
    pub fn begin(database: &Path, before: &Path, state: &Path) -> Result<Self> {
        let held = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        held.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
        let log = Log::beside(database)?;
        fs::copy(database, state)?;
        let file = File::options().write(true).open(state)?;
        for transaction in &log.transactions {
            log.apply(transaction, &file)?;
        }
        drop(file);
        fs::copy(state, before)?;
        tables::unwatch(&Connection::open(before)?)?;
        let connection = Connection::open(state)?;
        let tables = Tables::read(&connection)?;
        let texts = INDEXES.iter().map(|index| index.read(&connection)).collect::<Result<_>>()?;
        let (rows, noted) = (tables.rows(&connection)?, tables.touched(&connection, 0)?.1);
        let (database, state, before) = (database.to_owned(), state.to_owned(), log.transactions.len());
        Ok(Self { database, state, tables, rows, texts, noted, before, _held: held })
    }

    /// Ends; the one who writes has written everything, and has not closed the database yet.
    ///
    /// # Errors
    /// Those of SQLite and of the file system; and something was written that a bare loop could not repeat.
    pub fn end(mut self) -> Result<Recording> {
        let log = Log::beside(&self.database)?;
        let mut recording = Recording {
            statements: Vec::new(),
            transactions: Vec::new(),
            messages: Vec::new(),
            state: self.state.clone(),
        };
        let mut statements = HashMap::new();
        let mut new_texts = BTreeMap::new();
        for transaction in &log.transactions[self.before..] {
            let file = File::options().write(true).open(&self.state)?;
            log.apply(transaction, &file)?;
            drop(file);
            let connection = Connection::open(&self.state)?;
            let (touched, noted) = self.tables.touched(&connection, self.noted)?;
            self.noted = noted;
            let (mut writes, mut messages) = (Vec::new(), 0);
            for touched in touched {
                let (place, table) = (touched.place(), self.tables.get(touched.table));
                let row = self.tables.row(&connection, &touched)?;
                let before = self.rows.get(&place);
                let (sql, values) = match (before, &row) {
                    (None, None) => continue,
                    (Some(before), Some(row)) if before == row => continue,
                    (None, Some(row)) => {
                        messages += usize::from(table.name == "message");
                        if let Some((index, number)) = text_of(&self.tables, touched.table, row)? {
                            new_texts.insert((index, number), recording.transactions.len());
                        }
                        let marks = vec!["?"; row.len()].join(", ");
                        let (name, columns) = (&table.name, table.columns.join(", "));
                        (format!("INSERT INTO {name} ({columns}) VALUES ({marks})"), row.clone())
                    }
                    (Some(before), Some(row)) => {
                        let changed: Vec<usize> =
                            (0..row.len()).filter(|column| before[*column] != row[*column]).collect();
                        let sets: Vec<_> =
                            changed.iter().map(|column| format!("{} = ?", table.columns[*column])).collect();
                        let values = changed.iter().map(|column| row[*column].clone()).chain(touched.key.clone());
                        let sql = format!("UPDATE {} SET {} WHERE {}", table.name, sets.join(", "), table.is_key());
                        (sql, values.collect())
                    }
                    (Some(_), None) => {
                        (format!("DELETE FROM {} WHERE {}", table.name, table.is_key()), touched.key.clone())
                    }
                };
                match row {
                    Some(row) => self.rows.insert(place, row),
                    None => self.rows.remove(&place),
                };
                let statement = recording.statement(&mut statements, sql);
                writes.push(Write { statement, values });
            }
            // A transaction of somebody who keeps nothing but his own counters in the database.
            if !writes.is_empty() {
                recording.transactions.push(writes);
                recording.messages.push(messages);
            }
        }
        self.add_texts(&mut recording, &mut statements, new_texts)?;
        Ok(recording)
    }

    /// Adds the texts at the end of the transactions that their rows are in, by number: the order that FTS5 likes best.
    fn add_texts(
        &self,
        recording: &mut Recording,
        statements: &mut HashMap<String, usize>,
        mut rows: BTreeMap<(usize, i64), usize>,
    ) -> Result<()> {
        let connection = Connection::open(&self.state)?;
        for (place, index) in INDEXES.iter().enumerate() {
            let mut before = self.texts[place].clone();
            let statement = recording.statement(statements, index.adds());
            for (number, grams) in index.read(&connection)? {
                match (before.remove(&number), rows.remove(&(place, number))) {
                    (Some(old), None) => ensure!(old == grams, "{} changed a text", index.name),
                    (None, Some(transaction)) => {
                        let values = vec![Value::Integer(number), Value::Text(grams)];
                        recording.transactions[transaction].push(Write { statement, values });
                    }
                    _ => bail!("{} has a text {number} that belongs to no new row", index.name),
                }
            }
            ensure!(before.is_empty(), "{} lost a text", index.name);
        }
        Ok(())
    }
}

/// Which text a row of a table has, in which index.
fn text_of(tables: &Tables, table: usize, row: &[Value]) -> Result<Option<(usize, i64)>> {
    let table = tables.get(table);
    let Some(place) = INDEXES.iter().position(|index| index.of == table.name) else { return Ok(None) };
    let integer = |name: &str| {
        let column = table.columns.iter().position(|column| column == name);
        match column.map(|column| &row[column]) {
            Some(Value::Integer(number)) => Ok(*number),
            _ => bail!("{} has no number {name}", table.name),
        }
    };
    Ok(Some((place, Index::number(integer(INDEXES[place].session)?, integer(INDEXES[place].place)?))))
}

impl Recording {
    fn statement(&mut self, known: &mut HashMap<String, usize>, sql: String) -> usize {
        *known.entry(sql).or_insert_with_key(|sql| {
            self.statements.push(sql.clone());
            self.statements.len() - 1
        })
    }

    /// The transactions, each with its rows.
    #[must_use]
    pub fn transactions(&self) -> &[Vec<Write>] {
        &self.transactions
    }

    /// How many rows it has, texts included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.transactions.iter().map(Vec::len).sum()
    }

    /// A loop that is ready to write it.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn prepare<'a>(&self, connection: &'a Connection) -> Result<Loop<'a>> {
        Loop::new(connection, &self.statements)
    }

    /// Writes all of it in the same transactions to a database in the state before, by bare SQLite; answers how long that took.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn replay(&self, database: &Path) -> Result<Duration> {
        let connection = connect(database)?;
        self.prepare(&connection)?.run(&self.transactions)
    }

    /// Checks that a database to which it was written holds what ours holds.
    ///
    /// # Errors
    /// It does not.
    pub fn verify(&self, database: &Path) -> Result<()> {
        let (ours, replayed) = (Connection::open(&self.state)?, Connection::open(database)?);
        replay::compare(&ours, &replayed).context("the bare loop wrote something else than ours")
    }
}
