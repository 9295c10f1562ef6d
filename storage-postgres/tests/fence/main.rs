//! A process that stands still with a transaction in its hands and more work queued, and goes on when its lease has run
//! out and others own its sessions, changes no row.
//!
//! A test without the usual harness: it starts itself again as that process.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

#[path = "../sample/mod.rs"]
mod sample;

mod frozen;
mod writes;

use std::time::Duration;

use sample::{LONG, add, dump, owner, until};
use seatport::storage::{LeaseStore, Storage, StorageErrorKind};
use seatport_postgres::PostgresStorage;
use seatport_testkit::postgres::Cluster;

#[tokio::main]
async fn main() {
    frozen::be_it_if_told().await;
    let cluster = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
    who_owned_a_session_before_writes_nothing(&cluster).await;
    for (transaction, name) in [(true, "within_a_transaction"), (false, "at_some_moment"), (false, "at_another_moment")]
    {
        frozen::a_process_that_was_frozen_changes_no_row(&cluster, transaction).await;
        println!("test a_process_that_was_frozen_{name}_changes_no_row ... ok");
    }
}

async fn open(port: u16, schema: &str) -> PostgresStorage {
    let url = format!("postgresql://postgres@127.0.0.1:{port}/postgres");
    PostgresStorage::options().schema(schema).open(&url).await.unwrap()
}

/// Within one process: the lease of the first owner runs out, another one claims the session, and the first one tries
/// to write. Every one of these writes changes something when the owner does it: the test would notice one that lands.
async fn who_owned_a_session_before_writes_nothing(cluster: &Cluster) {
    let schema = cluster.fresh_schema();
    let storage = open(cluster.port(), &schema).await;
    let session = add(&storage).await;
    let first = owner(&storage, session, Duration::from_millis(500)).await;
    until("the lease has run out", async || storage.nodes().await.unwrap().is_empty()).await;
    // Nobody owns it, which is no reason to let the first one go on.
    let before = dump(cluster, &schema);
    writes::try_all(&storage, session, first, |what, came| {
        assert_eq!((what, came), (what, Err(StorageErrorKind::Fenced)));
    })
    .await;
    assert_eq!(dump(cluster, &schema), before);

    let second = owner(&storage, session, LONG).await;
    let before = dump(cluster, &schema);
    writes::try_all(&storage, session, first, |what, came| {
        assert_eq!((what, came), (what, Err(StorageErrorKind::Fenced)));
    })
    .await;
    storage.release(session, first).await.unwrap();
    for refused in [
        storage.renew(first.node, LONG, seatport::storage::NodeReport { sessions: 1, accepting: true }).await,
        storage.claim(session, first.node).await.map(drop),
        seatport::storage::PortStore::join_port_queue(&storage, first.node).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), StorageErrorKind::Fenced);
    }
    assert_eq!(dump(cluster, &schema), before);

    let mut last = before;
    writes::try_all(&storage, session, second, |what, came| {
        assert_eq!((what, came), (what, Ok(())));
        let now = dump(cluster, &schema);
        assert_ne!(now, last, "{what} changes nothing");
        last = now;
    })
    .await;
    storage.release(session, second).await.unwrap();
    assert_ne!(dump(cluster, &schema), last, "release changes nothing");
    storage.close().await.unwrap();
    println!("test who_owned_a_session_before_writes_nothing ... ok");
}
