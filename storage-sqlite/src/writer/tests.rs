use std::sync::mpsc;

use rusqlite::Connection;
use seatport::storage::{
    AgentStore, AuditStore, Deletion, Expect, SessionCommit, SessionStore, Storage, StorageErrorKind,
};
use seatport::{Agent, Random, Remark, Retry, Role, SessionId, SessionRecord, Timestamp, TransportName};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::SqliteStorage;
use crate::sql::{execute, first};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

async fn storage() -> (TempDir, SqliteStorage) {
    let directory = tempfile::tempdir().unwrap();
    let storage = SqliteStorage::open(directory.path().join("seatport.db")).await.unwrap();
    (directory, storage)
}

fn add_session(seed: u64, remark: &str) -> SessionCommit {
    let id = SessionId::generate(NOW, &Random::seeded(seed));
    let mut record = SessionRecord::new(id, NOW, TransportName::new("sim").unwrap());
    record.remark = Remark::new(remark).unwrap();
    let mut commit = SessionCommit::new(id, NOW, Expect::New);
    commit.record = Some(record);
    commit
}

/// Keeps the writer busy until something is sent, so that what is written meanwhile becomes one batch.
async fn hold(storage: &SqliteStorage) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel();
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let writer = storage.writer.clone();
    tokio::spawn(async move {
        let held = writer.write(move |_| {
            begun.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        });
        held.await
    });
    has_begun.recv().await.unwrap();
    release
}

/// Starts a write and waits until it is queued.
async fn queue<T: Send + 'static>(
    storage: &SqliteStorage,
    work: impl Fn(&mut Step<'_>) -> Result<T, Failure> + Send + 'static,
) -> JoinHandle<Result<T, StorageError>> {
    let writer = storage.writer.clone();
    let before = writer.0.queue.lock().waiting.len();
    let task = tokio::spawn(async move { writer.write(work).await });
    while storage.writer.0.queue.lock().waiting.len() == before {
        tokio::task::yield_now().await;
    }
    task
}

fn put(name: &'static str) -> impl Fn(&mut Step<'_>) -> Result<(), Failure> + Send + 'static {
    move |step| {
        execute(step.connection, "INSERT INTO agent (id, name, role) VALUES (?1, ?1, 1)", [name])?;
        Ok(())
    }
}

fn count(connection: &Connection) -> u64 {
    first(connection, "SELECT count(*) FROM agent", [], |row| row.get(0)).unwrap().unwrap()
}

/// Adds an agent, and answers how many there are, seen from inside the transaction and from outside it.
fn put_and_look(name: &'static str, file: PathBuf) -> impl Fn(&mut Step<'_>) -> Result<(u64, u64), Failure> + Send {
    move |step| {
        put(name)(step)?;
        Ok((count(step.connection), count(&Connection::open(&file)?)))
    }
}

#[tokio::test]
async fn requests_that_meet_land_in_one_transaction_and_a_refused_one_disturbs_no_other() {
    let (directory, storage) = storage().await;
    let file = directory.path().join("seatport.db");

    let release = hold(&storage).await;
    let first = queue(&storage, put("ada")).await;
    let refused = queue(&storage, |_| Err::<(), _>(StorageErrorKind::Stale.into())).await;
    let last = queue(&storage, put_and_look("bea", file)).await;
    release.send(()).unwrap();

    first.await.unwrap().unwrap();
    assert_eq!(refused.await.unwrap().unwrap_err().kind(), StorageErrorKind::Stale);
    assert_eq!(last.await.unwrap().unwrap(), (2, 0), "the first was committed before the last was run");
    assert_eq!(storage.agents().await.unwrap().len(), 2);
}

#[tokio::test]
async fn one_that_fails_half_way_is_undone_and_the_others_land_without_it() {
    let (directory, storage) = storage().await;
    let file = directory.path().join("seatport.db");

    let release = hold(&storage).await;
    let first = queue(&storage, put("ada")).await;
    let fails = queue(&storage, |step| {
        put("never")(step)?;
        Err::<(), _>(StorageErrorKind::Stale.into())
    });
    let fails = fails.await;
    let last = queue(&storage, put_and_look("bea", file)).await;
    release.send(()).unwrap();

    first.await.unwrap().unwrap();
    assert_eq!(fails.await.unwrap().unwrap_err().kind(), StorageErrorKind::Stale);
    assert_eq!(last.await.unwrap().unwrap(), (2, 1), "each got a transaction of its own");
    let names: Vec<_> = storage.agents().await.unwrap().into_iter().map(|agent| agent.name).collect();
    assert_eq!(names, ["ada", "bea"]);
}

#[tokio::test]
async fn a_panic_fails_its_own_request_only() {
    let (_directory, storage) = storage().await;
    let release = hold(&storage).await;
    let before = queue(&storage, put("ada")).await;
    let panics = queue(&storage, |step| -> Result<(), Failure> {
        put("never")(step)?;
        panic!("on purpose");
    });
    let panics = panics.await;
    let after = queue(&storage, put("bea")).await;
    release.send(()).unwrap();

    before.await.unwrap().unwrap();
    assert_eq!(panics.await.unwrap().unwrap_err().kind(), StorageErrorKind::Other);
    after.await.unwrap().unwrap();
    assert_eq!(storage.agents().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_request_happens_though_its_caller_is_gone() {
    let (_directory, storage) = storage().await;
    let release = hold(&storage).await;
    let dropped = queue(&storage, put("ada")).await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    release.send(()).unwrap();

    storage.put_agent(Agent::new("bea", "Bea", Role::Agent).unwrap()).await.unwrap();
    assert_eq!(storage.agents().await.unwrap().len(), 2);
}

#[tokio::test]
async fn closing_finishes_what_is_queued() {
    let (directory, storage) = storage().await;
    let release = hold(&storage).await;
    let queued = queue(&storage, put("ada")).await;
    let closing = tokio::spawn({
        let storage = storage.clone();
        async move { storage.close().await }
    });
    while storage.writer.check_open().is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(storage.agents().await.unwrap_err().kind(), StorageErrorKind::Closed);
    assert!(!closing.is_finished());
    release.send(()).unwrap();

    queued.await.unwrap().unwrap();
    closing.await.unwrap().unwrap();
    storage.close().await.unwrap();
    let again = SqliteStorage::open(directory.path().join("seatport.db")).await.unwrap();
    assert_eq!(again.agents().await.unwrap().len(), 1);
}

#[test]
fn a_runtime_that_ends_does_not_wedge_the_queue() {
    let directory = tempfile::tempdir().unwrap();
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();

    let first = runtime();
    let storage = first.block_on(SqliteStorage::open(directory.path().join("seatport.db"))).unwrap();
    // The only blocking thread is busy, so the leader that this request asks for never runs.
    let (release, released) = mpsc::channel();
    let (begun, has_begun) = mpsc::channel();
    first.spawn_blocking(move || {
        begun.send(()).unwrap();
        released.recv()
    });
    has_begun.recv().unwrap();
    first.block_on(async {
        let writer = storage.writer.clone();
        tokio::spawn(async move { writer.write(put("ada")).await });
        while !storage.writer.0.queue.lock().led {
            tokio::task::yield_now().await;
        }
    });
    first.shutdown_background();
    release.send(()).unwrap();
    while storage.writer.0.queue.lock().led {
        std::thread::yield_now();
    }

    let second = runtime();
    second.block_on(storage.put_agent(Agent::new("bea", "Bea", Role::Agent).unwrap())).unwrap();
    second.block_on(storage.close()).unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_and_everything_before_it_stays() {
    let (_directory, storage) = storage().await;
    storage.commit(add_session(1, "before")).await.unwrap();
    let limit = |pages: u64| {
        storage.writer.write(move |step| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            Ok(step.connection.query_row(&sql, [], |row| row.get::<_, u64>(0))?)
        })
    };
    // A limit below the present size means the present size.
    limit(1).await.unwrap();

    let mut error = None;
    let mut landed = 1;
    for seed in 2..100 {
        match storage.commit(add_session(seed, &"x".repeat(4000))).await {
            Ok(_) => landed += 1,
            Err(full) => {
                error = Some(full);
                break;
            }
        }
    }
    let error: StorageError = error.expect("some page has to be the last one");
    assert_eq!((error.kind(), error.retry()), (StorageErrorKind::Full, Retry::Later));
    assert!(error.to_string().contains("seatport.db has no space left"), "{error}");
    assert_eq!(storage.count_sessions().await, landed);

    limit(1_000_000).await.unwrap();
    storage.commit(add_session(1000, "after")).await.unwrap();
    assert_eq!(storage.count_sessions().await, landed + 1);
    assert!(storage.audit(0, 10).await.unwrap().is_empty());
}

impl SqliteStorage {
    async fn count_sessions(&self) -> u64 {
        let read = self.readers.read(|connection| {
            Ok(first(connection, "SELECT count(*) FROM session", [], |row| row.get(0))?.unwrap_or(0))
        });
        read.await.unwrap()
    }
}

#[tokio::test]
async fn a_failed_commit_fails_the_whole_batch() {
    let (_directory, storage) = storage().await;
    let release = hold(&storage).await;
    let first = queue(&storage, put("ada")).await;
    // A violated foreign key that is checked at the end makes COMMIT itself fail.
    let violates = queue(&storage, |step| {
        step.connection.pragma_update(None, "defer_foreign_keys", "ON")?;
        execute(step.connection, "INSERT INTO event (session, seq, at, body) VALUES (404, 1, 0, '')", [])?;
        Ok(())
    });
    let violates = violates.await;
    release.send(()).unwrap();

    assert_eq!(first.await.unwrap().unwrap_err().kind(), StorageErrorKind::Other);
    assert_eq!(violates.await.unwrap().unwrap_err().kind(), StorageErrorKind::Other);
    assert!(storage.agents().await.unwrap().is_empty());
    storage.put_agent(Agent::new("bea", "Bea", Role::Agent).unwrap()).await.unwrap();
}

#[tokio::test]
async fn another_program_that_writes_is_waited_for_and_then_told_of() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("seatport.db");
    let storage = SqliteStorage::options().busy_timeout(Duration::from_millis(50)).open(&file).await.unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let agent = Agent::new("ada", "Ada", Role::Agent).unwrap();
    let error = storage.put_agent(agent.clone()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (StorageErrorKind::Busy, Retry::Later));
    other.execute_batch("ROLLBACK").unwrap();
    storage.put_agent(agent).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn paused_time_stands_still_while_something_is_written() {
    let (_directory, storage) = storage().await;
    let start = tokio::time::Instant::now();
    let slow = storage.writer.write(|_| {
        std::thread::sleep(Duration::from_millis(50));
        Ok(())
    });
    let timer = tokio::time::sleep(Duration::from_secs(60));
    tokio::pin!(slow);
    tokio::select! {
        biased;
        done = &mut slow => done.unwrap(),
        () = timer => panic!("time ran ahead of the write"),
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn every_commit_waits_for_the_disk_unless_told_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    let setting = async |storage: SqliteStorage| {
        let read = storage.writer.write(|step| {
            let synchronous: u64 = step.connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
            let journal: String = step.connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            Ok((synchronous, journal))
        });
        read.await.unwrap()
    };
    // <https://sqlite.org/pragma.html#pragma_synchronous>: 2 is FULL, 1 is NORMAL.
    let default = SqliteStorage::open(directory.path().join("full.db")).await.unwrap();
    assert_eq!(setting(default).await, (2, "wal".to_owned()));
    let options = SqliteStorage::options().synchronous(crate::Synchronous::Normal);
    let normal = options.open(directory.path().join("normal.db")).await.unwrap();
    assert_eq!(setting(normal).await, (1, "wal".to_owned()));
}

#[tokio::test]
async fn a_reader_that_holds_up_the_removal_of_deleted_content_is_not_waited_for_at_every_write() {
    let (directory, storage) = storage().await;
    let doomed = add_session(1, "doomed");
    let id = doomed.session;
    storage.commit(doomed).await.unwrap();
    let reader = Connection::open(directory.path().join("seatport.db")).unwrap();
    let _reading = reader.unchecked_transaction().unwrap();
    count(&reader);
    let entry = seatport::AuditEntry {
        at: NOW,
        agent: seatport::AgentId::new("mei").unwrap(),
        action: seatport::Action::Delete,
        session: Some(id),
        outcome: seatport::Outcome::Done,
    };
    storage.delete(id, 1, Deletion::Delete, entry).await.unwrap();

    // When it is tried again. Every try that the reader holds up names another moment.
    let due = || storage.writer.0.ground.lock().as_ref().unwrap().to_sweep;
    let first = due();
    assert!(first.is_some(), "the reader holds it up");
    for name in ["ada", "bea"] {
        storage.writer.write(put(name)).await.unwrap();
        assert_eq!(due(), first, "a write that deletes nothing does not try again at once");
    }
}
