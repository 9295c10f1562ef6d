//! Many calls at once, from many threads.

use std::collections::BTreeSet;
use std::sync::Arc;

use seatport::lifecycle::PortChange;
use seatport::storage::{Expect, SessionCommit, Storage, StorageError, StorageErrorKind};
use seatport::{Action, EventBody, PortRange};

use crate::storage::Backend;
use crate::storage::sample::{
    MINUTE, add, audit, commit, id, inbound, node, on_many_threads, port, profile, record, sealing, storing,
};
use crate::storage::snapshot::Snapshot;

/// Runs one task per item, all at once, and collects what they answer, in the order of the items.
async fn all_at_once<I, T, W>(
    storage: &Arc<dyn Storage>,
    items: impl IntoIterator<Item = I>,
    work: impl Fn(Arc<dyn Storage>, I) -> W,
) -> Vec<T>
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = items.into_iter().map(|item| work(storage.clone(), item)).collect();
    on_many_threads(storage, |_| async move {
        let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.expect("the task does not panic"));
        }
        answers
    })
    .await
}

/// Splits the answers into how many succeeded and the kinds of the others.
fn outcomes<T>(answers: Vec<Result<T, StorageError>>) -> (Vec<T>, Vec<StorageErrorKind>) {
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(value) => done.push(value),
            Err(error) => refused.push(error.kind()),
        }
    }
    (done, refused)
}

pub(crate) async fn claims_never_share_a_port(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.resize_ports(PortRange::new(1, 10).expect("a valid range")).await.unwrap();
    add(&*storage, 0..30).await;
    let answers = all_at_once(&storage, 0..30, |storage, session| async move {
        storage.commit(port(session, PortChange::Claim)).await
    })
    .await;
    let (done, refused) = outcomes(answers);
    let numbers: BTreeSet<_> = done.iter().filter_map(|committed| committed.port.map(|port| port.0)).collect();
    assert_eq!(done.len(), 10);
    assert_eq!(numbers, (1..=10).collect());
    assert_eq!(refused, vec![StorageErrorKind::PoolFull { capacity: 10, occupied: 10 }; 20]);
    let usage = storage.port_usage().await.unwrap();
    let holders: BTreeSet<_> = usage.occupied.iter().map(|held| held.session).collect();
    assert_eq!((usage.occupied.len(), holders.len()), (10, 10));
}

pub(crate) async fn starts_and_stops_lose_no_port(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.resize_ports(PortRange::new(1, 4).expect("a valid range")).await.unwrap();
    add(&*storage, 0..12).await;
    all_at_once(&storage, 0..12_u64, |storage, session| async move {
        for round in 0..10 {
            match storage.commit(port(session, PortChange::Claim)).await {
                Ok(committed) => assert!(committed.port.is_some_and(|port| (1..=4).contains(&port.0))),
                Err(error) => assert_eq!(error.kind(), StorageErrorKind::PoolFull { capacity: 4, occupied: 4 }),
            }
            // In the last round the even ones keep what they got.
            if round < 9 || session % 2 == 1 {
                let released = storage.commit(port(session, PortChange::Release)).await;
                assert_eq!(released.expect("releasing is never refused").port, None);
            }
        }
    })
    .await;
    let view = Snapshot::of(&*storage).await;
    let rows: BTreeSet<_> =
        view.sessions.values().filter_map(|view| Some((view.row.port?, view.row.record.id))).collect();
    let held: BTreeSet<_> = view.ports.occupied.iter().map(|held| (held.port, held.session)).collect();
    assert_eq!(rows, held);
    assert_eq!(held.iter().map(|(port, _)| port).collect::<BTreeSet<_>>().len(), held.len(), "no port twice: {held:?}");

    // Everything released, the whole pool can be claimed again.
    for session in 0..12 {
        storage.commit(port(session, PortChange::Release)).await.unwrap();
    }
    assert_eq!(storage.port_usage().await.unwrap().occupied, []);
    for session in 0..4 {
        storage.commit(port(session, PortChange::Claim)).await.expect("no port was lost");
    }
}

pub(crate) async fn one_of_many_commits_on_a_revision_lands(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let answers = all_at_once(&storage, 0..20, |storage, _: u64| async move {
        let mut commit = SessionCommit { expect: Expect::Revision(1), record: Some(record(1)), ..commit(1) };
        commit.audit = vec![audit(1, Action::SetRemark)];
        storage.commit(commit).await
    })
    .await;
    let (done, refused) = outcomes(answers);
    assert_eq!(done.iter().map(|committed| committed.revision).collect::<Vec<_>>(), [2]);
    assert_eq!(refused, vec![StorageErrorKind::Stale; 19]);
    assert_eq!(storage.audit(0, 100).await.unwrap().len(), 1);

    let answers = all_at_once(&storage, 0..20, |storage, _: u64| async move {
        storage.commit(crate::storage::sample::adding(record(2))).await
    })
    .await;
    let (done, refused) = outcomes(answers);
    assert_eq!((done.len(), refused), (1, vec![StorageErrorKind::Exists; 19]), "nor is a session added twice");
}

pub(crate) async fn one_of_many_nodes_claims_a_session(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    for number in 0..20 {
        storage.join(&profile(number), 60 * MINUTE).await.unwrap();
    }
    let answers = all_at_once(&storage, 0..20, |storage, number| async move {
        storage.claim(id(1), node(number)).await.expect("a live node may ask")
    })
    .await;
    let winners: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(storage.session(id(1)).await.unwrap().and_then(|row| row.owner), winners.first().copied());
}

pub(crate) async fn a_message_told_by_many_is_stored_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let answers = all_at_once(&storage, 0..20, |storage, _: u64| async move {
        storage.commit(storing(1, ["a", "b"].map(|name| inbound("ann@net", name, 1)))).await
    })
    .await;
    let (done, refused) = outcomes(answers);
    assert_eq!((done.len(), refused.len()), (20, 0));
    assert!(done.iter().all(|committed| (committed.unread, committed.last_event) == (2, 2)), "{done:?}");
    let view = Snapshot::of(&*storage).await;
    assert_eq!(view.sessions[&id(1)].chats[0].1.len(), 2);
}

pub(crate) async fn many_commits_on_many_sessions_add_up(backend: &mut dyn Backend) {
    const SESSIONS: u64 = 25;
    const ROUNDS: u64 = 12;
    let storage = backend.open().await;
    add(&*storage, 0..SESSIONS).await;
    all_at_once(&storage, 0..SESSIONS, |storage, session| async move {
        for round in 1..=ROUNDS {
            let mut commit = storing(session, [inbound("ann@net", &format!("m{round}"), 1)]);
            commit.events = vec![EventBody::RemarkChanged];
            commit.vault = vec![sealing("net/round", &round.to_be_bytes())];
            commit.audit = vec![audit(session, Action::SetRemark)];
            let committed = storage.commit(commit).await.expect("nobody is in the way");
            assert_eq!((committed.last_event, committed.unread), (2 * round, round));
            let row = storage.session(id(session)).await.expect("can be read").expect("is there");
            assert_eq!((row.last_event, row.unread), (2 * round, round), "reads see what was acknowledged");
        }
    })
    .await;

    let before = Snapshot::of(&*storage).await;
    assert_eq!(before.sessions.len() as u64, SESSIONS);
    for (session, view) in &before.sessions {
        let numbers: Vec<_> = view.events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=2 * ROUNDS).collect::<Vec<_>>(), "{session}");
        assert_eq!(view.chats[0].1.len() as u64, ROUNDS, "{session}");
        assert_eq!(view.vault[0].sealed, ROUNDS.to_be_bytes(), "{session}");
    }
    let lines: Vec<_> = before.audit.iter().map(|line| line.number).collect();
    assert_eq!(lines, (1..=SESSIONS * ROUNDS).collect::<Vec<_>>());
    drop(storage);
    assert_eq!(Snapshot::of(&*backend.open().await).await, before);
}
