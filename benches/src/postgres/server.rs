//! A temporary Postgres server whose commits are on the disk, and databases that are copies of one another.

use anyhow::Result;
use seatport_postgres::PostgresStorage;
use seatport_testkit::postgres::Cluster;
use tokio_postgres::NoTls;

/// The schema of all benchmarks.
pub const SCHEMA: &str = "seatport";

/// The server. It goes when this program ends.
#[derive(Debug)]
pub struct Server(Cluster);

impl Server {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self(Cluster::durable())
    }

    /// Where a database is.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.0.url_of(database)
    }

    /// Makes an empty database, in place of what was there.
    ///
    /// # Errors
    /// Those of Postgres.
    pub async fn create(&self, database: &str) -> Result<()> {
        self.copy("template1", database).await
    }

    /// Makes a copy of a database that nobody is connected to, in place of what was there.
    ///
    /// # Errors
    /// Those of Postgres.
    pub async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let (client, connection) = tokio_postgres::connect(&self.0.url(), NoTls).await?;
        let connection = tokio::spawn(connection);
        client.execute(&format!("DROP DATABASE IF EXISTS \"{to}\" WITH (FORCE)"), &[]).await?;
        client.execute(&format!("CREATE DATABASE \"{to}\" TEMPLATE \"{from}\""), &[]).await?;
        // What copying left to be written would be written while something is measured.
        client.batch_execute("CHECKPOINT").await?;
        drop(client);
        Ok(connection.await??)
    }

    /// Opens a storage in a database.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn open(&self, database: &str) -> Result<PostgresStorage> {
        Ok(PostgresStorage::options().schema(SCHEMA).open(&self.url(database)).await?)
    }
}
