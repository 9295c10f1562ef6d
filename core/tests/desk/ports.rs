//! Ports: the queue for them, and what the capacity does.

use std::time::Duration;

use seatport::{CardStatus, Desk, Error, NewAccount, Page, PortNumber, SessionFilter, SessionId, WhenFull};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::scripted::{Dial, Scripted};
use crate::{add, office};

const PATIENT: WhenFull = WhenFull::Wait { timeout: Duration::from_secs(60) };

fn hanging() -> Scripted {
    Scripted::new(Dial::Hangs).0
}

async fn started(desk: &Desk) -> SessionId {
    desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail).await.unwrap()
}

/// A start that waits, once it has taken its place in the queue.
async fn waiting(desk: &Desk, session: SessionId) -> JoinHandle<Result<seatport::Card, Error>> {
    let desk = desk.clone();
    let start = tokio::spawn(async move { desk.start(session, PATIENT).await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    start
}

#[tokio::test(start_paused = true)]
async fn a_full_pool_names_its_capacity_and_its_holders() {
    let (_seatport, desk) = office(hanging(), 2).await;
    let holders = [started(&desk).await, started(&desk).await];
    let session = add(&desk).await;
    match desk.start(session, WhenFull::Fail).await {
        Err(Error::PoolFull { capacity: 2, occupied: 2, waiting: 0, holders: named }) => {
            assert_eq!(named.iter().map(|occupied| occupied.session).collect::<Vec<_>>(), holders);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.card(session).await.unwrap().status, CardStatus::NotStarted);
    let added = desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail).await;
    assert!(matches!(added, Err(Error::PoolFull { .. })));
    let cards = desk.cards(&SessionFilter::default(), Page::first(10)).await.unwrap();
    assert_eq!(cards.len(), 3, "what could not be started was not added either");
}

#[tokio::test(start_paused = true)]
async fn starts_that_wait_are_served_in_the_order_they_came() {
    let (seatport, desk) = office(hanging(), 1).await;
    let first = started(&desk).await;
    let (second, third) = (add(&desk).await, add(&desk).await);
    let waits = [waiting(&desk, second).await, waiting(&desk, third).await];
    // Whoever asks without waiting does not overtake them, not even when a port has just become free.
    desk.stop(first).await.unwrap();
    assert!(matches!(desk.start(first, WhenFull::Fail).await, Err(Error::PoolFull { .. })));
    let [second_start, third_start] = waits;
    assert_eq!(second_start.await.unwrap().unwrap().port, Some(PortNumber(1)));
    assert!(!third_start.is_finished());
    desk.stop(second).await.unwrap();
    assert_eq!(third_start.await.unwrap().unwrap().port, Some(PortNumber(1)));
    assert_eq!(seatport.ports().usage().await.unwrap().occupied.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_times_out_or_is_given_up_leaves_nothing_behind() {
    let (_seatport, desk) = office(hanging(), 1).await;
    let holder = started(&desk).await;
    let (late, gone, next) = (add(&desk).await, add(&desk).await, add(&desk).await);
    let begin = Instant::now();
    let timeout = Duration::from_secs(7);
    let timed_out = desk.start(late, WhenFull::Wait { timeout }).await;
    assert!(matches!(timed_out, Err(Error::PortWaitTimedOut { waited }) if waited == timeout));
    assert_eq!(begin.elapsed(), timeout);
    let given_up = waiting(&desk, gone).await;
    let served = waiting(&desk, next).await;
    given_up.abort();
    desk.stop(holder).await.unwrap();
    assert!(served.await.unwrap().is_ok(), "the next in line is not held up by who has left");
    for session in [late, gone] {
        assert_eq!(desk.card(session).await.unwrap().status, CardStatus::NotStarted);
    }
}

#[tokio::test(start_paused = true)]
async fn raising_the_capacity_serves_who_waits() {
    let (seatport, desk) = office(hanging(), 1).await;
    started(&desk).await;
    let session = add(&desk).await;
    let start = waiting(&desk, session).await;
    seatport.ports().resize(2).await.unwrap();
    assert_eq!(start.await.unwrap().unwrap().port, Some(PortNumber(2)));
}

#[tokio::test(start_paused = true)]
async fn lowering_the_capacity_stops_nobody_and_refuses_new_starts_until_enough_are_free() {
    let (seatport, desk) = office(hanging(), 3).await;
    let sessions = [started(&desk).await, started(&desk).await, started(&desk).await];
    seatport.ports().resize(1).await.unwrap();
    for (session, port) in sessions.iter().zip(1..) {
        assert_eq!(desk.card(*session).await.unwrap().port, Some(PortNumber(port)));
    }
    desk.stop(sessions[0]).await.unwrap();
    desk.stop(sessions[1]).await.unwrap();
    let refused = desk.start(sessions[0], WhenFull::Fail).await;
    assert!(matches!(refused, Err(Error::PoolFull { capacity: 1, occupied: 1, .. })), "{refused:?}");
    desk.stop(sessions[2]).await.unwrap();
    assert_eq!(desk.start(sessions[2], WhenFull::Fail).await.unwrap().port, Some(PortNumber(1)));
}

#[tokio::test(start_paused = true)]
async fn starting_a_started_session_needs_no_second_port() {
    let (_seatport, desk) = office(hanging(), 1).await;
    let session = started(&desk).await;
    let other = add(&desk).await;
    let _queued = waiting(&desk, other).await;
    assert_eq!(desk.start(session, WhenFull::Fail).await.unwrap().port, Some(PortNumber(1)));
    assert_eq!(desk.stop(other).await.unwrap().port, None, "stopping a stopped one changes nothing");
}

#[tokio::test(start_paused = true)]
async fn ports_are_numbered_as_the_host_likes() {
    let (seatport, desk) = office(hanging(), 3).await;
    seatport.ports().set_range(seatport::PortRange::new(8001, 2).unwrap()).await.unwrap();
    let session = started(&desk).await;
    assert_eq!(desk.card(session).await.unwrap().port, Some(PortNumber(8001)));
    desk.restart(session).await.unwrap();
    assert_eq!(desk.card(session).await.unwrap().port, Some(PortNumber(8001)), "restart keeps it");
}
