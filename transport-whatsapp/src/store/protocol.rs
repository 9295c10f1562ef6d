//! What else the protocol has to remember: who has which devices, hidden addresses, tokens.

use async_trait::async_trait;
use whatsapp_rust::traits::{
    DeviceListRecord, LidPnMappingEntry, PendingInboundKey, PendingInboundRow, ProtocolStore, TcTokenEntry,
};
use whatsapp_rust::wacore::store::error::Result;

use super::name::part;
use super::{Store, Write, from_json, keep, name, to_json};

const SENDER_KEY_DEVICE: &str = "sender-key-device";
/// A hidden address, with the phone number behind it.
const LID: &str = "lid";
/// A phone number, with the hidden address it was last seen under.
const PN: &str = "pn";
const BASE_KEY: &str = "base-key";
const DEVICES: &str = "devices";
const GROUP: &str = "group";
const TC_TOKEN: &str = "tc-token";

#[async_trait]
impl ProtocolStore for Store {
    async fn get_sender_key_devices(&self, group: &str) -> Result<Vec<(String, bool)>> {
        let entries = self.below(&name(&[SENDER_KEY_DEVICE, group])).await?;
        Ok(entries.into_iter().map(|(rest, has_key)| (part(&rest), has_key.as_slice() == [1])).collect())
    }

    async fn set_sender_key_status(&self, group: &str, entries: &[(&str, bool)]) -> Result<()> {
        let entry =
            |(device, has_key): &(&str, bool)| (name(&[SENDER_KEY_DEVICE, group, device]), keep(&[u8::from(*has_key)]));
        self.write(entries.iter().map(entry).collect()).await
    }

    async fn clear_sender_key_devices(&self, group: &str) -> Result<()> {
        self.remove_below(&name(&[SENDER_KEY_DEVICE, group]), |_, _| true).await.map(drop)
    }

    async fn delete_sender_key_device_rows(&self, devices: &[&str]) -> Result<()> {
        let is_one = |rest: &str| rest.split_once('/').is_some_and(|(_, device)| devices.contains(&&*part(device)));
        self.remove_below(SENDER_KEY_DEVICE, |rest, _| is_one(rest)).await.map(drop)
    }

    async fn clear_all_sender_key_devices(&self) -> Result<()> {
        self.remove_below(SENDER_KEY_DEVICE, |_, _| true).await.map(drop)
    }

    async fn get_lid_mapping(&self, lid: &str) -> Result<Option<LidPnMappingEntry>> {
        self.get_json(&name(&[LID, lid])).await
    }

    async fn get_pn_mapping(&self, phone: &str) -> Result<Option<LidPnMappingEntry>> {
        let Some(lid) = self.get(&name(&[PN, phone])).await? else { return Ok(None) };
        self.get_lid_mapping(&String::from_utf8_lossy(&lid)).await
    }

    async fn put_lid_mapping(&self, entry: &LidPnMappingEntry) -> Result<()> {
        self.put_lid_mappings(std::slice::from_ref(entry)).await
    }

    async fn put_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut writes: Vec<Write> = Vec::with_capacity(2 * entries.len());
        let mut learnt = Vec::new();
        for entry in entries {
            let before = self.get_lid_mapping(&entry.lid).await?;
            if before.as_ref().is_none_or(|before| before.phone_number != entry.phone_number) {
                learnt.push((entry.lid.clone(), entry.phone_number.clone()));
            }
            // A hidden address belongs to one number: the number it belonged to before does not lead to it any more.
            if let Some(before) = before.filter(|before| before.phone_number != entry.phone_number) {
                writes.push((name(&[PN, &before.phone_number]), None));
            }
            writes.push((name(&[LID, &entry.lid]), Some(to_json(entry)?)));
            writes.push((name(&[PN, &entry.phone_number]), keep(entry.lid.as_bytes())));
        }
        self.write(writes).await?;
        for pair in learnt {
            // An error means that the connection ends; on the next one it is told when the person writes.
            let _ = self.learnt.send(pair);
        }
        Ok(())
    }

    async fn get_all_lid_mappings(&self) -> Result<Vec<LidPnMappingEntry>> {
        self.below(LID).await?.iter().map(|(_, entry)| from_json(entry)).collect()
    }

    async fn save_base_key(&self, address: &str, id: &str, key: &[u8]) -> Result<()> {
        self.put(name(&[BASE_KEY, address, id]), key).await
    }

    async fn has_same_base_key(&self, address: &str, id: &str, key: &[u8]) -> Result<bool> {
        Ok(self.get(&name(&[BASE_KEY, address, id])).await?.is_some_and(|saved| saved.as_slice() == key))
    }

    async fn delete_base_key(&self, address: &str, id: &str) -> Result<()> {
        self.remove(name(&[BASE_KEY, address, id])).await
    }

    async fn update_device_list(&self, record: DeviceListRecord) -> Result<()> {
        self.put_json(name(&[DEVICES, &record.user]), &record).await
    }

    async fn update_device_lists(&self, records: Vec<DeviceListRecord>) -> Result<()> {
        let writes = records.iter().map(|record| Ok((name(&[DEVICES, &record.user]), Some(to_json(record)?))));
        self.write(writes.collect::<Result<_>>()?).await
    }

    async fn get_devices(&self, user: &str) -> Result<Option<DeviceListRecord>> {
        self.get_json(&name(&[DEVICES, user])).await
    }

    async fn delete_devices(&self, user: &str) -> Result<()> {
        self.remove(name(&[DEVICES, user])).await
    }

    async fn get_group_metadata(&self, group: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.get(&name(&[GROUP, group])).await?.map(|metadata| metadata.to_vec()))
    }

    async fn put_group_metadata(&self, group: &str, metadata: &[u8]) -> Result<()> {
        self.put(name(&[GROUP, group]), metadata).await
    }

    async fn delete_group_metadata(&self, group: &str) -> Result<()> {
        self.remove(name(&[GROUP, group])).await
    }

    async fn get_tc_token(&self, jid: &str) -> Result<Option<TcTokenEntry>> {
        self.get_json(&name(&[TC_TOKEN, jid])).await
    }

    async fn put_tc_token(&self, jid: &str, entry: &TcTokenEntry) -> Result<()> {
        self.put_json(name(&[TC_TOKEN, jid]), entry).await
    }

    async fn delete_tc_token(&self, jid: &str) -> Result<()> {
        self.remove(name(&[TC_TOKEN, jid])).await
    }

    async fn get_all_tc_token_jids(&self) -> Result<Vec<String>> {
        Ok(self.below(TC_TOKEN).await?.iter().map(|(rest, _)| part(rest)).collect())
    }

    async fn delete_expired_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> Result<u32> {
        let is_live = |entry: TcTokenEntry| {
            (!entry.token.is_empty() && entry.token_timestamp >= token_cutoff)
                || entry.sender_timestamp.is_some_and(|sent| sent >= sender_cutoff)
        };
        let _turn = self.turn.lock().await;
        self.remove_below(TC_TOKEN, |_, bytes| from_json(bytes).is_ok_and(|entry| !is_live(entry))).await
    }

    async fn touch_tc_token_sender_timestamp(&self, jid: &str, sent: i64) -> Result<()> {
        let _turn = self.turn.lock().await;
        let entry = match self.get_tc_token(jid).await? {
            Some(entry) => TcTokenEntry { sender_timestamp: entry.sender_timestamp.max(Some(sent)), ..entry },
            None => TcTokenEntry { token: Vec::new(), token_timestamp: sent, sender_timestamp: Some(sent) },
        };
        self.put_tc_token(jid, &entry).await
    }

    async fn store_received_tc_token(&self, jid: &str, token: &[u8], received: i64) -> Result<()> {
        let _turn = self.turn.lock().await;
        let known = self.get_tc_token(jid).await?;
        if known.as_ref().is_some_and(|known| !known.token.is_empty() && received < known.token_timestamp) {
            return Ok(());
        }
        let sender_timestamp = known.and_then(|known| known.sender_timestamp);
        let entry = TcTokenEntry { token: token.to_vec(), token_timestamp: received, sender_timestamp };
        self.put_tc_token(jid, &entry).await
    }

    async fn store_sent_message(&self, chat: &str, id: &str, payload: &[u8]) -> Result<()> {
        self.note_sent(chat, id, payload).await
    }

    async fn take_sent_message(&self, chat: &str, id: &str) -> Result<Option<Vec<u8>>> {
        self.take_sent(chat, id).await
    }

    async fn delete_expired_sent_messages(&self, cutoff: i64) -> Result<u32> {
        self.forget_sent(cutoff).await
    }

    async fn store_pending_inbound(&self, chat: &str, sender: &str, id: &str, message: &[u8]) -> Result<()> {
        self.hold(&[PendingInboundRow { chat, sender, id, message }]).await
    }

    async fn store_pending_inbound_batch(&self, rows: &[PendingInboundRow<'_>]) -> Result<()> {
        self.hold(rows).await
    }

    async fn get_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<Option<Vec<u8>>> {
        self.held(chat, sender, id).await
    }

    async fn delete_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<()> {
        self.let_go(&[PendingInboundKey { chat, sender, id }]).await
    }

    async fn delete_pending_inbound_batch(&self, keys: &[PendingInboundKey<'_>]) -> Result<()> {
        self.let_go(keys).await
    }

    async fn delete_expired_pending_inbound(&self, cutoff: i64) -> Result<u32> {
        self.let_go_before(cutoff).await
    }
}
