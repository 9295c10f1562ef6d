//! The tables, and which of their columns go where.

use std::collections::BTreeMap;

use crate::failure::Failure;

/// A table that both databases have.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns that its rows are ordered by. No two rows are equal in them, but for `trace`, where equal rows are equal in all.
    pub(crate) key: &'static [&'static str],
    /// The column that the databases number by themselves.
    pub(crate) numbered: Option<&'static str>,
    /// The columns that mean something in SQLite alone.
    left_out: &'static [&'static str],
}

impl Table {
    /// The columns of SQLite in whose order the rows are read piece by piece: no two rows are equal in them.
    pub(crate) fn pages(&self) -> &'static [&'static str] {
        if self.name == "trace" { &["rowid"] } else { self.key }
    }
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key, numbered: None, left_out: &[] }
}

const fn numbered(name: &'static str, key: &'static [&'static str; 1]) -> Table {
    Table { name, key, numbered: Some(key[0]), left_out: &[] }
}

const ENTRY: &[&str] = &["quarter", "session", "agent", "class", "late", "replier", "seconds"];

/// All of them, in the order in which they are moved.
pub(crate) const TABLES: &[Table] = &[
    table("organisation", &["only"]),
    table("agent", &["id"]),
    // Nobody owns a session that was moved; and how far it is half deleted says something about SQLite's indexes of texts, from
    // which no deletion goes on.
    Table {
        name: "session",
        key: &["key"],
        numbered: Some("key"),
        left_out: &["owner", "indexed_place", "indexed_address"],
    },
    table("vault", &["session", "name"]),
    table("alias", &["session", "address"]),
    numbered("contact", &["key"]),
    numbered("chat", &["key"]),
    table("message", &["session", "seq"]),
    table("send_key", &["session", "key"]),
    table("amendment", &["chat", "target", "change", "slot"]),
    table("event", &["session", "seq"]),
    table("consumer", &["name"]),
    table("acknowledged", &["session", "consumer"]),
    table("audit", &["number"]),
    numbered("person", &["id"]),
    table("person_key", &["key"]),
    table("trace", &["person", "at", "id", "tie"]),
    numbered("pair", &["id"]),
    table("visit", &["pair", "at", "id"]),
    table("shift", &["session", "at"]),
    table("lead_total", ENTRY),
    table("lead_anonymous", ENTRY),
    numbered("lead_adjustment", &["number"]),
];

/// The columns of each table, in any order.
pub(crate) type Columns = BTreeMap<String, Vec<String>>;

/// A table and the columns that are moved.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) table: &'static Table,
    pub(crate) columns: Vec<String>,
}

impl Plan {
    pub(crate) fn name(&self) -> &'static str {
        self.table.name
    }

    /// The columns, for a statement.
    pub(crate) fn columns(&self) -> String {
        list(&self.columns)
    }

    /// The columns of the key, for a statement.
    pub(crate) fn key(&self) -> String {
        list(self.table.key)
    }

    /// The columns that pieces go by, for a statement on SQLite.
    pub(crate) fn pages(&self) -> String {
        list(self.table.pages())
    }

    /// Where a column is among those that are moved.
    pub(crate) fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }
}

/// Names for a statement. All of them are quoted: `only` means something to PostgreSQL.
fn list(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("\"{}\"", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// What is moved: all that is there. What this program does not know it does not leave behind silently.
pub(crate) fn plans(source: &Columns, target: &Columns) -> Result<Vec<Plan>, Failure> {
    if let Some(name) = source.keys().find(|name| TABLES.iter().all(|table| table.name != **name)) {
        return Err(Failure::Unknown(format!("a table {name}")));
    }
    let plan = |table: &'static Table| {
        let no_table = || Failure::NoPlace(format!("table {}", table.name));
        let from = source.get(table.name).ok_or_else(|| Failure::Unknown(format!("no table {}", table.name)))?;
        let to = target.get(table.name).ok_or_else(no_table)?;
        let mut columns: Vec<String> =
            from.iter().filter(|name| !table.left_out.contains(&name.as_str())).cloned().collect();
        // Whatever order they have on either side.
        columns.sort_unstable();
        if let Some(name) = columns.iter().find(|name| !to.contains(name)) {
            return Err(Failure::NoPlace(format!("column {name} in {}", table.name)));
        }
        Ok(Plan { table, columns })
    };
    TABLES.iter().map(plan).collect()
}
