//! How an instance is opened.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::agent::AgentScope;
use crate::clock::Clock;
use crate::error::SeatportError;
use crate::event::Retention;
use crate::network::Network;
use crate::port::PortRange;
use crate::secret::Secret;
use crate::timing::Timing;
use crate::vault_key::{VaultKey, VaultKeyProvider};

/// How an instance is opened. Only the storage has to be named.
#[derive(Clone, uniffi::Record)]
pub struct Options {
    /// Where everything is kept.
    pub storage: Storage,
    /// The messenger networks that accounts can be added on.
    #[uniffi(default = [])]
    pub networks: Vec<Arc<Network>>,
    /// Seals credentials and proxy passwords. Keep it in the host's key store: without it they are lost. All nodes of a
    /// database have the same one.
    #[uniffi(default = None)]
    pub vault_key: Option<Arc<VaultKey>>,
    /// Keys that still open what was sealed with them; see [`Seatport::rotate_vault`](crate::Seatport::rotate_vault).
    #[uniffi(default = [])]
    pub previous_vault_keys: Vec<Arc<VaultKey>>,
    /// Is asked for the keys, instead of the two fields above: a key store of the host.
    #[uniffi(default = None)]
    pub vault_key_provider: Option<Arc<dyn VaultKeyProvider>>,
    /// Keeps credentials as they are, readable by whoever reads the database. Together with a key: still reads what was kept
    /// so, and seals what is written from now on.
    #[uniffi(default = false)]
    pub insecure_plaintext_vault: bool,
    /// The licence ports of the organisation. Left out, those set before stay; at first there are ten, from number 1 on.
    #[uniffi(default = None)]
    pub ports: Option<PortRange>,
    /// Which sessions agents work on; supervisors work on all. All of them, if left out.
    #[uniffi(default = None)]
    pub agent_scope: Option<AgentScope>,
    /// The labels of this node: sessions whose environment asks for one run on a node that has it.
    #[uniffi(default)]
    pub node_labels: HashMap<String, String>,
    /// Drives this many sessions at most. Left out, there is no limit.
    #[uniffi(default = None)]
    pub max_sessions: Option<u32>,
    /// Keeps the sessions it drives, however few other nodes drive.
    #[uniffi(default = false)]
    pub without_rebalancing: bool,
    /// Lets another account than before log in to a session.
    #[uniffi(default = false)]
    pub allow_account_change: bool,
    /// How long events are kept. For ever, if left out.
    #[uniffi(default = None)]
    pub retention: Option<Retention>,
    /// Deadlines and rates, where the usual ones do not fit.
    #[uniffi(default = None)]
    pub timing: Option<Timing>,
    /// Tells the time, instead of the operating system.
    #[uniffi(default = None)]
    pub clock: Option<Arc<dyn Clock>>,
    /// How long a call into the host may take: its transport, its clock, its key store. 10 s, if left out.
    #[uniffi(default = None)]
    pub callback_timeout: Option<Duration>,
    /// How many threads it runs on, 1 to 64.
    #[uniffi(default = 2)]
    pub worker_threads: u32,
}

/// How long a call into the host may take.
pub(crate) const CALLBACK_TIMEOUT: Duration = Duration::from_secs(10);

impl Options {
    /// How long a call into the host may take.
    pub(crate) fn limit(&self) -> Duration {
        self.callback_timeout.unwrap_or(CALLBACK_TIMEOUT)
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("storage", &self.storage)
            .field("networks", &self.networks)
            .finish_non_exhaustive()
    }
}

/// Where everything is kept.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Storage {
    /// In memory: it is gone with the instance. For tests.
    Memory,
    /// In one file, for one process.
    Sqlite {
        /// The path of the file; it is created if it is not there.
        path: String,
        /// Whether every answer waits for the disk, so that it survives a power failure. Without, several times as many
        /// messages a second, and a power failure may take the last of them along; the death of the process never does.
        #[uniffi(default = true)]
        durable: bool,
    },
    /// In a Postgres database, for many nodes.
    Postgres {
        /// The address: `postgres://user:password@host:port/database?sslmode=verify-full`.
        url: Arc<Secret>,
        /// The schema that everything is kept in; organisations that share a database have one each.
        #[uniffi(default = "seatport")]
        schema: String,
        /// How many connections it uses at most, beside five that write and listen.
        #[uniffi(default = 10)]
        connections: u32,
        /// The file of the certificate that signed the server's, where the system does not know it.
        #[uniffi(default = None)]
        root_certificate: Option<String>,
    },
}

impl Storage {
    /// Opens it. Runs on the engine.
    pub(crate) async fn open(self) -> Result<Arc<dyn seatport::storage::Storage>, SeatportError> {
        match self {
            Self::Memory => Ok(Arc::new(seatport::memory::MemoryStorage::new())),
            #[cfg(feature = "sqlite")]
            Self::Sqlite { path, durable } => {
                use seatport_sqlite::{SqliteStorage, Synchronous};
                let synchronous = if durable { Synchronous::Full } else { Synchronous::Normal };
                Ok(Arc::new(SqliteStorage::options().synchronous(synchronous).open(path).await?))
            }
            #[cfg(not(feature = "sqlite"))]
            Self::Sqlite { .. } => Err(SeatportError::not_built("sqlite")),
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema, connections, root_certificate } => {
                let mut options =
                    seatport_postgres::PostgresStorage::options().schema(schema).connections(connections as usize);
                if let Some(path) = root_certificate {
                    options = options.root_certificate(path);
                }
                Ok(Arc::new(options.open(url.0.expose()).await?))
            }
            #[cfg(not(feature = "postgres"))]
            Self::Postgres { .. } => Err(SeatportError::not_built("postgres")),
        }
    }
}
