//! The schema that everything goes into.
//!
//! As long as not all has arrived there is a table `moving_in` in it, by which Seatport knows that it must not open it, and a table
//! `moved`, which says how far each table has come. A piece of a table and how far that is are one transaction.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, pin_mut};
use seatport::storage::Storage;
use seatport_postgres::import::connect;
use seatport_postgres::{PostgresOptions, PostgresStorage};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Transaction};

use crate::arguments::Place;
use crate::failure::Failure;
use crate::search::{Text, Texts};
use crate::source::{Piece, Source};
use crate::table::{Columns, Plan};
use crate::value::{Value, decode, encode};

/// How long the server may take to notice that an earlier run was killed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the schema, the only one that moves anything into it.
pub(crate) struct Target {
    client: Client,
}

/// How far a table has come.
#[derive(Debug, Default)]
pub(crate) struct Progressed {
    pub(crate) after: Option<Vec<Value>>,
    pub(crate) rows: u64,
    pub(crate) complete: bool,
}

impl Target {
    /// Opens the schema; unless it is only to be looked at, it is made.
    pub(crate) async fn open(place: &Place, verify: bool) -> Result<Self, Failure> {
        let options = options(place);
        let client = connect(&place.url, &options).await?;
        alone(&client).await?;
        let sql = "SELECT to_regclass('moving_in') IS NOT NULL, to_regclass('migration') IS NOT NULL";
        let row = client.query_one(sql, &[]).await?;
        let (moving, made): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
        if verify && !made {
            return Err(Failure::NotMoved);
        }
        if !moving {
            // Makes the tables, and refuses those that it does not know.
            options.open(&place.url).await?.close().await?;
        }
        Ok(Self { client })
    }

    pub(crate) async fn columns(&self) -> Result<Columns, Failure> {
        let sql = "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = current_schema()";
        let mut columns = Columns::new();
        for row in self.client.query(sql, &[]).await? {
            columns.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
        }
        Ok(columns)
    }

    /// Begins, or goes on where an earlier run was.
    pub(crate) async fn begin(&mut self, source: &Source, plans: &[Plan]) -> Result<(), Failure> {
        let fingerprint = source.fingerprint()?;
        let transaction = self.client.transaction().await?;
        let moving = transaction.query_one("SELECT to_regclass('moving_in') IS NOT NULL", &[]).await?;
        if moving.try_get(0)? {
            let row = transaction.query_one("SELECT fingerprint, path FROM moving_in", &[]).await?;
            if row.try_get::<_, Vec<u8>>(0)? != fingerprint {
                return Err(Failure::OtherSource(row.try_get(1)?));
            }
            return Ok(());
        }
        refuse_data(&transaction).await?;
        let sql = "CREATE TABLE moving_in (fingerprint bytea NOT NULL, path text NOT NULL);
             CREATE TABLE moved (name text PRIMARY KEY, after bytea, rows bigint NOT NULL, complete boolean NOT NULL)";
        transaction.batch_execute(sql).await?;
        let path = source.path.display().to_string();
        transaction.execute("INSERT INTO moving_in VALUES ($1, $2)", &[&fingerprint, &path]).await?;
        for plan in plans {
            transaction.execute("INSERT INTO moved VALUES ($1, NULL, 0, false)", &[&plan.name()]).await?;
        }
        Ok(transaction.commit().await?)
    }

    pub(crate) async fn progressed(&self, plan: &Plan) -> Result<Progressed, Failure> {
        let sql = "SELECT after, rows, complete FROM moved WHERE name = $1";
        let row = self.client.query_one(sql, &[&plan.name()]).await?;
        let after: Option<Vec<u8>> = row.try_get(0)?;
        Ok(Progressed {
            after: after.and_then(|bytes| decode(&bytes)),
            rows: u64::try_from(row.try_get::<_, i64>(1)?).unwrap_or(0),
            complete: row.try_get(2)?,
        })
    }

    /// Writes a piece of a table, and that it is written.
    pub(crate) async fn write(&mut self, plan: &Plan, piece: &Piece) -> Result<(), Failure> {
        let transaction = self.client.transaction().await?;
        if plan.name() == "organisation" {
            replace(&transaction, plan, piece).await?;
        } else {
            copy(&transaction, plan, piece).await?;
        }
        if let Some(texts) = Texts::of(plan) {
            copy_texts(&transaction, plan, texts, piece).await?;
        }
        let (after, complete) = (piece.after.as_deref().map(encode), piece.after.is_none());
        let rows = i64::try_from(piece.rows.len()).unwrap_or(i64::MAX);
        let sql = "UPDATE moved SET after = $2, rows = rows + $3, complete = $4 WHERE name = $1";
        transaction.execute(sql, &[&plan.name(), &after, &rows, &complete]).await?;
        Ok(transaction.commit().await?)
    }

    pub(crate) async fn count(&self, table: &str) -> Result<u64, Failure> {
        let row = self.client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await?;
        Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0))
    }

    /// Shows all rows of a table in the order of its key.
    pub(crate) async fn each(&self, plan: &Plan, mut see: impl FnMut(&[Value])) -> Result<(), Failure> {
        let sql = format!("SELECT {} FROM {} ORDER BY {}", plan.columns(), plan.name(), plan.key());
        let rows = self.client.query_raw(&sql, std::iter::empty::<&str>()).await?;
        pin_mut!(rows);
        while let Some(row) = rows.try_next().await? {
            let values: Result<Vec<Value>, _> = (0..row.len()).map(|column| row.try_get(column)).collect();
            see(&values?);
        }
        Ok(())
    }

    /// Shows all texts of a table's rows, in the order of those rows.
    pub(crate) async fn each_text(&self, plan: &Plan, texts: &Texts, mut see: impl FnMut(Text)) -> Result<(), Failure> {
        let [one, other] = texts.place;
        let order = plan.table.key.iter().map(|column| format!("r.\"{column}\"")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT t.{one}, t.{other}, t.grams FROM {} AS t JOIN {} AS r ON r.{one} = t.{one} AND r.{other} = t.{other} ORDER BY {order}",
            texts.table,
            plan.name(),
        );
        let rows = self.client.query_raw(&sql, std::iter::empty::<&str>()).await?;
        pin_mut!(rows);
        while let Some(row) = rows.next().await {
            let row = row?;
            see(Text { place: [row.try_get(0)?, row.try_get(1)?], grams: row.try_get(2)? });
        }
        Ok(())
    }

    /// Everything has arrived: from now on it is a schema like any other.
    pub(crate) async fn finish(&mut self, source: &Source, plans: &[Plan]) -> Result<(), Failure> {
        let transaction = self.client.transaction().await?;
        for plan in plans {
            if let Some(column) = plan.table.numbered {
                let last = source.last_number(plan, column)?;
                let sql = format!(
                    "SELECT setval(pg_get_serial_sequence('{}', '{column}'), greatest($1::bigint, 1), $1 > 0)",
                    plan.name()
                );
                transaction.execute(&sql, &[&last]).await?;
            }
        }
        transaction.batch_execute("DROP TABLE moved; DROP TABLE moving_in").await?;
        transaction.commit().await?;
        // Plans are made from how many rows there are and what is in them.
        Ok(self.client.batch_execute("ANALYZE").await?)
    }
}

fn options(place: &Place) -> PostgresOptions {
    let options = PostgresStorage::options().application_name("seatport-migrate");
    match &place.schema {
        Some(schema) => options.schema(schema),
        None => options,
    }
}

/// Waits until no other run is at work on the schema, for a while.
async fn alone(client: &Client) -> Result<(), Failure> {
    let since = Instant::now();
    let sql = "SELECT pg_try_advisory_lock(hashtextextended('seatport-migrate ' || current_setting('search_path'), 0))";
    while !client.query_one(sql, &[]).await?.try_get::<_, bool>(0)? {
        if since.elapsed() > PATIENCE {
            return Err(Failure::AtWork);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Refuses a schema that holds anything of its own, or that somebody uses.
async fn refuse_data(transaction: &Transaction<'_>) -> Result<(), Failure> {
    let sql = "SELECT count(*) FROM node WHERE expires_at > clock_timestamp()";
    let running: i64 = transaction.query_one(sql, &[]).await?.try_get(0)?;
    if running > 0 {
        return Err(Failure::Running(running));
    }
    let sql = "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
         AND relname NOT IN ('migration', 'landed', 'node') ORDER BY relname";
    for row in transaction.query(sql, &[]).await? {
        let table: String = row.try_get(0)?;
        // Of the organisation there is always one row.
        let found = if table == "organisation" {
            "port_first IS NOT NULL OR key_check IS NOT NULL OR ledger_key IS NOT NULL"
        } else {
            "true"
        };
        let sql = format!("SELECT EXISTS (SELECT FROM {table} WHERE {found})");
        if transaction.query_one(&sql, &[]).await?.try_get(0)? {
            return Err(Failure::NotEmpty(format!("rows in the table {table}")));
        }
    }
    Ok(())
}

/// Writes the one row of a table that has one from the beginning.
async fn replace(transaction: &Transaction<'_>, plan: &Plan, piece: &Piece) -> Result<(), Failure> {
    transaction.execute(&format!("DELETE FROM {}", plan.name()), &[]).await?;
    copy(transaction, plan, piece).await
}

async fn copy(transaction: &Transaction<'_>, plan: &Plan, piece: &Piece) -> Result<(), Failure> {
    let (name, columns) = (plan.name(), plan.columns());
    let statement = transaction.prepare(&format!("SELECT {columns} FROM {name} LIMIT 0")).await?;
    let types: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
    let sink = transaction.copy_in(&format!("COPY {name} ({columns}) FROM STDIN BINARY")).await?;
    let writer = BinaryCopyInWriter::new(sink, &types);
    pin_mut!(writer);
    for row in &piece.rows {
        let row: Vec<&(dyn ToSql + Sync)> = row.iter().map(|value| value as _).collect();
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    Ok(())
}

async fn copy_texts(transaction: &Transaction<'_>, plan: &Plan, texts: &Texts, piece: &Piece) -> Result<(), Failure> {
    let [one, other] = texts.place;
    let sql = format!("COPY {} ({one}, {other}, grams) FROM STDIN BINARY", texts.table);
    let sink = transaction.copy_in(&sql).await?;
    let place = if other == "seq" { Type::INT8 } else { Type::TEXT };
    let writer = BinaryCopyInWriter::new(sink, &[Type::INT8, place, Type::INT4_ARRAY]);
    pin_mut!(writer);
    for row in &piece.rows {
        if let Some(Text { place: [one, other], grams }) = texts.text(plan, row)? {
            writer.as_mut().write(&[&one, &other, &grams]).await?;
        }
    }
    writer.finish().await?;
    Ok(())
}
