//! A follower of events who falls behind just when the storage fails, or stops waiting.

use seatport::memory::MemoryStorage;
use seatport::storage::StorageErrorKind;
use seatport::{EventStream, SessionId};
use seatport_testkit::storage::Call;
use std::sync::Arc;
use tokio::time::timeout;

use crate::office::{Office, millis, secs};
use crate::tampered::{Tamper, Tampered, always, nothing, once, tampered};

struct Behind {
    storage: Arc<Tampered>,
    office: Office,
    events: EventStream,
    /// Has one event, among the first that the follower missed the hints of.
    quiet: SessionId,
}

/// A follower who was up to date, and then missed more hints than are kept.
async fn behind() -> Behind {
    let storage = tampered(&MemoryStorage::new(), nothing);
    let office = Office::open(storage.clone(), 1).await;
    let (quiet, loud) = (office.added().await, office.added().await);
    let mut events = office.desk.events(office.desk.cursors().await.unwrap()).await.unwrap();
    assert!(timeout(millis(10), events.next()).await.is_err(), "nothing happened yet");
    office.desk.set_remark(quiet, "the one").await.unwrap();
    for number in 0..1500 {
        office.desk.set_remark(loud, number.to_string()).await.unwrap();
    }
    Behind { storage, office, events, quiet }
}

fn looks_at_all(call: &Call<'_>) -> bool {
    matches!(call, Call::EventHeads(..))
}

/// Everything there is, and how many errors came in between.
async fn rest(events: &mut EventStream) -> (Vec<SessionId>, u32) {
    let (mut seen, mut errors) = (Vec::new(), 0);
    while let Ok(next) = timeout(secs(60), events.next()).await {
        match next {
            Ok(event) => seen.push(event.session),
            Err(_) => errors += 1,
        }
    }
    (seen, errors)
}

#[tokio::test(start_paused = true)]
async fn a_follower_whose_look_at_what_it_missed_fails_misses_nothing() {
    let Behind { storage, office: _office, mut events, quiet } = behind().await;
    storage.layer().plan(once(looks_at_all, Tamper::Fail(StorageErrorKind::Busy)));
    let (seen, errors) = rest(&mut events).await;
    assert_eq!(errors, 1, "the follower is told that the storage failed");
    assert!(seen.contains(&quiet), "and passes over nothing when it asks again");
    assert_eq!(seen.len(), 1501, "each event comes once");
}

#[tokio::test(start_paused = true)]
async fn a_follower_who_stops_waiting_while_it_looks_at_what_it_missed_misses_nothing() {
    let Behind { storage, office: _office, mut events, quiet } = behind().await;
    storage.layer().plan(always(looks_at_all, Tamper::DelayCall(secs(1))));
    assert!(timeout(millis(500), events.next()).await.is_err(), "it was still looking");
    storage.layer().tampered().await;
    let (seen, errors) = rest(&mut events).await;
    assert!(seen.contains(&quiet), "a call that was dropped has passed over nothing");
    assert_eq!((seen.len(), errors), (1501, 0), "each event comes once");
}
