//! A storage that is busy, stuck or broken while a session is online.

use seatport::CardStatus;
use seatport::memory::MemoryStorage;
use seatport::storage::StorageErrorKind;
use seatport_testkit::storage::Call;
use tokio::time::{Instant, sleep, timeout_at};

use crate::office::{Office, secs};
use crate::scripted::{message, ready};
use crate::tampered::{Tamper, always, nothing, tampered, times};

fn stores_messages(call: &Call<'_>) -> bool {
    matches!(call, Call::Commit(commit) if !commit.messages.is_empty())
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_is_busy_for_a_moment_costs_no_connection() {
    let storage = tampered(&MemoryStorage::new(), nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let (session, _line) = office.online().await;
    office.desk.set_remark(session, "look").await.unwrap();
    // The session's task has not looked yet.
    let reads = |call: &Call<'_>| matches!(call, Call::Session(_));
    storage.layer().plan(times(3, reads, Tamper::Fail(StorageErrorKind::Busy)));
    storage.layer().tampered().await;
    sleep(secs(1)).await;
    assert_eq!(office.network.ended(), 0, "it looks again, and the connection stays");
    assert_eq!(office.card(session).await.status, CardStatus::Online);
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_is_stuck_does_not_keep_a_card_online_or_a_port_held() {
    let storage = tampered(&MemoryStorage::new(), always(stores_messages, Tamper::Hang));
    let mut office = Office::open(storage.clone(), 1).await;
    let (session, line) = office.online().await;
    line.says(message(1)).await;
    storage.layer().tampered().await;
    // And the network is gone.
    drop(line);
    // A call to the storage is given up after 10 s.
    sleep(secs(11)).await;
    assert_ne!(office.card(session).await.status, CardStatus::Online, "nobody is online without a connection");
    assert!(office.network.ended() >= 1, "what the network has ended is let go of");
    let begin = Instant::now();
    let card = office.desk.stop(session).await.unwrap();
    assert_eq!((card.status, card.port), (CardStatus::Offline, None), "it can be stopped");
    assert!(begin.elapsed() <= secs(5), "it took {:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_stored_does_not_make_its_session_dial_without_a_pause() {
    let fails = Tamper::Fail(StorageErrorKind::Other);
    let storage = tampered(&MemoryStorage::new(), always(stores_messages, fails));
    let mut office = Office::open(storage, 1).await;
    office.started().await;
    let (mut dials, end) = (0, Instant::now() + secs(600));
    while let Ok(line) = timeout_at(end, office.network.dialled()).await {
        dials += 1;
        line.says(ready()).await;
        line.says(message(1)).await;
    }
    assert!(dials > 1, "it goes on trying");
    assert!(dials < 30, "the pauses grow: {dials} dials in ten minutes");
}
