//! A server that ends, dies, stands still, or is another one.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use seatport::Page;
use seatport::storage::{Storage, StorageError, StorageErrorKind};
use seatport_postgres::PostgresStorage;
use seatport_testkit::postgres::Cluster;
use tokio::time::{sleep, timeout};

use crate::load::{Load, answers};
use crate::sample::{PATIENCE, add};
use crate::{blocking, hasty, on_a_cable, own};

#[tokio::test(flavor = "multi_thread")]
async fn restarts_under_load_lose_nothing_that_was_acknowledged() {
    let cluster = Arc::new(own().await);
    let storage: Arc<dyn Storage> = Arc::new(PostgresStorage::open(&cluster.url()).await.unwrap());
    let load = Load::on(&storage).await;
    for crash in [false, true, false, true] {
        load.goes_on(200).await;
        let server = cluster.clone();
        blocking(move || {
            if crash {
                server.kill();
            }
            server.restart();
        })
        .await;
    }
    load.goes_on(200).await;
    println!("the storage was busy {} times", load.put_off());
    load.check(&*storage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_standby_is_promoted_the_storage_goes_on_there_and_nothing_is_lost() {
    let first = Arc::new(own().await);
    let (second, url) = blocking({
        let first = first.clone();
        move || {
            let second = first.standby();
            first.wait_for_standbys();
            let url = first.url_with(&second);
            (second, url)
        }
    })
    .await;
    let storage: Arc<dyn Storage> = Arc::new(PostgresStorage::open(&url).await.unwrap());
    let mut changes = storage.changes();
    let load = Load::on(&storage).await;
    load.goes_on(500).await;
    let second = blocking(move || {
        first.kill();
        second.promote();
        second
    })
    .await;
    load.goes_on(500).await;
    // Hints come again too: those of another process, which knows only the new server.
    let elsewhere = PostgresStorage::open(&second.url()).await.unwrap();
    let session = add(&elsewhere).await;
    let heard = async {
        while !matches!(changes.recv().await, Ok(seatport::storage::Change::Session { session: of, .. }) if of == session)
        {
        }
    };
    timeout(PATIENCE, heard).await.expect("no hint came from the new server");
    load.check(&*storage).await;
    end(second).await;
}

async fn end(cluster: Cluster) {
    blocking(move || drop(cluster)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_ever_for_a_database_that_cannot_be_reached() {
    let (cable, storage, _) = on_a_cable(hasty).await;
    let session = add(&storage).await;
    // First nobody says that anything is wrong, and then everybody does.
    for freeze in [true, false] {
        if freeze {
            cable.freeze()
        } else {
            cable.cut()
        }
        everything_is_busy(&storage, session).await;
        cable.mend();
        answers(&storage, session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_ever_for_a_server_that_stands_still() {
    let cluster = Arc::new(own().await);
    let storage = hasty(PostgresStorage::options()).open(&cluster.url()).await.unwrap();
    let session = add(&storage).await;
    let server = cluster.clone();
    blocking(move || server.freeze()).await;
    everything_is_busy(&storage, session).await;
    let server = cluster.clone();
    blocking(move || server.thaw()).await;
    answers(&storage, session).await;
    drop(storage);
    blocking(move || drop(cluster)).await;
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<(), StorageError>> + 'a>>;

/// Every kind of call answers, and says that the storage is busy.
async fn everything_is_busy(storage: &PostgresStorage, session: seatport::SessionId) {
    use crate::sample::{LONG, commit, node, profile};
    use seatport::storage::{ConversationStore, LeaseStore, PortStore, SessionStore};
    let node = node();
    let profile = profile(node);
    let busy = async |what: &str, call: Call<'_>| {
        let came = timeout(PATIENCE, call).await.unwrap_or_else(|_| panic!("{what} hangs"));
        assert_eq!(came.unwrap_err().kind(), StorageErrorKind::Busy, "{what}");
    };
    tokio::join!(
        busy("a read", Box::pin(async { storage.session(session).await.map(drop) })),
        busy("a list", Box::pin(async { storage.chats(session, Page::first(10)).await.map(drop) })),
        busy("a commit", Box::pin(async { storage.commit(commit(session)).await.map(drop) })),
        busy("a joining", Box::pin(storage.join(&profile, LONG))),
        busy("a claim", Box::pin(async { storage.claim(session, node).await.map(drop) })),
        busy("ports", Box::pin(async { storage.port_usage().await.map(drop) })),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_way_to_the_database_makes_everything_slow_and_nothing_wrong() {
    let (cable, storage, _) = on_a_cable(|options| options).await;
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let load = Load::on(&storage).await;
    load.goes_on(50).await;
    cable.slow_down(Duration::from_millis(150));
    load.goes_on(50).await;
    cable.mend();
    load.goes_on(50).await;
    // It comes and goes.
    for _ in 0..5 {
        cable.cut();
        sleep(Duration::from_millis(50)).await;
        cable.mend();
        load.goes_on(50).await;
    }
    load.check(&*storage).await;
}
