//! A database for the storage suite: a schema of the server that all tests of a process share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use seatport::storage::Storage;
use seatport_postgres::PostgresStorage;
use seatport_testkit::postgres::Cluster;
use seatport_testkit::storage::Backend;

/// A schema that nobody else uses.
pub(crate) struct Postgres {
    schema: String,
    writers: usize,
    open: Option<PostgresStorage>,
}

impl Postgres {
    /// One whose commits are written on so many connections. Only with one of them do those of different sessions land in the
    /// order in which they were asked for.
    pub(crate) fn new(writers: usize) -> Self {
        Self { schema: Cluster::shared().fresh_schema(), writers, open: None }
    }

    /// Runs a statement, in which `{}` is the schema, on a connection that is not a storage's; answers the rows.
    pub(crate) fn sql(&self, statement: &str) -> String {
        Cluster::shared().sql_in(database(), &statement.replace("{}", &self.schema))
    }

    /// Opens the database beside those who have it open, as another process does.
    pub(crate) async fn join(&self) -> PostgresStorage {
        let options = PostgresStorage::options().schema(&self.schema).connections(4).writers(self.writers);
        options.open(&Cluster::shared().url_of(database())).await.unwrap()
    }
}

/// A database whose texts sort as people sort them, where the server can do that. Nothing of Seatport's may depend on it.
fn database() -> &'static str {
    static DATABASE: OnceLock<&'static str> = OnceLock::new();
    DATABASE.get_or_init(|| {
        let cluster = Cluster::shared();
        let can = "SELECT current_setting('server_version_num')::int >= 150000
             AND EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i')";
        if cluster.sql(can) != "t" {
            return "postgres";
        }
        cluster.sql("CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
        "sorted"
    })
}

#[async_trait(?Send)]
impl Backend for Postgres {
    async fn open(&mut self) -> Arc<dyn Storage> {
        if let Some(before) = self.open.take() {
            before.close().await.unwrap();
            // As it is once the leases of the dead have run out.
            self.sql("UPDATE {}.node SET expires_at = 'epoch'");
        }
        let storage = self.join().await;
        Arc::new(self.open.insert(storage).clone())
    }

    async fn pass(&self, time: Duration) {
        // The server's clock cannot be moved, but what it is compared with.
        let back = format!("interval '{} microseconds'", time.as_micros());
        self.sql(&format!("UPDATE {{}}.node SET expires_at = expires_at - {back}"));
        self.sql(&format!("UPDATE {{}}.session SET asked_at = asked_at - {back}"));
    }
}
