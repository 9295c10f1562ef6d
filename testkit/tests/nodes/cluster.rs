//! Nodes that share a storage and a network.

use std::sync::Arc;
use std::time::Duration;

use seatport::memory::MemoryStorage;
use seatport::storage::SessionStore;
use seatport::vault::VaultKey;
use seatport::{
    Agent, AgentId, Card, CardStatus, Clock, Desk, Error, NewAccount, PortRange, Random, Role, Seatport,
    SeatportBuilder, SessionId, Timestamp, View, WhenFull,
};
use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::{Messenger, Phone};
use seatport_testkit::storage::Intercepted;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::way::Way;

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One process.
pub(crate) struct Node {
    pub(crate) seatport: Seatport,
    /// The desk of Mei, a supervisor.
    pub(crate) desk: Desk,
    pub(crate) storage: Arc<Intercepted<Way>>,
}

impl Node {
    pub(crate) fn way(&self) -> &Way {
        self.storage.layer()
    }

    pub(crate) async fn until(&self, session: SessionId, wanted: impl Fn(&View) -> bool) -> View {
        let mut watch = self.desk.watch(session).await.unwrap();
        match timeout(secs(3600), watch.until(wanted)).await {
            Ok(view) => view.unwrap(),
            Err(_) => panic!("never got there: {:?}", self.desk.card(session).await),
        }
    }

    pub(crate) async fn reaches(&self, session: SessionId, status: CardStatus) -> Card {
        self.until(session, |view| view.card.status == status).await.card
    }

    /// The next code that this node shows.
    pub(crate) async fn code(&self, session: SessionId) -> String {
        let view = self.until(session, |view| view.challenge.is_some()).await;
        view.challenge.unwrap().code.expose().to_owned()
    }

    pub(crate) async fn added(&self) -> SessionId {
        self.desk.add_account(NewAccount::on("simulated")).await.unwrap()
    }

    pub(crate) async fn started(&self) -> SessionId {
        self.desk.add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await.unwrap()
    }

    /// A start that waits, once it has had time to take its place in the queue.
    pub(crate) async fn waits(&self, session: SessionId) -> JoinHandle<Result<Card, Error>> {
        let desk = self.desk.clone();
        let wait = WhenFull::Wait { timeout: secs(600) };
        let start = tokio::spawn(async move { desk.start(session, wait).await });
        sleep(millis(20)).await;
        start
    }
}

/// The nodes, and what they share.
pub(crate) struct Cluster {
    pub(crate) storage: MemoryStorage,
    pub(crate) clock: VirtualClock,
    pub(crate) messenger: Messenger,
    ports: u32,
    joined: u64,
}

impl Cluster {
    pub(crate) fn new(ports: u32) -> Self {
        let clock = VirtualClock::default();
        let messenger = Messenger::new(7, Arc::new(clock));
        Self { storage: MemoryStorage::new(), clock, messenger, ports, joined: 0 }
    }

    /// As many nodes as are asked for.
    pub(crate) async fn of<const N: usize>(ports: u32) -> (Self, [Node; N]) {
        let mut cluster = Self::new(ports);
        let mut nodes = Vec::new();
        for _ in 0..N {
            nodes.push(cluster.join().await);
        }
        (cluster, nodes.try_into().unwrap_or_else(|_| unreachable!("as many as were asked for")))
    }

    pub(crate) async fn join(&mut self) -> Node {
        self.join_as(false, |builder| builder).await
    }

    /// A node to which no hint comes, and that drives no session: what a desk sees and does there is looked at.
    pub(crate) async fn join_deaf(&mut self) -> Node {
        self.join_as(true, |builder| builder.max_sessions(0)).await
    }

    /// A node whose clock is so many seconds ahead of the network's, or behind it.
    pub(crate) async fn join_ahead(&mut self, seconds: i64) -> Node {
        let now = self.clock.now().as_millis() + seconds * 1000;
        let clock = VirtualClock::starting_at(Timestamp::from_millis(now));
        self.join_as(false, |builder| builder.clock(clock)).await
    }

    pub(crate) async fn join_as(
        &mut self,
        deaf: bool,
        differs: impl FnOnce(SeatportBuilder) -> SeatportBuilder,
    ) -> Node {
        let messenger = self.messenger.transport();
        let keyed = |builder: SeatportBuilder| builder.transport(messenger).vault_key(VaultKey::new([7; 32]));
        self.build(deaf, |builder| differs(keyed(builder))).await
    }

    /// A node without a transport and without a vault key.
    pub(crate) async fn join_bare(&mut self, differs: impl FnOnce(SeatportBuilder) -> SeatportBuilder) -> Node {
        self.build(false, differs).await
    }

    async fn build(&mut self, deaf: bool, differs: impl FnOnce(SeatportBuilder) -> SeatportBuilder) -> Node {
        self.joined += 1;
        let storage = Arc::new(Intercepted::new(Arc::new(self.storage.clone()), Way::new(deaf)));
        let builder = Seatport::builder()
            .shared_storage(storage.clone())
            .clock(self.clock)
            .random(Random::seeded(100 + self.joined))
            .ports(PortRange::new(1, self.ports).unwrap());
        let seatport = differs(builder).build().await.unwrap();
        let mei = AgentId::new("mei").unwrap();
        seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
        seatport.agents().put(Agent::new("li", "Li", Role::Agent).unwrap()).await.unwrap();
        let desk = seatport.desk(&mei).await.unwrap();
        Node { seatport, desk, storage }
    }

    /// The node that drives the session, and one that does not.
    pub(crate) async fn owner_first<'a>(&self, session: SessionId, nodes: &'a [Node]) -> (&'a Node, &'a Node) {
        let owner = self.storage.session(session).await.unwrap().unwrap().owner.expect("somebody drives it").node;
        let owns = |node: &&Node| node.seatport.node_id() == owner;
        (nodes.iter().find(owns).unwrap(), nodes.iter().find(|node| !owns(node)).unwrap())
    }

    /// Starts a session at this node and logs it in with this phone.
    pub(crate) async fn online(&self, node: &Node, number: &str) -> (SessionId, Phone) {
        let (session, phone) = (node.started().await, self.messenger.phone(number));
        phone.scan(&node.code(session).await).unwrap();
        node.reaches(session, CardStatus::Online).await;
        (session, phone)
    }
}

/// Waits, within an hour, for something that the network sees.
pub(crate) async fn eventually(what: &str, seen: impl Fn() -> bool) {
    for _ in 0..36_000 {
        if seen() {
            return;
        }
        sleep(millis(100)).await;
    }
    panic!("never got there: {what}");
}
