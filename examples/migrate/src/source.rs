//! The SQLite database. It is only read, and nobody else uses it meanwhile.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Row, params_from_iter};
use seatport_sqlite::Lock;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::table::{Columns, Plan};
use crate::value::{Value, encode};

/// "Seat", in the header of the file.
const APPLICATION_ID: i64 = 1_399_153_012;
/// The version of the tables that [`TABLES`](crate::table::TABLES) is about.
const VERSION: i64 = 1;

/// How much of a table is in memory at a time, however few rows that is.
const BYTES: usize = 8 << 20;

/// The SQLite database, locked against Seatport and read as it was when it was opened.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    connection: Connection,
    // After the connection, so that it goes last.
    _lock: Lock,
}

/// Rows that follow each other.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) rows: Vec<Vec<Value>>,
    /// Where the next piece begins; none if this is the last one.
    pub(crate) after: Option<Vec<Value>>,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if !path.is_file() {
            return Err(Failure::NoSource(path.to_owned()));
        }
        let lock = Lock::of(path)?;
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        if number("application_id").ok() != Some(APPLICATION_ID) {
            return Err(Failure::ForeignSource(path.to_owned()));
        }
        let found = number("user_version")?;
        if found != VERSION {
            return Err(Failure::SourceVersion { path: path.to_owned(), found, known: VERSION });
        }
        // All that is read is of one moment, whatever other programs do.
        connection.execute_batch("BEGIN")?;
        Ok(Self { path: path.to_owned(), connection, _lock: lock })
    }

    /// What names this database, wherever its file is: values that it keeps from its beginning on.
    pub(crate) fn fingerprint(&self) -> Result<Vec<u8>, Failure> {
        let sql = "SELECT key_check, ledger_key, (SELECT hash FROM audit WHERE number = 1), (SELECT id FROM session WHERE key = 1)
             FROM organisation";
        let values = self.connection.query_row(sql, [], |row| Ok(values(row, 4)))?;
        Ok(Sha256::digest(encode(&values.ok_or_else(|| Failure::Value("organisation".to_owned()))?)).to_vec())
    }

    /// All tables that hold rows of Seatport; indexes of texts are no such tables.
    pub(crate) fn columns(&self) -> Result<Columns, Failure> {
        let sql = "SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
             WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        let mut columns = Columns::new();
        let mut statement = self.connection.prepare(sql)?;
        for found in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (table, column) = found?;
            columns.entry(table).or_default().push(column);
        }
        Ok(columns)
    }

    pub(crate) fn count(&self, plan: &Plan) -> Result<u64, Failure> {
        let sql = format!("SELECT count(*) FROM {}", plan.name());
        let count: i64 = self.connection.query_row(&sql, [], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The next rows of a table after this one, so many at most.
    pub(crate) fn piece(&self, plan: &Plan, after: Option<&[Value]>, limit: usize) -> Result<Piece, Failure> {
        let (name, columns, pages) = (plan.name(), plan.columns(), plan.pages());
        let width = plan.columns.len();
        let marks = vec!["?"; after.map_or(0, <[_]>::len)].join(", ");
        let from = if after.is_some() { format!("WHERE ({pages}) > ({marks})") } else { String::new() };
        let sql = format!("SELECT {columns}, {pages} FROM {name} {from} ORDER BY {pages} LIMIT {limit}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found = statement.query(params_from_iter(after.unwrap_or_default().iter().map(Value::to_sqlite)))?;
        let (mut rows, mut size, mut after) = (Vec::new(), 0, None);
        while let Some(row) = found.next()? {
            let mut row = of_row(row, plan, width + plan.table.pages().len())?;
            let place = row.split_off(width);
            size += row.iter().map(Value::size).sum::<usize>();
            rows.push(row);
            if rows.len() == limit || size >= BYTES {
                after = Some(place);
                break;
            }
        }
        Ok(Piece { rows, after })
    }

    /// Shows all rows of a table in the order of its key.
    pub(crate) fn each(&self, plan: &Plan, mut see: impl FnMut(&[Value])) -> Result<(), Failure> {
        let sql = format!("SELECT {} FROM {} ORDER BY {}", plan.columns(), plan.name(), plan.key());
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            see(&of_row(row, plan, plan.columns.len())?);
        }
        Ok(())
    }

    /// The greatest number that the database has given to a row of this table; 0 if none.
    pub(crate) fn last_number(&self, plan: &Plan, column: &str) -> Result<i64, Failure> {
        // Numbers of rows that are gone are not given again.
        let sql = format!(
            "SELECT max(coalesce((SELECT max(\"{column}\") FROM {name}), 0),
                 coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{name}'), 0))",
            name = plan.name()
        );
        Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
    }
}

fn of_row(row: &Row<'_>, plan: &Plan, count: usize) -> Result<Vec<Value>, Failure> {
    values(row, count).ok_or_else(|| Failure::Value(plan.name().to_owned()))
}

fn values(row: &Row<'_>, count: usize) -> Option<Vec<Value>> {
    (0..count).map(|column| row.get_ref(column).ok().and_then(Value::of_sqlite)).collect()
}
