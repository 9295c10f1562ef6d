//! A database that goes away, comes back, is slow, full or elsewhere.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

#[path = "../sample/mod.rs"]
mod sample;

mod clocks;
mod crowd;
mod load;
mod lost_commits;
mod outages;
mod refused;

use std::time::Duration;

use seatport_postgres::{PostgresOptions, PostgresStorage};
use seatport_testkit::Cable;
use seatport_testkit::postgres::Cluster;

/// A storage in a fresh schema of the server that these tests share, on a cable of its own.
async fn on_a_cable(options: impl FnOnce(PostgresOptions) -> PostgresOptions) -> (Cable, PostgresStorage, String) {
    let cluster = shared().await;
    let schema = cluster.fresh_schema();
    let cable = Cable::to(format!("127.0.0.1:{}", cluster.port())).await.unwrap();
    let url = format!("postgresql://postgres@{}/postgres", cable.address());
    let storage = options(PostgresStorage::options().schema(&*schema)).open(&url).await.unwrap();
    (cable, storage, schema)
}

async fn shared() -> &'static Cluster {
    tokio::task::spawn_blocking(Cluster::shared).await.unwrap()
}

/// A server of one's own, to do things to.
async fn own() -> Cluster {
    tokio::task::spawn_blocking(Cluster::start).await.unwrap()
}

/// Runs what blocks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Gives up soon.
fn hasty(options: PostgresOptions) -> PostgresOptions {
    let (moment, second) = (Duration::from_millis(300), Duration::from_secs(1));
    options
        .connect_timeout(moment)
        .statement_timeout(moment)
        .lock_timeout(moment)
        .idle_timeout(second)
        .wait(second)
        .retry_for(second)
}
