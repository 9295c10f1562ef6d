//! Connections that flap, go silent, or end with a last word; and dials that something changes under.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seatport::conversation::MessageStatus;
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::memory::MemoryStorage;
use seatport::storage::{StorageErrorKind, VaultStore};
use seatport::transport::{ConnectContext, Signal, TransportCommand};
use seatport::vault::VaultError;
use seatport::{CardStatus, Clock, Environment, MessageId, SendOptions, SessionId, Timestamp, Timing, WhenFull};
use seatport_testkit::VirtualClock;
use seatport_testkit::storage::Call;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::office::{Office, millis, new_account, secs};
use crate::scripted::{Line, bob, lost, ready};
use crate::tampered::{Tamper, always, nothing, once, tampered};

fn behind(proxy: &str) -> Environment {
    Environment::new().proxy(&format!("socks5://mei:{proxy}-password@{proxy}:1080")).unwrap()
}

/// The proxy that is dialled through, and the password it is given.
fn proxy(context: &ConnectContext) -> (&str, &str) {
    let proxy = context.environment.proxy.as_ref().unwrap();
    (&proxy.host, proxy.password.as_ref().unwrap().expose())
}

/// A session behind the proxy `old` whose connection is lost.
async fn lost_behind_old(office: &mut Office) -> SessionId {
    let new = new_account().environment(behind("old"));
    let session = office.desk.add_and_start(new, WhenFull::Fail).await.unwrap();
    let line = office.network.dialled().await;
    assert_eq!(proxy(&line.context), ("old", "old-password"));
    line.says(lost()).await;
    session
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_waited_its_turn_goes_through_the_proxy_that_is_set_by_then() {
    // One dial in twenty seconds, so that the second one waits.
    let timing = Timing { reconnects_per_second: 0.05, ..Timing::default() };
    let mut office = Office::built(Arc::new(MemoryStorage::new()), 1, |builder| builder.timing(timing)).await;
    let session = lost_behind_old(&mut office).await;
    office.network.dialled().await.says(lost()).await;
    sleep(secs(6)).await;
    office.desk.set_environment(session, behind("new")).await.unwrap();
    let line = office.network.dialled().await;
    assert_eq!(proxy(&line.context), ("new", "new-password"), "no proxy learns another one's password");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_is_replaced_while_its_password_is_read_never_gets_the_next_one_s() {
    let storage = tampered(&MemoryStorage::new(), nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let session = lost_behind_old(&mut office).await;
    storage.layer().plan(once(|call| matches!(call, Call::VaultGet(..)), Tamper::DelayCall(millis(200))));
    storage.layer().tampered().await;
    office.desk.set_environment(session, behind("new")).await.unwrap();
    let line = office.network.dialled().await;
    assert_eq!(proxy(&line.context), ("new", "new-password"), "what does not belong together is read anew");
}

#[tokio::test(start_paused = true)]
async fn a_write_after_the_credentials_were_wiped_is_refused_before_anybody_has_heard_of_the_wipe() {
    let memory = MemoryStorage::new();
    let wipes = |call: &Call<'_>| matches!(call, Call::Commit(commit) if commit.forget_credentials);
    let storage = tampered(&memory, always(wipes, Tamper::DelayAnswer(millis(200))));
    let mut office = Office::open(storage.clone(), 1).await;
    let (session, line) = office.online().await;
    line.context.vault.put("identity", b"key").await.unwrap();
    line.says(Signal::Rejected(Reason::new(ReasonKind::LoggedOut))).await;
    storage.layer().tampered().await;
    let late = line.context.vault.put("identity", b"key").await;
    assert!(matches!(late, Err(VaultError::Revoked)), "the vault is closed: {late:?}");
    office.reaches(session, CardStatus::Blocked).await;
    let left = memory.vault_list(session, "net/").await.unwrap();
    assert!(left.is_empty(), "nothing comes back: {left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_under_way_while_the_credentials_are_wiped_is_wiped_too() {
    let memory = MemoryStorage::new();
    let storage = tampered(&memory, nothing);
    let mut office = Office::open(storage.clone(), 1).await;
    let (session, line) = office.online().await;
    storage.layer().plan(once(|call| matches!(call, Call::VaultWrite(..)), Tamper::DelayCall(millis(200))));
    let vault = line.context.vault.clone();
    let writing = tokio::spawn(async move { vault.put("identity", b"key").await });
    storage.layer().tampered().await;
    line.says(Signal::Rejected(Reason::new(ReasonKind::LoggedOut))).await;
    office.reaches(session, CardStatus::Blocked).await;
    writing.await.unwrap().unwrap();
    let left = memory.vault_list(session, "net/").await.unwrap();
    assert!(left.is_empty(), "nothing comes back: {left:?}");
}

/// The next message that the network is to take.
async fn sends(line: &mut Line, limit: Duration) -> Option<(MessageId, impl FnOnce() + use<>)> {
    match timeout(limit, line.commands.recv()).await {
        Ok(Some(TransportCommand::Send { id, done, .. })) => Some((id, move || done.send(Ok(())).unwrap())),
        Ok(other) => panic!("told {other:?}"),
        Err(_) => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_transport_never_answers_for_holds_up_the_next_one_for_a_minute_and_no_longer() {
    let mut office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    let (session, mut line) = office.online().await;
    line.stays_alive();
    let first = office.desk.send_text(session, &bob(), "one", SendOptions::default()).await.unwrap();
    let second = office.desk.send_text(session, &bob(), "two", SendOptions::default()).await.unwrap();
    let (id, _never_answered) = sends(&mut line, secs(1)).await.expect("it is sent at once");
    assert_eq!(id, first);
    // A minute for the answer, and five seconds of rest.
    let (id, taken) = sends(&mut line, secs(66)).await.expect("it is sent again");
    assert_eq!(id, first, "the order is kept");
    taken();
    let (id, taken) = sends(&mut line, secs(2)).await.expect("the next one follows");
    assert_eq!(id, second);
    taken();
    sleep(secs(1)).await;
    for id in [first, second] {
        let message = office.desk.message(session, &bob(), &id).await.unwrap().unwrap().message;
        assert_eq!(message.status, MessageStatus::Sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_flaps_is_dialled_ever_more_rarely_until_one_lasts() {
    let mut office = Office::open(Arc::new(MemoryStorage::new()), 1).await;
    office.started().await;
    let (mut dials, end) = (0, Instant::now() + secs(600));
    while let Ok(line) = timeout_at(end, office.network.dialled()).await {
        dials += 1;
        // It is online, and lost at once.
        line.says(ready()).await;
    }
    assert!(dials < 30, "the pauses grow: {dials} dials in ten minutes");

    let line = office.network.dialled().await;
    line.says(ready()).await;
    line.stays_alive();
    sleep(secs(61)).await;
    line.says(lost()).await;
    let again = office.network.dialled_within(secs(3)).await;
    assert!(again.is_some(), "it has proved itself: the next try is as soon as after the first trouble");
}

/// A clock that somebody sets back by so many seconds.
#[derive(Clone, Debug)]
struct SetBack(VirtualClock, Arc<AtomicU64>);

impl Clock for SetBack {
    fn now(&self) -> Timestamp {
        self.0.now() - secs(self.1.load(Ordering::SeqCst))
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_puts_no_retry_off_beyond_the_longest_wait() {
    let (storage, back) = (tampered(&MemoryStorage::new(), nothing), Arc::new(AtomicU64::new(0)));
    let clock = SetBack(VirtualClock::default(), back.clone());
    let mut office = Office::built(storage.clone(), 1, |builder| builder.clock(clock)).await;
    let (session, line) = office.online().await;
    line.says(lost()).await;
    office.until(session, |view| view.card.next_try.is_some()).await;
    back.store(86_400, Ordering::SeqCst);
    office.desk.set_remark(session, "look").await.unwrap();
    // The session's task fails, and the next one finds a retry that is due in a day.
    let reads = |call: &Call<'_>| matches!(call, Call::Session(_));
    storage.layer().plan(once(reads, Tamper::Fail(StorageErrorKind::Other)));
    storage.layer().tampered().await;
    let limit = Timing::default().retry_most + Timing::default().retry_first;
    assert!(office.network.dialled_within(limit).await.is_some(), "no wait is longer than the longest");
}
