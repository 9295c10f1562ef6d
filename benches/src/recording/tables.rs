//! The tables of a database, as the database itself describes them.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

/// The table in which the triggers of [`Tables::watch`] note which rows were touched.
const TOUCHED: &str = "bench_touched";
/// How many columns a key has at most.
const KEY: usize = 8;

/// The tables of a database, in the order in which they were made.
#[derive(Debug)]
pub(super) struct Tables(Vec<Table>);

/// One table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// Which columns name a row.
    pub(super) key: Vec<usize>,
}

/// A row that was touched: of which table, and its key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Touched {
    pub(super) table: usize,
    pub(super) key: Vec<Value>,
}

/// Undoes [`Tables::watch`].
pub(super) fn unwatch(connection: &Connection) -> Result<()> {
    let mut listed =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'bench_%'")?;
    let triggers: Vec<String> = listed.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for trigger in triggers {
        connection.execute_batch(&format!("DROP TRIGGER {trigger}"))?;
    }
    Ok(connection.execute_batch(&format!("DROP TABLE {TOUCHED}"))?)
}

/// A row as something that can be looked up.
pub(super) type Place = (usize, String);

/// All rows of a database.
pub(super) type Rows = HashMap<Place, Vec<Value>>;

impl Tables {
    /// The tables of this database: not those that SQLite or FTS5 keep for themselves.
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        let mut listed = connection.prepare(
            "SELECT s.name FROM sqlite_schema AS s JOIN pragma_table_list AS l ON l.name = s.name AND l.schema = 'main'
             WHERE s.type = 'table' AND l.type = 'table' AND s.name NOT LIKE 'sqlite_%' AND s.name <> ?1 ORDER BY s.rowid",
        )?;
        let names: Vec<String> = listed.query_map([TOUCHED], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let tables = names.into_iter().map(|name| Table::read(connection, name)).collect::<Result<_>>()?;
        Ok(Self(tables))
    }

    pub(super) fn get(&self, table: usize) -> &Table {
        &self.0[table]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Table)> {
        self.0.iter().enumerate()
    }

    /// Has the database note every row that is touched from now on.
    pub(super) fn watch(&self, connection: &Connection) -> Result<()> {
        let columns: Vec<String> = (0..KEY).map(|number| format!("k{number}")).collect();
        let columns = columns.join(", ");
        // Without types: a value stays what it is.
        let mut sql = format!("CREATE TABLE {TOUCHED} (id INTEGER PRIMARY KEY, of INTEGER, {columns});\n");
        for (number, table) in self.iter() {
            let note = |side: &str| {
                let mut key: Vec<String> = table.key_columns().map(|name| format!("{side}.{name}")).collect();
                key.resize(KEY, "NULL".to_owned());
                format!("INSERT INTO {TOUCHED} (of, {columns}) VALUES ({number}, {});", key.join(", "))
            };
            for (event, notes) in [
                ("INSERT", note("new")),
                // A row may be given another key.
                ("UPDATE", format!("{} {}", note("old"), note("new"))),
                ("DELETE", note("old")),
            ] {
                let name = &table.name;
                sql += &format!("CREATE TRIGGER bench_{event}_{name} AFTER {event} ON {name} BEGIN {notes} END;\n");
            }
        }
        Ok(connection.execute_batch(&sql)?)
    }

    /// The rows that were noted after the one with this number, each once, in the order in which they were first touched; and
    /// the number of the last note.
    pub(super) fn touched(&self, connection: &Connection, after: i64) -> Result<(Vec<Touched>, i64)> {
        let mut noted = connection.prepare(&format!("SELECT * FROM {TOUCHED} WHERE id > ?1 ORDER BY id"))?;
        let (mut touched, mut last, mut seen) = (Vec::new(), after, std::collections::HashSet::new());
        let mut rows = noted.query([after])?;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            let table: usize = row.get(1)?;
            let key = (0..self.0[table].key.len()).map(|column| row.get(2 + column)).collect::<Result<_, _>>()?;
            let one = Touched { table, key };
            if seen.insert(one.place()) {
                touched.push(one);
            }
        }
        Ok((touched, last))
    }

    /// All rows of the database.
    pub(super) fn rows(&self, connection: &Connection) -> Result<Rows> {
        let mut rows = Rows::new();
        for (number, table) in self.iter() {
            let mut all = connection.prepare(&format!("SELECT {} FROM {}", table.columns.join(", "), table.name))?;
            let mut found = all.query([])?;
            while let Some(row) = found.next()? {
                let values = table.values(row)?;
                rows.insert((number, spelt(&table.key_of(&values))), values);
            }
        }
        Ok(rows)
    }

    /// A row, if it is there.
    pub(super) fn row(&self, connection: &Connection, touched: &Touched) -> Result<Option<Vec<Value>>> {
        let table = self.get(touched.table);
        let sql = format!("SELECT {} FROM {} WHERE {}", table.columns.join(", "), table.name, table.is_key());
        let mut one = connection.prepare_cached(&sql)?;
        let mut found = one.query(params_from_iter(&touched.key))?;
        found.next()?.map(|row| table.values(row)).transpose()
    }
}

impl Table {
    fn read(connection: &Connection, name: String) -> Result<Self> {
        let mut described = connection.prepare("SELECT name, pk FROM pragma_table_xinfo(?1) WHERE hidden = 0")?;
        let columns: Vec<(String, usize)> =
            described.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut key: Vec<(usize, usize)> = columns
            .iter()
            .enumerate()
            .filter(|(_, (_, rank))| *rank > 0)
            .map(|(place, (_, rank))| (*rank, place))
            .collect();
        key.sort_unstable();
        let mut table = Self {
            name,
            columns: columns.into_iter().map(|(name, _)| format!("\"{name}\"")).collect(),
            key: key.into_iter().map(|(_, place)| place).collect(),
        };
        if table.key.is_empty() {
            table.key.push(table.columns.len());
            table.columns.push("rowid".to_owned());
        }
        ensure!(table.key.len() <= KEY, "the key of {} has more than {KEY} columns", table.name);
        Ok(table)
    }

    fn key_columns(&self) -> impl Iterator<Item = &String> {
        self.key.iter().map(|column| &self.columns[*column])
    }

    /// The condition that a row has the key that is bound.
    pub(super) fn is_key(&self) -> String {
        let conditions: Vec<String> = self.key_columns().map(|name| format!("{name} = ?")).collect();
        conditions.join(" AND ")
    }

    pub(super) fn key_of(&self, values: &[Value]) -> Vec<Value> {
        self.key.iter().map(|column| values[*column].clone()).collect()
    }

    fn values(&self, row: &Row<'_>) -> Result<Vec<Value>> {
        (0..self.columns.len()).map(|column| row.get(column)).collect::<Result<_, _>>().context("a row")
    }
}

impl Touched {
    pub(super) fn place(&self) -> Place {
        (self.table, spelt(&self.key))
    }
}

fn spelt(key: &[Value]) -> String {
    format!("{key:?}")
}
