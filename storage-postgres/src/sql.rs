//! The three ways in which this crate runs SQL. All of them keep the prepared statement for the next call on the connection.
//!
//! Futures that are polled together are pipelined: their statements travel one after the other without waiting for an answer,
//! and the server runs them in the order in which they were polled first. That order is certain only for statements that the
//! connection has prepared before, see [`prepare`].

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::error::Failure;

/// A connection of the pool. A [`Tx`](crate::transaction::Tx) can be used in its place.
pub(crate) type Connection = deadpool_postgres::Client;

/// The parameters of a statement.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Runs a statement; answers how many rows it changed.
pub(crate) async fn execute(on: &Connection, sql: &str, params: Params<'_>) -> Result<u64, Failure> {
    let statement = on.prepare_cached(sql).await?;
    Ok(on.execute(&statement, params).await?)
}

/// The first row, if there is one.
pub(crate) async fn first<T>(
    on: &Connection,
    sql: &str,
    params: Params<'_>,
    read: impl FnOnce(&Row) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let statement = on.prepare_cached(sql).await?;
    on.query(&statement, params).await?.first().map(read).transpose()
}

/// All rows.
pub(crate) async fn all<T>(
    on: &Connection,
    sql: &str,
    params: Params<'_>,
    read: impl FnMut(&Row) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let statement = on.prepare_cached(sql).await?;
    on.query(&statement, params).await?.iter().map(read).collect()
}

/// Prepares statements ahead, so that the order in which they are polled is the order in which they run.
pub(crate) async fn prepare(on: &Connection, statements: &[&str]) -> Result<(), Failure> {
    for sql in statements {
        on.prepare_cached(sql).await?;
    }
    Ok(())
}

/// A number of ours as Postgres writes them. What does not fit is larger than any place or sequence number there can be.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
