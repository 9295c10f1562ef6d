//! A session without Seatport around it.

use std::sync::Arc;

use seatport::memory::MemoryStorage;
use seatport::storage::VaultStore;
use seatport::transport::ConnectContext;
use seatport::vault::{Vault, VaultKey};
use seatport::{Clock, Environment, LoginMethod, PortNumber, Random, SessionId, SessionRecord, TransportName};

use crate::VirtualClock;

/// What a session is: a vault that survives, and how it dials. Its clones are the same session.
#[derive(Clone)]
pub(crate) struct Seat {
    storage: Arc<MemoryStorage>,
    record: SessionRecord,
    random: Random,
    pub(crate) clock: VirtualClock,
    key: u8,
    pub(crate) environment: Environment,
    pub(crate) login: LoginMethod,
}

impl Seat {
    /// A new session with an empty vault.
    pub(crate) fn new(transport: TransportName, clock: VirtualClock, random: Random) -> Self {
        let record = SessionRecord::new(SessionId::generate(clock.now(), &random), clock.now(), transport);
        let storage = Arc::new(MemoryStorage::new());
        Self { storage, record, random, clock, key: 7, environment: Environment::new(), login: LoginMethod::Qr }
    }

    /// The same session as if it had never logged in: its vault is empty.
    pub(crate) fn with_empty_vault(&self) -> Self {
        Self { storage: Arc::new(MemoryStorage::new()), ..self.clone() }
    }

    /// The same session, for whom has another key to the vault.
    pub(crate) fn with_another_key(&self) -> Self {
        Self { key: self.key + 1, ..self.clone() }
    }

    /// Takes the vault over from whoever had it.
    pub(crate) async fn vault(&self) -> Vault {
        let key = VaultKey::new([self.key; 32]);
        let vault = Vault::detached(self.storage.clone(), self.record.clone(), &key, &self.random).await;
        vault.expect("a vault in memory opens")
    }

    /// What the vault holds, as it is sealed.
    pub(crate) async fn sealed(&self) -> Vec<(String, Vec<u8>)> {
        let entries = self.storage.vault_list(self.record.id, "").await.expect("a vault in memory can be read");
        entries.into_iter().map(|entry| (entry.name, entry.sealed)).collect()
    }

    pub(crate) async fn context(&self) -> ConnectContext {
        let vault = self.vault().await;
        ConnectContext::new(self.record.id, PortNumber(7), vault, Arc::new(self.clock), self.random.clone())
            .environment(self.environment.clone())
            .login(self.login.clone())
    }
}
