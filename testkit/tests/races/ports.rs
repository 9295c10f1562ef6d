//! Who gets a port, and when, while others want it too.

use std::sync::Arc;
use std::time::Duration;

use seatport::lifecycle::PortChange;
use seatport::memory::MemoryStorage;
use seatport::{Agent, Card, Desk, Error, Page, Role, SessionFilter, SessionId, WhenFull};
use seatport_testkit::storage::Call;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::office::{Office, millis, new_account, secs};
use crate::tampered::{Tamper, always, tampered};

/// A start that waits so long, once it has its place in the queue.
async fn waits(desk: &Desk, session: SessionId, timeout: Duration) -> JoinHandle<Result<Card, Error>> {
    let desk = desk.clone();
    let start = tokio::spawn(async move { desk.start(session, WhenFull::Wait { timeout }).await });
    sleep(millis(10)).await;
    start
}

#[tokio::test(start_paused = true)]
async fn starting_a_started_session_does_not_queue_for_the_port_it_has() {
    let office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (holder, other) = (office.started().await, office.added().await);
    let _queued = waits(&office.desk, other, secs(3600)).await;
    let begin = Instant::now();
    let again = office.desk.start(holder, WhenFull::Wait { timeout: secs(10) }).await;
    assert!(again.is_ok(), "it holds a port: {again:?}");
    assert!(begin.elapsed() < millis(10), "and waits for none: {:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_session_is_deleted_while_it_queues_says_so() {
    let office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (_holder, first, second) = (office.started().await, office.added().await, office.added().await);
    let _queued = waits(&office.desk, first, secs(3600)).await;
    let start = waits(&office.desk, second, secs(60)).await;
    office.desk.delete(second).await.unwrap();
    let begin = Instant::now();
    let answer = start.await.unwrap();
    assert!(matches!(answer, Err(Error::UnknownSession(id)) if id == second), "there is no such session: {answer:?}");
    assert!(begin.elapsed() <= secs(2), "who waits in vain learns so soon: {:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_agent_who_is_removed_while_queueing_adds_nothing() {
    let office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let holder = office.started().await;
    let li = Agent::new("li", "Li", Role::Supervisor).unwrap();
    office.seatport.agents().put(li.clone()).await.unwrap();
    let (desk, new) = (office.seatport.desk(&li.id).await.unwrap(), new_account().bind(li.id.clone()));
    let adding = tokio::spawn(async move { desk.add_and_start(new, WhenFull::Wait { timeout: secs(60) }).await });
    sleep(secs(1)).await;
    office.seatport.agents().remove(&li.id).await.unwrap();
    office.desk.stop(holder).await.unwrap();
    let answer = adding.await.unwrap();
    assert!(matches!(&answer, Err(Error::UnknownAgent(id)) if *id == li.id), "nobody was there to add it: {answer:?}");
    let cards = office.desk.cards(&SessionFilter::default(), Page::first(10)).await.unwrap();
    assert_eq!(cards.len(), 1, "no session is bound to an agent who is gone");
}

#[tokio::test(start_paused = true)]
async fn nobody_dials_from_a_port_before_the_connection_that_had_it_has_ended() {
    let releases = |call: &Call<'_>| matches!(call, Call::Commit(commit) if commit.port == PortChange::Release);
    // The next one may have the port before the one before learns that it is free.
    let storage = tampered(&MemoryStorage::new(), always(releases, Tamper::DelayAnswer(secs(2))));
    let mut office = Office::open(storage.clone(), 1).await;
    // The network never closes the connection, however often it is asked to.
    let (holder, line) = office.online().await;
    let next = office.added().await;
    let _queued = waits(&office.desk, next, secs(60)).await;
    let desk = office.desk.clone();
    tokio::spawn(async move { desk.stop(holder).await });
    let next = office.network.dialled().await;
    storage.layer().tampered().await;
    assert_eq!(next.context.port, line.context.port);
    assert_eq!(office.network.ended(), 1, "the connection that had this port has ended");
}
