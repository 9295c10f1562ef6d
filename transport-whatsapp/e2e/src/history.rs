//! The history that a phone shares with a newly linked device.

use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use whatsapp_rust::buffa::{Message as _, MessageField};
use whatsapp_rust::waproto::whatsapp as wa;
use whatsapp_rust::waproto::whatsapp::conversation::EndOfHistoryTransferType;

/// What a phone shares at once.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The chats.
    pub chats: Vec<HistoryChat>,
    /// What people call themselves: address and name.
    pub names: Vec<(String, String)>,
    /// Who is whom: hidden address and number, both as addresses.
    pub same: Vec<(String, String)>,
    /// How much of all of it this is, in percent.
    pub progress: Option<u32>,
}

/// A chat as the phone knew it before the device was linked.
#[derive(Debug, Clone, Default)]
pub struct HistoryChat {
    /// Whom it is with: `<number>@s.whatsapp.net`, `<lid>@lid`, `…@g.us`.
    pub jid: String,
    /// What the phone calls it.
    pub name: Option<String>,
    /// How many messages the phone's owner had not read.
    pub unread: u32,
    /// What was said, oldest first.
    pub messages: Vec<HistoryMessage>,
    /// Whether it was put aside.
    pub archived: bool,
    /// Until when it makes no sound, in seconds since 1970.
    pub muted_until: Option<u64>,
    /// Whether the phone has nothing older.
    pub is_whole: bool,
}

/// A message of a shared history.
#[derive(Debug, Clone, Default)]
pub struct HistoryMessage {
    /// Its id.
    pub id: String,
    /// Whether the phone's owner wrote it.
    pub from_me: bool,
    /// In a group: who wrote it.
    pub participant: Option<String>,
    /// What it says.
    pub content: wa::Message,
    /// Or, instead: which line of the network's own it is.
    pub stub: Option<wa::web_message_info::StubType>,
    /// What was put under it, by the other side: the reaction's id, the emoji.
    pub reactions: Vec<(String, String)>,
    /// When, in seconds since 1970.
    pub at: u64,
}

impl HistoryMessage {
    /// A text of the other side.
    pub fn text(id: &str, text: &str, at: u64) -> Self {
        let content = wa::Message { conversation: Some(text.to_owned()), ..Default::default() };
        Self { id: id.to_owned(), content, at, ..Default::default() }
    }

    /// The same by the phone's owner.
    pub fn from_me(self) -> Self {
        Self { from_me: true, ..self }
    }
}

/// The message with which a phone hands over a history that is small enough to be put inside.
pub(crate) fn notification(history: &History) -> Result<wa::Message> {
    let sync = wa::HistorySync {
        sync_type: wa::history_sync::HistorySyncType::INITIAL_BOOTSTRAP,
        chunk_order: Some(0),
        progress: history.progress,
        conversations: history.chats.iter().map(conversation).collect(),
        pushnames: history
            .names
            .iter()
            .map(|(jid, name)| wa::Pushname { id: Some(jid.clone()), pushname: Some(name.clone()) })
            .collect(),
        phone_number_to_lid_mappings: history
            .same
            .iter()
            .map(|(lid, pn)| wa::PhoneNumberToLIDMapping { lid_jid: Some(lid.clone()), pn_jid: Some(pn.clone()) })
            .collect(),
        ..Default::default()
    };
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&sync.encode_to_vec())?;
    let note = wa::message::HistorySyncNotification {
        sync_type: Some(wa::message::HistorySyncType::INITIAL_BOOTSTRAP),
        chunk_order: Some(0),
        progress: history.progress,
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
        name: chat.name.clone(),
        unread_count: Some(chat.unread),
        conversation_timestamp: chat.messages.iter().map(|message| message.at).max(),
        messages: chat.messages.iter().map(|message| said(&chat.jid, message)).collect(),
        archived: Some(chat.archived),
        mute_end_time: chat.muted_until,
        end_of_history_transfer: Some(true),
        end_of_history_transfer_type: Some(match chat.is_whole {
            true => EndOfHistoryTransferType::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY,
            false => EndOfHistoryTransferType::COMPLETE_BUT_MORE_MESSAGES_REMAIN_ON_PRIMARY,
        }),
        ..Default::default()
    }
}

fn said(chat: &str, message: &HistoryMessage) -> wa::HistorySyncMsg {
    let key = |id: &str, from_me: bool| {
        MessageField::some(wa::MessageKey {
            remote_jid: Some(chat.to_owned()),
            from_me: Some(from_me),
            id: Some(id.to_owned()),
            participant: message.participant.clone(),
        })
    };
    let reaction = |(id, emoji): &(String, String)| wa::Reaction {
        key: key(id, false),
        text: Some(emoji.clone()),
        sender_timestamp_ms: Some(i64::try_from(message.at).unwrap_or(0).saturating_mul(1000)),
        ..Default::default()
    };
    let content = match message.stub {
        Some(_) => MessageField::default(),
        None => MessageField::some(message.content.clone()),
    };
    let info = wa::WebMessageInfo {
        key: key(&message.id, message.from_me),
        message: content,
        message_timestamp: Some(message.at),
        message_stub_type: message.stub,
        reactions: message.reactions.iter().map(reaction).collect(),
        ..Default::default()
    };
    wa::HistorySyncMsg { message: MessageField::some(info), ..Default::default() }
}
