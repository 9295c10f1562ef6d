//! Ports: the lowest free number, kept until it is released, never held twice, never lost.

use seatport::lifecycle::PortChange;
use seatport::storage::{SessionCommit, Storage, StorageError, StorageErrorKind};
use seatport::{Occupied, PortNumber, PortRange};

use crate::storage::Backend;
use crate::storage::sample::{add, adding, commit, id, online, port, record, refused};
use crate::storage::snapshot::Snapshot;

async fn claim(storage: &dyn Storage, session: u64) -> Result<u32, StorageError> {
    let committed = storage.commit(port(session, PortChange::Claim)).await?;
    Ok(committed.port.expect("who claimed a port holds one").0)
}

async fn release(storage: &dyn Storage, session: u64) {
    assert_eq!(storage.commit(port(session, PortChange::Release)).await.unwrap().port, None);
}

/// Who holds which port: `(port, session)`, and the rows agree.
#[track_caller]
fn assert_held(snapshot: &Snapshot, expected: &[(u32, u64)]) {
    let held: Vec<_> =
        expected.iter().map(|(port, session)| Occupied { port: PortNumber(*port), session: id(*session) }).collect();
    assert_eq!(snapshot.ports.occupied, held);
    let mut rows: Vec<_> = snapshot.sessions.iter().filter_map(|(id, view)| Some((view.row.port?, *id))).collect();
    rows.sort();
    assert_eq!(rows, held.iter().map(|held| (held.port, held.session)).collect::<Vec<_>>(), "the sessions' rows");
}

async fn resize(storage: &dyn Storage, first: u32, capacity: u32) {
    storage.resize_ports(PortRange::new(first, capacity).expect("a valid range")).await.unwrap();
}

pub(crate) async fn the_range_is_the_default_until_one_is_set(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert_eq!(storage.port_usage().await.unwrap().range, PortRange::default());
    resize(&*storage, 8001, 20).await;
    let usage = storage.port_usage().await.unwrap();
    assert_eq!((usage.range.first(), usage.range.capacity(), usage.occupied.len()), (PortNumber(8001), 20, 0));
}

pub(crate) async fn claims_take_the_lowest_free_number(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    resize(&*storage, 5, 4).await;
    add(&*storage, [1, 2, 3, 4, 5]).await;
    for (session, number) in [(4, 5), (2, 6), (3, 7)] {
        assert_eq!(claim(&*storage, session).await.unwrap(), number);
    }
    release(&*storage, 2).await;
    release(&*storage, 4).await;
    assert_eq!(claim(&*storage, 1).await.unwrap(), 5);
    assert_eq!(claim(&*storage, 5).await.unwrap(), 6);
    assert_eq!(claim(&*storage, 4).await.unwrap(), 8);
    assert_held(&Snapshot::of(&*storage).await, &[(5, 1), (6, 5), (7, 3), (8, 4)]);
}

pub(crate) async fn a_claim_keeps_the_number_it_has(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    resize(&*storage, 1, 2).await;
    add(&*storage, [1, 2]).await;
    claim(&*storage, 1).await.unwrap();
    assert_eq!(claim(&*storage, 2).await.unwrap(), 2);
    release(&*storage, 1).await;
    assert_eq!(claim(&*storage, 2).await.unwrap(), 2, "although 1 is free and lower");

    claim(&*storage, 1).await.unwrap();
    assert_eq!(claim(&*storage, 2).await.unwrap(), 2, "although the pool is full");
    resize(&*storage, 100, 1).await;
    assert_eq!(claim(&*storage, 2).await.unwrap(), 2, "although it is outside the range");

    let rewritten = SessionCommit { record: Some(online(2)), ..commit(2) };
    assert_eq!(storage.commit(rewritten).await.unwrap().port, Some(PortNumber(2)), "whatever else is written");
    assert_held(&Snapshot::of(&*storage).await, &[(1, 1), (2, 2)]);
}

pub(crate) async fn releasing_frees_the_number(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    release(&*storage, 1).await;
    claim(&*storage, 1).await.unwrap();
    claim(&*storage, 2).await.unwrap();
    release(&*storage, 1).await;
    release(&*storage, 1).await;
    assert_held(&Snapshot::of(&*storage).await, &[(2, 2)]);
}

pub(crate) async fn a_full_pool_refuses(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    resize(&*storage, 1, 2).await;
    add(&*storage, [1, 2, 3]).await;
    claim(&*storage, 1).await.unwrap();
    claim(&*storage, 2).await.unwrap();

    let full = StorageErrorKind::PoolFull { capacity: 2, occupied: 2 };
    assert_eq!(refused(claim(&*storage, 3).await), full);
    let new = SessionCommit { port: PortChange::Claim, ..adding(record(4)) };
    assert_eq!(refused(storage.commit(new.clone()).await), full);
    assert_eq!(storage.session(id(4)).await.unwrap(), None);

    release(&*storage, 1).await;
    assert_eq!(storage.commit(new).await.unwrap().port, Some(PortNumber(1)), "added and started in one commit");
    assert_held(&Snapshot::of(&*storage).await, &[(1, 4), (2, 2)]);
}

pub(crate) async fn lowering_the_capacity_takes_no_port_away(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2, 3, 4]).await;
    for session in 1..=3 {
        claim(&*storage, session).await.unwrap();
    }
    resize(&*storage, 1, 2).await;
    assert_held(&Snapshot::of(&*storage).await, &[(1, 1), (2, 2), (3, 3)]);
    assert_eq!(refused(claim(&*storage, 4).await), StorageErrorKind::PoolFull { capacity: 2, occupied: 3 });
    release(&*storage, 1).await;
    // Number 1 is free, but two ports are occupied, which is all there are.
    assert_eq!(refused(claim(&*storage, 4).await), StorageErrorKind::PoolFull { capacity: 2, occupied: 2 });
    release(&*storage, 3).await;
    assert_eq!(claim(&*storage, 4).await.unwrap(), 1);
}

pub(crate) async fn raising_the_capacity_lets_more_in(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    resize(&*storage, 1, 1).await;
    add(&*storage, [1, 2]).await;
    claim(&*storage, 1).await.unwrap();
    refused(claim(&*storage, 2).await);
    resize(&*storage, 1, 2).await;
    assert_eq!(claim(&*storage, 2).await.unwrap(), 2);
    // The longest range there is.
    storage.resize_ports(PortRange::new(0, u32::MAX).expect("a valid range")).await.unwrap();
    add(&*storage, [3]).await;
    assert_eq!(claim(&*storage, 3).await.unwrap(), 0);
}

pub(crate) async fn numbers_outside_a_moved_range_count(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2, 3]).await;
    claim(&*storage, 1).await.unwrap();
    resize(&*storage, u32::MAX - 1, 2).await;
    assert_eq!(claim(&*storage, 2).await.unwrap(), u32::MAX - 1);
    assert_eq!(refused(claim(&*storage, 3).await), StorageErrorKind::PoolFull { capacity: 2, occupied: 2 });
    release(&*storage, 1).await;
    assert_eq!(claim(&*storage, 3).await.unwrap(), u32::MAX);
    assert_held(&Snapshot::of(&*storage).await, &[(u32::MAX - 1, 2), (u32::MAX, 3)]);
}

pub(crate) async fn ports_survive_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    resize(&*storage, 7, 3).await;
    add(&*storage, [1, 2, 3]).await;
    claim(&*storage, 3).await.unwrap();
    claim(&*storage, 1).await.unwrap();
    drop(storage);

    let storage = backend.open().await;
    assert_held(&Snapshot::of(&*storage).await, &[(7, 3), (8, 1)]);
    assert_eq!(storage.port_usage().await.unwrap().range, PortRange::new(7, 3).expect("a valid range"));
    assert_eq!(claim(&*storage, 2).await.unwrap(), 9);
}
