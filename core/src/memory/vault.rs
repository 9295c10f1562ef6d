//! The vault's entries.

use async_trait::async_trait;

use super::session::Session;
use super::{MemoryStorage, taken};
use crate::ids::SessionId;
use crate::storage::{Fence, StorageError, VaultEntry, VaultStore, VaultWrite};

impl Session {
    /// Removes all entries of the area in which a transport keeps its credentials.
    pub(super) fn forget_credentials(&mut self) {
        self.vault.retain(|name, _| !name.starts_with("net/"));
    }

    /// Writes one entry, or removes it.
    pub(super) fn write_vault(&mut self, write: VaultWrite) {
        match write.sealed {
            Some(sealed) => self.vault.insert(write.name, sealed),
            None => self.vault.remove(&write.name),
        };
    }

    /// All entries, by name.
    fn vault_entries(&self) -> impl Iterator<Item = VaultEntry> {
        let session = self.record.id;
        self.vault.iter().map(move |(name, sealed)| VaultEntry { session, name: name.clone(), sealed: sealed.clone() })
    }
}

#[async_trait]
impl VaultStore for MemoryStorage {
    async fn vault_get(&self, session: SessionId, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.open()?.sessions.get(&session).and_then(|session| session.vault.get(name).cloned()))
    }

    async fn vault_list(&self, session: SessionId, prefix: &str) -> Result<Vec<VaultEntry>, StorageError> {
        let state = self.open()?;
        let entries = state.sessions.get(&session).into_iter().flat_map(Session::vault_entries);
        Ok(entries.filter(|entry| entry.name.starts_with(prefix)).collect())
    }

    async fn vault_write(&self, session: SessionId, fence: Fence, writes: Vec<VaultWrite>) -> Result<(), StorageError> {
        let mut state = self.open()?;
        state.check_fence(session, fence)?;
        if let Some(session) = state.sessions.get_mut(&session) {
            writes.into_iter().for_each(|write| session.write_vault(write));
        }
        Ok(())
    }

    async fn vault_scan(
        &self,
        after: Option<(SessionId, String)>,
        limit: u32,
    ) -> Result<Vec<VaultEntry>, StorageError> {
        let state = self.open()?;
        let entries = state.sessions.values().flat_map(Session::vault_entries).filter(|entry| match &after {
            Some((session, name)) => (&entry.session, &entry.name) > (session, name),
            None => true,
        });
        Ok(taken(entries, limit))
    }

    async fn vault_replace(&self, old: &VaultEntry, sealed: Vec<u8>) -> Result<bool, StorageError> {
        let mut state = self.open()?;
        let entry = state.sessions.get_mut(&old.session).and_then(|session| session.vault.get_mut(&old.name));
        match entry {
            Some(stored) if *stored == old.sealed => {
                *stored = sealed;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.open()?.key_check.clone())
    }

    async fn set_key_check(&self, sealed: Vec<u8>) -> Result<(), StorageError> {
        self.open()?.key_check = Some(sealed);
        Ok(())
    }
}
