//! Who drives a session: leases that run out, sessions that are taken over, rows that cannot be read.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seatport::memory::MemoryStorage;
use seatport::storage::{SessionStore, StorageErrorKind};
use seatport::{CardStatus, NodeId, SessionId, WhenFull};
use seatport_testkit::storage::Call;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::office::{Office, millis, new_account, secs};
use crate::tampered::{Tamper, always, nothing, once, tampered};

async fn owner(memory: &MemoryStorage, session: SessionId) -> Option<NodeId> {
    memory.session(session).await.unwrap().unwrap().owner.map(|fence| fence.node)
}

/// Whether the only connection of a node ends before its lease does, with such a storage.
async fn hangs_up_before_its_lease_is_over(plan: impl FnMut(&Call<'_>) -> Tamper + Send + 'static) {
    let memory = MemoryStorage::new();
    let mut office = Office::open(tampered(&memory, plan), 1).await;
    let (session, line) = office.online().await;
    line.stays_alive();
    let begin = Instant::now();
    while owner(&memory, session).await.is_some() {
        assert!(begin.elapsed() < secs(60), "the lease runs out");
        sleep(millis(1)).await;
    }
    assert_eq!(office.network.ended(), 1, "a connection ends before somebody else may dial");
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_renewals_hang_hangs_up_before_its_lease_is_over() {
    let plan = always(|call| matches!(call, Call::Renew(..) | Call::Leave(..)), Tamper::Hang);
    hangs_up_before_its_lease_is_over(plan).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_counts_from_when_joining_was_asked_for() {
    let plan = |call: &Call<'_>| match call {
        Call::Join(..) => Tamper::DelayAnswer(secs(4)),
        Call::Renew(..) => Tamper::Hang,
        _ => Tamper::Nothing,
    };
    hangs_up_before_its_lease_is_over(plan).await;
}

/// A session is started so long after a node last renewed its lease; that works again twenty seconds later.
async fn no_connection_without_a_lease(start_after: Duration) {
    let memory = MemoryStorage::new();
    let storage = tampered(&memory, nothing);
    let Office { seatport: _seatport, desk, network } = Office::open(storage.clone(), 1).await;
    let open = network.answers_everybody();
    let leases = |call: &Call<'_>| matches!(call, Call::Renew(..) | Call::Leave(..) | Call::Join(..));
    storage.layer().plan(always(leases, Tamper::Fail(StorageErrorKind::Busy)));
    sleep(start_after).await;
    let session = desk.add_and_start(new_account(), WhenFull::Fail).await.unwrap();
    let begin = Instant::now();
    while begin.elapsed() < secs(20) {
        let owner = owner(&memory, session).await;
        assert!(owner.is_some() || open.count() == 0, "a connection is open and anybody may dial: {owner:?}");
        sleep(millis(1)).await;
    }
    storage.layer().plan(nothing);
    sleep(secs(30)).await;
    for _ in 0..60 {
        assert!(owner(&memory, session).await.is_some(), "it is owned again");
        assert_eq!(desk.card(session).await.unwrap().status, CardStatus::Online);
        assert_eq!(open.count(), 1, "and has one connection");
        sleep(secs(60)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_started_just_before_its_node_gives_up_is_online_again_once_the_lease_holds() {
    no_connection_without_a_lease(secs(11)).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_started_while_its_node_has_no_lease_is_dialled_once_the_lease_holds() {
    no_connection_without_a_lease(secs(14)).await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_answered_after_its_node_gave_everything_up_dials_nothing() {
    let plan = |call: &Call<'_>| match call {
        Call::Renew(..) => Tamper::Fail(StorageErrorKind::Busy),
        Call::Claim(..) => Tamper::DelayAnswer(secs(3)),
        _ => Tamper::Nothing,
    };
    // Before the node gives up and after it, whenever that is.
    for half_seconds in 12..30 {
        let memory = MemoryStorage::new();
        let mut office = Office::open(tampered(&memory, plan), 1).await;
        sleep(millis(500 * half_seconds)).await;
        let session = office.started().await;
        let line =
            office.network.dialled_within(secs(30)).await.expect("the node joins again, and owns what it claims");
        assert_eq!(line.context.session, session);
        assert!(owner(&memory, session).await.is_some(), "who dials owns the session");
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_is_noticed_while_an_edit_is_being_looked_at() {
    let storage = tampered(&MemoryStorage::new(), nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let session = office.added().await;
    // Just after a scan, so that it is not the next one that finds it.
    sleep(millis(5100)).await;
    office.desk.set_remark(session, "look").await.unwrap();
    // The node has not looked yet whether the session wants to be driven.
    let reads = |call: &Call<'_>| matches!(call, Call::Session(_));
    storage.layer().plan(once(reads, Tamper::DelayAnswer(millis(50))));
    storage.layer().tampered().await;
    office.desk.start(session, WhenFull::Fail).await.unwrap();
    assert!(office.network.dialled_within(millis(500)).await.is_some(), "who starts one now is served now");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_read_is_tried_ever_more_rarely_by_one_task() {
    let memory = MemoryStorage::new();
    let office = Office::open(Arc::new(memory.clone()), 1).await;
    let unreadable = office.started().await;
    office.dies().await;
    let reads = Arc::new(AtomicU64::new(0));
    let count = reads.clone();
    let plan = move |call: &Call<'_>| match call {
        Call::Session(id) if *id == unreadable => {
            count.fetch_add(1, Ordering::SeqCst);
            Tamper::Fail(StorageErrorKind::Corrupt)
        }
        _ => Tamper::Nothing,
    };
    let storage = tampered(&memory.reopen(), plan);
    let office = Office::open(storage.clone(), 1).await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    sleep(secs(600)).await;
    let before = tasks();
    sleep(secs(6 * 3600)).await;
    assert!(tasks() <= before, "{before} tasks became {}", tasks());
    reads.store(0, Ordering::SeqCst);
    sleep(secs(3600)).await;
    let often = reads.load(Ordering::SeqCst);
    // With a pause of up to five minutes that is 24 on average.
    assert!((1..60).contains(&often), "it was tried {often} times in an hour");
    office.dies().await;
    assert_eq!(Arc::strong_count(&storage), 1, "a node that is gone lets go of its storage");
}

#[tokio::test(start_paused = true)]
async fn sessions_that_cannot_be_read_do_not_starve_those_behind_them() {
    let memory = MemoryStorage::new();
    // As many as one look at the storage takes on.
    const UNREADABLE: u32 = 256;
    let office = Office::open(Arc::new(memory.clone()), UNREADABLE + 1).await;
    let mut unreadable = HashSet::new();
    for _ in 0..UNREADABLE {
        unreadable.insert(office.started().await);
    }
    let readable = office.started().await;
    office.dies().await;
    let cannot = move |call: &Call<'_>| matches!(call, Call::Session(id) if unreadable.contains(id));
    let storage = tampered(&memory.reopen(), always(cannot, Tamper::Fail(StorageErrorKind::Corrupt)));
    let mut office = Office::open(storage, UNREADABLE + 1).await;
    // Six seconds for all of them, at fifty a second.
    let line = office.network.dialled_within(secs(10)).await.expect("it is taken over");
    assert_eq!(line.context.session, readable);
}
