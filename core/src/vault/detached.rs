//! A vault without Seatport, for those who test a transport.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::ids::NodeId;
use crate::random::Random;
use crate::session::SessionRecord;
use crate::storage::{Expect, NodeProfile, SessionCommit, Storage};
use crate::vault::{Sealer, Vault, VaultError, VaultKey};

/// Nobody renews the lease of a detached vault, so it is longer than any test, on paused time too.
const LEASE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Vault {
    /// The vault of a session that no Seatport drives: for those who test a transport.
    ///
    /// Adds the session to the storage unless it is there. Takes it over from whoever drove it: as after a restart, what the
    /// earlier vault stored is there, and the earlier vault writes no more.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use seatport::memory::MemoryStorage;
    /// use seatport::vault::{Vault, VaultError, VaultKey};
    /// use seatport::{Random, SessionId, SessionRecord, Timestamp, TransportName};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (now, random, key) = (Timestamp::from_millis(0), Random::seeded(1), VaultKey::new([7; 32]));
    /// let record = SessionRecord::new(SessionId::generate(now, &random), now, TransportName::new("whatsapp")?);
    /// let storage = Arc::new(MemoryStorage::new());
    ///
    /// let before = Vault::detached(storage.clone(), record.clone(), &key, &random).await?;
    /// before.put("identity", b"key bytes").await?;
    /// let after = Vault::detached(storage, record, &key, &random).await?;
    /// assert_eq!(after.get("identity").await?.as_deref().map(Vec::as_slice), Some(&b"key bytes"[..]));
    /// assert!(matches!(before.put("identity", b"stale").await, Err(VaultError::Revoked)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`VaultError::Storage`]; [`VaultError::Revoked`] when another took the session over at the same moment.
    pub async fn detached(
        storage: Arc<dyn Storage>,
        record: SessionRecord,
        key: &VaultKey,
        random: &Random,
    ) -> Result<Self, VaultError> {
        let (session, now) = (record.id, record.created_at);
        match storage.session(session).await? {
            Some(stored) => {
                if let Some(owner) = stored.owner {
                    storage.release(session, owner).await?;
                }
            }
            None => {
                let commit = SessionCommit { record: Some(record), ..SessionCommit::new(session, now, Expect::New) };
                storage.commit(commit).await?;
            }
        }
        let node = NodeId::generate(now, random);
        // It drives nothing.
        let profile = NodeProfile { id: node, labels: BTreeMap::new(), capacity: 0 };
        storage.join(&profile, LEASE).await?;
        let fence = storage.claim(session, node).await?.ok_or(VaultError::Revoked)?;
        let sealer = Sealer::new(Some(key), &[], false, random.clone());
        Ok(Self::new(storage, Arc::new(sealer), session, fence))
    }
}
