//! What goes wrong between a storage and its database, and is mended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use seatport::storage::{
    AgentStore, Expect, LeaseStore, SessionCommit, SessionStore, Storage, StorageErrorKind, VaultStore,
};
use seatport::{EventBody, Page, SessionFilter};
use seatport_postgres::PostgresStorage;
use seatport_testkit::postgres::Cluster;
use tokio::time::{sleep, timeout};

use crate::office::{LONG, NOW, Office, adding, committing, id, noting, profile, record, running, until};

/// Holds a session's row until it is dropped or told to go on.
async fn hold(office: &Office, sessions: &[u64]) -> tokio_postgres::Client {
    let client = office.client().await;
    // If there is a deadlock, it is found by the other one.
    client.batch_execute("SET deadlock_timeout = '1h'; BEGIN").await.unwrap();
    for session in sessions {
        lock(&client, *session).await;
    }
    client
}

async fn lock(client: &tokio_postgres::Client, session: u64) {
    let sql = format!("SELECT 1 FROM session WHERE id = '{}' FOR UPDATE", id(session));
    client.batch_execute(&sql).await.unwrap();
}

/// Waits until so many statements of the storage wait for a lock.
async fn waiting(office: &Office, count: usize) {
    until("statements wait for locks", || office.connections("wait_event_type = 'Lock'") == count).await;
}

#[tokio::test]
async fn a_refused_commit_does_not_disturb_the_others_of_its_batch() {
    let office = Office::new();
    let storage = office.open().await;
    for session in 1..=9 {
        storage.commit(adding(record(session))).await.unwrap();
    }
    // While this one waits, the others gather behind it.
    let holder = hold(&office, &[1]).await;
    let first = committing(&storage, noting(1));
    waiting(&office, 1).await;
    let stale = SessionCommit { expect: Expect::Revision(7), ..noting(2) };
    let fence = Some(seatport::storage::Fence { node: profile(1).id, epoch: 3 });
    let fenced = SessionCommit { fence, ..noting(3) };
    let batch = [noting(4), stale, noting(5), fenced, adding(record(6)), noting(7), noting(99), noting(4)];
    let batch: Vec<_> = batch.into_iter().map(|commit| committing(&storage, commit)).collect();
    sleep(Duration::from_millis(50)).await;
    holder.batch_execute("ROLLBACK").await.unwrap();

    assert_eq!(first.await.unwrap().unwrap().last_event, 1);
    let outcomes = join_all(batch)
        .await
        .into_iter()
        .map(|outcome| outcome.unwrap().map(|committed| committed.last_event).map_err(|error| error.kind()));
    use StorageErrorKind::{Exists, Fenced, NotFound, Stale};
    let expected = [Ok(1), Err(Stale), Ok(1), Err(Fenced), Err(Exists), Ok(1), Err(NotFound), Ok(2)];
    assert_eq!(outcomes.collect::<Vec<_>>(), expected);
    // All of them, but for the first one, were one transaction.
    assert_eq!(office.sql("SELECT count(DISTINCT xmin::text) FROM {}.event WHERE session <> 1"), "1");
}

#[tokio::test]
async fn a_commit_that_the_database_refuses_does_not_disturb_the_others_of_its_batch() {
    let office = Office::new();
    let storage = office.open().await;
    for session in 1..=4 {
        storage.commit(adding(record(session))).await.unwrap();
    }
    office.sql("ALTER TABLE {}.event ADD CONSTRAINT odd CHECK (session <> 3)");
    let holder = hold(&office, &[1]).await;
    let first = committing(&storage, noting(1));
    waiting(&office, 1).await;
    let batch: Vec<_> = (2..=4).map(|session| committing(&storage, noting(session))).collect();
    sleep(Duration::from_millis(50)).await;
    holder.batch_execute("ROLLBACK").await.unwrap();

    first.await.unwrap().unwrap();
    let outcomes: Vec<_> = join_all(batch).await.into_iter().map(|outcome| outcome.unwrap()).collect();
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert_eq!(outcomes[1].as_ref().unwrap_err().kind(), StorageErrorKind::Other);
    assert!(!format!("{:?}", outcomes[1]).contains("Failing row"), "{outcomes:?}");
    assert_eq!(storage.session(id(3)).await.unwrap().unwrap().last_event, 0);
}

#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let office = Office::new();
    let storage = office.open().await;
    for session in 1..=3 {
        storage.commit(adding(record(session))).await.unwrap();
    }
    let (gate, holder) = (hold(&office, &[3]).await, hold(&office, &[2]).await);
    let first = committing(&storage, noting(3));
    waiting(&office, 1).await;
    let both = [committing(&storage, noting(1)), committing(&storage, noting(2))];
    sleep(Duration::from_millis(50)).await;
    gate.batch_execute("ROLLBACK").await.unwrap();
    // The batch holds 1 and waits for 2; who holds 2 waits for 1.
    first.await.unwrap().unwrap();
    waiting(&office, 1).await;
    timeout(LONG, lock(&holder, 1)).await.unwrap();
    holder.batch_execute("COMMIT").await.unwrap();
    for commit in both {
        assert_eq!(commit.await.unwrap().unwrap().last_event, 1);
    }
    let deadlocks = "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()";
    until("the deadlock was counted", || office.sql(deadlocks) == "t").await;
}

#[tokio::test]
async fn a_row_that_is_held_for_too_long_is_tried_again() {
    let office = Office::new();
    let storage = office.open_with(office.options().lock_timeout(Duration::from_millis(100))).await;
    storage.commit(adding(record(1))).await.unwrap();
    let holder = hold(&office, &[1]).await;
    let commit = committing(&storage, noting(1));
    sleep(Duration::from_millis(500)).await;
    assert!(!commit.is_finished());
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(commit.await.unwrap().unwrap().last_event, 1);
}

#[tokio::test]
async fn a_row_that_is_never_let_go_is_told_as_busy() {
    let office = Office::new();
    let options = office.options().lock_timeout(Duration::from_millis(50)).retry_for(Duration::from_millis(300));
    let storage = office.open_with(options).await;
    storage.commit(adding(record(1))).await.unwrap();
    let holder = hold(&office, &[1]).await;
    let error = storage.commit(noting(1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Busy, "{error}");
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(storage.commit(noting(1)).await.unwrap().last_event, 1, "nothing was left behind");
}

#[tokio::test]
async fn whoever_finds_all_connections_in_use_waits() {
    let office = Office::new();
    let storage = office.open_with(office.options().connections(2)).await;
    storage.commit(adding(running(1))).await.unwrap();
    storage.join(&profile(1), LONG).await.unwrap();
    let holder = hold(&office, &[1]).await;
    let claims: Vec<_> = (0..20)
        .map(|_| {
            let storage = storage.clone();
            tokio::spawn(async move { storage.claim(id(1), profile(1).id).await })
        })
        .collect();
    waiting(&office, 2).await;
    let agents = {
        let storage = storage.clone();
        tokio::spawn(async move { storage.agents().await })
    };
    sleep(Duration::from_millis(100)).await;
    assert!(!agents.is_finished(), "no connection is free");
    assert!(office.connections("true") <= 4, "no more connections than allowed");
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(agents.await.unwrap().unwrap(), []);
    let mut epochs: Vec<_> =
        join_all(claims).await.into_iter().map(|claim| claim.unwrap().unwrap().unwrap().epoch).collect();
    epochs.sort_unstable();
    assert_eq!(epochs, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_connection_is_told_to_try_later() {
    let office = Office::new();
    let storage = office.open_with(office.options().connections(1).wait(Duration::from_millis(100))).await;
    storage.commit(adding(running(1))).await.unwrap();
    storage.join(&profile(1), LONG).await.unwrap();
    let holder = hold(&office, &[1]).await;
    let claim = {
        let storage = storage.clone();
        tokio::spawn(async move { storage.claim(id(1), profile(1).id).await })
    };
    waiting(&office, 1).await;
    let error = storage.agents().await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Busy);
    assert!(error.to_string().contains("allow for more connections"), "{error}");
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert!(claim.await.unwrap().unwrap().is_some());
}

#[tokio::test]
async fn a_commit_whose_caller_has_gone_happens_all_the_same() {
    let office = Office::new();
    let storage = office.open().await;
    storage.commit(adding(record(1))).await.unwrap();
    let holder = hold(&office, &[1]).await;
    let commit = committing(&storage, noting(1));
    waiting(&office, 1).await;
    commit.abort();
    let vault = {
        let storage = storage.clone();
        tokio::spawn(async move {
            storage.put_agent(seatport::Agent::new("mei", "Mei", seatport::Role::Agent).unwrap()).await
        })
    };
    sleep(Duration::from_millis(20)).await;
    vault.abort();
    holder.batch_execute("ROLLBACK").await.unwrap();
    storage.close().await.unwrap();
    let storage = office.open().await;
    assert_eq!(storage.session(id(1)).await.unwrap().unwrap().last_event, 1);
    assert_eq!(storage.agents().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_read_whose_caller_has_gone_keeps_no_connection() {
    let office = Office::new();
    let storage = office.open_with(office.options().connections(1)).await;
    let holder = office.client().await;
    holder.batch_execute("BEGIN; LOCK TABLE agent").await.unwrap();
    let read = timeout(Duration::from_millis(100), storage.agents()).await;
    assert!(read.is_err(), "it waits");
    assert_eq!(timeout(LONG, storage.key_check()).await.unwrap().unwrap(), None, "the next one has a connection");
    holder.batch_execute("ROLLBACK").await.unwrap();
}

/// Commits one event after the other to some sessions until told to stop; answers how many were acknowledged to each.
async fn write_until(storage: &PostgresStorage, sessions: u64, stop: &Arc<AtomicBool>) -> Vec<u64> {
    let writers = (1..=sessions).map(|session| {
        let (storage, stop) = (storage.clone(), stop.clone());
        tokio::spawn(async move {
            let mut landed = 0;
            while !stop.load(Ordering::Relaxed) {
                let commit = SessionCommit {
                    expect: Expect::Revision(landed + 1),
                    record: Some(record(session)),
                    events: vec![EventBody::RemarkChanged],
                    ..SessionCommit::new(id(session), NOW, Expect::Present)
                };
                let committed = storage.commit(commit).await.unwrap();
                landed += 1;
                assert_eq!((committed.revision, committed.last_event), (landed + 1, landed), "once, and not twice");
            }
            landed
        })
    });
    join_all(writers).await.into_iter().map(Result::unwrap).collect()
}

async fn assert_landed(storage: &PostgresStorage, landed: &[u64]) {
    let rows = storage.sessions(&SessionFilter::default(), Page::first(99)).await.unwrap();
    let stored: Vec<_> = rows.iter().map(|row| row.last_event).collect();
    assert_eq!(stored, landed, "what was acknowledged is there, and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_at_any_moment_lose_and_double_nothing() {
    const SESSIONS: u64 = 8;
    let office = Office::new();
    let options = office.options().writers(3).retry_for(LONG);
    let storage = office.open_with(options).await;
    for session in 1..=SESSIONS {
        storage.commit(adding(record(session))).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let broken = Arc::new(AtomicU64::new(0));
    let breaking = {
        let (stop, broken, client, schema) =
            (stop.clone(), broken.clone(), office.client().await, office.schema.clone());
        tokio::spawn(async move {
            for round in 0..150 {
                // Those that write, and above all those that are just committing.
                let phase = if round % 2 == 0 { "true" } else { "query = 'COMMIT' AND state = 'active'" };
                let sql = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{schema}' AND {phase}"
                );
                broken.fetch_add(client.query(&sql, &[]).await.unwrap().len() as u64, Ordering::Relaxed);
                sleep(Duration::from_millis(7)).await;
            }
            stop.store(true, Ordering::Relaxed);
        })
    };
    let landed = write_until(&storage, SESSIONS, &stop).await;
    breaking.await.unwrap();
    assert!(broken.load(Ordering::Relaxed) > 50, "many connections broke");
    assert!(landed.iter().sum::<u64>() > 0);
    assert_landed(&storage, &landed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_or_dies_loses_and_doubles_nothing() {
    const SESSIONS: u64 = 4;
    let cluster = Cluster::start();
    let storage = PostgresStorage::options().retry_for(LONG).open(&cluster.url()).await.unwrap();
    for session in 1..=SESSIONS {
        storage.commit(adding(record(session))).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let faults = {
        let stop = stop.clone();
        tokio::task::spawn_blocking(move || {
            for _ in 0..2 {
                std::thread::sleep(Duration::from_millis(300));
                cluster.stop();
                cluster.restart();
                std::thread::sleep(Duration::from_millis(300));
                cluster.kill();
                cluster.restart();
            }
            std::thread::sleep(Duration::from_millis(300));
            stop.store(true, Ordering::Relaxed);
            cluster
        })
    };
    let landed = write_until(&storage, SESSIONS, &stop).await;
    let cluster = faults.await.unwrap();
    assert_landed(&storage, &landed).await;
    storage.close().await.unwrap();
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_promoted_goes_on_where_the_primary_ended() {
    const SESSIONS: u64 = 4;
    let primary = Cluster::start();
    let standby = primary.standby();
    primary.wait_for_standbys();
    let storage = PostgresStorage::options().retry_for(LONG).open(&primary.url_with(&standby)).await.unwrap();
    for session in 1..=SESSIONS {
        storage.commit(adding(record(session))).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let failover = {
        let stop = stop.clone();
        tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(500));
            primary.kill();
            standby.promote();
            std::thread::sleep(Duration::from_millis(500));
            stop.store(true, Ordering::Relaxed);
            (primary, standby)
        })
    };
    let landed = write_until(&storage, SESSIONS, &stop).await;
    let servers = failover.await.unwrap();
    assert_landed(&storage, &landed).await;
    storage.close().await.unwrap();
    drop(servers);
}
