//! The office: what one process of the host holds.

use std::time::Duration;

use anyhow::Context;
use seatport::storage::Storage;
use seatport::{Agent, AgentId, Desk, PortRange, Role, Seatport};
use seatport_sqlite::SqliteStorage;
use seatport_testkit::messenger::Messenger;

use super::Story;
use crate::database::Database;

/// Two of them, so that they run out.
const PORTS: (u32, u32) = (8001, 2);
const GOODBYE: Duration = Duration::from_secs(5);

/// Seatport on the database, with everybody at their desk.
pub(super) struct Office {
    pub(super) seatport: Seatport,
    pub(super) mei: Desk,
    pub(super) li: Desk,
    pub(super) chen: Desk,
    storage: SqliteStorage,
}

impl Office {
    /// Opens the database, and Seatport on it: what was running is taken up again.
    pub(super) async fn open(database: &Database, network: &Messenger) -> anyhow::Result<Self> {
        let (storage, key) = database.open().await?;
        let seatport = Seatport::builder()
            .storage(storage.clone())
            .transport(network.transport())
            .vault_key(key)
            .ports(PortRange::new(PORTS.0, PORTS.1)?)
            .build()
            .await
            .context("Seatport cannot be built on this database")?;
        let mei = desk(&seatport, Agent::new("mei", "Mei Lin", Role::Supervisor)?).await?;
        let li = desk(&seatport, Agent::new("li", "Li Wei", Role::Agent)?).await?;
        let chen = desk(&seatport, Agent::new("chen", "Chen Yu", Role::Agent)?).await?;
        Ok(Self { seatport, mei, li, chen, storage })
    }

    /// Closes politely.
    pub(super) async fn close(self) {
        self.seatport.shutdown(GOODBYE).await;
    }

    /// Ends as a process does that is killed: nothing is closed, nobody says goodbye.
    pub(super) async fn crash(self) -> anyhow::Result<()> {
        let Self { seatport, mei, li, chen, storage } = self;
        drop((seatport, mei, li, chen));
        // The operating system closes the files of a dead process.
        Ok(storage.close().await?)
    }
}

async fn desk(seatport: &Seatport, agent: Agent) -> anyhow::Result<Desk> {
    let id: AgentId = agent.id.clone();
    seatport.agents().put(agent).await?;
    Ok(seatport.desk(&id).await?)
}

impl Story<'_> {
    /// Says who is there.
    pub(super) async fn introduce(&mut self) -> anyhow::Result<()> {
        self.narrator.chapter("The office opens").await?;
        let usage = self.office.seatport.ports().usage().await?;
        let (first, last) = (usage.range.first(), usage.range.last());
        self.narrator
            .say(format_args!("The host builds Seatport on the database, with two licence ports: {first} and {last}."))
            .await?;
        self.narrator
            .say("It registers Mei Lin, the supervisor, and the agents Li Wei and Chen Yu. Each has a desk.")
            .await?;
        Ok(())
    }
}
