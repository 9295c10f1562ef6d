//! Deleting: every trace goes, and nothing else.

use seatport::conversation::SearchQuery;
use seatport::lifecycle::{Lifecycle, PortChange};
use seatport::storage::{Deletion, Expect, Incoming, ReadMark, SessionCommit, StorageErrorKind};
use seatport::{Action, Page, PortNumber, SendKey};

use crate::storage::Backend;
use crate::storage::sample::{
    add, adding, address, audit, commit, edit, everything, id, identity, inbound, mark, message, message_id, outbound,
    own, port, record, refused, running, storing,
};
use crate::storage::snapshot::Snapshot;

/// A session at rest with something of everything, its port released.
fn with_everything(number: u64) -> [SessionCommit; 2] {
    let full = SessionCommit { expect: Expect::New, ..everything(number) };
    let at_rest = SessionCommit { record: Some(record(number)), ..port(number, PortChange::Release) };
    [full, at_rest]
}

pub(crate) async fn leaves_no_trace_but_the_audit_trail(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    for commit in with_everything(1) {
        storage.commit(commit).await.unwrap();
    }
    let key: SendKey = "order 17".parse().expect("a valid key");
    let mut more = storing(1, [Incoming { key: Some(key.clone()), ..outbound("ann@net", "keyed", 9) }]);
    more.amendments = vec![edit("ann@net", "still to come", "e", 9, "changed")];
    more.identities = vec![identity("ann@net", "new@net")];
    more.read = vec![ReadMark { tell: true, ..mark("ann@net", None) }];
    storage.commit(more).await.unwrap();
    own(&*storage, 1, 1).await;
    storage.delete(id(1), 2, Deletion::Delete, audit(1, Action::Delete)).await.unwrap();

    assert_eq!(storage.session(id(1)).await.unwrap(), None);
    let view = Snapshot::of(&*storage).await;
    assert!(view.sessions.is_empty() && view.heads.is_empty() && view.orphans.is_empty(), "{view:?}");
    let lines: Vec<_> = view.audit.iter().map(|line| line.entry.action).collect();
    assert_eq!(lines, [Action::Add, Action::Start, Action::Delete]);

    // Asked for by name, too: lists of sessions do not show what belongs to none.
    let (ann, a) = (address("ann@net"), message_id("a"));
    assert_eq!(storage.contacts(id(1), Page::first(9)).await.unwrap(), []);
    assert_eq!(storage.chats(id(1), Page::first(9)).await.unwrap(), []);
    assert_eq!(storage.chat(id(1), &ann).await.unwrap(), None);
    for chat in [&ann, &address("new@net")] {
        assert_eq!(storage.messages(id(1), chat, Page::first(9)).await.unwrap(), []);
    }
    assert_eq!(storage.message(id(1), &ann, &a).await.unwrap(), None);
    assert_eq!(storage.contact(id(1), &ann).await.unwrap(), None);
    assert_eq!(storage.keyed(id(1), &key).await.unwrap(), None);
    assert_eq!(storage.pending(id(1), 9).await.unwrap(), []);
    assert_eq!(storage.untold_reads(id(1), 9).await.unwrap(), []);
    assert_eq!(storage.search_messages(&SearchQuery::new("from"), None, 9).await.unwrap(), []);
    assert_eq!(storage.search_contacts(&SearchQuery::new("ann"), None, 9).await.unwrap(), []);
    assert_eq!(storage.events(id(1), 0, 9).await.unwrap(), []);
    assert_eq!(storage.vault_get(id(1), "net/key").await.unwrap(), None);
    assert_eq!(storage.vault_list(id(1), "").await.unwrap(), []);
    assert_eq!(storage.vault_scan(None, 9).await.unwrap(), []);
    assert_eq!(refused(storage.commit(commit(1)).await), StorageErrorKind::NotFound);

    // A session added under the same id starts from nothing, and knows no message.
    let again = storage.commit(SessionCommit { expect: Expect::New, ..everything(1) }).await.unwrap();
    assert_eq!((again.revision, again.last_event, again.unread), (1, 6, 1));
    let stored = storage.message(id(1), &ann, &a).await.unwrap();
    assert_eq!(stored.map(|message| (message.seq, message.message.chat)), Some((1, ann)), "nor that it moved");
    storage.commit(storing(1, [Incoming { key: Some(key), ..inbound("ann@net", "still to come", 9) }])).await.unwrap();
    assert_eq!(message(&*storage, 1, "ann@net", "still to come").await.edited_at, None);
}

pub(crate) async fn leaves_other_sessions_alone(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    for commit in [1, 2, 3].into_iter().flat_map(with_everything) {
        storage.commit(commit).await.unwrap();
    }
    let mut before = Snapshot::of(&*storage).await;
    storage.delete(id(2), 2, Deletion::Delete, audit(2, Action::Delete)).await.unwrap();

    let mut after = Snapshot::of(&*storage).await;
    before.sessions.remove(&id(2));
    before.heads.retain(|head| head.session != id(2));
    let line = after.audit.pop().expect("the deletion is in the audit trail");
    assert_eq!((line.number, line.entry), (7, audit(2, Action::Delete)));
    assert_eq!(after, before);
}

pub(crate) async fn frees_the_port(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    assert_eq!(storage.commit(port(1, PortChange::Claim)).await.unwrap().port, Some(PortNumber(1)));
    storage.delete(id(1), 1, Deletion::Delete, audit(1, Action::Delete)).await.unwrap();
    assert_eq!(storage.port_usage().await.unwrap().occupied, []);
    assert_eq!(storage.commit(port(2, PortChange::Claim)).await.unwrap().port, Some(PortNumber(1)));
}

pub(crate) async fn refused_changes_nothing(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    for commit in with_everything(1) {
        storage.commit(commit).await.unwrap();
    }
    storage.commit(adding(running(2, Lifecycle::Blocked))).await.unwrap();
    let before = Snapshot::of(&*storage).await;

    let delete = async |number, revision| {
        refused(storage.delete(id(number), revision, Deletion::Delete, audit(number, Action::Delete)).await)
    };
    assert_eq!(delete(3, 1).await, StorageErrorKind::NotFound);
    assert_eq!(delete(1, 1).await, StorageErrorKind::Stale);
    assert_eq!(delete(1, 3).await, StorageErrorKind::Stale);
    assert_eq!(delete(2, 1).await, StorageErrorKind::NotStopped);
    assert_eq!(Snapshot::of(&*storage).await, before);
}

pub(crate) async fn survives_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    for commit in [1, 2].into_iter().flat_map(with_everything) {
        storage.commit(commit).await.unwrap();
    }
    storage.delete(id(1), 2, Deletion::Delete, audit(1, Action::Delete)).await.unwrap();
    let before = Snapshot::of(&*storage).await;
    assert_eq!(before.sessions.len(), 1);
    drop(storage);
    assert_eq!(Snapshot::of(&*backend.open().await).await, before);
}
