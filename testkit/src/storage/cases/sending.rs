//! Messages of ours: sent once under each idempotency key, and why one was not sent.

use seatport::SendKey;
use seatport::conversation::{MessageStatus, SendFailure};
use seatport::storage::{Expect, Fence, Incoming, MessageUpdate, SessionCommit, StorageErrorKind};

use crate::storage::Backend;
use crate::storage::sample::{
    add, audit, commit, events_of, id, identifying, identity, inbound, message, node, outbound, refused, storing,
    update,
};
use crate::storage::snapshot::Snapshot;

fn key(text: &str) -> SendKey {
    text.parse().expect("a valid key")
}

fn keyed(incoming: Incoming, text: &str) -> Incoming {
    Incoming { key: Some(key(text)), ..incoming }
}

pub(crate) async fn a_message_is_found_by_its_key(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let messages = [keyed(outbound("ann@net", "a", 1), "order 17 'é'"), outbound("ann@net", "b", 2)];
    storage.commit(storing(1, messages)).await.unwrap();
    storage.commit(storing(1, [keyed(outbound("bob@net", "a", 3), "order 18")])).await.unwrap();
    storage
        .commit(SessionCommit { updates: vec![update("bob@net", "a", MessageStatus::Sent)], ..commit(1) })
        .await
        .unwrap();

    for (text, chat) in [("order 17 'é'", "ann@net"), ("order 18", "bob@net")] {
        let stored = message(&*storage, 1, chat, "a").await;
        assert_eq!(storage.keyed(id(1), &key(text)).await.unwrap(), Some(stored), "as it is now");
        assert_eq!(storage.keyed(id(2), &key(text)).await.unwrap(), None, "another session's");
    }
    for other in ["order 1", "ORDER 18", "a"] {
        assert_eq!(storage.keyed(id(1), &key(other)).await.unwrap(), None, "{other}");
    }
}

pub(crate) async fn a_used_key_refuses_the_whole_commit(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    storage.commit(storing(1, [keyed(outbound("ann@net", "a", 1), "k")])).await.unwrap();
    let before = Snapshot::of(&*storage).await;

    let mut other = storing(1, [inbound("ann@net", "b", 2), keyed(outbound("bob@net", "c", 3), "k")]);
    other.audit = vec![audit(1, seatport::Action::Send)];
    let same = storing(1, [keyed(outbound("ann@net", "a", 1), "k")]);
    let twice_at_once = storing(1, ["d", "e"].map(|name| keyed(outbound("ann@net", name, 4), "new")));
    for commit in [other, same, twice_at_once] {
        assert_eq!(refused(storage.commit(commit).await), StorageErrorKind::Exists);
        assert_eq!(Snapshot::of(&*storage).await, before);
    }
    storage.commit(storing(1, [keyed(outbound("ann@net", "f", 5), "new")])).await.expect("no refusal used it up");
    storage.commit(storing(2, [keyed(outbound("ann@net", "a", 1), "k")])).await.expect("another session's own");
}

pub(crate) async fn a_used_key_is_noticed_after_a_fence_that_does_not_hold(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let again = storing(1, [keyed(outbound("ann@net", "a", 1), "k")]);
    storage.commit(again.clone()).await.unwrap();
    let fenced = SessionCommit { fence: Some(Fence { node: node(1), epoch: 7 }), ..again.clone() };
    assert_eq!(refused(storage.commit(fenced).await), StorageErrorKind::Fenced);
    let stale = SessionCommit { expect: Expect::Revision(9), ..again };
    assert_eq!(refused(storage.commit(stale).await), StorageErrorKind::Stale);
}

pub(crate) async fn a_key_stays_used(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [keyed(outbound("old@net", "a", 1), "k")])).await.unwrap();
    storage
        .commit(SessionCommit { updates: vec![update("old@net", "a", MessageStatus::Failed)], ..commit(1) })
        .await
        .unwrap();
    storage.commit(identifying(1, [identity("old@net", "new@net")])).await.unwrap();
    drop(storage);

    let storage = backend.open().await;
    let again = storing(1, [keyed(outbound("new@net", "b", 2), "k")]);
    assert_eq!(refused(storage.commit(again).await), StorageErrorKind::Exists);
    let stored = message(&*storage, 1, "new@net", "a").await;
    assert_eq!(storage.keyed(id(1), &key("k")).await.unwrap(), Some(stored), "the message moved, and is found");
}

pub(crate) async fn why_it_failed_is_kept_while_it_counts_as_failed(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, ["a", "b", "c"].map(|name| outbound("ann@net", name, 1)))).await.unwrap();
    let failure = async |name| message(&*storage, 1, "ann@net", name).await.failure;
    assert_eq!(failure("a").await, None);

    let refused = || SendFailure::Refused("463: 'no such \"person\"' 林".into());
    let failed = |name, why| MessageUpdate { failure: Some(why), ..update("ann@net", name, MessageStatus::Failed) };
    let updates = vec![
        failed("a", refused()),
        failed("b", SendFailure::Cancelled),
        update("ann@net", "c", MessageStatus::Failed),
    ];
    assert_eq!(events_of(&*storage, SessionCommit { updates, ..commit(1) }).await.len(), 3);
    assert_eq!(failure("a").await, Some(refused()));
    assert_eq!(failure("b").await, Some(SendFailure::Cancelled));
    assert_eq!(failure("c").await, None, "nobody said why");

    // Another reason comes too late; and what turned out to be sent did not fail.
    let updates = vec![failed("a", SendFailure::Cancelled), update("ann@net", "b", MessageStatus::Delivered)];
    assert_eq!(events_of(&*storage, SessionCommit { updates, ..commit(1) }).await.len(), 1);
    assert_eq!(failure("a").await, Some(refused()));
    assert_eq!(failure("b").await, None);
    let updates = vec![failed("b", refused())];
    assert_eq!(events_of(&*storage, SessionCommit { updates, ..commit(1) }).await, []);
    assert_eq!(failure("b").await, None, "what was delivered does not fail");
}
