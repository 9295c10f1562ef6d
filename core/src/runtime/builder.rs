//! Putting a node together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Invalid};
use crate::event::Retention;
use crate::ids::{NodeId, TransportName};
use crate::policy::AgentScope;
use crate::port::PortRange;
use crate::random::Random;
use crate::runtime::heartbeat;
use crate::runtime::hub::Hub;
use crate::runtime::login_codes::LoginCodes;
use crate::runtime::neighbours::Neighbours;
use crate::runtime::node::{Node, Phase};
use crate::runtime::people::People;
use crate::runtime::port_queue::PortQueue;
use crate::runtime::seatport::Seatport;
use crate::runtime::timing::Timing;
use crate::runtime::token_bucket::TokenBucket;
use crate::session::checked_label;
use crate::storage::{NodeProfile, NodeReport, Storage};
use crate::transport::Transport;
use crate::vault::{Sealer, VaultError, VaultKey};

/// Puts a [`Seatport`] together; see [`Seatport::builder`].
///
/// ```
/// use seatport::memory::MemoryStorage;
/// use seatport::vault::VaultKey;
/// use seatport::{AgentScope, PortRange, Random, Seatport};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let seatport = Seatport::builder()
///     .storage(MemoryStorage::new())
///     .vault_key(VaultKey::generate(&Random::from_os().unwrap())) // a host keeps it in its key store
///     .ports(PortRange::new(8001, 20)?)
///     .agent_scope(AgentScope::BoundOnly)
///     .build()
///     .await?;
/// assert_eq!(seatport.ports().usage().await?.free(), 20);
/// # Ok::<(), seatport::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Default)]
pub struct SeatportBuilder {
    storage: Option<Arc<dyn Storage>>,
    transports: BTreeMap<TransportName, Arc<dyn Transport>>,
    vault_key: Option<VaultKey>,
    previous_vault_keys: Vec<VaultKey>,
    plaintext_vault: bool,
    ports: Option<PortRange>,
    scope: AgentScope,
    labels: BTreeMap<String, String>,
    max_sessions: Option<u32>,
    keeps_its_sessions: bool,
    allow_account_change: bool,
    retention: Retention,
    timing: Timing,
    clock: Option<Arc<dyn Clock>>,
    random: Option<Random>,
}

impl SeatportBuilder {
    /// Keeps everything in this storage. Required.
    #[must_use]
    pub fn storage(self, storage: impl Storage) -> Self {
        self.shared_storage(Arc::new(storage))
    }

    /// Like [`storage`](Self::storage), for one that is shared already. Shutting down closes it all the same.
    #[must_use]
    pub fn shared_storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// Adds a messenger network. Replaces an earlier one of the same name.
    #[must_use]
    pub fn transport(self, transport: impl Transport) -> Self {
        self.shared_transport(Arc::new(transport))
    }

    /// Like [`transport`](Self::transport), for one that is shared already: with another [`Seatport`], say.
    #[must_use]
    pub fn shared_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transports.insert(transport.name(), transport);
        self
    }

    /// Seals credentials and proxy passwords with this key. Keep it in the host's key store: without it they are lost.
    ///
    /// Where several nodes share a database, all have the same key: it also seals the login codes that they pass on to one
    /// another. Without a key, only the node that drives a session shows its codes.
    #[must_use]
    pub fn vault_key(mut self, key: VaultKey) -> Self {
        self.vault_key = Some(key);
        self
    }

    /// Still opens what this key sealed; call [`Seatport::rotate_vault`] to seal it anew, and then leave the key out.
    #[must_use]
    pub fn previous_vault_key(mut self, key: VaultKey) -> Self {
        self.previous_vault_keys.push(key);
        self
    }

    /// Keeps credentials as they are, readable by whoever reads the database, and passes login codes on to other nodes as they
    /// are. Together with a key: still reads what was kept so, and seals what is written from now on.
    #[must_use]
    pub fn insecure_plaintext_vault(mut self) -> Self {
        self.plaintext_vault = true;
        self
    }

    /// Sets the ports the organisation has. If left out, those set before stay; at first they are [`PortRange::default`].
    #[must_use]
    pub fn ports(mut self, range: PortRange) -> Self {
        self.ports = Some(range);
        self
    }

    /// Which sessions agents work on. All of them, if left out.
    #[must_use]
    pub fn agent_scope(mut self, scope: AgentScope) -> Self {
        self.scope = scope;
        self
    }

    /// Gives this node a label: sessions that are [pinned](crate::Environment::runs_on) to it run here, or on another node that
    /// has it. Name 1 to 64 bytes, value up to 256.
    ///
    /// # Errors
    /// [`Error::Invalid`] when name or value is too long or holds control characters.
    pub fn node_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Result<Self, Error> {
        let (name, value) = checked_label(name.into(), value.into())?;
        self.labels.insert(name, value);
        Ok(self)
    }

    /// Drives this many sessions at most; what is more waits until another node takes it, or this one has room. If left out,
    /// there is no limit.
    #[must_use]
    pub fn max_sessions(mut self, sessions: u32) -> Self {
        self.max_sessions = Some(sessions);
        self
    }

    /// Keeps the sessions it drives, however few other nodes drive. If left out, a node that drives clearly more than its share,
    /// by a tenth and one, hands some over to those that drive fewer: at most half of what is too much, and at most
    /// [so many a second](Timing::handovers_per_second), in each third of a [lease](Timing::lease), those first that are not
    /// online. Each is offline for a moment, as in a [drain](Seatport::drain).
    #[must_use]
    pub fn without_rebalancing(mut self) -> Self {
        self.keeps_its_sessions = true;
        self
    }

    /// Lets another account than before log in to a session. If left out, it is refused with
    /// [`AccountMismatch`](crate::lifecycle::ReasonKind::AccountMismatch).
    #[must_use]
    pub fn allow_account_change(mut self) -> Self {
        self.allow_account_change = true;
        self
    }

    /// How long events are kept; for ever, if left out. Age counts by the clocks of the nodes: where these may differ, keep events
    /// that much longer than they are needed. What a [consumer](crate::Desk::consume) has not acknowledged is kept in
    /// any case.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Sets deadlines and rates.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Tells the time, instead of the operating system.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Gives randomness, instead of the operating system.
    #[must_use]
    pub fn random(mut self, random: Random) -> Self {
        self.random = Some(random);
        self
    }

    /// Opens for business: from now on sessions that were started before are taken up again, at a bounded rate.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a storage; [`Error::Vault`] when there is no key and a transport keeps credentials or the
    /// database was sealed with one, when the key is not the one that it was sealed with, when it was kept
    /// [in the clear](Self::insecure_plaintext_vault) and the builder was not told so, or when the storage fails while that is
    /// looked at; [`Error::Storage`] when it fails later; [`Error::Entropy`] when the operating system gives no randomness.
    pub async fn build(self) -> Result<Seatport, Error> {
        let storage = self.storage.ok_or_else(|| {
            Invalid::new("builder", "it has no storage", "call storage(…), with SqliteStorage::open(path) for a start")
        })?;
        self.timing.check()?;
        let random = match self.random {
            Some(random) => random,
            None => Random::from_os().map_err(Error::Entropy)?,
        };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let sealer =
            Sealer::new(self.vault_key.as_ref(), &self.previous_vault_keys, self.plaintext_vault, random.clone());
        let keeps_credentials = self.transports.values().any(|transport| transport.capabilities().stores_credentials);
        if keeps_credentials && !sealer.can_seal() {
            return Err(VaultError::KeyMissing.into());
        }
        sealer.check(storage.as_ref()).await?;
        let people = People::new(*sealer.ledger_key(storage.as_ref()).await?);
        if let Some(range) = self.ports {
            storage.resize_ports(range).await?;
        }
        let id = NodeId::generate(clock.now(), &random);
        let phase = watch::channel(Phase::Running).0;
        // Subscribed before anything can happen, so that no hint is missed.
        let changes = storage.changes();
        let node = Node {
            id,
            ports: PortQueue::new(storage.clone(), id, phase.subscribe()),
            profile: NodeProfile { id, labels: self.labels, capacity: self.max_sessions.unwrap_or(u32::MAX) },
            storage,
            transports: self.transports,
            sealer: Arc::new(sealer),
            people,
            clock,
            random,
            scope: self.scope,
            allow_account_change: self.allow_account_change,
            retention: self.retention,
            hub: Hub::default(),
            reconnects: TokenBucket::per_second(self.timing.reconnects_per_second),
            adoptions: TokenBucket::per_second(self.timing.adoptions_per_second),
            handovers: TokenBucket::per_second(self.timing.handovers_per_second),
            rebalances: !self.keeps_its_sessions,
            draining: AtomicBool::new(false),
            neighbours: Neighbours::default(),
            held_until: watch::channel(Instant::now()).0,
            reported: watch::channel(NodeReport { sessions: 0, accepting: true }).0,
            report_due: Notify::new(),
            timing: self.timing,
            phase,
            slots: parking_lot::Mutex::default(),
            login_codes: LoginCodes::default(),
            last_session_id: parking_lot::Mutex::default(),
        };
        let sent = heartbeat::join(&node).await?;
        node.held_until.send_replace(heartbeat::held_until(&node, sent));
        node.joined();
        Ok(Seatport::run(Arc::new(node), changes, sent))
    }
}
