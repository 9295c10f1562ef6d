//! Processes that were frozen, and wake when others drive what they drove.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::storage::{LeaseStore, NodeProfile, NodeReport, Storage, StorageError};
use seatport::transport::{Capabilities, ConnectContext, ConnectError, Connection, Transport};
use seatport::{CardStatus, Environment, NodeId, Random, SendOptions, Timing, TransportName};
use seatport_testkit::messenger::{End, SimulatedTransport};
use seatport_testkit::storage::{Answer, Call, Intercept, Intercepted};
use tokio::task::AbortHandle;
use tokio::time::{advance, sleep};

use crate::region::{Region, millis, secs, started};

/// A node that is on the register, accepts sessions, and does nothing.
pub(crate) async fn idle_node(region: &Region) -> AbortHandle {
    let id = NodeId::generate(seatport::Timestamp::from_millis(1), &Random::seeded(1));
    let profile = NodeProfile { id, labels: [].into(), capacity: u32::MAX };
    let memory = region.memory.clone();
    memory.join(&profile, secs(15)).await.unwrap();
    let task = tokio::spawn(async move {
        loop {
            memory.renew(id, secs(15), NodeReport { sessions: 0, accepting: true }).await.unwrap();
            sleep(secs(5)).await;
        }
    });
    task.abort_handle()
}

/// A storage that no longer answers what keeps a lease, once it is told so.
#[derive(Debug, Default)]
struct CutOff(Mutex<bool>);

#[async_trait]
impl Intercept for CutOff {
    async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        let cut = *self.0.lock();
        if cut && matches!(call, Call::Renew(..) | Call::Join(..)) {
            return std::future::pending().await;
        }
        call.send(storage).await
    }
}

/// The simulated network, where connecting takes as long as the test wants.
#[derive(Debug)]
struct Slow(SimulatedTransport, Arc<Mutex<Duration>>);

#[async_trait]
impl Transport for Slow {
    fn name(&self) -> TransportName {
        self.0.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        let connection = self.0.connect(context).await?;
        let delay = *self.1.lock();
        sleep(delay).await;
        Ok(connection)
    }
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_waited_its_turn_past_the_lease_is_not_made() {
    let region = Region::new(1);
    let storage = Arc::new(Intercepted::new(Arc::new(region.memory.clone()), CutOff::default()));
    let timing = Timing { reconnects_per_second: 0.1, retry_first: millis(1), ..Timing::default() };
    let a = region.on(storage.clone(), |builder| builder.timing(timing)).await;
    let (session, phone) = region.online(&[&a], 1).await.remove(0);
    // The first reconnect goes through at once, the second waits for ten seconds.
    for _ in 0..2 {
        region.reaches(session, CardStatus::Online).await;
        phone.conditions(|now| now.down = true);
        region.reaches(session, CardStatus::Connecting).await;
        phone.conditions(|now| now.down = false);
        sleep(millis(100)).await;
    }
    *storage.layer().0.lock() = true;
    let dials = region.messenger.journal().dials(session).count();
    advance(secs(30)).await;
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        region.messenger.journal().dials(session).count(),
        dials,
        "the lease is over: the session may be another's"
    );
    let b = region.node().await;
    region.until(secs(5), async || region.owner(session).await == Some(b.id())).await;
    *storage.layer().0.lock() = false;
    sleep(secs(60)).await;
    assert_eq!(region.messenger.journal().overlaps, []);
    assert_eq!(region.owner(session).await, Some(b.id()));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_there_only_when_the_lease_is_over_is_dropped() {
    let region = Region::new(2);
    let storage = Arc::new(Intercepted::new(Arc::new(region.memory.clone()), CutOff::default()));
    let delay = Arc::new(Mutex::new(Duration::ZERO));
    let slow = Slow(region.messenger.transport(), delay.clone());
    let a = region.on(storage.clone(), |builder| builder.transport(slow)).await;
    let (session, phone) = region.online(&[&a], 1).await.remove(0);
    *delay.lock() = secs(4);
    a.desk.restart(session).await.unwrap();
    sleep(secs(1)).await;
    *storage.layer().0.lock() = true;
    let bob = region.messenger.person("bob");
    bob.write(phone.address(), "hello");
    advance(secs(30)).await;
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    sleep(millis(1)).await;
    let journal = region.messenger.journal();
    let last = journal.dials(session).last().unwrap();
    assert_eq!(last.end.map(|(end, _)| end), Some(End::HungUp), "{last:?}");
    assert_eq!(phone.unacknowledged(), 1);
    let b = region.node().await;
    region.until(secs(5), async || region.owner(session).await == Some(b.id())).await;
    region.reaches(session, CardStatus::Online).await;
    sleep(secs(60)).await;
    assert_eq!(region.messenger.journal().overlaps, []);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_waited_past_the_lease_is_left_to_the_next_owner() {
    let region = Region::new(3);
    let storage = Arc::new(Intercepted::new(Arc::new(region.memory.clone()), CutOff::default()));
    let a = region.on(storage.clone(), |builder| builder).await;
    let (session, phone) = region.online(&[&a], 1).await.remove(0);
    let bob = region.messenger.person("bob");
    for text in ["first", "second"] {
        a.desk.send_text(session, bob.address(), text, SendOptions::default()).await.unwrap();
    }
    sleep(millis(200)).await;
    assert_eq!(bob.received().len(), 1, "the second one waits for a moment");
    *storage.layer().0.lock() = true;
    advance(secs(30)).await;
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bob.received().len(), 1, "the lease is over: the session may be another's");
    let b = region.node().await;
    region.until(secs(30), async || bob.received().len() == 2).await;
    assert_eq!(region.owner(session).await, Some(b.id()));
    let journal = region.messenger.journal();
    assert!(journal.sent.iter().all(|sent| sent.times == 1), "{:?}", journal.sent);
    assert_eq!(journal.live(phone.address()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stale_node_hangs_up_before_the_next_one_dials_and_joins_again_with_nothing() {
    let region = Region::new(4);
    let storage = Arc::new(Intercepted::new(Arc::new(region.memory.clone()), CutOff::default()));
    let stale = region.on(storage.clone(), |builder| builder).await;
    let online = region.online(&[&stale], 8).await;
    *storage.layer().0.lock() = true;
    let b = region.built(|builder| builder.without_rebalancing()).await;
    for (session, _) in &online {
        region.until(secs(20), async || region.owner(*session).await == Some(b.id())).await;
        region.reaches(*session, CardStatus::Online).await;
    }
    *storage.layer().0.lock() = false;
    region.until(secs(10), async || region.is_live(stale.id()).await).await;
    let another = started(&stale.desk, Environment::new()).await;
    region.until(secs(3), async || region.owner(another).await == Some(stale.id())).await;
    assert_eq!(region.spread().await[&b.id()], 8);
    assert_eq!(region.messenger.journal().overlaps, []);
}
