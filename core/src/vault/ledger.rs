//! The lead ledger's key: what people are hashed with. It is made once and never changes; only what seals it does.

use zeroize::Zeroizing;

use super::VaultError;
use super::seal::Sealer;
use crate::storage::Storage;

impl Sealer {
    /// The ledger's key; the first to ask makes it. It is sealed with the vault key. A host without one keeps it in the clear,
    /// and once there is one, this seals it. What lay in the clear is believed, unlike a credential: it opens nothing, and who
    /// can write to the database needs no key to spoil its figures.
    pub(crate) async fn ledger_key(&self, storage: &dyn Storage) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        loop {
            if let Some(kept) = storage.ledger_key().await? {
                let opened = self.open_ledger_key(&kept)?;
                if opened.in_the_clear && self.has_key() {
                    // If somebody else was faster, it is sealed all the same.
                    storage.replace_ledger_key(Some(&kept), &self.seal_ledger_key(opened.key.as_slice())?).await?;
                }
                return Ok(opened.key);
            }
            let mut fresh = Zeroizing::new([0; 32]);
            self.fill(fresh.as_mut());
            // If another node was faster, its key is the one that counts.
            if storage.replace_ledger_key(None, &self.seal_ledger_key(fresh.as_slice())?).await? {
                return Ok(fresh);
            }
        }
    }

    /// Seals the ledger's key with the current vault key, unless it is sealed so, or there is none.
    pub(super) async fn reseal_ledger_key(&self, storage: &dyn Storage) -> Result<(), VaultError> {
        while let Some(kept) = storage.ledger_key().await? {
            let opened = self.open_ledger_key(&kept)?;
            if opened.by_current_key
                || storage.replace_ledger_key(Some(&kept), &self.seal_ledger_key(opened.key.as_slice())?).await?
            {
                break;
            }
        }
        Ok(())
    }
}
