//! The history that a phone shares with a newly linked device.

use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use whatsapp_rust::buffa::{Message as _, MessageField};
use whatsapp_rust::waproto::whatsapp as wa;

/// A chat as the phone knew it before the device was linked.
#[derive(Debug, Clone)]
pub struct HistoryChat {
    /// Whom it is with: `<number>@s.whatsapp.net`, `<lid>@lid`, `…@g.us`.
    pub jid: String,
    /// How they are called.
    pub name: String,
    /// How many messages the phone's owner had not read.
    pub unread: u32,
    /// What was said, oldest first.
    pub messages: Vec<HistoryMessage>,
}

/// A message of a shared history.
#[derive(Debug, Clone)]
pub struct HistoryMessage {
    /// Its id.
    pub id: String,
    /// Whether the phone's owner wrote it.
    pub from_me: bool,
    /// What it says.
    pub text: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// The message with which a phone hands over a history that is small enough to be put inside.
pub(crate) fn notification(chats: &[HistoryChat]) -> Result<wa::Message> {
    let sync = wa::HistorySync {
        sync_type: wa::history_sync::HistorySyncType::INITIAL_BOOTSTRAP,
        chunk_order: Some(0),
        progress: Some(100),
        conversations: chats.iter().map(conversation).collect(),
        pushnames: chats
            .iter()
            .map(|chat| wa::Pushname { id: Some(chat.jid.clone()), pushname: Some(chat.name.clone()) })
            .collect(),
        ..Default::default()
    };
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&sync.encode_to_vec())?;
    let note = wa::message::HistorySyncNotification {
        sync_type: Some(wa::message::HistorySyncType::INITIAL_BOOTSTRAP),
        chunk_order: Some(0),
        progress: Some(100),
        initial_hist_bootstrap_inline_payload: Some(packed.finish()?),
        ..Default::default()
    };
    let protocol = wa::message::ProtocolMessage {
        r#type: Some(wa::message::protocol_message::Type::HISTORY_SYNC_NOTIFICATION),
        history_sync_notification: MessageField::some(note),
        ..Default::default()
    };
    Ok(wa::Message { protocol_message: MessageField::some(protocol), ..Default::default() })
}

fn conversation(chat: &HistoryChat) -> wa::Conversation {
    wa::Conversation {
        id: chat.jid.clone(),
        name: Some(chat.name.clone()),
        unread_count: Some(chat.unread),
        conversation_timestamp: chat.messages.iter().map(|message| message.at).max(),
        messages: chat.messages.iter().map(|message| said(&chat.jid, message)).collect(),
        ..Default::default()
    }
}

fn said(chat: &str, message: &HistoryMessage) -> wa::HistorySyncMsg {
    let key = wa::MessageKey {
        remote_jid: Some(chat.to_owned()),
        from_me: Some(message.from_me),
        id: Some(message.id.clone()),
        ..Default::default()
    };
    let content = wa::Message { conversation: Some(message.text.clone()), ..Default::default() };
    let info = wa::WebMessageInfo {
        key: MessageField::some(key),
        message: MessageField::some(content),
        message_timestamp: Some(message.at),
        ..Default::default()
    };
    wa::HistorySyncMsg { message: MessageField::some(info), ..Default::default() }
}
