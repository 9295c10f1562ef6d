//! The state that an account's devices share: pinned chats, names, what was read.

use async_trait::async_trait;
use whatsapp_rust::traits::{AppStateSyncKey, AppSyncStore};
use whatsapp_rust::wacore::appstate::hash::HashState;
use whatsapp_rust::wacore::appstate::processor::AppStateMutationMAC;
use whatsapp_rust::wacore::store::error::Result;

use super::name::hex;
use super::{Store, keep, name, to_json};

const SYNC_KEY: &str = "sync-key";
const LATEST_SYNC_KEY: &str = "sync-key-latest";
const VERSION: &str = "version";
const MAC: &str = "mac";

#[async_trait]
impl AppSyncStore for Store {
    async fn get_sync_key(&self, key_id: &[u8]) -> Result<Option<AppStateSyncKey>> {
        self.get_json(&name(&[SYNC_KEY, &hex(key_id)])).await
    }

    async fn set_sync_key(&self, key_id: &[u8], key: AppStateSyncKey) -> Result<()> {
        let key = (name(&[SYNC_KEY, &hex(key_id)]), Some(to_json(&key)?));
        self.write(vec![key, (LATEST_SYNC_KEY.to_owned(), keep(key_id))]).await
    }

    async fn get_latest_sync_key_id(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.get(LATEST_SYNC_KEY).await?.map(|id| id.to_vec()))
    }

    async fn get_version(&self, collection: &str) -> Result<HashState> {
        Ok(self.get_json(&name(&[VERSION, collection])).await?.unwrap_or_default())
    }

    async fn set_version(&self, collection: &str, state: HashState) -> Result<()> {
        self.put_json(name(&[VERSION, collection]), &state).await
    }

    async fn put_mutation_macs(
        &self,
        collection: &str,
        _version: u64,
        mutations: &[AppStateMutationMAC],
    ) -> Result<()> {
        let entry = |mac: &AppStateMutationMAC| (name(&[MAC, collection, &hex(&mac.index_mac)]), keep(&mac.value_mac));
        self.write(mutations.iter().map(entry).collect()).await
    }

    async fn get_mutation_mac(&self, collection: &str, index_mac: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.get(&name(&[MAC, collection, &hex(index_mac)])).await?.map(|mac| mac.to_vec()))
    }

    async fn delete_mutation_macs(&self, collection: &str, index_macs: &[Vec<u8>]) -> Result<()> {
        self.write(index_macs.iter().map(|mac| (name(&[MAC, collection, &hex(mac)]), None)).collect()).await
    }

    async fn clear_mutation_macs(&self, collection: &str) -> Result<()> {
        self.remove_below(&name(&[MAC, collection]), |_, _| true).await.map(drop)
    }
}
