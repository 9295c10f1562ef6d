//! When storage, task or follower fail: what is lost is won back, and nothing is said twice or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use seatport::lifecycle::ReasonKind;
use seatport::memory::MemoryStorage;
use seatport::storage::{SessionStore, Storage, StorageError, StorageErrorKind};
use seatport::vault::VaultKey;
use seatport::{Agent, CardStatus, Cursors, Desk, NewAccount, Role, Seatport, SessionId, Timing, WhenFull};
use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::{Messenger, Phone};
use seatport_testkit::storage::{Answer, Call, Intercept, Intercepted};
use tokio::time::Instant;

/// Lets the test decide what goes wrong.
#[derive(Debug, Default)]
struct Trouble {
    /// Renewals come to nothing.
    no_renewals: AtomicBool,
    /// So many commits with messages panic.
    panics: AtomicU32,
    /// So many commits with messages find the disk full.
    full: AtomicU32,
}

#[derive(Clone, Debug, Default)]
struct Layer(Arc<Trouble>);

fn takes_one(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Intercept for Layer {
    async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        match &call {
            Call::Renew(..) if self.0.no_renewals.load(Ordering::SeqCst) => {
                return Err(StorageErrorKind::Busy.into());
            }
            Call::Commit(commit) if !commit.messages.is_empty() => {
                assert!(!takes_one(&self.0.panics), "on purpose");
                if takes_one(&self.0.full) {
                    return Err(StorageErrorKind::Full.into());
                }
            }
            _ => {}
        }
        call.send(storage).await
    }
}

struct House {
    trouble: Arc<Trouble>,
    memory: MemoryStorage,
    messenger: Messenger,
    _seatport: Seatport,
    desk: Desk,
    session: SessionId,
    phone: Phone,
}

/// A session that is online.
async fn house() -> House {
    let clock = VirtualClock::default();
    let (messenger, memory, layer) = (Messenger::new(7, Arc::new(clock)), MemoryStorage::new(), Layer::default());
    let trouble = layer.0.clone();
    let seatport = Seatport::builder()
        .storage(Intercepted::new(Arc::new(memory.clone()), layer))
        .transport(messenger.transport())
        .vault_key(VaultKey::new([7; 32]))
        .clock(clock)
        .build()
        .await
        .unwrap();
    let mei = Agent::new("mei", "Mei", Role::Supervisor).unwrap();
    seatport.agents().put(mei.clone()).await.unwrap();
    let desk = seatport.desk(&mei.id).await.unwrap();
    let session = desk.add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await.unwrap();
    let phone = messenger.phone("+8613800138000");
    let mut watch = desk.watch(session).await.unwrap();
    let code = watch.until(|view| view.challenge.is_some()).await.unwrap().challenge.unwrap();
    phone.scan(code.code.expose()).unwrap();
    watch.until(|view| view.card.status == CardStatus::Online).await.unwrap();
    House { trouble, memory, messenger, _seatport: seatport, desk, session, phone }
}

impl House {
    async fn online(&self) {
        let mut watch = self.desk.watch(self.session).await.unwrap();
        let online = watch.until(|view| view.card.status == CardStatus::Online);
        tokio::time::timeout(Duration::from_secs(600), online).await.expect("it never came back").unwrap();
    }

    async fn unread(&self, unread: u64) {
        let mut watch = self.desk.watch(self.session).await.unwrap();
        let reached = watch.until(|view| view.card.unread == unread);
        tokio::time::timeout(Duration::from_secs(600), reached).await.expect("a message never came").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_that_session_s_task_alone_and_it_is_taken_up_again() {
    let house = house().await;
    house.trouble.panics.store(1, Ordering::SeqCst);
    let mut watch = house.desk.watch(house.session).await.unwrap();
    house.messenger.person("ada").write(house.phone.address(), "hello");
    let view = watch.until(|view| view.card.reason.is_some()).await.unwrap();
    assert_eq!(view.card.reason.unwrap().kind, ReasonKind::Crashed);
    assert!(view.card.next_try.is_some(), "after a pause");
    assert!(view.card.port.is_some());
    house.online().await;
    house.unread(1).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_is_not_acknowledged_and_comes_again() {
    let house = house().await;
    // More often than the task tries by itself.
    house.trouble.full.store(20, Ordering::SeqCst);
    house.messenger.person("ada").write(house.phone.address(), "hello");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(house.phone.unacknowledged(), 1);
    house.unread(1).await;
    house.online().await;
    assert_eq!(house.phone.unacknowledged(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cannot_renew_hangs_up_before_its_lease_runs_out() {
    let house = house().await;
    let lease = Timing::default().lease;
    house.trouble.no_renewals.store(true, Ordering::SeqCst);
    let begin = Instant::now();
    while house.messenger.journal().live(house.phone.address()) > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(begin.elapsed() < lease, "it held on to the connection");
    }
    house.trouble.no_renewals.store(false, Ordering::SeqCst);
    house.online().await;
    let journal = house.messenger.journal();
    assert!(!journal.overlapped(house.phone.address()), "never two connections of one account");
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_falls_far_behind_misses_nothing() {
    let house = house().await;
    let mut stream = house.desk.events(Cursors::default()).await.unwrap();
    let mut watch = house.desk.watch(house.session).await.unwrap();
    // More hints than a subscription holds.
    for number in 0..3000 {
        house.desk.set_remark(house.session, format!("{number}")).await.unwrap();
    }
    let last = house.memory.session(house.session).await.unwrap().unwrap().last_event;
    for expected in 1..=last {
        assert_eq!(stream.next().await.unwrap().seq, expected);
    }
    assert_eq!(watch.next().await.unwrap().card.remark.as_str(), "2999");
    house.desk.set_remark(house.session, "live again").await.unwrap();
    assert_eq!(stream.next().await.unwrap().seq, last + 1);
}
