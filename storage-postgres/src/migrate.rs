//! The tables, made and brought up to date when a storage is opened.
//!
//! Migrations are embedded, and each is applied once, in their order: `migration` says which were. All of it happens in one
//! transaction, under a lock of the schema's own: of ten nodes that start at the same moment one does the work, and the others wait
//! for it.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use seatport::storage::{StorageError, StorageErrorKind};
use tokio_postgres::Row;

use crate::core::Core;
use crate::error::Failure;
use crate::options::PostgresOptions;
use crate::sql::{Connection, first};
use crate::transaction::InUse;

/// All migrations; the number of each is its place, from 1.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_initial.sql")];

/// The version that this code goes with.
const VERSION: i64 = MIGRATIONS.len() as i64;

/// Brings the tables up to date.
pub(crate) async fn migrate(core: &Core) -> Result<(), Failure> {
    if core.read_once(&core.options, is_up_to_date).await? {
        return Ok(());
    }
    let mut connection = InUse::of(&core.pool).await?;
    let on = connection.on()?;
    on.batch_execute("BEGIN").await?;
    bring_up(on, &core.options.schema).await?;
    // If the answer to this is lost, another attempt finds out what became of it.
    on.batch_execute("COMMIT").await?;
    connection.give_back();
    Ok(())
}

fn is_up_to_date<'a>(on: &'a Connection, options: &'a PostgresOptions) -> BoxFuture<'a, Result<bool, Failure>> {
    async move { Ok(version(on, &options.schema).await? == Some(VERSION)) }.boxed()
}

/// The version of the tables in the schema; none if it holds no tables.
async fn version(on: &Connection, schema: &str) -> Result<Option<i64>, Failure> {
    let sql = "SELECT count(*), count(*) FILTER (WHERE relname = 'migration' AND relkind = 'r'),
             count(*) FILTER (WHERE relname = 'moving_in' AND relkind = 'r')
         FROM pg_catalog.pg_class WHERE relnamespace = to_regnamespace(quote_ident($1))";
    let counts = |row: &Row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?, row.try_get::<_, i64>(2)?));
    let (relations, ours, moving) = first(on, sql, &[&schema], counts).await?.unwrap_or_default();
    if relations == 0 {
        return Ok(None);
    }
    if ours == 0 {
        return Err(foreign(schema));
    }
    if moving > 0 {
        let message =
            format!("another database is being moved into the schema {schema}; run seatport-migrate until it is done");
        return Err(StorageError::new(StorageErrorKind::InUse, message).into());
    }
    let found = first(on, "SELECT max(version) FROM migration", &[], |row| Ok(row.try_get::<_, Option<i64>>(0)?)).await;
    let version = match found {
        Ok(version) => version.flatten().ok_or_else(|| foreign(schema))?,
        // It has no such column.
        Err(Failure::Postgres(error)) if error.code().is_some_and(|code| code.code() == "42703") => {
            return Err(foreign(schema));
        }
        Err(failure) => return Err(failure),
    };
    if version > VERSION {
        let message = format!(
            "the schema {schema} was written by a newer version (its tables have version {version}, this one knows \
             {VERSION}); update the host application"
        );
        return Err(StorageError::new(StorageErrorKind::NewerVersion, message).into());
    }
    Ok(Some(version))
}

fn foreign(schema: &str) -> Failure {
    let message = format!(
        "the schema {schema} holds tables that are not Seatport's, or damaged ones; name another schema, or restore a backup"
    );
    StorageError::new(StorageErrorKind::Corrupt, message).into()
}

async fn bring_up(on: &Connection, schema: &str) -> Result<(), Failure> {
    // Ten nodes may have to wait for one another here.
    on.batch_execute("SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0").await?;
    let lock =
        "SELECT 1 FROM (SELECT pg_advisory_xact_lock(hashtextextended('seatport migration ' || $1, 0))) AS locked";
    on.execute(lock, &[&schema]).await?;
    let sql = "SELECT to_regnamespace(quote_ident($1)) IS NOT NULL";
    if first(on, sql, &[&schema], |row| Ok(row.try_get::<_, bool>(0)?)).await? != Some(true) {
        on.batch_execute(&format!("CREATE SCHEMA \"{schema}\"")).await?;
    }
    let version = version(on, schema).await?;
    if version.is_none() {
        let sql = "CREATE TABLE migration (version bigint PRIMARY KEY, applied_at timestamptz NOT NULL)";
        on.batch_execute(sql).await?;
    }
    for (number, migration) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > version.unwrap_or(0)) {
        on.batch_execute(migration).await?;
        on.execute("INSERT INTO migration (version, applied_at) VALUES ($1, clock_timestamp())", &[&number]).await?;
    }
    Ok(())
}
