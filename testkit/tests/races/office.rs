//! A node, a supervisor's desk, and the network they see.

use std::sync::Arc;
use std::time::Duration;

use seatport::storage::Storage;
use seatport::vault::VaultKey;
use seatport::{
    Agent, AgentId, Card, CardStatus, Desk, NewAccount, PortRange, Random, Role, Seatport, SeatportBuilder, SessionId,
    View, WhenFull,
};
use seatport_testkit::VirtualClock;
use tokio::time::{sleep, timeout};

use crate::scripted::{Line, Network, Scripted, ready};

pub(crate) struct Office {
    pub(crate) seatport: Seatport,
    pub(crate) desk: Desk,
    pub(crate) network: Network,
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn new_account() -> NewAccount {
    NewAccount::on("scripted")
}

impl Office {
    /// A node with this many ports on this storage.
    pub(crate) async fn open(storage: Arc<dyn Storage>, ports: u32) -> Self {
        Self::built(storage, ports, |builder| builder).await
    }

    /// A node that differs from the others.
    pub(crate) async fn built(
        storage: Arc<dyn Storage>,
        ports: u32,
        differs: impl FnOnce(SeatportBuilder) -> SeatportBuilder,
    ) -> Self {
        let (transport, network) = Scripted::new();
        let builder = Seatport::builder()
            .shared_storage(storage)
            .transport(transport)
            .vault_key(VaultKey::new([7; 32]))
            .clock(VirtualClock::default())
            .random(Random::seeded(5))
            .ports(PortRange::new(1, ports).unwrap());
        let seatport = differs(builder).build().await.unwrap();
        seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
        let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
        Self { seatport, desk, network }
    }

    /// Adds an account.
    pub(crate) async fn added(&self) -> SessionId {
        self.desk.add_account(new_account()).await.unwrap()
    }

    /// Adds an account and starts it.
    pub(crate) async fn started(&self) -> SessionId {
        self.desk.add_and_start(new_account(), WhenFull::Fail).await.unwrap()
    }

    /// Adds an account, starts it, and is there once it is online and everybody has heard of that.
    pub(crate) async fn online(&mut self) -> (SessionId, Line) {
        let session = self.started().await;
        let line = self.network.dialled().await;
        line.says(ready()).await;
        self.reaches(session, CardStatus::Online).await;
        sleep(millis(50)).await;
        (session, line)
    }

    pub(crate) async fn until(&self, session: SessionId, wanted: impl Fn(&View) -> bool) -> Card {
        let mut watch = self.desk.watch(session).await.unwrap();
        match timeout(secs(60), watch.until(wanted)).await {
            Ok(view) => view.unwrap().card,
            Err(_) => panic!("never got there: {:?}", self.card(session).await),
        }
    }

    pub(crate) async fn reaches(&self, session: SessionId, status: CardStatus) -> Card {
        self.until(session, |view| view.card.status == status).await
    }

    pub(crate) async fn card(&self, session: SessionId) -> Card {
        self.desk.card(session).await.unwrap()
    }

    /// The process dies; its tasks are gone a moment later.
    pub(crate) async fn dies(self) {
        drop(self);
        sleep(secs(1)).await;
    }
}
