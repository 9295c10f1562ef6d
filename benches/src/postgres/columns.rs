//! Tables as the database describes them, and how their values are sent: one array for each column.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The places of the columns of its primary key, or of all if it has none.
    pub(super) key: Vec<usize>,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its type, as SQL writes it.
    pub(super) sql: String,
}

impl Table {
    /// All tables of a schema.
    pub(super) async fn all(client: &Client, schema: &str) -> Result<Vec<Self>> {
        let sql = "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                 coalesce(a.attnum = ANY(i.indkey), false)
             FROM pg_class c
             JOIN pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
             WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY c.relname, a.attnum";
        let mut tables: Vec<Self> = Vec::new();
        for row in client.query(sql, &[&schema]).await? {
            let name: String = row.get(0);
            if tables.last().is_none_or(|table| table.name != name) {
                tables.push(Self { name, columns: Vec::new(), key: Vec::new() });
            }
            let table = tables.last_mut().context("a column without a table")?;
            if row.get(3) {
                table.key.push(table.columns.len());
            }
            table.columns.push(Column { name: row.get(1), sql: row.get(2) });
        }
        for table in &mut tables {
            if table.key.is_empty() {
                table.key = (0..table.columns.len()).collect();
            }
        }
        Ok(tables)
    }

    /// The values of a row that was noted as JSON.
    pub(super) fn row(&self, noted: &Value) -> Vec<Value> {
        self.columns.iter().map(|column| noted[&column.name].clone()).collect()
    }
}

impl Column {
    /// What is sent for this column: the values of all rows in an array, in binary form.
    pub(super) fn array(&self, values: Vec<&Value>) -> Result<Box<dyn ToSql + Sync + Send>> {
        let number = |value: &Value| value.as_i64();
        let text = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Ok(match self.sql.as_str() {
            "bigint" => Box::new(values.into_iter().map(number).collect::<Vec<_>>()),
            "integer" => Box::new(narrow::<i32>(values)?),
            "smallint" => Box::new(narrow::<i16>(values)?),
            "boolean" => Box::new(values.into_iter().map(Value::as_bool).collect::<Vec<_>>()),
            "bytea" => Box::new(values.into_iter().map(bytes).collect::<Result<Vec<_>>>()?),
            "uuid" => {
                let id = |value: &Value| value.as_str().map(str::parse::<uuid::Uuid>).transpose();
                Box::new(values.into_iter().map(id).collect::<Result<Vec<_>, _>>()?)
            }
            // Text, and whatever is sent as text and cast.
            _ if self.sql.ends_with("[]") => Box::new(values.into_iter().map(array_literal).collect::<Vec<_>>()),
            _ => Box::new(values.into_iter().map(text).collect::<Vec<_>>()),
        })
    }

    /// How the array is named in the statement: parameter `number`, unnested as `name`.
    pub(super) fn parameter(&self, number: usize) -> String {
        match self.sql.as_str() {
            "bigint" | "integer" | "smallint" | "boolean" | "bytea" | "uuid" => format!("${number}::{}[]", self.sql),
            _ => format!("${number}::text[]"),
        }
    }

    /// The unnested value as one of this column.
    pub(super) fn cast(&self) -> String {
        match self.sql.as_str() {
            "bigint" | "integer" | "smallint" | "boolean" | "bytea" | "uuid" | "text" => format!("u.\"{}\"", self.name),
            other => format!("u.\"{}\"::{other}", self.name),
        }
    }
}

fn narrow<T: TryFrom<i64>>(values: Vec<&Value>) -> Result<Vec<Option<T>>> {
    let narrowed = |value: &Value| value.as_i64().map(T::try_from).transpose();
    values.into_iter().map(|value| narrowed(value).ok().context("a number out of its range")).collect()
}

/// Bytes as Postgres writes them in JSON: `\x` and hexadecimal digits.
fn bytes(value: &Value) -> Result<Option<Vec<u8>>> {
    let Some(text) = value.as_str() else { return Ok(None) };
    let Some(digits) = text.strip_prefix("\\x") else { bail!("{text:?} is no bytes") };
    let byte = |place| u8::from_str_radix(digits.get(place..place + 2).unwrap_or_default(), 16);
    Ok(Some((0..digits.len()).step_by(2).map(byte).collect::<Result<_, _>>()?))
}

/// An array of numbers as a literal of SQL.
fn array_literal(value: &Value) -> Option<String> {
    let numbers = value.as_array()?;
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    Some(format!("{{{}}}", numbers.join(",")))
}
