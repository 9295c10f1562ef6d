//! Transactions that the server ends: deadlocks, collisions, and writes that fail.

use std::sync::Arc;
use std::time::Duration;

use seatport::lifecycle::PortChange;
use seatport::storage::{PortStore, SessionCommit, SessionStore, Storage, StorageErrorKind};
use seatport::{PortRange, Retry};

use crate::load::{Load, answers};
use crate::sample::{PATIENCE, add, commit, inbound, until};
use crate::{blocking, hasty, on_a_cable, shared};

/// A client of the database that knows nothing of Seatport.
async fn stranger(schema: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&shared().await.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("SET search_path = \"{schema}\"")).await.unwrap();
    client
}

/// A real deadlock: the stranger holds the row that ports are claimed under, and wants that of the session; the commit
/// has them the other way round. The server ends the commit, for the stranger has all the patience.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_meets_a_deadlock_is_tried_again() {
    let (_cable, storage, schema) = on_a_cable(|options| options.lock_timeout(Duration::from_secs(30))).await;
    storage.resize_ports(PortRange::new(1, 10).unwrap()).await.unwrap();
    let session = add(&storage).await;
    storage.commit(SessionCommit { port: PortChange::Release, ..commit(session) }).await.unwrap();
    let stranger = stranger(&schema).await;
    stranger.batch_execute("SET deadlock_timeout = '1h'; BEGIN; SELECT FROM organisation FOR UPDATE").await.unwrap();
    let deadlocks = || shared_sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'");
    let before = deadlocks().await;
    let claiming = tokio::spawn({
        let storage = storage.clone();
        async move { storage.commit(SessionCommit { port: PortChange::Claim, ..commit(session) }).await }
    });
    until("the commit waits", async || {
        shared_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").await != "0"
    })
    .await;
    let id = format!("SELECT FROM session WHERE id = '{session}' FOR UPDATE");
    tokio::time::timeout(PATIENCE, stranger.batch_execute(&id)).await.expect("the commit keeps its lock").unwrap();
    stranger.batch_execute("COMMIT").await.unwrap();
    assert!(claiming.await.unwrap().unwrap().port.is_some());
    until("the server has counted the deadlock", async || deadlocks().await != before).await;
}

async fn shared_sql(sql: &'static str) -> String {
    let cluster = shared().await;
    blocking(move || cluster.sql(sql)).await
}

/// A rebuild sees the ledger as it was at one moment; under load others write to it, and the server refuses to put the
/// two in an order.
#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_rebuilt_while_everybody_writes() {
    let (_cable, storage, _) = on_a_cable(|options| options).await;
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let load = Load::on(&storage).await;
    for _ in 0..5 {
        load.goes_on(20).await;
        storage.rebuild_leads().await.unwrap();
    }
    load.check(&*storage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_given_up_and_changes_nothing() {
    let (_cable, storage, schema) = on_a_cable(hasty).await;
    let session = add(&storage).await;
    let stranger = stranger(&schema).await;
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$; \
                CREATE TRIGGER slow BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION slow()";
    stranger.batch_execute(slow).await.unwrap();
    let before = storage.session(session).await.unwrap().unwrap();
    let storing = storage.commit(SessionCommit { messages: vec![inbound("slow")], ..commit(session) });
    let refused = tokio::time::timeout(PATIENCE, storing).await.expect("it hangs").unwrap_err();
    assert_eq!((refused.kind(), refused.retry()), (StorageErrorKind::Busy, Retry::Later), "{refused:?}");
    stranger.batch_execute("DROP TRIGGER slow ON message").await.unwrap();
    assert_eq!(storage.session(session).await.unwrap().unwrap(), before);
    answers(&storage, session).await;
}

/// Whoever waits for a row that a stranger holds is told so in time, and holds up nobody with another row.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_held_for_long_holds_up_its_own_session_alone() {
    let (_cable, storage, schema) = on_a_cable(hasty).await;
    let (held, other) = (add(&storage).await, add(&storage).await);
    let stranger = stranger(&schema).await;
    let hold = format!("BEGIN; SELECT FROM session WHERE id = '{held}' FOR UPDATE");
    stranger.batch_execute(&hold).await.unwrap();
    let waiting = storage.commit(commit(held));
    let refused = tokio::time::timeout(PATIENCE, waiting).await.expect("it hangs").unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::Busy);
    answers(&storage, other).await;
    stranger.batch_execute("ROLLBACK").await.unwrap();
    answers(&storage, held).await;
}

/// The server says that its disk is full, in the words in which it says so, and means it until there is room again.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_called_so_and_what_was_there_can_be_read() {
    let (_cable, storage, schema) = on_a_cable(hasty).await;
    let session = add(&storage).await;
    let stranger = stranger(&schema).await;
    let full = "CREATE FUNCTION full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
                CREATE TRIGGER full BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION \"full\"()";
    let full = full.replace("FUNCTION full()", "FUNCTION \"full\"()").replace("TRIGGER full ", "TRIGGER \"full\" ");
    stranger.batch_execute(&full).await.unwrap();
    let before = storage.session(session).await.unwrap().unwrap();
    for _ in 0..3 {
        let refused =
            storage.commit(SessionCommit { messages: vec![inbound("more")], ..commit(session) }).await.unwrap_err();
        assert_eq!((refused.kind(), refused.retry()), (StorageErrorKind::Full, Retry::Later), "{refused:?}");
    }
    assert_eq!(storage.session(session).await.unwrap().unwrap(), before);
    stranger.batch_execute("DROP TRIGGER \"full\" ON message").await.unwrap();
    storage.commit(SessionCommit { messages: vec![inbound("more")], ..commit(session) }).await.unwrap();
}
