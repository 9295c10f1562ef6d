//! A shutdown that something is in the way of.

use std::sync::Arc;

use seatport::memory::MemoryStorage;
use seatport_testkit::storage::Call;
use tokio::time::{Instant, timeout};

use crate::office::{Office, millis, secs};
use crate::tampered::{Tamper, always, nothing, tampered};

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_no_session_that_has_no_connection_yet() {
    let memory = MemoryStorage::new();
    let office = Office::open(Arc::new(memory.clone()), 3).await;
    office.started().await;
    office.dies().await;
    let claims = |call: &Call<'_>| matches!(call, Call::Claim(..));
    let storage = tampered(&memory.reopen(), always(claims, Tamper::DelayCall(millis(500))));
    let mut office = Office::open(storage.clone(), 3).await;
    storage.layer().tampered().await;
    let begin = Instant::now();
    office.seatport.shutdown(secs(60)).await;
    assert!(begin.elapsed() <= secs(1), "the claim was answered after 0.5 s, the shutdown took {:?}", begin.elapsed());
    assert!(office.network.dialled_within(secs(60)).await.is_none(), "nothing is dialled after a shutdown");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_longer_than_the_lease_lets_nobody_dial_before_its_connections_ended() {
    let memory = MemoryStorage::new();
    // The two share what a process has for itself: the storage stays open for the other one.
    let closes = |call: &Call<'_>| matches!(call, Call::Close);
    let mut ending = Office::open(tampered(&memory, always(closes, Tamper::Hang)), 3).await;
    // The network never closes the connection, however long it is asked to.
    let (session, _line) = ending.online().await;
    let mut taking_over = Office::open(Arc::new(memory), 3).await;
    let seatport = ending.seatport.clone();
    tokio::spawn(async move { seatport.shutdown(secs(60)).await });
    let line = taking_over.network.dialled_within(secs(90)).await.expect("the other node takes the session over");
    assert_eq!(line.context.session, session);
    assert_eq!(ending.network.ended(), 1, "only when the connection of the first one has ended");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_answers_in_time_though_the_storage_is_stuck() {
    let stuck: [fn(&Call<'_>) -> bool; 2] =
        [|call| matches!(call, Call::Leave(..)), |call| matches!(call, Call::Close)];
    for stuck in stuck {
        let storage = tampered(&MemoryStorage::new(), nothing);
        let office = Office::open(storage.clone(), 1).await;
        storage.layer().plan(always(stuck, Tamper::Hang));
        let begin = Instant::now();
        let answer = timeout(secs(60), office.seatport.shutdown(secs(1))).await;
        assert!(answer.is_ok(), "it answers at all");
        // The deadline, and the second of grace that the storage has.
        assert!(begin.elapsed() <= millis(2010), "it took {:?}", begin.elapsed());
        storage.layer().tampered().await;
    }
}
