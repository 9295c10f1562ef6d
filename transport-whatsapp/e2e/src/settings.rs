//! The state that an account's devices share: who is saved under which name, what is archived, muted, read.

use std::collections::HashMap;

use whatsapp_rust::buffa::{Message as _, MessageField};
use whatsapp_rust::wacore::appstate::hash::{HashState, generate_patch_mac};
use whatsapp_rust::wacore::appstate::{encode_record, expand_app_state_keys};
use whatsapp_rust::wacore_binary::builder::NodeBuilder;
use whatsapp_rust::wacore_binary::{Node, NodeRef};
use whatsapp_rust::waproto::whatsapp as wa;
use whatsapp_rust::waproto::whatsapp::syncd_mutation::SyncdOperation;

use crate::stanza::{SERVER, now, optional_text, text};

/// The key with which it is sealed, and its id.
pub(crate) const KEY: [u8; 32] = [7; 32];
pub(crate) const KEY_ID: [u8; 6] = [0, 0, 0, 0, 0, 1];
/// The one collection that is used here. Which setting belongs into which the clients do not check.
const COLLECTION: &str = "regular_low";

/// One change of the shared state.
#[derive(Debug, Clone)]
pub struct Setting {
    index: Vec<String>,
    value: wa::SyncActionValue,
}

impl Setting {
    /// The address book calls this person so.
    pub fn saved_name(jid: &str, name: &str) -> Self {
        let action = wa::sync_action_value::ContactAction { full_name: Some(name.to_owned()), ..Default::default() };
        let value = wa::SyncActionValue { contact_action: MessageField::some(action), ..Default::default() };
        Self { index: vec!["contact".into(), jid.into()], value }
    }

    /// The same, with the person's hidden address.
    pub fn of_hidden(mut self, lid: &str) -> Self {
        if let Some(action) = self.value.contact_action.as_option_mut() {
            action.lid_jid = Some(lid.to_owned());
        }
        self
    }

    /// The chat was put aside, or taken back.
    pub fn archived(jid: &str, archived: bool) -> Self {
        let action = wa::sync_action_value::ArchiveChatAction { archived: Some(archived), ..Default::default() };
        let value = wa::SyncActionValue { archive_chat_action: MessageField::some(action), ..Default::default() };
        Self { index: vec!["archive".into(), jid.into()], value }
    }

    /// The chat makes no sound until then, in milliseconds since 1970.
    pub fn muted(jid: &str, until: i64) -> Self {
        let action = wa::sync_action_value::MuteAction {
            muted: Some(true),
            mute_end_timestamp: Some(until),
            ..Default::default()
        };
        let value = wa::SyncActionValue { mute_action: MessageField::some(action), ..Default::default() };
        Self { index: vec!["mute".into(), jid.into()], value }
    }

    /// The chat was marked as read, all of it.
    pub fn read(jid: &str) -> Self {
        let action = wa::sync_action_value::MarkChatAsReadAction { read: Some(true), ..Default::default() };
        let value = wa::SyncActionValue { mark_chat_as_read_action: MessageField::some(action), ..Default::default() };
        Self { index: vec!["markChatAsRead".into(), jid.into()], value }
    }
}

/// All changes so far, patch by patch.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    state: HashState,
    /// Of each setting the code of its last value, which the next one replaces.
    codes: HashMap<Vec<u8>, Vec<u8>>,
    patches: Vec<Vec<u8>>,
}

impl Settings {
    /// Seals a patch; answers the notice of it for the devices.
    pub(crate) fn change(&mut self, id: String, settings: &[Setting]) -> Node {
        let keys = expand_app_state_keys(&KEY);
        let sealed = settings.iter().map(|setting| {
            let names: Vec<_> = setting.index.iter().map(|name| format!("{name:?}")).collect();
            let index = format!("[{}]", names.join(","));
            let at = i64::try_from(now()).unwrap_or(i64::MAX).saturating_mul(1000);
            let value = wa::SyncActionValue { timestamp: Some(at), ..setting.value.clone() };
            encode_record(SyncdOperation::SET, index.as_bytes(), &value, &keys, &KEY_ID, &[1; 16], 2)
        });
        let (mutations, codes): (Vec<_>, Vec<_>) = sealed.unzip();
        let index = |mutation: &wa::SyncdMutation| mutation.record.index.blob.clone().unwrap_or_default();
        let before = &self.codes;
        let (_, outcome) = self.state.update_hash(&mutations, |index, _| Ok(before.get(index).cloned()));
        outcome.expect("every mutation is a SET with a code");
        self.codes.extend(mutations.iter().map(index).zip(codes.iter().map(|code| code.to_vec())));
        self.state.version += 1;

        let version = self.state.version;
        let mut patch = wa::SyncdPatch {
            version: MessageField::some(wa::SyncdVersion { version: Some(version) }),
            mutations,
            snapshot_mac: Some(self.state.generate_snapshot_mac(COLLECTION, &keys.snapshot_mac)),
            key_id: MessageField::some(wa::KeyId { id: Some(KEY_ID.to_vec()) }),
            ..Default::default()
        };
        patch.patch_mac = Some(generate_patch_mac(&patch, COLLECTION, &keys.patch_mac, version));
        self.patches.push(patch.encode_to_vec());

        let collection =
            NodeBuilder::new("collection").attr("name", COLLECTION).attr("version", version.to_string()).build();
        NodeBuilder::new("notification")
            .attr("from", SERVER)
            .attr("type", "server_sync")
            .attr("id", id)
            .attr("t", now().to_string())
            .children([collection])
            .build()
    }

    /// What the client does not have yet of each collection that it asks for.
    pub(crate) fn answer(&self, iq: &NodeRef<'_>) -> Node {
        let asked = iq.get_optional_child("sync").and_then(NodeRef::children).unwrap_or_default();
        let collections = asked.iter().map(|collection| {
            let name = text(collection, "name");
            let version = optional_text(collection, "version").unwrap_or_else(|| "0".to_owned());
            let known = version.parse().unwrap_or(0);
            let missing = if name == COLLECTION { self.patches.get(known..).unwrap_or_default() } else { &[] };
            let version = if missing.is_empty() { version } else { self.state.version.to_string() };
            let patches = missing.iter().map(|patch| NodeBuilder::new("patch").bytes(patch.clone()).build());
            NodeBuilder::new("collection")
                .attr("name", name)
                .attr("version", version)
                .attr("type", "result")
                .children([NodeBuilder::new("patches").children(patches).build()])
                .build()
        });
        NodeBuilder::new("sync").children(collections).build()
    }
}
