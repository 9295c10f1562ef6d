//! A node of Seatport, with one supervisor at a desk and some sessions online.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use seatport::storage::Storage;
use seatport::{
    Agent, CardStatus, Clock, Desk, NewAccount, Page, PortNumber, PortRange, Role, Seatport, SessionFilter, SessionId,
    Timing, WhenFull,
};
use seatport_sqlite::SqliteStorage;

use crate::network::{NAME, Network};

/// More sessions than any benchmark has.
const PORTS: u32 = 20_000;

/// A node, and whoever sits at its desk.
#[derive(Debug)]
pub struct Office {
    /// The node.
    pub seatport: Seatport,
    /// The desk of a supervisor.
    pub desk: Desk,
    /// The network its sessions are on.
    pub network: Network,
    storage: Arc<dyn Storage>,
}

impl Office {
    /// Opens an office on an SQLite database, or founds one.
    ///
    /// # Errors
    /// Those of the storage and of the node.
    pub async fn open(file: &Path, clock: impl Clock) -> Result<Self> {
        Self::open_on(Arc::new(SqliteStorage::open(file).await?), Network::default(), clock).await
    }

    /// Opens an office on a storage, for sessions on this network.
    ///
    /// # Errors
    /// Those of the storage and of the node.
    pub async fn open_on(storage: Arc<dyn Storage>, network: Network, clock: impl Clock) -> Result<Self> {
        let seatport = Seatport::builder()
            .shared_storage(storage.clone())
            .transport(network.clone())
            .ports(PortRange::new(1, PORTS)?)
            .clock(clock)
            // How long sessions take to resume is bounded on purpose, and not what is measured here.
            .timing(Timing { adoptions_per_second: 100_000.0, reconnects_per_second: 100_000.0, ..Timing::default() })
            .insecure_plaintext_vault()
            .build()
            .await?;
        let mei = Agent::new("mei", "Mei Lin", Role::Supervisor)?;
        let id = mei.id.clone();
        seatport.agents().put(mei).await?;
        let desk = seatport.desk(&id).await?;
        Ok(Self { seatport, desk, network, storage })
    }

    /// The database below the desk.
    #[must_use]
    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Adds so many sessions and starts them.
    ///
    /// # Errors
    /// Those of the desk.
    pub async fn start(&self, sessions: usize) -> Result<Vec<SessionId>> {
        let mut started = Vec::with_capacity(sessions);
        for _ in 0..sessions {
            started.push(self.desk.add_and_start(NewAccount::on(NAME), WhenFull::Fail).await?);
        }
        Ok(started)
    }

    /// Waits until so many sessions are online, and answers their ports.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn online(&self, sessions: usize) -> Result<Vec<PortNumber>> {
        let filter = SessionFilter { statuses: vec![CardStatus::Online], ..SessionFilter::default() };
        loop {
            let online = self.storage.sessions(&filter, Page::first(PORTS)).await?;
            if online.len() >= sessions {
                return Ok(online.iter().filter_map(|stored| stored.port).collect());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Closes the office, and the database with it.
    pub async fn close(self) {
        self.seatport.shutdown(Duration::from_secs(5)).await;
    }
}
