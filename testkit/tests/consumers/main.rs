//! The event feed over time: what is trimmed and who is told, consumers that are slow, come back, or are cut off. On virtual
//! time; the same under kills is in `consumers_killed.rs`.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod durable;
mod retention;

use std::sync::Arc;
use std::time::Duration;

use seatport::memory::MemoryStorage;
use seatport::storage::Storage;
use seatport::{
    Agent, AgentId, AgentScope, ConsumerName, Desk, Event, NewAccount, Random, Retention, Role, Seatport, SessionId,
    Timing,
};
use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::Messenger;

/// How often the node trims.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn ten_minutes() -> Retention {
    Retention { age: Some(10 * MINUTE), count: None }
}

pub(crate) fn newest(count: u64) -> Retention {
    Retention { age: None, count: Some(count) }
}

pub(crate) fn name(name: &str) -> ConsumerName {
    ConsumerName::new(name).unwrap()
}

pub(crate) struct Office {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) seatport: Seatport,
    pub(crate) mei: Desk,
    pub(crate) li: Desk,
}

impl Office {
    pub(crate) async fn open(storage: Arc<dyn Storage>, retention: Retention, scope: AgentScope) -> Self {
        let clock = VirtualClock::default();
        let builder = Seatport::builder().shared_storage(storage.clone()).clock(clock).random(Random::seeded(11));
        let builder = builder.transport(Messenger::new(7, Arc::new(clock)).transport()).insecure_plaintext_vault();
        let builder = builder.timing(Timing { trim: MINUTE, ..Timing::default() });
        let seatport = builder.retention(retention).agent_scope(scope).build().await.unwrap();
        for (id, role) in [("mei", Role::Supervisor), ("li", Role::Agent)] {
            seatport.agents().put(Agent::new(id, id, role).unwrap()).await.unwrap();
        }
        let desk = async |id: &str| seatport.desk(&AgentId::new(id).unwrap()).await.unwrap();
        let (mei, li) = (desk("mei").await, desk("li").await);
        Self { storage, seatport, mei, li }
    }

    pub(crate) async fn keeping(retention: Retention) -> Self {
        Self::open(Arc::new(MemoryStorage::new()), retention, AgentScope::All).await
    }

    /// A session with this many events.
    pub(crate) async fn session(&self, events: u64) -> SessionId {
        let session = self.mei.add_account(NewAccount::on("simulated")).await.unwrap();
        self.happens(session, events - 1).await;
        session
    }

    pub(crate) async fn happens(&self, session: SessionId, events: u64) {
        let before = self.mei.cursors().await.unwrap().after(session);
        for number in before..before + events {
            self.mei.set_remark(session, number.to_string()).await.unwrap();
        }
    }

    /// How many of the session's events were trimmed.
    pub(crate) async fn trimmed(&self, session: SessionId) -> u64 {
        let heads = self.storage.event_heads(None, 1000).await.unwrap();
        heads.into_iter().find(|head| head.session == session).unwrap().trimmed
    }
}

pub(crate) fn numbers(events: &[Event], session: SessionId) -> Vec<u64> {
    events.iter().filter(|event| event.session == session).map(|event| event.seq).collect()
}

pub(crate) fn from_to(first: u64, last: u64) -> Vec<u64> {
    (first..=last).collect()
}
