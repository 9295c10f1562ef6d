//! One node.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::agent::Agent;
use crate::error::Error;
use crate::ids::{AgentId, NodeId};
use crate::port::{PortRange, PortUsage};
use crate::runtime::builder::SeatportBuilder;
use crate::runtime::desk::Desk;
use crate::runtime::node::{Node, Phase};
use crate::runtime::timing::after;
use crate::runtime::{adoption, balance, dispatch, heartbeat, login_codes, trimming};
use crate::storage::{Change, StorageErrorKind};

/// How long after its deadline a shutdown still waits for the storage.
const STORAGE_GRACE: Duration = Duration::from_secs(1);

/// One node: runs the sessions, and hands out the desks that people work at. Clones are the same node.
///
/// Dropping the last clone, and the last desk, ends it at once as a crash would: nothing that was acknowledged is lost, and
/// the next start takes everything up again. [`shutdown`](Self::shutdown) is the polite way.
///
/// ```
/// use seatport::memory::MemoryStorage;
/// use seatport::{Agent, Role, Seatport};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let seatport = Seatport::builder().storage(MemoryStorage::new()).build().await?;
/// let mei = Agent::new("mei", "Mei Lin", Role::Supervisor)?;
/// seatport.agents().put(mei.clone()).await?;
/// let desk = seatport.desk(&mei.id).await?;
/// assert!(desk.cards(&Default::default(), seatport::Page::first(50)).await?.is_empty());
/// seatport.shutdown(std::time::Duration::from_secs(5)).await;
/// # Ok::<(), seatport::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Seatport(pub(crate) Arc<Running>);

/// The node and its background tasks, which end with it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) node: Arc<Node>,
    /// The heartbeat, and then what ends when a shutdown begins.
    background: [AbortHandle; 6],
}

impl Seatport {
    /// Begins to put a node together. It needs a storage, and a transport for each network.
    #[must_use]
    pub fn builder() -> SeatportBuilder {
        SeatportBuilder::default()
    }

    pub(crate) fn run(node: Arc<Node>, changes: broadcast::Receiver<Change>, joined: Instant) -> Self {
        let background = [
            tokio::spawn(heartbeat::keep(node.clone(), joined)).abort_handle(),
            tokio::spawn(dispatch::dispatch(node.clone(), changes)).abort_handle(),
            tokio::spawn(adoption::scan(node.clone())).abort_handle(),
            tokio::spawn(trimming::trim(node.clone())).abort_handle(),
            tokio::spawn(login_codes::relay(node.clone(), node.storage.notices())).abort_handle(),
            tokio::spawn(balance::balance(node.clone())).abort_handle(),
        ];
        Self(Arc::new(Running { node, background }))
    }

    /// The desk of this agent: everything a person does goes through it.
    ///
    /// # Errors
    /// [`Error::UnknownAgent`] when nobody with this id was registered with [`Agents::put`]; [`Error::ShutDown`];
    /// [`Error::Storage`] when the storage fails.
    pub async fn desk(&self, agent: &AgentId) -> Result<Desk, Error> {
        let desk = Desk::new(self.0.clone(), agent.clone());
        desk.agent().await?;
        Ok(desk)
    }

    /// The register of agents: for the host, which knows who its people are.
    #[must_use]
    pub fn agents(&self) -> Agents<'_> {
        Agents(&self.0.node)
    }

    /// The licence ports: for the host, which knows the licence.
    #[must_use]
    pub fn ports(&self) -> Ports<'_> {
        Ports(&self.0.node)
    }

    /// Which node this is: fresh at every start.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.0.node.id
    }

    /// Seals everything in the vault with the current key that an earlier one had sealed, while sessions run; answers how
    /// many entries that were. Afterwards the earlier keys can be left out.
    ///
    /// # Errors
    /// [`Error::Vault`] when there is no current key, an entry opens with none of the keys, or the storage fails; what was not
    /// yet sealed anew stays as it was, and calling again goes on. [`Error::ShutDown`].
    pub async fn rotate_vault(&self) -> Result<u64, Error> {
        self.0.node.running()?;
        Ok(self.0.node.sealer.rotate(self.0.node.storage.as_ref()).await?)
    }

    /// Closes every connection and then the storage, within `deadline`. Desired states and ports stay as they are: the next
    /// start, or another node, takes up what was running; [drained](Self::drain) before, hardly anybody notices. Later calls
    /// answer [`Error::ShutDown`].
    pub async fn shutdown(&self, deadline: Duration) {
        let node = &self.0.node;
        let until = after(deadline);
        node.phase.send_if_modified(|phase| std::mem::replace(phase, (*phase).max(Phase::ShuttingDown)) != *phase);
        // So that the others place nothing here.
        node.report_due.notify_one();
        let [heartbeat, takes_over @ ..] = &self.0.background;
        takes_over.iter().for_each(AbortHandle::abort);
        let drained = async {
            while !node.is_idle() {
                // A task's end vacates its slot; there is no hint for it, and this happens once in a node's life.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout_at(until, drained).await.is_err() {
            tracing::warn!("some connections did not close in time and were abandoned");
            node.abandon_all();
        }
        // Kept until here, so that nobody dials while a connection of ours is open.
        heartbeat.abort();
        let closed = async {
            if let Err(error) = node.storage.leave(node.id).await
                && error.kind() != StorageErrorKind::Closed
            {
                tracing::warn!(%error, "could not give the lease up; it runs out by itself");
            }
            node.storage.close().await
        };
        match tokio::time::timeout_at(until + STORAGE_GRACE, closed).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the storage did not close properly"),
            Err(_) => tracing::warn!("the storage did not close in time and was let go of"),
        }
        node.phase.send_replace(Phase::Ended);
        node.hub.poke_all();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.node.phase.send_replace(Phase::Ended);
        self.background.iter().for_each(AbortHandle::abort);
        self.node.abandon_all();
        self.node.hub.poke_all();
    }
}

/// The register of agents. Every call answers [`Error::ShutDown`] after [`Seatport::shutdown`].
///
/// ```
/// use seatport::memory::MemoryStorage;
/// use seatport::{Agent, Role, Seatport};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let seatport = Seatport::builder().storage(MemoryStorage::new()).build().await?;
/// let agents = seatport.agents();
/// agents.put(Agent::new("mei", "Mei Lin", Role::Agent)?).await?;
/// agents.put(Agent::new("mei", "Mei Lin", Role::Supervisor)?).await?; // promoted
/// assert_eq!(agents.list().await?.len(), 1);
/// agents.remove(&"mei".parse()?).await?;
/// # Ok::<(), seatport::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Agents<'a>(&'a Node);

impl Agents<'_> {
    /// Adds an agent, or changes name and role of the one with the same id.
    ///
    /// # Errors
    /// [`Error::Storage`] when the storage fails.
    pub async fn put(&self, agent: Agent) -> Result<(), Error> {
        self.0.running()?;
        let agent = Agent::new(agent.id.as_str(), agent.name, agent.role)?;
        Ok(self.0.storage.put_agent(agent).await?)
    }

    /// The agent with this id, if there is one.
    ///
    /// # Errors
    /// [`Error::Storage`] when the storage fails.
    pub async fn get(&self, id: &AgentId) -> Result<Option<Agent>, Error> {
        self.0.running()?;
        Ok(self.0.storage.agent(id).await?)
    }

    /// All agents, by id.
    ///
    /// # Errors
    /// [`Error::Storage`] when the storage fails.
    pub async fn list(&self) -> Result<Vec<Agent>, Error> {
        self.0.running()?;
        Ok(self.0.storage.agents().await?)
    }

    /// Removes an agent: desks of that agent answer [`Error::UnknownAgent`] from now on.
    ///
    /// # Errors
    /// [`Error::AgentBound`] while sessions are bound to the agent; [`Error::UnknownAgent`] when there is none;
    /// [`Error::Storage`] when the storage fails.
    pub async fn remove(&self, id: &AgentId) -> Result<(), Error> {
        self.0.running()?;
        self.0.storage.remove_agent(id).await.map_err(|error| match error.kind() {
            StorageErrorKind::AgentBound { sessions } => Error::AgentBound { agent: id.clone(), sessions },
            StorageErrorKind::NotFound => Error::UnknownAgent(id.clone()),
            _ => error.into(),
        })
    }
}

/// The licence ports. Every call answers [`Error::ShutDown`] after [`Seatport::shutdown`].
///
/// ```
/// use seatport::memory::MemoryStorage;
/// use seatport::{PortNumber, PortRange, Seatport};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let seatport = Seatport::builder().storage(MemoryStorage::new()).ports(PortRange::new(8001, 10)?).build().await?;
/// seatport.ports().resize(20).await?;
/// let usage = seatport.ports().usage().await?;
/// assert_eq!((usage.range.last(), usage.free()), (PortNumber(8020), 20));
/// # Ok::<(), seatport::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Ports<'a>(&'a Node);

impl Ports<'_> {
    /// The range, and who occupies what.
    ///
    /// # Errors
    /// [`Error::Storage`] when the storage fails.
    pub async fn usage(&self) -> Result<PortUsage, Error> {
        self.0.running()?;
        Ok(self.0.storage.port_usage().await?)
    }

    /// Raises or lowers the capacity, keeping the first number. Lowering it below what is occupied stops nobody.
    ///
    /// # Errors
    /// [`Error::Invalid`] for zero, or when the last number would not fit into 32 bits; [`Error::Storage`] when the storage
    /// fails.
    pub async fn resize(&self, capacity: u32) -> Result<(), Error> {
        let first = self.usage().await?.range.first().0;
        self.set_range(PortRange::new(first, capacity)?).await
    }

    /// Sets both the first number and the capacity. Who holds a number outside the new range keeps it until stopped.
    ///
    /// # Errors
    /// [`Error::Storage`] when the storage fails.
    pub async fn set_range(&self, range: PortRange) -> Result<(), Error> {
        self.0.running()?;
        Ok(self.0.storage.resize_ports(range).await?)
    }
}
