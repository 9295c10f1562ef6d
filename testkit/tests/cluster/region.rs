//! The nodes, what they share, and the network they see.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatport::memory::MemoryStorage;
use seatport::storage::{LeaseStore, SessionStore, Storage, StorageError, StoredSession};
use seatport::vault::VaultKey;
use seatport::{
    Agent, AgentId, CardStatus, Desk, Environment, Error, NewAccount, NodeId, Page, PortRange, Random, Role, Seatport,
    SeatportBuilder, SessionFilter, SessionId, WhenFull,
};
use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::{Messenger, Phone};
use seatport_testkit::storage::{Answer, Call, Intercept, Intercepted};
use tokio::time::{Instant, sleep};

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A storage that one node of several lets go of: for the others it stays open.
#[derive(Debug)]
struct StaysOpen;

#[async_trait]
impl Intercept for StaysOpen {
    async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        if matches!(call, Call::Close) { Ok(().into()) } else { call.send(storage).await }
    }
}

/// What the nodes share.
pub(crate) struct Region {
    pub(crate) memory: MemoryStorage,
    pub(crate) messenger: Messenger,
    pub(crate) clock: VirtualClock,
    seeds: Random,
}

/// One node.
pub(crate) struct Office {
    pub(crate) seatport: Seatport,
    pub(crate) desk: Desk,
}

impl Office {
    pub(crate) fn id(&self) -> NodeId {
        self.seatport.node_id()
    }

    /// The process ends without a word; answers which node it was.
    pub(crate) fn dies(self) -> NodeId {
        self.id()
    }
}

impl Region {
    pub(crate) fn new(seed: u64) -> Self {
        let (seeds, clock) = (Random::seeded(seed), VirtualClock::default());
        let messenger = Messenger::new(seeds.below(u64::MAX), Arc::new(clock));
        Self { memory: MemoryStorage::new(), messenger, clock, seeds }
    }

    pub(crate) async fn node(&self) -> Office {
        self.built(|builder| builder).await
    }

    /// A node that differs from the others.
    pub(crate) async fn built(&self, differs: impl FnOnce(SeatportBuilder) -> SeatportBuilder) -> Office {
        self.on(Arc::new(self.memory.clone()), differs).await
    }

    /// A node with a way to the storage of its own.
    pub(crate) async fn on(
        &self,
        storage: Arc<dyn Storage>,
        differs: impl FnOnce(SeatportBuilder) -> SeatportBuilder,
    ) -> Office {
        self.open(storage, differs).await.unwrap()
    }

    /// The same, if the storage lets it.
    pub(crate) async fn try_on(&self, storage: Arc<dyn Storage>) -> Result<Office, Error> {
        self.open(storage, |builder| builder).await
    }

    async fn open(
        &self,
        storage: Arc<dyn Storage>,
        differs: impl FnOnce(SeatportBuilder) -> SeatportBuilder,
    ) -> Result<Office, Error> {
        let builder = Seatport::builder()
            .storage(Intercepted::new(storage, StaysOpen))
            .transport(self.messenger.transport())
            .vault_key(VaultKey::new([7; 32]))
            .clock(self.clock)
            .random(Random::seeded(self.seeds.below(u64::MAX)))
            .ports(PortRange::new(1, 1000).unwrap());
        let seatport = differs(builder).build().await?;
        seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await?;
        let desk = seatport.desk(&AgentId::new("mei").unwrap()).await?;
        Ok(Office { seatport, desk })
    }

    pub(crate) async fn stored(&self, session: SessionId) -> StoredSession {
        self.memory.session(session).await.unwrap().unwrap()
    }

    pub(crate) async fn owner(&self, session: SessionId) -> Option<NodeId> {
        self.stored(session).await.owner.map(|fence| fence.node)
    }

    /// How many sessions each node drives.
    pub(crate) async fn spread(&self) -> BTreeMap<NodeId, usize> {
        let sessions = self.memory.sessions(&SessionFilter::default(), Page::first(1000)).await.unwrap();
        let mut spread = BTreeMap::new();
        for owner in sessions.into_iter().filter_map(|stored| stored.owner) {
            *spread.entry(owner.node).or_default() += 1;
        }
        spread
    }

    /// Adds and starts sessions at a desk; nobody scans.
    pub(crate) async fn started(&self, office: &Office, count: usize) -> Vec<SessionId> {
        let mut sessions = Vec::new();
        for _ in 0..count {
            sessions.push(started(&office.desk, Environment::new()).await);
        }
        sessions
    }

    /// Sessions that are added at the first of these nodes and are online at one of them, each with its phone.
    pub(crate) async fn online(&self, offices: &[&Office], count: usize) -> Vec<(SessionId, Phone)> {
        let first = self.memory.sessions(&SessionFilter::default(), Page::first(1000)).await.unwrap().len();
        let mut online = Vec::new();
        for number in first..first + count {
            let phone = self.messenger.phone(&format!("+86138001{number:05}"));
            let session = started(&offices[0].desk, Environment::new()).await;
            self.log_in(offices, session, &phone).await;
            online.push((session, phone));
        }
        online
    }

    /// The phone scans the code, at whichever node it is shown.
    pub(crate) async fn log_in(&self, offices: &[&Office], session: SessionId, phone: &Phone) {
        let shown = async || {
            for office in offices {
                if let Ok(code) = office.desk.login_code(session).await {
                    return phone.scan(code.code.expose()).is_ok();
                }
            }
            false
        };
        self.until(secs(120), shown).await;
        self.reaches(session, CardStatus::Online).await;
    }

    /// Waits until the session's card says so.
    pub(crate) async fn reaches(&self, session: SessionId, status: CardStatus) {
        self.until(secs(120), async || self.stored(session).await.status() == status).await;
    }

    /// Waits for a condition.
    pub(crate) async fn until(&self, limit: Duration, condition: impl AsyncFn() -> bool) {
        let begin = Instant::now();
        while !condition().await {
            assert!(begin.elapsed() < limit, "not within {limit:?}; the nodes drive {:?}", self.spread().await);
            sleep(millis(10)).await;
        }
    }

    /// Whether the node is still on the register.
    pub(crate) async fn is_live(&self, node: NodeId) -> bool {
        self.memory.nodes().await.unwrap().iter().any(|live| live.profile.id == node)
    }
}

pub(crate) async fn started(desk: &Desk, environment: Environment) -> SessionId {
    let new = NewAccount::on("simulated").environment(environment);
    desk.add_and_start(new, WhenFull::Fail).await.unwrap()
}
