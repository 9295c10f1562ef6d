//! The queue for ports: first come, first served, and nobody waits for a node that is gone.

use std::time::Duration;

use seatport::lifecycle::PortChange;
use seatport::storage::{Storage, StorageErrorKind};

use crate::storage::Backend;
use crate::storage::sample::{MINUTE, REPORT, add, node, port, profile, refused};
use crate::storage::snapshot::Snapshot;

/// Nodes that have joined for a minute.
async fn join(storage: &dyn Storage, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        storage.join(&profile(number), MINUTE).await.expect("a node joins");
    }
}

/// Takes a place for somebody who waits at this node.
async fn queue(storage: &dyn Storage, number: u64) -> u64 {
    storage.join_port_queue(node(number)).await.expect("a live node may queue")
}

async fn waiting(storage: &dyn Storage) -> Vec<u64> {
    storage.port_queue().await.expect("the queue can be read")
}

pub(crate) async fn who_comes_first_stands_first_at_whatever_node(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert!(waiting(&*storage).await.is_empty(), "nobody waits at first");
    join(&*storage, [1, 2]).await;
    let mut tickets = Vec::new();
    for at in [2, 1, 1, 2, 1] {
        tickets.push(queue(&*storage, at).await);
        assert_eq!(waiting(&*storage).await, tickets);
    }
    assert!(tickets.is_sorted_by(|before, after| before < after), "each is greater than those before it: {tickets:?}");
}

pub(crate) async fn a_place_is_given_up(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    join(&*storage, [1, 2]).await;
    let tickets = [queue(&*storage, 1).await, queue(&*storage, 2).await, queue(&*storage, 1).await];
    storage.leave_port_queue(tickets[1]).await.unwrap();
    assert_eq!(waiting(&*storage).await, [tickets[0], tickets[2]]);
    storage.leave_port_queue(tickets[1]).await.expect("giving it up again is no fault");
    storage.leave_port_queue(tickets[2] + 100).await.expect("an unknown ticket is no fault");
    assert_eq!(waiting(&*storage).await, [tickets[0], tickets[2]]);
    storage.leave_port_queue(tickets[2]).await.unwrap();
    let next = queue(&*storage, 2).await;
    assert!(next > tickets[2], "{next} was handed out before, as one of {tickets:?}");
    storage.leave_port_queue(tickets[0]).await.unwrap();
    assert_eq!(waiting(&*storage).await, [next]);
}

pub(crate) async fn nobody_waits_at_a_node_that_is_not_live(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    join(&*storage, [1, 2]).await;
    assert_eq!(refused(storage.join_port_queue(node(9)).await), StorageErrorKind::Fenced, "it never joined");
    storage.leave(node(1)).await.unwrap();
    assert_eq!(refused(storage.join_port_queue(node(1)).await), StorageErrorKind::Fenced, "it left");
    backend.pass(MINUTE + Duration::from_secs(1)).await;
    assert_eq!(refused(storage.join_port_queue(node(2)).await), StorageErrorKind::Fenced, "its lease ran out");
    assert!(waiting(&*storage).await.is_empty());
}

pub(crate) async fn places_go_with_the_lease_of_their_node(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    join(&*storage, [1, 2]).await;
    let (dead, live) = (queue(&*storage, 1).await, queue(&*storage, 2).await);
    let late = queue(&*storage, 1).await;
    backend.pass(MINUTE / 2).await;
    storage.renew(node(2), MINUTE, REPORT).await.unwrap();
    assert_eq!(waiting(&*storage).await, [dead, live, late], "both leases hold");
    backend.pass(MINUTE / 2 + Duration::from_secs(1)).await;
    assert_eq!(waiting(&*storage).await, [live], "the first and the last one died");
    join(&*storage, [1]).await;
    assert_eq!(waiting(&*storage).await, [live], "who comes back finds its places gone");
    let again = queue(&*storage, 1).await;
    assert!(again > late, "no ticket comes twice");
    assert_eq!(waiting(&*storage).await, [live, again]);
}

pub(crate) async fn places_go_when_their_node_leaves_or_joins_again(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    join(&*storage, [1, 2, 3]).await;
    let mut tickets = Vec::new();
    for at in [1, 2, 3, 1, 2, 3] {
        tickets.push(queue(&*storage, at).await);
    }
    storage.leave(node(1)).await.unwrap();
    assert_eq!(waiting(&*storage).await, [tickets[1], tickets[2], tickets[4], tickets[5]], "it left");
    join(&*storage, [2]).await;
    assert_eq!(waiting(&*storage).await, [tickets[2], tickets[5]], "it joined again");
    storage.renew(node(3), MINUTE, REPORT).await.unwrap();
    assert_eq!(waiting(&*storage).await, [tickets[2], tickets[5]], "renewing keeps them");
}

pub(crate) async fn is_an_order_and_nothing_more(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    join(&*storage, [1]).await;
    let before = Snapshot::of(&*storage).await;
    let ticket = queue(&*storage, 1).await;
    assert_eq!(Snapshot::of(&*storage).await, before, "a place is no port");
    let claimed = storage.commit(port(1, PortChange::Claim)).await.expect("a claim does not look at the queue");
    assert!(claimed.port.is_some());
    assert_eq!(waiting(&*storage).await, [ticket], "nor does it end anybody's wait");
}

pub(crate) async fn nobody_waits_after_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    join(&*storage, [1]).await;
    queue(&*storage, 1).await;
    queue(&*storage, 1).await;
    drop(storage);

    let storage = backend.open().await;
    assert!(waiting(&*storage).await.is_empty());
    join(&*storage, [1]).await;
    assert!(waiting(&*storage).await.is_empty(), "not even at the same node");
    let ticket = queue(&*storage, 1).await;
    assert_eq!(waiting(&*storage).await, [ticket]);
}
