//! One node.

use std::sync::Arc;
use std::time::Duration;

use crate::agent::Agent;
use crate::clock::HostClock;
use crate::desk::Desk;
use crate::engine::Engine;
use crate::error::SeatportError;
use crate::node::{Drained, Node};
use crate::options::Options;
use crate::port::{PortRange, PortUsage};
use crate::vault_key;

/// One node: runs the sessions, and hands out the desks that people work at. It has threads of its own.
///
/// Close it with `shutdown`. Let go of without, it ends as a crash would: nothing that was acknowledged is lost, and the next start
/// takes everything up again.
#[derive(Debug, uniffi::Object)]
pub struct Seatport {
    inner: seatport::Seatport,
    engine: Arc<Engine>,
}

impl Seatport {
    async fn run<T, C>(&self, call: impl FnOnce(seatport::Seatport) -> C) -> Result<T, SeatportError>
    where
        T: Send + 'static,
        C: Future<Output = Result<T, SeatportError>> + Send + 'static,
    {
        self.engine.run(call(self.inner.clone())).await
    }
}

#[uniffi::export]
impl Seatport {
    /// Opens for business: from now on sessions that were started before are taken up again, at a bounded rate.
    ///
    /// # Errors
    /// `Invalid` names the option that makes no sense; `Vault` when a key is missing or not the one that the database was sealed
    /// with; `Storage` when the storage cannot be opened (kind `InUse` while another process has the file); `NotBuilt` for a storage
    /// that this library was built without; `Host` when the host's own key store fails.
    #[uniffi::constructor]
    pub async fn open(options: Options) -> Result<Arc<Self>, SeatportError> {
        let engine = Engine::start(options.worker_threads)?;
        let inner = engine.run(build(options)).await?;
        Ok(Arc::new(Self { inner, engine }))
    }

    /// The desk of this agent: everything a person does goes through it.
    ///
    /// # Errors
    /// `UnknownAgent` when nobody with this id was registered with `put_agent`.
    pub async fn desk(&self, agent: String) -> Result<Arc<Desk>, SeatportError> {
        let agent = agent.parse()?;
        let desk = self.run(|seatport| async move { Ok(seatport.desk(&agent).await?) }).await?;
        Ok(Arc::new(Desk::new(desk, self.engine.clone())))
    }

    /// Registers a person, or changes name and role of the one with the same id.
    ///
    /// # Errors
    /// `Invalid` when id or name are empty, too long, or hold control characters.
    pub async fn put_agent(&self, agent: Agent) -> Result<(), SeatportError> {
        let agent = agent.try_into()?;
        self.run(|seatport| async move { Ok(seatport.agents().put(agent).await?) }).await
    }

    /// The person with this id, if there is one.
    ///
    /// # Errors
    /// `Storage` when the storage fails.
    pub async fn agent(&self, id: String) -> Result<Option<Agent>, SeatportError> {
        let id = id.parse()?;
        self.run(|seatport| async move { Ok(seatport.agents().get(&id).await?.map(Into::into)) }).await
    }

    /// All registered people, by id.
    ///
    /// # Errors
    /// `Storage` when the storage fails.
    pub async fn agents(&self) -> Result<Vec<Agent>, SeatportError> {
        self.run(|seatport| async move { Ok(all(seatport.agents().list().await?)) }).await
    }

    /// Removes a person: desks of theirs answer `UnknownAgent` from now on.
    ///
    /// # Errors
    /// `AgentBound` while sessions are bound to the agent; `UnknownAgent` when there is none.
    pub async fn remove_agent(&self, id: String) -> Result<(), SeatportError> {
        let id = id.parse()?;
        self.run(|seatport| async move { Ok(seatport.agents().remove(&id).await?) }).await
    }

    /// The licence ports, and who occupies what.
    ///
    /// # Errors
    /// `Storage` when the storage fails.
    pub async fn port_usage(&self) -> Result<PortUsage, SeatportError> {
        self.run(|seatport| async move { Ok(seatport.ports().usage().await?.into()) }).await
    }

    /// Raises or lowers the number of ports. Lowering it below what is occupied stops nobody.
    ///
    /// # Errors
    /// `Invalid` for zero.
    pub async fn resize_ports(&self, capacity: u32) -> Result<(), SeatportError> {
        self.run(|seatport| async move { Ok(seatport.ports().resize(capacity).await?) }).await
    }

    /// Sets both the first number and how many there are. Who holds a number outside the new range keeps it until stopped.
    ///
    /// # Errors
    /// `Invalid` when there are none, or the numbers run too high.
    pub async fn set_port_range(&self, range: PortRange) -> Result<(), SeatportError> {
        let range = range.try_into()?;
        self.run(|seatport| async move { Ok(seatport.ports().set_range(range).await?) }).await
    }

    /// Which node this is: fresh at every start.
    ///
    /// # Errors
    /// None.
    pub fn node_id(&self) -> Result<String, SeatportError> {
        Ok(self.inner.node_id().to_string())
    }

    /// The nodes that are live now, this one among them, by id.
    ///
    /// # Errors
    /// `Storage` when the storage fails.
    pub async fn nodes(&self) -> Result<Vec<Node>, SeatportError> {
        self.run(|seatport| async move { Ok(all(seatport.nodes().await?)) }).await
    }

    /// Hands every session over to other nodes, so that this one can be shut down and hardly anybody notices. Answers when nothing
    /// more can be handed over, or the deadline is over. From now on this node takes no session over.
    ///
    /// # Errors
    /// `Storage` when the storage fails.
    pub async fn drain(&self, deadline: Duration) -> Result<Drained, SeatportError> {
        self.run(move |seatport| async move { Ok(seatport.drain(deadline).await?.into()) }).await
    }

    /// Seals everything in the vault with the current key that an earlier one had sealed, while sessions run; answers how many
    /// entries that were.
    ///
    /// # Errors
    /// `Vault` when there is no current key, or an entry opens with none of the keys; calling again goes on.
    pub async fn rotate_vault(&self) -> Result<u64, SeatportError> {
        self.run(|seatport| async move { Ok(seatport.rotate_vault().await?) }).await
    }

    /// Closes every connection and then the storage, within the deadline, and ends the threads. Desired states and ports stay as
    /// they are: the next start, or another node, takes up what was running. Calls under way and later ones answer `ShutDown`;
    /// shutting down twice does nothing more.
    ///
    /// # Errors
    /// None.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), SeatportError> {
        let seatport = self.inner.clone();
        let closed = self.engine.run(async move {
            seatport.shutdown(deadline).await;
            Ok::<_, SeatportError>(())
        });
        match closed.await {
            Ok(()) => self.engine.end().await,
            // It has ended already.
            Err(SeatportError::ShutDown { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Puts the node together. Runs on its engine.
async fn build(options: Options) -> Result<seatport::Seatport, SeatportError> {
    let limit = options.limit();
    let mut builder = seatport::Seatport::builder();
    let (key, previous) = match options.vault_key_provider {
        Some(provider) => vault_key::ask(provider, limit).await?,
        None => (options.vault_key, options.previous_vault_keys),
    };
    if let Some(key) = key {
        builder = builder.vault_key(key.key());
    }
    for key in previous {
        builder = builder.previous_vault_key(key.key());
    }
    if options.insecure_plaintext_vault {
        builder = builder.insecure_plaintext_vault();
    }
    for network in &options.networks {
        builder = builder.shared_transport(network.transport(limit));
    }
    if let Some(range) = options.ports {
        builder = builder.ports(range.try_into()?);
    }
    if let Some(scope) = options.agent_scope {
        builder = builder.agent_scope(scope.into());
    }
    for (name, value) in options.node_labels {
        builder = builder.node_label(name, value)?;
    }
    if let Some(sessions) = options.max_sessions {
        builder = builder.max_sessions(sessions);
    }
    if options.without_rebalancing {
        builder = builder.without_rebalancing();
    }
    if options.allow_account_change {
        builder = builder.allow_account_change();
    }
    if let Some(retention) = options.retention {
        builder = builder.retention(retention.into());
    }
    if let Some(timing) = options.timing {
        builder = builder.timing(timing.into());
    }
    if let Some(clock) = options.clock {
        builder = builder.clock(HostClock::new(clock, limit));
    }
    let storage = options.storage.open().await?;
    Ok(builder.shared_storage(storage).build().await?)
}

/// Each of them in the host's terms.
pub(crate) fn all<T, U: From<T>>(these: Vec<T>) -> Vec<U> {
    these.into_iter().map(Into::into).collect()
}
