//! What one process hears of another.

use std::time::Duration;

use seatport::PortRange;
use seatport::lifecycle::PortChange;
use seatport::storage::{
    Change, LeaseStore, MAX_NOTICE_BYTES, Notice, PortStore, SessionCommit, SessionStore, Storage, StorageErrorKind,
};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use crate::office::{LONG, Office, adding, id, noting, profile, record, running, until};

/// Longer than any test takes: what is heard by then was not found by asking.
const NEVER: Duration = Duration::from_secs(3600);

/// Waits until this comes.
async fn expect<T: Clone + PartialEq + std::fmt::Debug>(from: &mut Receiver<T>, expected: T) {
    let found = timeout(LONG, async { while from.recv().await.unwrap() != expected {} });
    assert!(found.await.is_ok(), "no {expected:?}");
}

fn by(session: u64, by_owner: bool) -> Change {
    Change::Session { session: id(session), by_owner }
}

#[tokio::test]
async fn the_other_process_hears_what_was_written_and_by_whom() {
    let office = Office::new();
    let here = office.open_with(office.options().poll(NEVER)).await;
    let there = office.open_with(office.options().poll(NEVER)).await;
    let mut heard = there.changes();

    here.commit(adding(running(1))).await.unwrap();
    expect(&mut heard, by(1, false)).await;
    here.join(&profile(1), LONG).await.unwrap();
    expect(&mut heard, Change::Ports).await;
    let fence = here.claim(id(1), profile(1).id).await.unwrap();
    expect(&mut heard, by(1, true)).await;
    // A claim and a commit that land together would be told as one.
    here.commit(SessionCommit { fence, ..noting(1) }).await.unwrap();
    expect(&mut heard, by(1, true)).await;
    here.release(id(1), fence.unwrap()).await.unwrap();
    expect(&mut heard, by(1, false)).await;

    here.commit(SessionCommit { port: PortChange::Claim, ..noting(1) }).await.unwrap();
    expect(&mut heard, by(1, false)).await;
    here.commit(SessionCommit { port: PortChange::Release, ..noting(1) }).await.unwrap();
    expect(&mut heard, Change::Ports).await;
    here.resize_ports(PortRange::new(1, 3).unwrap()).await.unwrap();
    expect(&mut heard, Change::Ports).await;
    assert!(there.session(id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn another_schema_hears_nothing() {
    let (office, elsewhere) = (Office::new(), Office::new());
    let (here, there) = (office.open().await, elsewhere.open().await);
    let mut heard = there.changes();
    here.commit(adding(record(1))).await.unwrap();
    here.notify(Notice { session: id(1), sealed: vec![1] }).await.unwrap();
    there.commit(adding(record(2))).await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), by(2, false), "the first that it hears");
}

#[tokio::test]
async fn a_flood_of_hints_arrives() {
    const SESSIONS: u64 = 1500;
    let office = Office::new();
    let (here, there) = (office.open().await, office.open_with(office.options().poll(NEVER)).await);
    let mut heard = there.changes();
    let adding: Vec<_> =
        (1..=SESSIONS).map(|number| crate::office::committing(&here, adding(record(number)))).collect();
    let mut missing: std::collections::BTreeSet<_> = (1..=SESSIONS).map(id).collect();
    while !missing.is_empty() {
        match timeout(LONG, heard.recv()).await.unwrap().unwrap() {
            Change::Session { session, .. } => _ = missing.remove(&session),
            other => panic!("{other:?}"),
        }
    }
    for added in adding {
        added.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_notice_of_any_length_arrives_once_and_is_kept_nowhere() {
    let office = Office::new();
    let (here, there) = (office.open().await, office.open().await);
    let (mut own, mut heard) = (here.notices(), there.notices());
    for length in [0, 1, 100, MAX_NOTICE_BYTES] {
        let notice = Notice { session: id(1), sealed: vec![0xAB; length] };
        here.notify(notice.clone()).await.unwrap();
        assert_eq!(own.recv().await.unwrap(), notice);
        assert_eq!(timeout(LONG, heard.recv()).await.unwrap().unwrap(), notice);
    }
    let long = Notice { session: id(1), sealed: vec![0; MAX_NOTICE_BYTES + 1] };
    assert_eq!(here.notify(long).await.unwrap_err().kind(), StorageErrorKind::Other);
    there.notify(Notice { session: id(2), sealed: vec![9] }).await.unwrap();
    let first = timeout(LONG, own.recv()).await.unwrap().unwrap();
    assert_eq!(first.session, id(2), "what it sent itself did not come back");
}

#[tokio::test]
async fn what_no_notification_told_of_is_found_by_asking() {
    let office = Office::new();
    let storage = office.open_with(office.options().poll(Duration::from_millis(30))).await;
    storage.commit(adding(record(1))).await.unwrap();
    let mut heard = storage.changes();
    // As if a process had died between its commit and the notification.
    office.sql("UPDATE {}.session SET asked_at = clock_timestamp()");
    expect(&mut heard, by(1, false)).await;

    // While somebody waits for a port, he is woken now and then.
    storage.join(&profile(1), LONG).await.unwrap();
    expect(&mut heard, Change::Ports).await;
    let ticket = storage.join_port_queue(profile(1).id).await.unwrap();
    expect(&mut heard, Change::Ports).await;
    storage.leave_port_queue(ticket).await.unwrap();
    assert!(storage.port_queue().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_line_that_breaks_is_made_anew_and_everybody_looks_at_everything() {
    let office = Office::new();
    let (here, there) = (office.open().await, office.open_with(office.options().poll(NEVER)).await);
    here.commit(adding(record(1))).await.unwrap();
    let mut heard = there.changes();
    let line = "query ~ 'LISTEN|pg_notify'";
    until("both listen", || office.connections(line) == 2).await;
    office.sql(&format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{}' AND {line}",
        office.schema
    ));
    expect(&mut heard, Change::Any).await;
    // The sender's line may still be away: what it has to say waits.
    here.commit(noting(1)).await.unwrap();
    expect(&mut heard, by(1, false)).await;
}

#[tokio::test]
async fn a_ticket_of_a_dead_node_does_not_count() {
    let office = Office::new();
    let (here, there) = (office.open().await, office.open().await);
    here.join(&profile(1), LONG).await.unwrap();
    there.join(&profile(2), LONG).await.unwrap();
    let first = here.join_port_queue(profile(1).id).await.unwrap();
    let second = there.join_port_queue(profile(2).id).await.unwrap();
    assert!(first < second);
    assert_eq!(here.port_queue().await.unwrap(), [first, second]);
    office.sql(&format!("UPDATE {{}}.node SET expires_at = clock_timestamp() WHERE id = '{}'", profile(1).id));
    let live = "SELECT count(*) FROM {}.node WHERE expires_at > clock_timestamp()";
    until("the lease has run out", || office.sql(live) == "1").await;
    assert_eq!(there.port_queue().await.unwrap(), [second]);
    assert_eq!(here.join_port_queue(profile(1).id).await.unwrap_err().kind(), StorageErrorKind::Fenced);
}
