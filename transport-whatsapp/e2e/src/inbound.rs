//! What the server does with the stanzas of a client.

use std::sync::Arc;

use anyhow::Result;
use whatsapp_rust::wacore::libsignal::protocol::ProtocolAddress;
use whatsapp_rust::wacore_binary::{Jid, Node, NodeRef};
use whatsapp_rust::waproto::whatsapp as wa;

use crate::connection::{Caller, Line};
use crate::iq;
use crate::journal::{Content, Seen};
use crate::network::{Network, number_of};
use crate::settings;
use crate::stanza::{self, optional_text, text};

/// How many offline messages come without being asked for.
const PRIMER: usize = 5;

/// Handles one stanza.
pub(crate) async fn handle(network: &Arc<Network>, caller: &Caller, line: &Line, stanza: &Node) -> Result<()> {
    let stanza = stanza.as_node_ref();
    let tag = stanza.tag.as_ref();
    if tag == "iq" {
        return iq::handle(network, caller, line, &stanza).await;
    }
    let Caller::Companion(number) = caller else { return Ok(()) };
    match tag {
        "message" => message(network, number, line, &stanza).await,
        "receipt" => receipt(network, number, line, &stanza).await?,
        "ack" => ack(network, number, &stanza).await,
        "ib" => {
            if let Some(batch) = stanza.get_optional_child("offline_batch") {
                let count = text(batch, "count").parse().unwrap_or(0);
                drain(network, number, line, count).await;
            }
        }
        _ => network.journal.record(Seen::Stanza {
            account: number.clone(),
            tag: tag.to_owned(),
            kind: optional_text(&stanza, "type"),
        }),
    }
    Ok(())
}

/// The companion is ready for messages: what waited for it comes first.
pub(crate) async fn activate(network: &Arc<Network>, number: &str, line: &Line) -> Result<()> {
    network.journal.record(Seen::Active { connection: line.connection(), account: number.to_owned() });
    let Some(account) = network.known_account(number) else { return Ok(()) };
    {
        let mut account = account.lock().await;
        let envelope = account.peer_envelope(format!("SETTINGS{}", network.next()));
        let companion = account.companion()?;
        companion.active = true;
        let waiting = companion.mailbox.waiting();
        companion.backlog = Some(waiting);
        if waiting > 0 {
            line.say(stanza::offline_preview(waiting));
        }
        // A client that does not know the account's name waits ten seconds for this key at every login, in the hope of
        // finding the name among the settings. There are none here, so it never learns the name: it gets the key each
        // time.
        account.send_from_phone(envelope, settings_key()).await?;
    }
    drain(network, number, line, PRIMER).await;
    Ok(())
}

/// Hands over more of what waits for a companion, and says so when that was all.
async fn drain(network: &Network, number: &str, line: &Line, count: usize) {
    let Some(account) = network.known_account(number) else { return };
    let mut account = account.lock().await;
    let Some(companion) = &mut account.companion else { return };
    for message in companion.mailbox.hand_over(count) {
        line.say(message);
    }
    if companion.mailbox.is_handed_over()
        && let Some(total) = companion.backlog.take()
    {
        line.say(stanza::offline_end(total));
    }
}

/// A message of the companion: acknowledged, and opened by everyone it was sealed for.
async fn message(network: &Network, number: &str, line: &Line, stanza: &NodeRef<'_>) {
    let id = text(stanza, "id");
    let to = text(stanza, "to");
    let Some(account) = network.known_account(number) else { return };
    let device = {
        let account = account.lock().await;
        if !account.withholds_acks {
            line.say(stanza::ack("message", &id, &to));
        }
        let Some(companion) = &account.companion else { return };
        companion.address(number)
    };
    for (jid, kind, sealed) in sealed_parts(stanza) {
        let opened = open(network, &jid, &device, &kind, &sealed).await;
        let content = opened.map_or_else(|error| Content::Sealed(format!("{error:#}")), |message| content(&message));
        network.journal.record(Seen::Message {
            account: number.to_owned(),
            id: id.clone(),
            to: to.clone(),
            device: jid.to_string(),
            content,
        });
    }
}

/// The ciphertexts of a message: one per device, or one for the only device there is.
fn sealed_parts(stanza: &NodeRef<'_>) -> Vec<(Jid, String, Vec<u8>)> {
    let part = |jid: Option<Jid>, holder: &NodeRef<'_>| {
        let sealed = holder.get_optional_child("enc")?;
        Some((jid?, text(sealed, "type"), sealed.content_bytes()?.to_vec()))
    };
    let jid = |node: &NodeRef<'_>, name: &str| node.get_attr(name).and_then(|value| value.to_jid());
    let participants = stanza.get_optional_child("participants").and_then(NodeRef::children).unwrap_or_default();
    participants
        .iter()
        .filter_map(|participant| part(jid(participant, "jid"), participant))
        .chain(part(jid(stanza, "to"), stanza))
        .collect()
}

async fn open(
    network: &Network,
    receiver: &Jid,
    sender: &ProtocolAddress,
    kind: &str,
    sealed: &[u8],
) -> Result<wa::Message> {
    let number = number_of(receiver);
    match network.known_account(&number) {
        Some(account) => account.lock().await.phone.open(sender, kind, sealed).await,
        None => network.person(&number).lock().await.party.open(sender, kind, sealed).await,
    }
}

fn content(message: &wa::Message) -> Content {
    if let Some(copy) = message.device_sent_message.as_option() {
        return match copy.message.as_option().and_then(text_of) {
            Some(text) => Content::CopyOfText(text),
            None => Content::Other,
        };
    }
    let context = message.extended_text_message.as_option().and_then(|extended| extended.context_info.as_option());
    match (text_of(message), context.and_then(|context| context.stanza_id.clone())) {
        (Some(text), Some(to)) => {
            Content::Answer { text, to, by: context.and_then(|context| context.participant.clone()) }
        }
        (Some(text), None) => Content::Text(text),
        (None, _) => Content::Other,
    }
}

fn text_of(message: &wa::Message) -> Option<String> {
    let extended = || message.extended_text_message.as_option().and_then(|extended| extended.text.clone());
    message.conversation.clone().or_else(extended)
}

/// A receipt takes its messages out of the queue; one that asks for another copy gets it.
async fn receipt(network: &Network, number: &str, line: &Line, stanza: &NodeRef<'_>) -> Result<()> {
    let id = text(stanza, "id");
    let to = text(stanza, "to");
    let kind = optional_text(stanza, "type");
    let mut ids = vec![id.clone()];
    let items = stanza.get_optional_child("list").and_then(NodeRef::children).unwrap_or_default();
    ids.extend(items.iter().map(|item| text(item, "id")).filter(|item| *item != id));

    line.say(stanza::ack("receipt", &id, &to));
    acknowledge(network, number, &ids).await;
    let wants_copy = kind.as_deref() == Some("retry");
    network.journal.record(Seen::Receipt { account: number.to_owned(), to, kind, ids });
    if wants_copy { crate::resend::resend(network, number, &id).await } else { Ok(()) }
}

async fn ack(network: &Network, number: &str, stanza: &NodeRef<'_>) {
    let id = text(stanza, "id");
    if text(stanza, "class") == "message" {
        acknowledge(network, number, std::slice::from_ref(&id)).await;
        let error = optional_text(stanza, "error");
        network.journal.record(Seen::Ack { account: number.to_owned(), id, error });
    } else {
        let kind = optional_text(stanza, "class");
        network.journal.record(Seen::Stanza { account: number.to_owned(), tag: "ack".to_owned(), kind });
    }
}

async fn acknowledge(network: &Network, number: &str, ids: &[String]) {
    let Some(account) = network.known_account(number) else { return };
    let mut account = account.lock().await;
    if let Some(companion) = &mut account.companion {
        ids.iter().for_each(|id| companion.mailbox.acknowledge(id));
    }
}

/// The key with which the account's settings are sealed.
fn settings_key() -> wa::Message {
    use wa::message::protocol_message::Type;
    use wa::message::{
        AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId, AppStateSyncKeyShare,
        ProtocolMessage,
    };
    use whatsapp_rust::buffa::MessageField;
    let fingerprint =
        AppStateSyncKeyFingerprint { raw_id: Some(7), current_index: Some(0), device_indexes: vec![0, 1] };
    let data = AppStateSyncKeyData {
        key_data: Some(settings::KEY.to_vec()),
        timestamp: Some(i64::try_from(stanza::now()).unwrap_or(i64::MAX)),
        fingerprint: MessageField::some(fingerprint),
    };
    let key = AppStateSyncKey {
        key_id: MessageField::some(AppStateSyncKeyId { key_id: Some(settings::KEY_ID.to_vec()) }),
        key_data: MessageField::some(data),
    };
    let protocol = ProtocolMessage {
        r#type: Some(Type::APP_STATE_SYNC_KEY_SHARE),
        app_state_sync_key_share: MessageField::some(AppStateSyncKeyShare { keys: vec![key] }),
        ..Default::default()
    };
    wa::Message { protocol_message: MessageField::some(protocol), ..Default::default() }
}
