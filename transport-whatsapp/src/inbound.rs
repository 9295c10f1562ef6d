//! What comes in: handed to Seatport, and acknowledged to the network once it is stored.

use std::sync::Arc;

use async_trait::async_trait;
use seatport::conversation::Content;
use seatport::transport::{Ack, InboundMessage, Signal};
use seatport::{MessageId, Timestamp};
use tokio::sync::mpsc;
use whatsapp_rust::anyhow::{Result, bail};
use whatsapp_rust::types::durability_hook;
use whatsapp_rust::types::message::{MessageCategory, MessageInfo};
use whatsapp_rust::wacore_binary::JidExt;
use whatsapp_rust::{Client, InboundDurabilityHook, Jid};

use crate::address::by_number;
use crate::content::content;
use crate::fate::Fate;
use crate::verdict::lost;

/// Between the client and Seatport: the client acknowledges what this has let pass, and keeps the rest for the next login.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) signals: mpsc::Sender<Signal>,
    pub(crate) fate: Fate,
}

#[async_trait]
impl InboundDurabilityHook for Inbound {
    async fn on_messages(&self, client: Arc<Client>, batch: &[durability_hook::InboundMessage]) -> Result<()> {
        let mut messages = Vec::new();
        for arrived in batch {
            if let Some(content) = content(&arrived.message) {
                messages.extend(message(&client, &arrived.info, content).await);
            }
        }
        if messages.is_empty() {
            return Ok(());
        }
        let (ack, stored) = Ack::new();
        let handed_over = async {
            // An error means that Seatport has dropped the connection, and the acknowledgement with it.
            let _ = self.signals.send(Signal::Messages { messages, ack }).await;
            stored.await.is_ok()
        };
        // A client that waits here cannot be closed: once the connection ends, nothing is waited for.
        tokio::select! {
            biased;
            stored = handed_over => match stored {
                true => Ok(()),
                false => {
                    // The client does not offer it again, the network does, at the next login.
                    self.fate.decide(lost("not stored"));
                    bail!("the message was not stored")
                }
            },
            _ = self.fate.decided() => bail!("the connection ends"),
        }
    }
}

/// The placeholder of a message that could not be opened. The client has asked for another copy of it.
pub(crate) async fn undecryptable(client: &Client, info: &MessageInfo) -> Option<Signal> {
    let message = message(client, info, Content::Undecryptable).await?;
    Some(Signal::Messages { messages: vec![message], ack: Ack::unneeded() })
}

/// Whether a chat is one that Seatport shows: people and groups. Status posts and channels are neither.
fn is_shown(chat: &Jid) -> bool {
    chat.is_group() || chat.is_pn() || chat.is_lid()
}

async fn message(client: &Client, info: &MessageInfo, content: Content) -> Option<InboundMessage> {
    let source = &info.source;
    if info.category == MessageCategory::Peer || !is_shown(&source.chat) {
        return None;
    }
    // What the stanza tells of the other address of whom it names.
    let (chat_also, sender_also) = match source.is_from_me {
        true => (source.recipient_alt.as_ref().or(info.peer_recipient_pn.as_ref()), source.sender_alt.as_ref()),
        false => (source.sender_alt.as_ref(), source.sender_alt.as_ref()),
    };
    let chat = by_number(client, &source.chat, chat_also.filter(|_| !source.chat.is_group())).await?;
    let sender = by_number(client, &source.sender, sender_also).await?;
    let Ok(id) = MessageId::new(info.id.as_str()) else {
        tracing::warn!(length = info.id.len(), "a message with an impossible id was passed over");
        return None;
    };
    Some(InboundMessage {
        chat,
        id,
        sender,
        sender_name: (!info.push_name.is_empty()).then(|| info.push_name.clone()),
        from_account: source.is_from_me,
        content,
        at: Timestamp::from_millis(info.timestamp.timestamp_millis()),
    })
}
