//! Consumers of events: what one has not acknowledged stays.

use seatport::storage::{Deletion, SessionCommit, Storage, StorageErrorKind};
use seatport::{Action, ConsumerName, Cursors, EventBody, Retention, SessionId};

use crate::storage::Backend;
use crate::storage::sample::{add, at, audit, commit, id, refused};
use crate::storage::snapshot::{ALL, Snapshot};

fn name(text: &str) -> ConsumerName {
    text.parse().expect("a valid name")
}

fn handled<const N: usize>(numbers: [(u64, u64); N]) -> Cursors {
    Cursors(numbers.map(|(session, seq)| (id(session), seq)).into())
}

/// Sessions with five events each.
async fn fill(storage: &dyn Storage, numbers: impl IntoIterator<Item = u64> + Clone) {
    add(storage, numbers.clone()).await;
    for number in numbers {
        let events = vec![EventBody::RemarkChanged; 5];
        storage.commit(SessionCommit { events, ..commit(number) }).await.unwrap();
    }
}

/// Trims all it may; how many events went.
async fn trim(storage: &dyn Storage, session: SessionId) -> u64 {
    let nothing = Retention { count: Some(0), ..Retention::default() };
    storage.trim_events(session, &nothing, at(9), ALL).await.unwrap()
}

pub(crate) async fn are_registered_and_removed(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert_eq!(storage.consumers().await.unwrap(), []);
    let names = ["crm 'export'", "Z", "中", "a", "é"].map(name);
    for consumer in &names {
        storage.register_consumer(consumer).await.unwrap();
    }
    let sorted = ["Z", "a", "crm 'export'", "é", "中"].map(name);
    assert_eq!(storage.consumers().await.unwrap(), sorted);
    storage.remove_consumer(&name("a")).await.unwrap();
    assert_eq!(refused(storage.remove_consumer(&name("a")).await), StorageErrorKind::NotFound);
    assert_eq!(refused(storage.remove_consumer(&name("z")).await), StorageErrorKind::NotFound);
    drop(storage);
    assert_eq!(backend.open().await.consumers().await.unwrap().len(), 4, "also after a restart");
}

pub(crate) async fn what_one_acknowledged_never_goes_back(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage, [1, 2]).await;
    let crm = name("crm");
    storage.register_consumer(&crm).await.unwrap();
    assert_eq!(storage.acknowledged(&crm).await.unwrap(), Cursors::default());
    for (told, known) in [
        (handled([(1, 3)]), handled([(1, 3)])),
        (handled([(1, 2), (2, 1)]), handled([(1, 3), (2, 1)])),
        (handled([]), handled([(1, 3), (2, 1)])),
        (handled([(1, 4), (9, 4)]), handled([(1, 4), (2, 1)])),
    ] {
        storage.acknowledge(&crm, &told).await.unwrap();
        assert_eq!(storage.acknowledged(&crm).await.unwrap(), known, "after {told:?}");
    }
    storage.register_consumer(&crm).await.unwrap();
    assert_eq!(storage.acknowledged(&crm).await.unwrap(), handled([(1, 4), (2, 1)]), "it was registered already");

    let before = Snapshot::of(&*storage).await;
    drop(storage);
    let storage = backend.open().await;
    assert_eq!(Snapshot::of(&*storage).await, before);
    storage.remove_consumer(&crm).await.unwrap();
    storage.register_consumer(&crm).await.unwrap();
    assert_eq!(storage.acknowledged(&crm).await.unwrap(), Cursors::default(), "it was forgotten");
}

pub(crate) async fn an_unknown_one_answers_not_found(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage, [1]).await;
    let nobody = name("nobody");
    assert_eq!(refused(storage.acknowledge(&nobody, &handled([(1, 3)])).await), StorageErrorKind::NotFound);
    assert_eq!(refused(storage.acknowledged(&nobody).await), StorageErrorKind::NotFound);
    assert_eq!(storage.consumers().await.unwrap(), []);
    assert_eq!(trim(&*storage, id(1)).await, 5, "and keeps nothing");
}

pub(crate) async fn what_one_has_not_acknowledged_stays(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage, [1, 2]).await;
    for consumer in ["crm", "report"] {
        storage.register_consumer(&name(consumer)).await.unwrap();
    }
    assert_eq!(trim(&*storage, id(1)).await, 0, "they have handled nothing");
    storage.acknowledge(&name("crm"), &handled([(1, 4), (2, 5)])).await.unwrap();
    assert_eq!(trim(&*storage, id(1)).await, 0, "the other one has handled nothing");
    storage.acknowledge(&name("report"), &handled([(1, 2)])).await.unwrap();
    assert_eq!((trim(&*storage, id(1)).await, trim(&*storage, id(2)).await), (2, 0));
    let left: Vec<_> = storage.events(id(1), 0, 9).await.unwrap().iter().map(|event| event.seq).collect();
    assert_eq!(left, [3, 4, 5]);

    storage.remove_consumer(&name("report")).await.unwrap();
    assert_eq!((trim(&*storage, id(1)).await, trim(&*storage, id(2)).await), (2, 5), "up to where the other one is");
    storage.register_consumer(&name("late")).await.unwrap();
    assert_eq!(trim(&*storage, id(1)).await, 0, "who comes late finds what is left");
}

pub(crate) async fn what_is_acknowledged_may_be_kept(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage, [1]).await;
    storage.register_consumer(&name("crm")).await.unwrap();
    storage.acknowledge(&name("crm"), &handled([(1, 5)])).await.unwrap();
    let three = Retention { count: Some(3), ..Retention::default() };
    assert_eq!(storage.trim_events(id(1), &three, at(9), ALL).await.unwrap(), 2);
    assert_eq!(storage.trim_events(id(1), &Retention::default(), at(9), ALL).await.unwrap(), 0);
}

pub(crate) async fn a_deleted_session_is_forgotten(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    fill(&*storage, [1, 2]).await;
    storage.register_consumer(&name("crm")).await.unwrap();
    storage.acknowledge(&name("crm"), &handled([(1, 5), (2, 5)])).await.unwrap();
    storage.delete(id(1), 1, Deletion::Delete, audit(1, Action::Delete)).await.unwrap();
    assert_eq!(storage.acknowledged(&name("crm")).await.unwrap(), handled([(2, 5)]));

    // One added under the same id starts from nothing, and so has the consumer with it.
    fill(&*storage, [1]).await;
    assert_eq!(storage.acknowledged(&name("crm")).await.unwrap(), handled([(2, 5)]));
    assert_eq!(trim(&*storage, id(1)).await, 0);
}
