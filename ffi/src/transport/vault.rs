//! The vault, as a transport of the host sees it.

use std::collections::HashMap;

use seatport::vault::VaultError;
use tokio::runtime::Handle;

use crate::transport::TransportError;

/// What a transport must remember of one session: a map from names to bytes that survives restarts, moves with the session, and is
/// sealed with the host's vault key. It is emptied when the account is logged out.
///
/// When the connection is over it accepts no more writes: an abandoned one cannot overwrite what its successor stores.
#[derive(Debug, uniffi::Object)]
pub struct Vault {
    vault: seatport::vault::Vault,
    runtime: Handle,
}

impl Vault {
    pub(super) fn new(vault: seatport::vault::Vault, runtime: Handle) -> Self {
        Self { vault, runtime }
    }

    /// Runs this where the instance runs.
    async fn run<T: Send + 'static, F>(
        &self,
        call: impl FnOnce(seatport::vault::Vault) -> F + Send,
    ) -> Result<T, TransportError>
    where
        F: Future<Output = Result<T, VaultError>> + Send + 'static,
    {
        // Not ended when the host gives up: a write that was begun is done as a whole.
        match self.runtime.spawn(call(self.vault.clone())).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(TransportError::ended()),
        }
    }
}

#[uniffi::export]
impl Vault {
    /// The bytes under this name, if there are any.
    ///
    /// # Errors
    /// `Rejected` when the vault key does not open it, `Lost` when the storage failed: let both go on to Seatport.
    pub async fn get(&self, name: String) -> Result<Option<Vec<u8>>, TransportError> {
        self.run(|vault| async move { Ok(vault.get(&name).await?.map(|bytes| bytes.to_vec())) }).await
    }

    /// All entries whose names start with `prefix`; an empty one means all.
    ///
    /// # Errors
    /// As for `get`.
    pub async fn list(&self, prefix: String) -> Result<HashMap<String, Vec<u8>>, TransportError> {
        self.run(|vault| async move {
            let entries = vault.list(&prefix).await?;
            Ok(entries.into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect())
        })
        .await
    }

    /// Stores bytes under a name.
    ///
    /// # Errors
    /// As for `get`, and `Ended` when the connection is over.
    pub async fn put(&self, name: String, bytes: Vec<u8>) -> Result<(), TransportError> {
        self.write(HashMap::from([(name, Some(bytes))])).await
    }

    /// Removes the entry under a name, if there is one.
    ///
    /// # Errors
    /// As for `put`.
    pub async fn remove(&self, name: String) -> Result<(), TransportError> {
        self.write(HashMap::from([(name, None)])).await
    }

    /// Stores or, where there are no bytes, removes several entries: all of them or none.
    ///
    /// # Errors
    /// As for `put`.
    pub async fn write(&self, entries: HashMap<String, Option<Vec<u8>>>) -> Result<(), TransportError> {
        self.run(|vault| async move {
            vault.write(entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_deref()))).await
        })
        .await
    }
}
