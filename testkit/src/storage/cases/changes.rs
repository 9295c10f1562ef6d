//! Hints of what was committed.

use std::time::Duration;

use seatport::lifecycle::PortChange;
use seatport::storage::{Change, Deletion, SessionCommit};
use seatport::{Action, EventBody, PortRange};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use crate::storage::Backend;
use crate::storage::sample::{MINUTE, add, audit, commit, id, node, own, port, profile};

/// How long a hint may take; a storage that keeps its promise takes no time worth mentioning.
const SOON: Duration = Duration::from_secs(2);

/// Waits until this hint comes. Others may come as well: a hint too many wakes somebody for nothing.
#[track_caller]
fn expect(changes: &mut Receiver<Change>, expected: Change) -> impl Future<Output = ()> {
    let location = std::panic::Location::caller();
    async move {
        let found = timeout(SOON, async {
            while changes.recv().await.expect("the storage is open and few hints came") != expected {}
        });
        assert!(found.await.is_ok(), "no {expected:?} within {SOON:?}, as expected at {location}");
    }
}

fn by_anybody(session: u64) -> Change {
    Change::Session { session: id(session), by_owner: false }
}

fn by_owner(session: u64) -> Change {
    Change::Session { session: id(session), by_owner: true }
}

pub(crate) async fn follow_commits_and_say_who_wrote(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let (mut one, mut two) = (storage.changes(), storage.changes());
    add(&*storage, [1]).await;
    expect(&mut one, by_anybody(1)).await;
    expect(&mut two, by_anybody(1)).await;

    let fence = own(&*storage, 1, 1).await;
    let mut late = storage.changes();
    storage.commit(SessionCommit { events: vec![EventBody::RemarkChanged], ..commit(1) }).await.unwrap();
    expect(&mut late, by_anybody(1)).await;
    storage.commit(SessionCommit { fence: Some(fence), ..commit(1) }).await.unwrap();
    expect(&mut late, by_owner(1)).await;
}

pub(crate) async fn follow_claims_and_releases_of_ownership(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let mut changes = storage.changes();
    let fence = own(&*storage, 1, 1).await;
    expect(&mut changes, by_owner(1)).await;
    // Whoever else wants to drive it is to look: this is not for those only who follow it.
    storage.release(id(1), fence).await.unwrap();
    expect(&mut changes, by_anybody(1)).await;
    let mut changes = storage.changes();
    storage.claim(id(1), node(1)).await.unwrap().expect("nobody else owns it");
    expect(&mut changes, by_owner(1)).await;
}

pub(crate) async fn follow_places_in_the_queue_that_are_given_up(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    for number in [1, 2] {
        storage.join(&profile(number), MINUTE).await.unwrap();
    }
    let ticket = storage.join_port_queue(node(1)).await.unwrap();
    storage.join_port_queue(node(2)).await.unwrap();
    let mut changes = storage.changes();
    storage.leave_port_queue(ticket).await.unwrap();
    expect(&mut changes, Change::Ports).await;
    let mut changes = storage.changes();
    storage.leave(node(2)).await.unwrap();
    expect(&mut changes, Change::Ports).await;
}

pub(crate) async fn follow_released_ports_and_resizes(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.commit(port(1, PortChange::Claim)).await.unwrap();
    let mut changes = storage.changes();
    storage.commit(port(1, PortChange::Release)).await.unwrap();
    expect(&mut changes, Change::Ports).await;
    let mut changes = storage.changes();
    storage.resize_ports(PortRange::default()).await.unwrap();
    expect(&mut changes, Change::Ports).await;
}

pub(crate) async fn follow_deletions(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let (mut sessions, mut ports) = (storage.changes(), storage.changes());
    storage.delete(id(1), 1, Deletion::Delete, audit(1, Action::Delete)).await.unwrap();
    expect(&mut sessions, by_anybody(1)).await;
    expect(&mut ports, Change::Ports).await;
}

pub(crate) async fn come_after_the_write_can_be_read(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let mut changes = storage.changes();
    let writer = {
        let storage = storage.clone();
        tokio::spawn(async move {
            for _ in 0..50 {
                storage.commit(SessionCommit { events: vec![EventBody::Added], ..commit(1) }).await.unwrap();
            }
        })
    };
    for written in 1..=50 {
        expect(&mut changes, by_anybody(1)).await;
        let row = storage.session(id(1)).await.unwrap().expect("the session is there");
        assert!(row.last_event >= written, "hint {written} came before its write: {row:?}");
    }
    writer.await.expect("the commits land");
}
