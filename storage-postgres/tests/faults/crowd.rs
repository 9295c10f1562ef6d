//! More callers than connections.

use std::time::Duration;

use seatport::Page;
use seatport::storage::{ConversationStore, SessionCommit, SessionStore, StorageErrorKind};
use tokio::task::JoinSet;

use crate::on_a_cable;
use crate::sample::{ANN, LONG, add, address, commit, inbound, patiently};

/// Five hundred at once on four connections: each waits for its turn, and gets what it asked for.
#[tokio::test(flavor = "multi_thread")]
async fn callers_wait_for_a_connection_and_none_is_sent_away() {
    let (_cable, storage, _) = on_a_cable(|options| options.connections(4).wait(LONG)).await;
    let session = add(&storage).await;
    let mut calls = JoinSet::new();
    for number in 0..500 {
        let storage = storage.clone();
        calls.spawn(async move {
            match number % 3 {
                0 => storage.session(session).await.map(drop),
                1 => storage.messages(session, &address(ANN), Page::first(10)).await.map(drop),
                _ => {
                    let messages = vec![inbound(&format!("crowd-{number}"))];
                    storage.commit(SessionCommit { messages, ..commit(session) }).await.map(drop)
                }
            }
        });
    }
    for came in calls.join_all().await {
        came.unwrap();
    }
    let messages = storage.messages(session, &address(ANN), Page::first(1_000)).await.unwrap();
    assert_eq!(messages.len(), 2 + 166);
}

/// Who waits for longer than is allowed hears that the storage is busy, and may come again.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_too_long_is_told_that_the_storage_is_busy() {
    let moment = Duration::from_millis(100);
    let (cable, storage, _) = on_a_cable(|options| options.connections(1).wait(moment)).await;
    let session = add(&storage).await;
    cable.slow_down(Duration::from_secs(1));
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let storage = storage.clone();
        calls.spawn(async move { storage.session(session).await });
    }
    let came = calls.join_all().await;
    let busy = came.iter().filter_map(|came| came.as_ref().err()).inspect(|error| {
        assert_eq!(error.kind(), StorageErrorKind::Busy);
    });
    assert!(busy.count() > 0, "ten calls had one connection within a tenth of a second each");
    cable.mend();
    patiently(|| storage.session(session)).await.unwrap();
}
