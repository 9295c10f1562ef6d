//! The store against a vault of the memory storage; and, where it matters, what it leaves there.

use std::sync::Arc;

use seatport::lifecycle::ReasonKind;
use seatport::memory::MemoryStorage;
use seatport::storage::VaultStore;
use seatport::vault::VaultKey;
use seatport::{Random, SessionId, SessionRecord, SystemClock, Timestamp, TransportName};
use whatsapp_rust::bytes::Bytes;
use whatsapp_rust::traits::{
    AppStateSyncKey, AppSyncStore, DeviceInfo, DeviceListRecord, DeviceStore, LidPnMappingEntry, MsgSecretEntry,
    MsgSecretStore, PendingInboundRow, ProtocolStore, SignalStore, TcTokenEntry,
};
use whatsapp_rust::wacore::appstate::processor::AppStateMutationMAC;

use super::*;

struct Seat {
    storage: MemoryStorage,
    record: SessionRecord,
}

impl Seat {
    fn new() -> Self {
        let session = SessionId::generate(Timestamp::from_millis(0), &Random::seeded(1));
        let record = SessionRecord::new(session, Timestamp::from_millis(0), TransportName::new("whatsapp").unwrap());
        Self { storage: MemoryStorage::new(), record }
    }

    /// The store as the next connection has it: the one before may write no more.
    async fn store(&self, key: u8) -> (Store, Fate) {
        let (key, random) = (VaultKey::new([key; 32]), Random::seeded(2));
        let storage = Arc::new(self.storage.clone());
        let vault = Vault::detached(storage, self.record.clone(), &key, &random).await.unwrap();
        let (fate, (learnt, _)) = (Fate::undecided(), mpsc::unbounded_channel());
        (Store::new(vault, Arc::new(SystemClock), fate.clone(), learnt), fate)
    }

    async fn names(&self) -> Vec<String> {
        let entries = self.storage.vault_list(self.record.id, "net/").await.unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    }
}

pub(super) async fn store() -> Store {
    Seat::new().store(1).await.0
}

#[tokio::test]
async fn the_device_survives_its_connection() {
    let seat = Seat::new();
    let (store, _) = seat.store(1).await;
    assert!(!store.exists().await.unwrap());
    assert_eq!(store.create().await.unwrap(), 1);
    let device = store.load().await.unwrap().unwrap();
    let (next, _) = seat.store(1).await;
    let again = next.load().await.unwrap().unwrap();
    assert_eq!(again.registration_id, device.registration_id);
    assert!(next.exists().await.unwrap());
}

#[tokio::test]
async fn a_connection_that_was_replaced_writes_no_more_and_is_lost() {
    let seat = Seat::new();
    let (before, fate) = seat.store(1).await;
    let (_after, _) = seat.store(1).await;
    assert!(before.put_session("5522@s.whatsapp.net", b"stale").await.is_err());
    assert!(matches!(fate.get(), Some(Ending::Lost(reason)) if reason.code.as_deref() == Some("vault")));
    assert_eq!(seat.names().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_closed_store_is_read_and_not_written() {
    let seat = Seat::new();
    let (store, _) = seat.store(1).await;
    store.put_session("5522@s.whatsapp.net", b"session").await.unwrap();
    store.close().await;
    assert!(store.put_session("5533@s.whatsapp.net", b"late").await.is_err());
    assert!(store.create().await.is_err());
    assert!(store.has_session("5522@s.whatsapp.net").await.unwrap());
    assert_eq!(seat.names().await, ["net/session/5522@s.whatsapp.net"]);
}

#[tokio::test]
async fn a_wrong_key_decides_the_connections_fate() {
    let seat = Seat::new();
    seat.store(1).await.0.create().await.unwrap();
    let (store, fate) = seat.store(2).await;
    assert!(store.load().await.is_err());
    assert!(matches!(fate.get(), Some(Ending::Rejected(reason)) if reason.kind == ReasonKind::VaultUnreadable));
}

#[tokio::test]
async fn identities_and_sessions_come_back_and_go() {
    let store = store().await;
    let bob: Arc<str> = "5522:3@s.whatsapp.net".into();
    store.put_identities_batch(&[(bob.clone(), [7; 32])]).await.unwrap();
    store.put_sessions_batch(&[(bob.clone(), Bytes::from_static(b"session"))]).await.unwrap();
    assert_eq!(store.load_identity(&bob).await.unwrap(), Some([7; 32]));
    assert_eq!(store.get_session(&bob).await.unwrap().as_deref(), Some(&b"session"[..]));
    assert!(store.has_session(&bob).await.unwrap());
    assert!(store.has_signal_state_for_user("5522").await.unwrap());
    assert!(!store.has_signal_state_for_user("552").await.unwrap(), "a prefix is not the user");
    store.delete_session(&bob).await.unwrap();
    store.delete_identity(&bob).await.unwrap();
    assert!(!store.has_signal_state_for_user("5522").await.unwrap());
}

#[tokio::test]
async fn a_used_prekey_stays_used() {
    let store = store().await;
    let keys: Vec<_> = (9..=11).map(|id| (id, Bytes::from(vec![id as u8]))).collect();
    store.store_prekeys_batch(&keys, false).await.unwrap();
    assert_eq!(store.get_max_prekey_id().await.unwrap(), 11, "by number, not by letter");
    store.remove_prekey(11).await.unwrap();
    store.mark_prekeys_uploaded(&[9, 10, 11]).await.unwrap();
    assert_eq!(store.load_prekeys_batch(&[9, 10, 11]).await.unwrap(), keys[..2]);
    store.store_signed_prekey(1, b"signed").await.unwrap();
    assert_eq!(store.load_all_signed_prekeys().await.unwrap(), [(1, b"signed".to_vec())]);
}

#[tokio::test]
async fn the_latest_sync_key_is_the_one_set_last() {
    let store = store().await;
    assert_eq!(store.get_latest_sync_key_id().await.unwrap(), None);
    for id in [[2], [1]] {
        store.set_sync_key(&id, AppStateSyncKey { timestamp: i64::from(id[0]), ..Default::default() }).await.unwrap();
    }
    assert_eq!(store.get_latest_sync_key_id().await.unwrap(), Some(vec![1]));
    assert_eq!(store.get_sync_key(&[2]).await.unwrap().unwrap().timestamp, 2);
}

#[tokio::test]
async fn the_macs_of_one_collection_are_cleared_and_no_others() {
    let store = store().await;
    let mac = |index: u8| AppStateMutationMAC { index_mac: vec![index; 32], value_mac: vec![index] };
    for collection in ["regular", "regular_low"] {
        store.put_mutation_macs(collection, 1, &[mac(1), mac(2)]).await.unwrap();
    }
    store.delete_mutation_macs("regular", &[vec![1; 32]]).await.unwrap();
    assert_eq!(store.get_mutation_mac("regular", &[1; 32]).await.unwrap(), None);
    assert_eq!(store.get_mutation_mac("regular", &[2; 32]).await.unwrap(), Some(vec![2]));
    store.clear_mutation_macs("regular").await.unwrap();
    assert_eq!(store.get_mutation_mac("regular", &[2; 32]).await.unwrap(), None);
    assert_eq!(store.get_mutation_macs("regular_low", &[[1; 32], [2; 32]]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn who_has_a_groups_key_is_known_per_group() {
    let store = store().await;
    let (a, b) = ("5511:1@s.whatsapp.net", "5522:2@s.whatsapp.net");
    for group in ["1@g.us", "2@g.us"] {
        store.set_sender_key_status(group, &[(a, true), (b, false)]).await.unwrap();
    }
    let known = store.get_sender_key_devices("1@g.us").await.unwrap();
    assert_eq!(known, [(a.to_owned(), true), (b.to_owned(), false)]);
    store.delete_sender_key_device_rows(&[a]).await.unwrap();
    store.clear_sender_key_devices("1@g.us").await.unwrap();
    assert_eq!(store.get_sender_key_devices("1@g.us").await.unwrap(), []);
    assert_eq!(store.get_sender_key_devices("2@g.us").await.unwrap(), [(b.to_owned(), false)]);
    store.clear_all_sender_key_devices().await.unwrap();
    assert_eq!(store.get_sender_key_devices("2@g.us").await.unwrap(), []);
}

#[tokio::test]
async fn a_hidden_address_leads_to_one_number() {
    let (learnt, mut heard) = mpsc::unbounded_channel();
    let store = Store { learnt, ..store().await };
    let entry = |phone: &str| LidPnMappingEntry {
        lid: "95522".to_owned(),
        phone_number: phone.to_owned(),
        created_at: 1,
        updated_at: 1,
        learning_source: "usync".to_owned(),
    };
    store.put_lid_mapping(&entry("5522")).await.unwrap();
    assert_eq!(store.get_pn_mapping("5522").await.unwrap().unwrap().lid, "95522");
    store.put_lid_mapping(&entry("5533")).await.unwrap();
    assert!(store.get_pn_mapping("5522").await.unwrap().is_none());
    assert_eq!(store.get_lid_mapping("95522").await.unwrap().unwrap().phone_number, "5533");
    assert_eq!(store.get_all_lid_mappings().await.unwrap().len(), 1);
    store.put_lid_mapping(&entry("5533")).await.unwrap();
    drop(store);
    let pair = |phone: &str| Some(("95522".to_owned(), phone.to_owned()));
    assert_eq!((heard.recv().await, heard.recv().await), (pair("5522"), pair("5533")));
    assert_eq!(heard.recv().await, None, "only what is new is told");
}

#[tokio::test]
async fn device_lists_base_keys_and_groups_come_back() {
    let store = store().await;
    let devices = vec![DeviceInfo::new(0, None), DeviceInfo::new(3, Some(1))];
    let list = DeviceListRecord { user: "5522".to_owned(), devices, timestamp: 1, phash: None, raw_id: Some(9) };
    store.update_device_lists(vec![list]).await.unwrap();
    assert_eq!(store.get_devices("5522").await.unwrap().unwrap().devices.len(), 2);
    store.delete_devices("5522").await.unwrap();
    assert!(store.get_devices("5522").await.unwrap().is_none());

    store.save_base_key("5522@s.whatsapp.net", "A", b"key").await.unwrap();
    assert!(store.has_same_base_key("5522@s.whatsapp.net", "A", b"key").await.unwrap());
    assert!(!store.has_same_base_key("5522@s.whatsapp.net", "A", b"other").await.unwrap());
    assert!(!store.has_same_base_key("5522@s.whatsapp.net", "B", b"key").await.unwrap());

    store.put_group_metadata("1@g.us", b"blob").await.unwrap();
    assert_eq!(store.get_group_metadata("1@g.us").await.unwrap(), Some(b"blob".to_vec()));
    store.delete_group_metadata("1@g.us").await.unwrap();
    assert_eq!(store.get_group_metadata("1@g.us").await.unwrap(), None);
}

#[tokio::test]
async fn a_token_is_kept_while_either_side_of_it_lives() {
    let store = store().await;
    store.touch_tc_token_sender_timestamp("95522@lid", 50).await.unwrap();
    store.store_received_tc_token("95522@lid", b"new", 100).await.unwrap();
    store.store_received_tc_token("95522@lid", b"old", 99).await.unwrap();
    store.touch_tc_token_sender_timestamp("95522@lid", 40).await.unwrap();
    let token = store.get_tc_token("95522@lid").await.unwrap().unwrap();
    assert_eq!((token.token.as_slice(), token.token_timestamp, token.sender_timestamp), (&b"new"[..], 100, Some(50)));

    let stale = TcTokenEntry { token: b"x".to_vec(), token_timestamp: 1, sender_timestamp: None };
    store.put_tc_token("95533@lid", &stale).await.unwrap();
    assert_eq!(store.delete_expired_tc_tokens(101, 50).await.unwrap(), 1);
    assert_eq!(store.get_all_tc_token_jids().await.unwrap(), ["95522@lid"]);
    assert_eq!(store.delete_expired_tc_tokens(101, 51).await.unwrap(), 1);
}

#[tokio::test]
async fn what_was_sent_is_handed_out_once_and_not_for_ever() {
    let store = store().await;
    for id in ["A", "B"] {
        store.store_sent_message("5522@s.whatsapp.net", id, b"text").await.unwrap();
    }
    let (one, other) = tokio::join!(
        store.take_sent_message("5522@s.whatsapp.net", "A"),
        store.take_sent_message("5522@s.whatsapp.net", "A")
    );
    let mut taken = [one.unwrap(), other.unwrap()];
    taken.sort();
    assert_eq!(taken, [None, Some(b"text".to_vec())]);
    let now = store.now_secs();
    assert_eq!(store.delete_expired_sent_messages(now - 60).await.unwrap(), 0);
    assert_eq!(store.delete_expired_sent_messages(now + 60).await.unwrap(), 1);
}

#[tokio::test]
async fn what_waits_to_be_stored_waits_across_connections() {
    let seat = Seat::new();
    let (store, _) = seat.store(1).await;
    let (chat, sender) = ("1@g.us", "5522@s.whatsapp.net");
    let row = |id| PendingInboundRow { chat, sender, id, message: b"hello" };
    store.store_pending_inbound_batch(&[row("A"), row("B")]).await.unwrap();
    let (next, _) = seat.store(1).await;
    assert_eq!(next.get_pending_inbound(chat, sender, "A").await.unwrap(), Some(b"hello".to_vec()));
    next.delete_pending_inbound(chat, sender, "A").await.unwrap();
    assert_eq!(next.get_pending_inbound(chat, sender, "A").await.unwrap(), None);
    assert_eq!(next.delete_expired_pending_inbound(next.now_secs() + 60).await.unwrap(), 1);
    assert_eq!(seat.names().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_messages_secret_never_expires_sooner_than_told() {
    let store = store().await;
    let entry = |id: &str, secret: u8, expires_at, message_ts| MsgSecretEntry {
        chat: "1@g.us".into(),
        sender: "5522@s.whatsapp.net".into(),
        msg_id: id.into(),
        secret: [secret; 32],
        expires_at,
        message_ts,
    };
    let batch = vec![entry("A", 1, 100, 10), entry("A", 2, 50, 0), entry("B", 3, 0, 0)];
    assert_eq!(store.put_msg_secrets(batch).await.unwrap(), 3);
    let found = store.get_msg_secret_with_ts("1@g.us", "5522@s.whatsapp.net", "A").await.unwrap();
    assert_eq!(found, Some((vec![2; 32], 10)));
    assert_eq!(store.delete_expired_msg_secrets(99).await.unwrap(), 0);
    assert_eq!(store.delete_expired_msg_secrets(100).await.unwrap(), 1);
    assert!(store.get_msg_secret("1@g.us", "5522@s.whatsapp.net", "B").await.unwrap().is_some(), "0 means never");
}
