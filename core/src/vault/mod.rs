//! The vault: what a transport must remember, sealed with a key of the host.

mod detached;
mod ledger;
mod seal;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::RwLock;
use zeroize::Zeroizing;

pub use seal::VaultKey;
pub(crate) use seal::{PROXY_PASSWORD, Sealer};

use crate::ids::SessionId;
use crate::storage::{Fence, Storage, StorageError, StorageErrorKind, VaultWrite};

/// The area of the names that transports write; it is emptied when the account is logged out.
const TRANSPORT_AREA: &str = "net/";

/// Why the vault refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// There is something to seal or to open and no key.
    #[error(
        "no vault key: give the builder vault_key(…), or insecure_plaintext_vault() if nothing is worth protecting"
    )]
    KeyMissing,
    /// What is stored is sealed, and there is no key.
    #[error("{entry} is sealed: give the builder the vault_key(…) it was sealed with")]
    Sealed {
        /// Which entry.
        entry: String,
    },
    /// What is stored lies in the clear. With a key that is not believed: anybody could have put it there.
    #[error(
        "{entry} is not sealed: to move to a key, give the builder insecure_plaintext_vault() beside vault_key(…) once, and call rotate_vault()"
    )]
    Plaintext {
        /// Which entry.
        entry: String,
    },
    /// What is stored was sealed with another key, or was tampered with. Nothing was overwritten.
    #[error(
        "cannot open {entry}: the vault key is not the one it was sealed with; give the builder that key, or name it in previous_vault_key(…)"
    )]
    WrongKey {
        /// Which entry.
        entry: String,
    },
    /// The connection that holds this vault was closed or replaced: it may not write any more.
    #[error("this connection no longer owns the session; its vault is closed")]
    Revoked,
    /// The storage failed.
    #[error(transparent)]
    Storage(StorageError),
}

impl From<StorageError> for VaultError {
    fn from(error: StorageError) -> Self {
        match error.kind() {
            StorageErrorKind::Fenced => Self::Revoked,
            _ => Self::Storage(error),
        }
    }
}

/// One session's vault, as its connection sees it: a map from names to bytes that survives restarts and moves with the session.
///
/// Entries are sealed with XChaCha20-Poly1305 under a fresh random nonce, with session id and name as associated data, so that
/// none can be read, altered, or moved to another place unseen. When the connection is closed, its vault stops accepting
/// writes: an abandoned connection cannot overwrite what its successor stores.
///
/// ```no_run
/// # async fn f(vault: seatport::vault::Vault) -> Result<(), seatport::vault::VaultError> {
/// vault.put("identity", b"key bytes").await?;
/// assert_eq!(vault.get("identity").await?.as_deref().map(Vec::as_slice), Some(&b"key bytes"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Vault {
    storage: Arc<dyn Storage>,
    sealer: Arc<Sealer>,
    session: SessionId,
    fence: Fence,
    open: Arc<AtomicBool>,
    /// Held by every write while it is under way.
    writing: Arc<RwLock<()>>,
}

impl Vault {
    pub(crate) fn new(storage: Arc<dyn Storage>, sealer: Arc<Sealer>, session: SessionId, fence: Fence) -> Self {
        Self { storage, sealer, session, fence, open: Arc::new(AtomicBool::new(true)), writing: Arc::default() }
    }

    /// From now on every write answers [`VaultError::Revoked`].
    pub(crate) fn revoke(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// Revokes, and waits for the writes that are under way: what is wiped afterwards stays wiped.
    pub(crate) async fn revoke_and_settle(&self) {
        self.revoke();
        drop(self.writing.write().await);
    }

    /// The bytes under this name.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`], [`VaultError::KeyMissing`] or [`VaultError::Storage`].
    pub async fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let name = format!("{TRANSPORT_AREA}{name}");
        match self.storage.vault_get(self.session, &name).await? {
            Some(sealed) => self.sealer.open(self.session, &name, &sealed).map(Some),
            None => Ok(None),
        }
    }

    /// All entries whose names start with `prefix`, by name.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`], [`VaultError::KeyMissing`] or [`VaultError::Storage`].
    pub async fn list(&self, prefix: &str) -> Result<Vec<(String, Zeroizing<Vec<u8>>)>, VaultError> {
        let entries = self.storage.vault_list(self.session, &format!("{TRANSPORT_AREA}{prefix}")).await?;
        entries
            .into_iter()
            .map(|entry| {
                let bytes = self.sealer.open(self.session, &entry.name, &entry.sealed)?;
                Ok((entry.name[TRANSPORT_AREA.len()..].to_owned(), bytes))
            })
            .collect()
    }

    /// Stores bytes under a name.
    ///
    /// # Errors
    /// [`VaultError::Revoked`], [`VaultError::KeyMissing`] or [`VaultError::Storage`].
    pub async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.write([(name, Some(bytes))]).await
    }

    /// Removes the entry under a name, if there is one.
    ///
    /// # Errors
    /// [`VaultError::Revoked`] or [`VaultError::Storage`].
    pub async fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.write([(name, None)]).await
    }

    /// Stores or, with `None`, removes several entries in one transaction.
    ///
    /// # Errors
    /// [`VaultError::Revoked`], [`VaultError::KeyMissing`] or [`VaultError::Storage`]; then nothing was written.
    pub async fn write<'a>(
        &self,
        entries: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) -> Result<(), VaultError> {
        let writes = entries
            .into_iter()
            .map(|(name, bytes)| {
                let name = format!("{TRANSPORT_AREA}{name}");
                let sealed = bytes.map(|bytes| self.sealer.seal(self.session, &name, bytes)).transpose()?;
                Ok(VaultWrite { name, sealed })
            })
            .collect::<Result<Vec<_>, VaultError>>()?;
        let _writing = self.writing.read().await;
        if !self.open.load(Ordering::Acquire) {
            return Err(VaultError::Revoked);
        }
        Ok(self.storage.vault_write(self.session, self.fence, writes).await?)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("session", &self.session).finish_non_exhaustive()
    }
}
