//! Trimming events: the oldest go when nobody needs them.

use std::time::Duration;

use seatport::storage::{SessionCommit, Storage};
use seatport::{EventBody, EventHead, Retention, Timestamp};

use crate::storage::Backend;
use crate::storage::sample::{add, at, commit, id};
use crate::storage::snapshot::{ALL, Snapshot};

/// Adds an event at each of these seconds.
async fn fill(storage: &dyn Storage, session: u64, seconds: impl IntoIterator<Item = i64>) {
    for second in seconds {
        let commit = SessionCommit { at: at(second), events: vec![EventBody::RemarkChanged], ..commit(session) };
        storage.commit(commit).await.unwrap();
    }
}

async fn kept(storage: &dyn Storage) -> Vec<u64> {
    let events = storage.events(id(1), 0, ALL).await.unwrap();
    events.into_iter().map(|event| event.seq).collect()
}

fn count(count: u64) -> Retention {
    Retention { count: Some(count), ..Retention::default() }
}

fn age(seconds: u64) -> Retention {
    Retention { age: Some(Duration::from_secs(seconds)), ..Retention::default() }
}

async fn trim(storage: &dyn Storage, keep: Retention, now: Timestamp) -> u64 {
    storage.trim_events(id(1), &keep, now, ALL).await.unwrap()
}

pub(crate) async fn by_number_so_many_stay(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    fill(&*storage, 1, [1, 1, 1, 1, 1]).await;
    for (keep, removed, left) in
        [(6, 0, vec![1, 2, 3, 4, 5]), (5, 0, vec![1, 2, 3, 4, 5]), (3, 2, vec![3, 4, 5]), (3, 0, vec![3, 4, 5])]
    {
        assert_eq!(trim(&*storage, count(keep), at(1)).await, removed, "keeping {keep}");
        assert_eq!(kept(&*storage).await, left, "keeping {keep}");
    }
    fill(&*storage, 1, [2]).await;
    assert_eq!(trim(&*storage, count(3), at(1)).await, 1, "one more came");
    assert_eq!(trim(&*storage, count(0), at(1)).await, 3);
    assert_eq!(kept(&*storage).await, [0; 0]);
}

pub(crate) async fn by_age_what_is_older_goes(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    fill(&*storage, 1, [10, 20, 30, 40]).await;
    assert_eq!(trim(&*storage, age(10), at(20)).await, 0, "as old as that is not older");
    assert_eq!(trim(&*storage, age(10), at(20) + Duration::from_millis(1)).await, 1);
    assert_eq!(kept(&*storage).await, [2, 3, 4]);
    assert_eq!(trim(&*storage, age(0), at(35)).await, 2);
    assert_eq!(trim(&*storage, age(1000), at(40)).await, 0);
    assert_eq!(kept(&*storage).await, [4]);
}

pub(crate) async fn the_oldest_goes_first(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    // Clocks differ: the second event is the youngest.
    fill(&*storage, 1, [10, 99, 10, 10]).await;
    assert_eq!(trim(&*storage, age(5), at(50)).await, 1, "what comes after one that stays, stays");
    assert_eq!(kept(&*storage).await, [2, 3, 4]);
    // Either reason is enough.
    let both = Retention { age: Some(Duration::from_secs(5)), count: Some(2) };
    assert_eq!(trim(&*storage, both, at(50)).await, 3, "too many, and then too old");
    fill(&*storage, 1, [60, 60]).await;
    assert_eq!(trim(&*storage, both, at(60)).await, 0);
    assert_eq!(kept(&*storage).await, [5, 6]);
}

pub(crate) async fn a_limit_not_set_removes_nothing(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    fill(&*storage, 1, [1, 2, 3]).await;
    assert_eq!(trim(&*storage, Retention::default(), at(1_000_000_000)).await, 0);
    assert_eq!(kept(&*storage).await, [1, 2, 3]);
    assert_eq!(storage.trim_events(id(9), &count(0), at(9), ALL).await.unwrap(), 0, "of an unknown session");
}

pub(crate) async fn only_so_many_at_a_time(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    fill(&*storage, 1, 0..7).await;
    let few = async |limit| storage.trim_events(id(1), &count(1), at(9), limit).await.unwrap();
    assert_eq!(few(0).await, 0);
    assert_eq!(few(2).await, 2);
    assert_eq!(kept(&*storage).await, [3, 4, 5, 6, 7]);
    assert_eq!([few(3).await, few(3).await, few(3).await], [3, 1, 0]);
    assert_eq!(kept(&*storage).await, [7]);
}

pub(crate) async fn the_numbers_of_the_others_stay(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    fill(&*storage, 1, 0..5).await;
    fill(&*storage, 2, 0..2).await;
    let before = storage.events(id(1), 3, ALL).await.unwrap();
    assert_eq!(trim(&*storage, count(2), at(9)).await, 3);
    let head = |session, trimmed, last| EventHead { session: id(session), trimmed, last };
    assert_eq!(storage.event_heads(None, 9).await.unwrap(), [head(1, 3, 5), head(2, 0, 2)]);
    for after in 0..4 {
        assert_eq!(storage.events(id(1), after, ALL).await.unwrap(), before, "after {after}");
    }
    assert_eq!(storage.events(id(1), 4, ALL).await.unwrap(), before[1..]);
    assert_eq!(storage.events(id(1), 0, 1).await.unwrap(), before[..1]);

    // Everything gone, the sequence goes on where it was, also after a restart.
    assert_eq!(trim(&*storage, count(0), at(9)).await, 2);
    let row = storage.session(id(1)).await.unwrap().expect("the session is there");
    assert_eq!(row.last_event, 5);
    let before = Snapshot::of(&*storage).await;
    drop(storage);
    let storage = backend.open().await;
    assert_eq!(Snapshot::of(&*storage).await, before);
    fill(&*storage, 1, [9]).await;
    assert_eq!(kept(&*storage).await, [6]);
    assert_eq!(storage.event_heads(None, 1).await.unwrap(), [head(1, 5, 6)]);
}
