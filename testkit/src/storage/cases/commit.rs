//! Commits: what they expect, what they refuse, and that they land as a whole.

use std::pin::pin;
use std::task::{Context, Waker};

use seatport::conversation::{ChatKind, ChatUpdate, ContactUpdate, MessageStatus};
use seatport::lifecycle::PortChange;
use seatport::storage::{ChatNews, Committed, Expect, Fence, ReadMark, SessionCommit, StorageErrorKind, StoredSession};
use seatport::{Action, EventBody, Page, PortNumber, PortRange};

use crate::storage::Backend;
use crate::storage::sample::{
    add, adding, address, at, commit, deletion, edit, events_of, everything, id, identity, inbound, mark, message_id,
    node, online, outbound, own, port, record, refused, sealing, storing, update,
};
use crate::storage::snapshot::Snapshot;

pub(crate) async fn a_second_session_under_the_same_id_answers_exists(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let before = Snapshot::of(&*storage).await;
    assert_eq!(refused(storage.commit(adding(online(1))).await), StorageErrorKind::Exists);
    assert_eq!(Snapshot::of(&*storage).await, before);
}

pub(crate) async fn a_new_session_without_a_record_answers_not_found(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let nothing = SessionCommit { record: None, ..adding(record(1)) };
    assert_eq!(refused(storage.commit(nothing).await), StorageErrorKind::NotFound);
    assert_eq!(storage.session(id(1)).await.unwrap(), None);
}

pub(crate) async fn an_unknown_session_answers_not_found(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let before = Snapshot::of(&*storage).await;
    for expect in [Expect::Present, Expect::Revision(0), Expect::Revision(1)] {
        let commit = SessionCommit { expect, ..everything(1) };
        assert_eq!(refused(storage.commit(commit).await), StorageErrorKind::NotFound, "{expect:?}");
    }
    assert_eq!(Snapshot::of(&*storage).await, before);
}

pub(crate) async fn another_revision_answers_stale(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let on = |revision| SessionCommit { expect: Expect::Revision(revision), record: Some(online(1)), ..commit(1) };
    assert_eq!(storage.commit(on(1)).await.unwrap().revision, 2);
    for revision in [0, 1, 3] {
        assert_eq!(refused(storage.commit(on(revision)).await), StorageErrorKind::Stale, "revision {revision}");
    }
    assert_eq!(storage.commit(on(2)).await.unwrap().revision, 3);
}

pub(crate) async fn the_revision_grows_with_records_only(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let without = SessionCommit { record: None, expect: Expect::Revision(1), ..everything(1) };
    assert_eq!(storage.commit(without.clone()).await.unwrap().revision, 1);
    assert_eq!(storage.commit(without).await.unwrap().revision, 1, "it is still the revision that was expected");

    // The same record once more counts as well: somebody decided on it.
    for revision in 2..5 {
        let with = SessionCommit { record: Some(record(1)), ..commit(1) };
        assert_eq!(storage.commit(with).await.unwrap().revision, revision);
        assert_eq!(storage.session(id(1)).await.unwrap().map(|row| row.revision), Some(revision));
    }
}

pub(crate) async fn a_fence_that_does_not_hold_answers_fenced(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let fenced = |fence| SessionCommit { fence: Some(fence), events: vec![EventBody::RemarkChanged], ..commit(1) };

    let never_claimed = Fence { node: node(1), epoch: 0 };
    assert_eq!(refused(storage.commit(fenced(never_claimed)).await), StorageErrorKind::Fenced);

    let fence = own(&*storage, 1, 1).await;
    own(&*storage, 2, 2).await;
    let forged = [
        Fence { epoch: fence.epoch - 1, ..fence },
        Fence { epoch: fence.epoch + 1, ..fence },
        Fence { node: node(2), ..fence },
        Fence { node: node(3), ..fence },
    ];
    let before = Snapshot::of(&*storage).await;
    for fence in forged {
        assert_eq!(refused(storage.commit(fenced(fence)).await), StorageErrorKind::Fenced, "{fence:?}");
    }
    assert_eq!(Snapshot::of(&*storage).await, before);
    storage.commit(fenced(fence)).await.unwrap();
    storage.commit(commit(1)).await.expect("a commit without a fence needs no owner");

    let added_by_nobody = SessionCommit { fence: Some(fence), ..adding(record(3)) };
    assert_eq!(refused(storage.commit(added_by_nobody).await), StorageErrorKind::Fenced);
    assert_eq!(storage.session(id(3)).await.unwrap(), None);
}

pub(crate) async fn the_expectation_is_checked_before_the_fence(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let fence = Some(Fence { node: node(1), epoch: 7 });
    let stale = SessionCommit { expect: Expect::Revision(9), fence, ..commit(1) };
    assert_eq!(refused(storage.commit(stale).await), StorageErrorKind::Stale);
    let unknown = SessionCommit { fence, ..commit(2) };
    assert_eq!(refused(storage.commit(unknown).await), StorageErrorKind::NotFound);
    let twice = SessionCommit { fence, ..adding(record(1)) };
    assert_eq!(refused(storage.commit(twice).await), StorageErrorKind::Exists);
}

/// The commit, its last message with an idempotency key.
fn with_key(mut commit: SessionCommit) -> SessionCommit {
    let last = commit.messages.last_mut().expect("the commit stores messages");
    last.key = Some("order 17".parse().expect("a valid key"));
    commit
}

pub(crate) async fn a_refused_commit_leaves_nothing_behind(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.resize_ports(PortRange::new(1, 1).expect("a valid range")).await.unwrap();
    add(&*storage, [1, 2]).await;
    storage.commit(port(2, PortChange::Claim)).await.unwrap();
    let mut first = with_key(storing(1, [inbound("ann@net", "there", 0)]));
    first.vault = vec![sealing("net/key", b"old")];
    storage.commit(first).await.unwrap();
    let before = Snapshot::of(&*storage).await;

    let mut all = everything(1);
    all.messages.push(inbound("ann@net", "there", 0));
    all.identities.push(identity("ann@net", "bob@net"));
    all.contacts.push(ContactUpdate::new(address("cid@net")));
    all.amendments.push(deletion("ann@net", "there", "d", 5));
    all.told = vec![(address("ann@net"), message_id("there"))];
    all.updates = vec![update("ann@net", "a", MessageStatus::Read)];
    all.read = vec![mark("ann@net", None)];
    all.forget_credentials = true;
    let refusals = [
        (SessionCommit { expect: Expect::New, ..all.clone() }, StorageErrorKind::Exists),
        (SessionCommit { expect: Expect::Revision(7), ..all.clone() }, StorageErrorKind::Stale),
        (SessionCommit { fence: Some(Fence { node: node(1), epoch: 0 }), ..all.clone() }, StorageErrorKind::Fenced),
        (with_key(all.clone()), StorageErrorKind::Exists),
        (all.clone(), StorageErrorKind::PoolFull { capacity: 1, occupied: 1 }),
        (SessionCommit { session: id(3), ..all.clone() }, StorageErrorKind::NotFound),
        (
            SessionCommit { expect: Expect::New, ..everything(3) },
            StorageErrorKind::PoolFull { capacity: 1, occupied: 1 },
        ),
    ];
    for (commit, kind) in refusals {
        assert_eq!(refused(storage.commit(commit).await), kind);
        assert_eq!(Snapshot::of(&*storage).await, before, "after {kind:?}");
    }

    // Nor was a number, a place or a line used up.
    storage.commit(port(2, PortChange::Release)).await.unwrap();
    let landed = storage.commit(all).await.unwrap();
    let after = Snapshot::of(&*storage).await;
    assert_eq!(landed.port, Some(PortNumber(1)));
    assert_eq!(after.audit.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2]);
    let places = storage.messages(id(1), &address("bob@net"), Page::first(9)).await.unwrap();
    assert_eq!(places.iter().map(|message| message.seq).collect::<Vec<_>>(), [3, 2, 1]);
}

pub(crate) async fn all_writes_land_together_and_in_order(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let mut commit = SessionCommit { expect: Expect::New, at: at(7), ..everything(1) };
    commit.messages.push(inbound("bob@net", "c", 3));
    commit.updates = vec![update("ann@net", "b", MessageStatus::Sent)];
    commit.read = vec![mark("ann@net", None)];
    let committed = storage.commit(commit).await.unwrap();
    let port = Some(PortNumber(1));
    assert_eq!(committed, Committed { revision: 1, port, last_event: 9, unread: 1 });

    let row = StoredSession { record: online(1), revision: 1, port, unread: 1, last_event: 9, owner: None };
    let view = Snapshot::of(&*storage).await;
    assert_eq!(view.sessions[&id(1)].row, row);
    assert_eq!(view.audit.iter().map(|line| line.entry.action).collect::<Vec<_>>(), [Action::Add, Action::Start]);
    assert_eq!(view.ports.occupied.iter().map(|held| held.session).collect::<Vec<_>>(), [id(1)]);

    let events = &view.sessions[&id(1)].events;
    assert!(events.iter().all(|event| event.at == at(7) && event.session == id(1)), "at the commit's time: {events:?}");
    let stored =
        |chat: &str, id: &str, inbound| EventBody::MessageStored { chat: address(chat), id: message_id(id), inbound };
    let expected = [
        EventBody::ChatChanged { chat: address("ann@net") },
        stored("ann@net", "a", true),
        stored("ann@net", "b", false),
        stored("bob@net", "c", true),
        EventBody::MessageAmended { chat: address("ann@net"), id: message_id("a") },
        EventBody::MessageStatusChanged { chat: address("ann@net"), id: message_id("b"), status: MessageStatus::Sent },
        EventBody::ChatRead { chat: address("ann@net") },
        EventBody::Added,
        EventBody::RemarkChanged,
    ];
    assert_eq!(events.iter().map(|event| event.body.clone()).collect::<Vec<_>>(), expected);
}

pub(crate) async fn each_write_sees_those_before_it(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(storing(1, [inbound("old@net", "a", 1)])).await.unwrap();
    let mut commit = storing(1, [outbound("old@net", "b", 2), inbound("old@net", "c", 3)]);
    commit.identities = vec![identity("old@net", "new@net")];
    commit.contacts = vec![ContactUpdate { name: Some("Ann".into()), ..ContactUpdate::new(address("old@net")) }];
    let archived = ChatUpdate { archived: Some(true), ..ChatUpdate::new(address("old@net"), ChatKind::Person) };
    commit.chats = vec![ChatNews { update: archived, person: None }];
    commit.amendments = vec![edit("old@net", "c", "e", 4, "what was meant")];
    commit.updates = vec![update("old@net", "b", MessageStatus::Sent)];
    commit.read = vec![ReadMark { tell: true, ..mark("old@net", Some("c")) }];
    commit.told = vec![(address("old@net"), message_id("c"))];
    commit.events = vec![EventBody::RemarkChanged];

    let (chat, b, c) = (address("new@net"), message_id("b"), message_id("c"));
    let expected = [
        EventBody::IdentityMerged { address: address("old@net"), canonical: chat.clone() },
        EventBody::ContactChanged { address: chat.clone() },
        EventBody::ChatChanged { chat: chat.clone() },
        EventBody::MessageStored { chat: chat.clone(), id: b.clone(), inbound: false },
        EventBody::MessageStored { chat: chat.clone(), id: c.clone(), inbound: true },
        EventBody::MessageAmended { chat: chat.clone(), id: c },
        EventBody::MessageStatusChanged { chat: chat.clone(), id: b, status: MessageStatus::Sent },
        EventBody::ChatRead { chat },
        EventBody::RemarkChanged,
    ];
    assert_eq!(events_of(&*storage, commit).await, expected);
    let untold = storage.untold_reads(id(1), 9).await.unwrap();
    assert_eq!(untold.iter().map(|stored| stored.message.id.as_str()).collect::<Vec<_>>(), ["a"]);
}

pub(crate) async fn other_sessions_are_left_alone(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    storage.commit(everything(1)).await.unwrap();
    let mut before = Snapshot::of(&*storage).await.sessions;

    let mut commit = everything(2);
    commit.messages.push(outbound("ann@net", "only of 2", 9));
    commit.read = vec![mark("ann@net", None)];
    commit.updates = vec![update("ann@net", "b", MessageStatus::Read)];
    storage.commit(commit).await.unwrap();
    let forgetting = SessionCommit { forget_credentials: true, ..port(2, PortChange::Release) };
    storage.commit(forgetting).await.unwrap();

    let mut after = Snapshot::of(&*storage).await.sessions;
    assert_eq!(before.remove(&id(1)), after.remove(&id(1)));
    assert_ne!(before, after);
}

pub(crate) async fn what_was_acknowledged_survives_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.resize_ports(PortRange::new(8001, 3).expect("a valid range")).await.unwrap();
    add(&*storage, [1, 2, 3]).await;
    for number in [1, 2] {
        storage.commit(everything(number)).await.unwrap();
    }
    let mut read = commit(1);
    read.read = vec![mark("ann@net", None)];
    storage.commit(read).await.unwrap();
    let before = Snapshot::of(&*storage).await;
    drop(storage);

    let storage = backend.open().await;
    assert_eq!(Snapshot::of(&*storage).await, before);
    // The counters go on where they were.
    let committed = storage.commit(everything(1)).await.unwrap();
    let row = &before.sessions[&id(1)].row;
    assert_eq!((committed.revision, committed.last_event), (row.revision + 1, row.last_event + 2));
    assert_eq!(
        storage.audit(0, 100).await.unwrap().last().map(|line| line.number),
        Some(before.audit.len() as u64 + 2)
    );
}

pub(crate) async fn a_dropped_commit_happened_as_a_whole_or_not(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    for number in 0..20 {
        let mut whole = SessionCommit { expect: Expect::New, ..everything(number) };
        whole.port = PortChange::Keep;
        {
            let mut dropped = pin!(storage.commit(whole));
            let _ = dropped.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }
    // Closing finishes what was begun.
    storage.close().await.unwrap();
    let storage = backend.open().await;
    let view = Snapshot::of(&*storage).await;
    for (id, session) in &view.sessions {
        assert_eq!((session.row.revision, session.row.unread, session.row.last_event), (1, 1, 6), "{id}");
        assert_eq!((session.events.len(), session.vault.len(), session.chats.len()), (6, 2, 1), "{id}");
    }
    assert_eq!(view.audit.len(), 2 * view.sessions.len(), "two lines for each that happened");
    storage.commit(everything(99)).await.expect_err("nobody added it");
    storage.commit(SessionCommit { expect: Expect::New, ..everything(99) }).await.expect("nobody is held up");
}
