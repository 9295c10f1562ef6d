//! The queue for ports over several nodes.

use std::sync::atomic::{AtomicUsize, Ordering};

use seatport::storage::{PortStore, StorageErrorKind};
use seatport::{Card, Desk, Error, NewAccount, PortNumber, SessionId, WhenFull};
use seatport_testkit::storage::Call;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::cluster::{Cluster, Node, millis, secs};
use crate::way::Fate;

async fn queue(cluster: &Cluster) -> Vec<u64> {
    cluster.storage.port_queue().await.unwrap()
}

/// Waits until a start is served, within this many seconds.
async fn served(start: JoinHandle<Result<Card, Error>>, within: u64) -> SessionId {
    let card = timeout(secs(within), start).await.expect("it is served in time").unwrap().unwrap();
    assert_eq!(card.port, Some(PortNumber(1)));
    card.session
}

async fn start_now(desk: &Desk, session: SessionId) -> Result<Card, Error> {
    desk.start(session, WhenFull::Fail).await
}

/// A cluster whose only port is taken, by the first session; and others that are stopped.
async fn full<const N: usize, const S: usize>() -> (Cluster, [Node; N], [SessionId; S]) {
    let (cluster, nodes) = Cluster::of::<N>(1).await;
    let mut sessions = vec![nodes[0].started().await];
    for _ in 1..S {
        sessions.push(nodes[0].added().await);
    }
    (cluster, nodes, sessions.try_into().unwrap())
}

#[tokio::test(start_paused = true)]
async fn who_comes_first_is_served_first_at_whatever_node() {
    let (cluster, nodes, sessions) = full::<3, 7>().await;
    let mut waits = Vec::new();
    for (session, node) in sessions[1..].iter().zip([2, 0, 1, 1, 2, 0]) {
        waits.push(nodes[node].waits(*session).await);
    }
    assert_eq!(queue(&cluster).await.len(), 6);
    let mut holder = sessions[0];
    for (at, start) in waits.into_iter().enumerate() {
        nodes[at % 3].desk.stop(holder).await.unwrap();
        holder = served(start, 2).await;
        assert_eq!(holder, sessions[at + 1], "in the order they came");
    }
    assert!(queue(&cluster).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_does_not_wait_overtakes_nobody_who_waits_elsewhere() {
    let (cluster, [here, there], [holder, queued, hasty]) = full().await;
    // The one who waits takes a while to notice.
    there.way().plan(|call| match call {
        Call::PortQueue => Fate::IsSlow,
        _ => Fate::Arrives,
    });
    let start = there.waits(queued).await;
    sleep(secs(3)).await;
    here.desk.stop(holder).await.unwrap();
    let refused = start_now(&here.desk, hasty).await;
    assert!(matches!(refused, Err(Error::PoolFull { capacity: 1, waiting: 1, .. })), "{refused:?}");
    let refused = here.desk.add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await;
    assert!(matches!(refused, Err(Error::PoolFull { waiting: 1, .. })), "{refused:?}");
    assert_eq!(served(start, 10).await, queued);
    assert!(queue(&cluster).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_waiter_whose_node_dies_holds_nobody_up() {
    let (cluster, [here, there], [holder, lost, next]) = full().await;
    let start = there.waits(lost).await;
    let behind = here.waits(next).await;
    // Its process is gone together with the call; nothing gives the place up.
    there.way().plan(|_| Fate::Fails(StorageErrorKind::Busy));
    start.abort();
    drop(there);
    here.desk.stop(holder).await.unwrap();
    let begin = Instant::now();
    served(behind, 60).await;
    assert!(begin.elapsed() <= secs(17), "the lease and a look: {:?}", begin.elapsed());
    assert!(queue(&cluster).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_leaves_nothing_behind_whenever_that_is() {
    let (cluster, [here, there], [_holder, session]) = full().await;
    // While it waits, though the first tries to give the place up fail.
    let tries = AtomicUsize::default();
    there.way().plan(move |call| match call {
        Call::LeavePortQueue(_) if tries.fetch_add(1, Ordering::SeqCst) < 4 => Fate::Fails(StorageErrorKind::Busy),
        _ => Fate::Arrives,
    });
    let start = there.waits(session).await;
    assert_eq!(queue(&cluster).await.len(), 1);
    start.abort();
    sleep(secs(5)).await;
    assert!(queue(&cluster).await.is_empty());
    // While it takes its place.
    there.way().plan(|call| match call {
        Call::JoinPortQueue(_) => Fate::IsSlow,
        _ => Fate::Arrives,
    });
    let start = there.waits(session).await;
    assert!(queue(&cluster).await.is_empty());
    start.abort();
    sleep(secs(2)).await;
    assert_eq!(there.way().count("join_port_queue"), 2, "it came about all the same");
    assert!(queue(&cluster).await.is_empty());
    // By its own time limit.
    let timed_out = here.desk.start(session, WhenFull::Wait { timeout: secs(7) }).await;
    assert!(matches!(timed_out, Err(Error::PortWaitTimedOut { waited }) if waited == secs(7)));
    assert!(queue(&cluster).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_start_with_a_free_port_looks_at_the_queue_once_and_writes_nothing_there() {
    let (_cluster, [node]) = Cluster::of(5).await;
    node.way().count("port_queue");
    for when_full in [WhenFull::Fail, WhenFull::Wait { timeout: secs(60) }] {
        node.desk.add_and_start(NewAccount::on("simulated"), when_full).await.unwrap();
        let session = node.added().await;
        node.desk.start(session, when_full).await.unwrap();
        assert_eq!(node.way().count("port_queue"), 2, "one look each");
    }
    assert_eq!((node.way().count("join_port_queue"), node.way().count("leave_port_queue")), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_at_one_node_share_one_look_a_second() {
    let (_cluster, [node, _other], [holder, sessions @ ..]) = full::<2, 21>().await;
    let mut waits = Vec::new();
    for session in sessions {
        waits.push(node.waits(session).await);
    }
    sleep(secs(10)).await;
    node.way().count("port_queue");
    node.way().count("session");
    sleep(secs(60)).await;
    let looks = node.way().count("port_queue");
    assert!((50..=61).contains(&looks), "{looks} looks in a minute, for twenty who wait");
    // The first one tries every second; each looks every five seconds whether it is still wanted.
    let reads = node.way().count("session");
    assert!(reads <= 61 + 20 * 13, "{reads} reads in a minute, for twenty who wait");
    node.desk.stop(holder).await.unwrap();
    served(waits.remove(0), 2).await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_at_a_node_that_lost_its_lease_waits_on_at_the_end() {
    let (cluster, [here, there], [holder, first, second]) = full().await;
    let (lost, kept) = (there.waits(first).await, here.waits(second).await);
    let before = queue(&cluster).await;
    there.way().plan(|call| match call {
        Call::Renew(..) => Fate::Fails(StorageErrorKind::Busy),
        _ => Fate::Arrives,
    });
    sleep(secs(30)).await;
    there.way().plan(|_| Fate::Arrives);
    sleep(secs(10)).await;
    let now = queue(&cluster).await;
    assert_eq!((now.len(), now[0]), (2, before[1]), "{before:?} became {now:?}");
    assert!(!lost.is_finished() && !kept.is_finished());
    here.desk.stop(holder).await.unwrap();
    assert_eq!(served(kept, 2).await, second);
    here.desk.stop(second).await.unwrap();
    assert_eq!(served(lost, 2).await, first);
}

#[tokio::test(start_paused = true)]
async fn a_place_whose_ticket_never_arrived_holds_nobody_up_for_long() {
    let (cluster, [here, there], [holder, session, other]) = full().await;
    let lost = AtomicUsize::default();
    there.way().plan(move |call| match call {
        Call::JoinPortQueue(_) if lost.fetch_add(1, Ordering::SeqCst) == 0 => {
            Fate::FailsThoughDone(StorageErrorKind::Busy)
        }
        _ => Fate::Arrives,
    });
    let start = there.waits(session).await;
    sleep(secs(3)).await;
    assert_eq!(queue(&cluster).await.len(), 2, "nobody holds the first ticket");
    here.desk.stop(holder).await.unwrap();
    assert_eq!(served(start, 30).await, session);
    here.desk.stop(session).await.unwrap();
    start_now(&here.desk, other).await.unwrap();
    assert!(queue(&cluster).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_place_that_nobody_holds_does_not_keep_a_free_port_from_those_who_do_not_wait() {
    let (cluster, [here, there]) = Cluster::of(1).await;
    cluster.storage.join_port_queue(there.seatport.node_id()).await.unwrap();
    let session = here.added().await;
    let begin = Instant::now();
    while let Err(refused) = start_now(&here.desk, session).await {
        assert!(matches!(refused, Error::PoolFull { occupied: 0, waiting: 1, .. }), "{refused:?}");
        assert!(begin.elapsed() < secs(30));
        sleep(secs(1)).await;
    }
    assert!(queue(&cluster).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_no_hint_comes_who_waits_looks_for_themselves() {
    let mut cluster = Cluster::new(1);
    let (here, deaf) = (cluster.join().await, cluster.join_deaf().await);
    let (holder, session) = (here.started().await, here.added().await);
    let start = deaf.waits(session).await;
    sleep(secs(5)).await;
    here.desk.stop(holder).await.unwrap();
    assert_eq!(served(start, 2).await, session);
    // And learns that it is not wanted any more.
    let other = here.added().await;
    let start = deaf.waits(other).await;
    sleep(millis(1500)).await;
    here.desk.delete(other).await.unwrap();
    let answer = timeout(secs(6), start).await.unwrap().unwrap();
    assert!(matches!(answer, Err(Error::UnknownSession(id)) if id == other), "{answer:?}");
    assert!(queue(&cluster).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_patient_with_a_storage_that_is_away() {
    let (cluster, [here, there], [holder, session]) = full().await;
    let start = there.waits(session).await;
    there.way().plan(|call| match call {
        Call::PortQueue | Call::JoinPortQueue(_) => Fate::Fails(StorageErrorKind::Busy),
        _ => Fate::Arrives,
    });
    sleep(secs(5)).await;
    assert!(!start.is_finished());
    there.way().plan(|_| Fate::Arrives);
    here.desk.stop(holder).await.unwrap();
    assert_eq!(served(start, 3).await, session);
    assert!(queue(&cluster).await.is_empty());
}
