//! The Signal protocol's identities, sessions and keys.

use std::sync::Arc;

use async_trait::async_trait;
use whatsapp_rust::bytes::Bytes;
use whatsapp_rust::traits::SignalStore;
use whatsapp_rust::wacore::store::error::{Result, StoreError};

use super::{Store, keep, name};

const IDENTITY: &str = "identity";
const SESSION: &str = "session";
const PREKEY: &str = "prekey";
const SIGNED_PREKEY: &str = "signed-prekey";
const SENDER_KEY: &str = "sender-key";

/// Ids in names have one width, so that they sort by number.
fn numbered(area: &str, id: u32) -> String {
    name(&[area, &format!("{id:010}")])
}

fn number(rest: &str) -> Result<u32> {
    rest.parse().map_err(|error| StoreError::Serialization(Box::new(error)))
}

#[async_trait]
impl SignalStore for Store {
    async fn put_identity(&self, address: &str, key: [u8; 32]) -> Result<()> {
        self.put(name(&[IDENTITY, address]), &key).await
    }

    async fn put_identities_batch(&self, identities: &[(Arc<str>, [u8; 32])]) -> Result<()> {
        self.write(identities.iter().map(|(address, key)| (name(&[IDENTITY, address]), keep(key))).collect()).await
    }

    async fn load_identity(&self, address: &str) -> Result<Option<[u8; 32]>> {
        let Some(key) = self.get(&name(&[IDENTITY, address])).await? else { return Ok(None) };
        let wrong = |_| StoreError::Validation(format!("an identity key of {} bytes", key.len()));
        key.as_slice().try_into().map(Some).map_err(wrong)
    }

    async fn delete_identity(&self, address: &str) -> Result<()> {
        self.remove(name(&[IDENTITY, address])).await
    }

    async fn get_session(&self, address: &str) -> Result<Option<Bytes>> {
        let session = self.get(&name(&[SESSION, address])).await?;
        Ok(session.map(|session| Bytes::copy_from_slice(&session)))
    }

    async fn put_session(&self, address: &str, session: &[u8]) -> Result<()> {
        self.put(name(&[SESSION, address]), session).await
    }

    async fn put_sessions_batch(&self, sessions: &[(Arc<str>, Bytes)]) -> Result<()> {
        self.write(sessions.iter().map(|(address, session)| (name(&[SESSION, address]), keep(session))).collect()).await
    }

    async fn delete_session(&self, address: &str) -> Result<()> {
        self.remove(name(&[SESSION, address])).await
    }

    async fn has_signal_state_for_user(&self, user: &str) -> Result<bool> {
        for area in [SESSION, IDENTITY] {
            for next in ['@', ':'] {
                let prefix = format!("{}{next}", name(&[area, user]));
                let found = self.vault.list(&prefix).await.map_err(|error| self.failed(error))?;
                if !found.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    // Which keys were uploaded the device itself remembers, by number: the flag adds nothing.

    async fn store_prekey(&self, id: u32, record: &[u8], _uploaded: bool) -> Result<()> {
        self.put(numbered(PREKEY, id), record).await
    }

    async fn store_prekeys_batch(&self, keys: &[(u32, Bytes)], _uploaded: bool) -> Result<()> {
        self.write(keys.iter().map(|(id, record)| (numbered(PREKEY, *id), keep(record))).collect()).await
    }

    async fn load_prekey(&self, id: u32) -> Result<Option<Bytes>> {
        let record = self.get(&numbered(PREKEY, id)).await?;
        Ok(record.map(|record| Bytes::copy_from_slice(&record)))
    }

    async fn mark_prekeys_uploaded(&self, _ids: &[u32]) -> Result<()> {
        Ok(())
    }

    async fn remove_prekey(&self, id: u32) -> Result<()> {
        self.remove(numbered(PREKEY, id)).await
    }

    async fn get_max_prekey_id(&self) -> Result<u32> {
        self.below(PREKEY).await?.last().map_or(Ok(0), |(rest, _)| number(rest))
    }

    async fn store_signed_prekey(&self, id: u32, record: &[u8]) -> Result<()> {
        self.put(numbered(SIGNED_PREKEY, id), record).await
    }

    async fn load_signed_prekey(&self, id: u32) -> Result<Option<Vec<u8>>> {
        Ok(self.get(&numbered(SIGNED_PREKEY, id)).await?.map(|record| record.to_vec()))
    }

    async fn load_all_signed_prekeys(&self) -> Result<Vec<(u32, Vec<u8>)>> {
        let entries = self.below(SIGNED_PREKEY).await?;
        entries.into_iter().map(|(rest, record)| Ok((number(&rest)?, record.to_vec()))).collect()
    }

    async fn remove_signed_prekey(&self, id: u32) -> Result<()> {
        self.remove(numbered(SIGNED_PREKEY, id)).await
    }

    async fn put_sender_key(&self, address: &str, record: &[u8]) -> Result<()> {
        self.put(name(&[SENDER_KEY, address]), record).await
    }

    async fn put_sender_keys_batch(&self, keys: &[(Arc<str>, Bytes)]) -> Result<()> {
        self.write(keys.iter().map(|(address, record)| (name(&[SENDER_KEY, address]), keep(record))).collect()).await
    }

    async fn get_sender_key(&self, address: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.get(&name(&[SENDER_KEY, address])).await?.map(|record| record.to_vec()))
    }

    async fn delete_sender_key(&self, address: &str) -> Result<()> {
        self.remove(name(&[SENDER_KEY, address])).await
    }
}
