//! The raw limit: a loop of bare SQLite.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rusqlite::types::Value;
use rusqlite::{Connection, Statement, Transaction, TransactionBehavior, params_from_iter};

use super::tables::Tables;
use super::texts::INDEXES;

/// One row to write: by which of the recording's statements, and with which values.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub(super) statement: usize,
    pub(super) values: Vec<Value>,
}

/// A connection as `seatport-sqlite` opens its own for writing: same journal, same durability, same cache.
///
/// # Errors
/// Those of SQLite.
pub fn connect(database: &Path) -> Result<Connection> {
    let connection = Connection::open(database)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    ensure!(mode == "wal", "no write-ahead log at {}", database.display());
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    Ok(connection)
}

/// The statements of a recording, ready to run.
#[derive(Debug)]
pub struct Loop<'a> {
    connection: &'a Connection,
    statements: Vec<Statement<'a>>,
}

impl<'a> Loop<'a> {
    pub(super) fn new(connection: &'a Connection, statements: &[String]) -> Result<Self> {
        let statements = statements.iter().map(|sql| connection.prepare(sql)).collect::<Result<_, _>>()?;
        Ok(Self { connection, statements })
    }

    /// Writes some rows in one transaction.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn transaction(&mut self, writes: &[Write]) -> Result<()> {
        let transaction = Transaction::new_unchecked(self.connection, TransactionBehavior::Immediate)?;
        for write in writes {
            self.statements[write.statement].execute(params_from_iter(&write.values))?;
        }
        Ok(transaction.commit()?)
    }

    /// Writes all of it; answers how long that took.
    pub(super) fn run(&mut self, transactions: &[Vec<Write>]) -> Result<Duration> {
        let started = Instant::now();
        for writes in transactions {
            self.transaction(writes)?;
        }
        Ok(started.elapsed())
    }
}

/// Checks that two databases hold the same rows and the same texts.
pub(super) fn compare(one: &Connection, other: &Connection) -> Result<()> {
    let tables = Tables::read(one)?;
    let (rows, others) = (tables.rows(one)?, Tables::read(other)?.rows(other)?);
    for (place, row) in &rows {
        let table = &tables.get(place.0).name;
        ensure!(others.get(place) == Some(row), "{table} differs at {}: {row:?}, {:?}", place.1, others.get(place));
    }
    ensure!(rows.len() == others.len(), "{} rows, and {} in the other", rows.len(), others.len());
    for index in INDEXES {
        ensure!(index.read(one)? == index.read(other)?, "{} differs", index.name);
    }
    Ok(())
}
