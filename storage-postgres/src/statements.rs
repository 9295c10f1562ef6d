//! Statements that run together.

use std::pin::pin;

use futures_util::future::{join, maybe_done, poll_immediate, try_join_all};
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use crate::error::Failure;
use crate::sql::Connection;

/// The values of one column, or another parameter.
pub(crate) type Column = Box<dyn ToSql + Sync + Send>;

/// Statements that run in their order, without waiting for each other's answers.
#[derive(Default)]
pub(crate) struct Statements(Vec<(String, Vec<Column>)>);

impl Statements {
    pub(crate) fn add(&mut self, sql: impl Into<String>, columns: Vec<Column>) {
        self.0.push((sql.into(), columns));
    }

    /// Runs them.
    pub(crate) async fn run(self, tx: &Connection) -> Result<(), Failure> {
        execute(tx, &self.prepare(tx).await?).await
    }

    /// Runs them as the last ones of a transaction and commits it, in one round trip. If one of them fails, the server makes a
    /// rollback of the commit behind it.
    pub(crate) async fn run_and_commit(self, tx: &Connection) -> Result<(), Failure> {
        let prepared = self.prepare(tx).await?;
        let mut running = pin!(maybe_done(execute(tx, &prepared)));
        // What is prepared is sent when it is polled first, or fails then. A commit behind one that was not sent would make the
        // others durable without it.
        poll_immediate(running.as_mut()).await;
        let is_sent = !matches!(running.as_mut().output_mut(), Some(Err(_)));
        let committed = if is_sent { join(running.as_mut(), tx.batch_execute("COMMIT")).await.1 } else { Ok(()) };
        running.take_output().unwrap_or(Ok(()))?;
        Ok(committed?)
    }

    async fn prepare(self, tx: &Connection) -> Result<Vec<(Statement, Vec<Column>)>, Failure> {
        let mut prepared = Vec::with_capacity(self.0.len());
        for (sql, columns) in self.0 {
            prepared.push((tx.prepare_cached(&sql).await?, columns));
        }
        Ok(prepared)
    }
}

async fn execute(tx: &Connection, prepared: &[(Statement, Vec<Column>)]) -> Result<(), Failure> {
    let each =
        prepared.iter().map(|(statement, columns)| async move { tx.execute(statement, &parameters(columns)).await });
    try_join_all(each).await?;
    Ok(())
}

/// As statements take them.
pub(crate) fn parameters(columns: &[Column]) -> Vec<&(dyn ToSql + Sync)> {
    columns.iter().map(|column| &**column as &(dyn ToSql + Sync)).collect()
}

#[cfg(test)]
mod tests {
    use deadpool_postgres::{Manager, Pool};
    use seatport_testkit::postgres::Cluster;
    use tokio_postgres::NoTls;

    use super::*;

    const INSERT: &str = "INSERT INTO n SELECT UNNEST($1::bigint[])";

    /// A connection in a transaction, and a table that only it sees.
    async fn begun() -> Connection {
        let manager = Manager::new(Cluster::shared().url().parse().unwrap(), NoTls);
        let on = Pool::builder(manager).max_size(1).build().unwrap().get().await.unwrap();
        on.batch_execute("CREATE TEMPORARY TABLE n (n bigint PRIMARY KEY)").await.unwrap();
        on.batch_execute("BEGIN").await.unwrap();
        on
    }

    fn inserts(columns: impl IntoIterator<Item = Column>) -> Statements {
        let mut statements = Statements::default();
        columns.into_iter().for_each(|column| statements.add(INSERT, vec![column]));
        statements
    }

    async fn durable(on: &Connection) -> Vec<i64> {
        on.batch_execute("ROLLBACK").await.unwrap();
        on.query("SELECT n FROM n ORDER BY n", &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    #[tokio::test]
    async fn what_ran_is_committed() {
        let on = begun().await;
        inserts([Box::new(vec![1_i64, 2]) as Column, Box::new(vec![3_i64])]).run_and_commit(&on).await.unwrap();
        assert_eq!(durable(&on).await, [1, 2, 3]);
        on.batch_execute("BEGIN").await.unwrap();
        Statements::default().run_and_commit(&on).await.unwrap();
        assert_eq!(durable(&on).await, [1, 2, 3]);
    }

    #[tokio::test]
    async fn one_that_the_server_refuses_takes_the_others_with_it() {
        let on = begun().await;
        let twice = inserts([Box::new(vec![1_i64]) as Column, Box::new(vec![1_i64]), Box::new(vec![2_i64])]);
        let refused = twice.run_and_commit(&on).await.unwrap_err();
        let code = tokio_postgres::error::SqlState::UNIQUE_VIOLATION;
        assert!(matches!(&refused, Failure::Postgres(error) if error.code() == Some(&code)), "{refused:?}");
        assert_eq!(durable(&on).await, [0; 0]);
    }

    #[tokio::test]
    async fn one_that_cannot_be_sent_takes_the_others_with_it() {
        let on = begun().await;
        let odd = inserts([Box::new(vec![1_i64]) as Column, Box::new("no number"), Box::new(vec![2_i64])]);
        let failed = odd.run_and_commit(&on).await.unwrap_err();
        assert!(matches!(&failed, Failure::Postgres(error) if error.as_db_error().is_none()), "{failed:?}");
        assert_eq!(durable(&on).await, [0; 0]);
    }
}
