//! A schema that several storages open, and what they store in it.

use std::collections::BTreeMap;
use std::time::Duration;

use seatport::lifecycle::{Desired, Lifecycle};
use seatport::storage::{Committed, Expect, NodeProfile, SessionCommit, SessionStore, StorageError};
use seatport::{EventBody, NodeId, SessionId, SessionRecord, Timestamp, TransportName};
use seatport_postgres::{PostgresOptions, PostgresStorage};
use seatport_testkit::postgres::Cluster;
use tokio::time::{Instant, sleep};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// How long something may take that comes sooner or later.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A schema of its own, of the server that the tests share.
pub(crate) struct Office {
    pub(crate) schema: String,
}

impl Office {
    pub(crate) fn new() -> Self {
        Self { schema: Cluster::shared().fresh_schema() }
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresStorage::options().schema(&self.schema).connections(3).writers(1).application_name(&self.schema)
    }

    pub(crate) async fn open(&self) -> PostgresStorage {
        self.open_with(self.options()).await
    }

    pub(crate) async fn open_with(&self, options: PostgresOptions) -> PostgresStorage {
        options.open(&Cluster::shared().url()).await.unwrap()
    }

    /// Runs SQL in which `{}` is the schema.
    pub(crate) fn sql(&self, sql: &str) -> String {
        Cluster::shared().sql(&sql.replace("{}", &self.schema))
    }

    /// A connection that is not a storage's.
    pub(crate) async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) =
            tokio_postgres::connect(&Cluster::shared().url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path = {}", self.schema)).await.unwrap();
        client
    }

    /// How many connections there are of storages of this schema that this holds for.
    pub(crate) fn connections(&self, condition: &str) -> usize {
        let sql =
            format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND {condition}", self.schema);
        self.sql(&sql).parse().unwrap()
    }
}

pub(crate) fn id(number: u64) -> SessionId {
    SessionId::from_bytes((u128::from(number) << 64 | 0x5E55).to_be_bytes())
}

pub(crate) fn profile(number: u64) -> NodeProfile {
    let id = NodeId::from_bytes((u128::from(number) << 64 | 0x0DE).to_be_bytes());
    NodeProfile { id, labels: BTreeMap::new(), capacity: 100 }
}

pub(crate) fn record(number: u64) -> SessionRecord {
    SessionRecord::new(id(number), NOW, TransportName::new("simulated").unwrap())
}

/// The record of a session that runs.
pub(crate) fn running(number: u64) -> SessionRecord {
    let mut record = record(number);
    record.facts.desired = Desired::Started;
    record.facts.lifecycle = Lifecycle::Online;
    record
}

/// A commit that adds a session.
pub(crate) fn adding(record: SessionRecord) -> SessionCommit {
    let mut commit = SessionCommit::new(record.id, NOW, Expect::New);
    commit.record = Some(record);
    commit
}

/// A commit with one event, of a session that is there.
pub(crate) fn noting(number: u64) -> SessionCommit {
    SessionCommit { events: vec![EventBody::RemarkChanged], ..SessionCommit::new(id(number), NOW, Expect::Present) }
}

/// Commits in the background.
pub(crate) fn committing(
    storage: &PostgresStorage,
    commit: SessionCommit,
) -> tokio::task::JoinHandle<Result<Committed, StorageError>> {
    let storage = storage.clone();
    tokio::spawn(async move { storage.commit(commit).await })
}

/// Waits until this holds.
pub(crate) async fn until(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < LONG, "not so for a long time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
