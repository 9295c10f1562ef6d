//! The vault's entries, sealed: a storage never sees what is in them.

use std::fmt;

use async_trait::async_trait;

use crate::ids::SessionId;
use crate::storage::{Fence, StorageError, VaultWrite};

/// One entry of one session. `Debug` shows how long it is, not what it holds.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultEntry {
    /// Whose.
    pub session: SessionId,
    /// Under which name.
    pub name: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for VaultEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultEntry({} {:?}: {} bytes)", self.session, self.name, self.sealed.len())
    }
}

/// Sealed entries, by session and name.
#[async_trait]
pub trait VaultStore {
    /// The entry under this name.
    async fn vault_get(&self, session: SessionId, name: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// The entries whose names start with `prefix`, by name.
    async fn vault_list(&self, session: SessionId, prefix: &str) -> Result<Vec<VaultEntry>, StorageError>;

    /// Applies all writes, in order, or none.
    ///
    /// - Answers `Fenced` when the fence does not hold.
    async fn vault_write(&self, session: SessionId, fence: Fence, writes: Vec<VaultWrite>) -> Result<(), StorageError>;

    /// Entries of all sessions, by session and name, those after `after`, at most `limit`: for the rotation of keys.
    async fn vault_scan(&self, after: Option<(SessionId, String)>, limit: u32)
    -> Result<Vec<VaultEntry>, StorageError>;

    /// Replaces an entry if it still holds `old`; answers whether it did.
    async fn vault_replace(&self, old: &VaultEntry, sealed: Vec<u8>) -> Result<bool, StorageError>;

    /// What [`set_key_check`](Self::set_key_check) stored last.
    async fn key_check(&self) -> Result<Option<Vec<u8>>, StorageError>;

    /// Stores the value that tells the right key from a wrong one.
    async fn set_key_check(&self, sealed: Vec<u8>) -> Result<(), StorageError>;
}
