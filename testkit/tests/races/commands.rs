//! A person and a connection change the same session at the same moment.

use std::sync::Arc;
use std::time::Duration;

use seatport::CardStatus;
use seatport::lifecycle::{Lifecycle, ReasonKind};
use seatport::memory::MemoryStorage;
use seatport::storage::StorageErrorKind;
use seatport::transport::{ChallengeKind, LoginChallenge, Signal, TransportCommand};
use seatport::{Clock, Secret};
use seatport_testkit::VirtualClock;
use seatport_testkit::storage::Call;
use tokio::time::{Instant, sleep};

use crate::office::{Office, millis, secs};
use crate::scripted::{bob, lost, message, message_id, ready};
use crate::tampered::{Tamper, always, nothing, once, tampered};

fn login_code() -> Signal {
    let expires_at = VirtualClock::default().now() + secs(60);
    Signal::Challenge(LoginChallenge { kind: ChallengeKind::Qr, code: Secret::new("code"), sequence: 1, expires_at })
}

/// The session's task moves it to such a state.
fn moves_to(state: fn(Lifecycle) -> bool) -> impl Fn(&Call<'_>) -> bool {
    move |call| match call {
        Call::Commit(commit) if commit.fence.is_some() => {
            commit.record.as_ref().is_some_and(|record| state(record.facts.lifecycle))
        }
        _ => false,
    }
}

fn connecting(state: Lifecycle) -> bool {
    matches!(state, Lifecycle::Connecting { .. })
}

#[tokio::test(start_paused = true)]
async fn a_remark_stays_though_a_message_and_the_end_of_the_connection_come_with_it() {
    let mut office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (session, line) = office.online().await;
    line.says(message(1)).await;
    line.says(lost()).await;
    office.desk.set_remark(session, "important").await.unwrap();
    sleep(secs(1)).await;
    assert_eq!(office.card(session).await.remark.as_str(), "important", "what a person wrote stays");
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_obeyed_though_a_message_and_the_end_of_the_connection_come_with_it() {
    let mut office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (session, line) = office.online().await;
    line.says(message(1)).await;
    line.says(lost()).await;
    let card = office.desk.stop(session).await.unwrap();
    assert_eq!((card.status, card.port), (CardStatus::Offline, None), "it is at rest and its port free");
    sleep(secs(60)).await;
    assert_eq!(office.card(session).await.status, CardStatus::Offline, "and stays so");
}

#[tokio::test(start_paused = true)]
async fn what_a_connection_said_before_a_new_login_round_is_not_believed_of_the_next_connection() {
    let storage = tampered(&MemoryStorage::new(), nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let session = office.started().await;
    let line = office.network.dialled().await;
    line.says(login_code()).await;
    office.reaches(session, CardStatus::AwaitingLogin).await;
    let goes_online = moves_to(|state| state == Lifecycle::Online);
    storage.layer().plan(once(goes_online, Tamper::DelayCall(millis(500))));
    line.says(ready()).await;
    storage.layer().tampered().await;
    office.desk.refresh_login(session).await.unwrap();
    let next = office.network.dialled_within(secs(10)).await.expect("a new round is a new connection");
    assert_ne!(office.card(session).await.status, CardStatus::Online, "the new connection has said nothing yet");
    next.says(ready()).await;
    office.reaches(session, CardStatus::Online).await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_the_next_try_as_it_falls_due_fails_no_dial() {
    let storage = tampered(&MemoryStorage::new(), nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let (session, line) = office.online().await;
    storage.layer().plan(once(moves_to(connecting), Tamper::DelayCall(millis(500))));
    line.says(lost()).await;
    storage.layer().tampered().await;
    office.desk.refresh_login(session).await.unwrap();
    sleep(millis(600)).await;
    let card = office.card(session).await;
    assert_ne!(card.reason.map(|reason| reason.kind), Some(ReasonKind::DialTimedOut), "no dial was begun before");
    let line = office.network.dialled().await;
    line.says(ready()).await;
    office.reaches(session, CardStatus::Online).await;
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_taken_though_the_storage_says_busy_is_taken_once() {
    let storage = tampered(&MemoryStorage::new(), nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let (session, line) = office.online().await;
    storage.layer().plan(once(moves_to(connecting), Tamper::FailThoughDone(StorageErrorKind::Busy)));
    line.says(lost()).await;
    storage.layer().tampered().await;
    // Half of what a dial may take: none has timed out yet.
    for _ in 0..200 {
        let reason = office.card(session).await.reason.map(|reason| reason.kind);
        assert_ne!(reason, Some(ReasonKind::DialTimedOut), "the repeated step says nothing about the dial");
        sleep(millis(100)).await;
    }
    let line = office.network.dialled().await;
    line.says(ready()).await;
    office.reaches(session, CardStatus::Online).await;
    assert!(office.network.dialled_within(secs(20)).await.is_none(), "one connection is enough");
}

#[tokio::test(start_paused = true)]
async fn stop_answers_within_five_seconds_though_the_storage_is_slow() {
    let storage = tampered(&MemoryStorage::new(), nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let (session, _line) = office.online().await;
    storage.layer().plan(always(|_| true, Tamper::DelayCall(secs(1))));
    let begin = Instant::now();
    let card = office.desk.stop(session).await.unwrap();
    assert!(begin.elapsed() <= secs(5), "it took {:?}", begin.elapsed());
    assert!(matches!(card.status, CardStatus::Stopping | CardStatus::Offline), "it is on its way: {card:?}");
    storage.layer().plan(nothing);
    assert_eq!(office.reaches(session, CardStatus::Offline).await.port, None, "and gets there");
}

/// Of five messages the first was read before, and the third is the last that was seen; the fifth comes so long after somebody
/// began to mark those as read.
async fn reads_up_to_the_third(a_fifth_after: Duration) {
    let storage = tampered(&MemoryStorage::new(), nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let (session, mut line) = office.online().await;
    line.says(message(1)).await;
    office.until(session, |view| view.card.unread == 1).await;
    office.desk.mark_read(session, &bob()).await.unwrap();
    let Some(TransportCommand::MarkRead { done, .. }) = line.commands.recv().await else { panic!("not told") };
    done.send(Ok(())).unwrap();
    for number in 2..=4 {
        line.says(message(number)).await;
    }
    office.until(session, |view| view.card.unread == 3).await;
    // Slow enough for one more to come while the desk looks.
    storage.layer().plan(always(|call| call.reads_only(), Tamper::DelayAnswer(millis(100))));
    let desk = office.desk.clone();
    let reading = tokio::spawn(async move { desk.mark_read_up_to(session, &bob(), &message_id(3)).await });
    sleep(a_fifth_after).await;
    line.says(message(5)).await;
    reading.await.unwrap().unwrap();
    sleep(secs(1)).await;
    assert_eq!(office.card(session).await.unread, 2, "the two that came after it");
    match line.commands.try_recv() {
        Ok(TransportCommand::MarkRead { chat, messages, done }) => {
            done.send(Ok(())).unwrap();
            let mut told: Vec<_> = messages.into_iter().map(|(id, _)| id).collect();
            told.sort();
            let read = vec![message_id(2), message_id(3)];
            assert_eq!((chat, told), (bob(), read), "told of what was read just now; one came after {a_fifth_after:?}");
        }
        other => panic!("the network was told {other:?}"),
    }
    sleep(secs(10)).await;
    assert!(line.commands.try_recv().is_err(), "once");
}

#[tokio::test(start_paused = true)]
async fn reading_up_to_a_message_leaves_later_ones_unread_here_and_on_the_network() {
    // Between any two of the desk's looks at the storage, and after the last.
    for looks in 0..12 {
        reads_up_to_the_third(millis(50 + 100 * looks)).await;
    }
}
