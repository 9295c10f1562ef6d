//! What comes in: handed to Seatport, and acknowledged to the network once it is stored.

use std::sync::Arc;

use async_trait::async_trait;
use seatport::conversation::{Amendment, ChatKind, Content};
use seatport::transport::{Ack, InboundMessage, Signal};
use seatport::{Address, MessageId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use whatsapp_rust::anyhow::{Result, bail};
use whatsapp_rust::prelude::wa;
use whatsapp_rust::types::durability_hook;
use whatsapp_rust::types::message::{MessageCategory, MessageInfo};
use whatsapp_rust::wacore::types::events::{DecryptFailMode, MessageBatch, UnavailableType, UndecryptableMessage};
use whatsapp_rust::{Client, InboundDurabilityHook, Jid};

use crate::address::{by_number, kind, own, pair, phone};
use crate::amendment::{Change, change};
use crate::content::{content, quoted};
use crate::fate::Fate;
use crate::people::People;
use crate::store::Store;
use crate::verdict::lost;

/// Between the client and Seatport: the client acknowledges what this has let pass, and keeps the rest for the next login.
#[derive(Clone, Debug)]
pub(crate) struct Inbound {
    pub(crate) signals: mpsc::Sender<Signal>,
    pub(crate) people: People,
    pub(crate) store: Store,
    pub(crate) fate: Fate,
}

/// What a batch comes to.
#[derive(Debug, Default)]
struct News {
    messages: Vec<InboundMessage>,
    amendments: Vec<Amendment>,
    people: Vec<(Address, Address)>,
}

/// Where a message belongs, and whose it is.
struct Source {
    chat: Address,
    kind: ChatKind,
    sender: Address,
    id: MessageId,
    at: Timestamp,
}

#[async_trait]
impl InboundDurabilityHook for Inbound {
    async fn on_messages(&self, client: Arc<Client>, batch: &[durability_hook::InboundMessage]) -> Result<()> {
        let mut news = News::default();
        for arrived in batch {
            self.sort(&client, &arrived.info, &arrived.message, &mut news).await;
        }
        // A client that waits here cannot be closed: once the connection ends, nothing is waited for.
        tokio::select! {
            biased;
            stored = self.hand_over(&client, news) => match stored {
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

impl Inbound {
    /// What the phone has opened for this device. The client has acknowledged it by now.
    pub(crate) async fn opened_elsewhere(&self, client: &Client, batch: &MessageBatch) {
        let mut news = News::default();
        for opened in batch.iter().filter(|message| message.info.unavailable_request_id.is_some()) {
            self.sort(client, &opened.info, &opened.message, &mut news).await;
        }
        self.people.tell(own(client).as_ref(), news.people).await;
        // An error means that Seatport has dropped the connection.
        if !news.messages.is_empty() {
            let _ = self.signals.send(Signal::Messages { messages: news.messages, ack: Ack::unneeded() }).await;
        }
        if !news.amendments.is_empty() {
            let signal = Signal::Amendments { amendments: news.amendments, ack: Ack::unneeded() };
            let _ = self.signals.send(signal).await;
        }
    }

    /// The placeholder of a message that could not be opened. The client has asked for another copy of it.
    pub(crate) async fn undecryptable(&self, client: &Client, event: &UndecryptableMessage) {
        // What is marked so is no message of its own, but a reaction, a vote, a setting.
        if event.decrypt_fail_mode == DecryptFailMode::Hide {
            return;
        }
        let Some((source, people)) = source(client, &event.info).await else { return };
        let content = match event.unavailable_type {
            // The phone keeps these to itself: no other copy will come.
            UnavailableType::ViewOnce => Content::Unsupported("view once".to_owned()),
            _ => Content::Undecryptable,
        };
        self.people.tell(own(client).as_ref(), people).await;
        let messages = vec![source.message(&event.info, content, None)];
        // An error means that Seatport has dropped the connection.
        let _ = self.signals.send(Signal::Messages { messages, ack: Ack::unneeded() }).await;
    }

    async fn sort(&self, client: &Client, info: &MessageInfo, message: &wa::Message, news: &mut News) {
        let (change, content) = (change(message), content(message));
        if change.is_none() && content.is_none() {
            return;
        }
        let Some((source, people)) = source(client, info).await else { return };
        news.people.extend(people);
        if let Some(change) = change {
            let wrote_it = match change.wants_author() {
                true => self.wrote(client, &info.source.chat, &change, &source.sender).await,
                false => None,
            };
            if change.is_allowed(source.kind, &info.edit, wrote_it) {
                news.amendments.push(change.amendment(source.chat, source.id, source.sender, source.at));
            } else {
                tracing::debug!("somebody tried to change what somebody else wrote");
            }
        } else if let Some(content) = content {
            news.messages.push(source.message(info, content, quoted(message)));
        }
    }

    /// Whether this sender wrote the message that is to be changed, as far as the vault knows.
    async fn wrote(&self, client: &Client, chat: &Jid, change: &Change, sender: &Address) -> Option<bool> {
        let author = self.store.author(client, chat, change.target.as_str()).await?;
        Some(by_number(client, &author, None).await? == *sender)
    }

    /// Whether all of it is stored.
    async fn hand_over(&self, client: &Client, news: News) -> bool {
        let News { messages, amendments, people } = news;
        self.people.tell(own(client).as_ref(), people).await;
        let mut acks: Vec<oneshot::Receiver<()>> = Vec::new();
        let mut ack = || {
            let (ack, stored) = Ack::new();
            acks.push(stored);
            ack
        };
        // An error means that Seatport has dropped the connection, and the acknowledgement with it.
        if !messages.is_empty() {
            let _ = self.signals.send(Signal::Messages { messages, ack: ack() }).await;
        }
        if !amendments.is_empty() {
            let _ = self.signals.send(Signal::Amendments { amendments, ack: ack() }).await;
        }
        for stored in acks {
            if stored.await.is_err() {
                return false;
            }
        }
        true
    }
}

impl Source {
    fn message(self, info: &MessageInfo, content: Content, quoted: Option<MessageId>) -> InboundMessage {
        InboundMessage {
            phone: phone(&self.chat).filter(|_| self.kind == ChatKind::Person),
            chat: self.chat,
            kind: self.kind,
            id: self.id,
            sender: self.sender,
            sender_name: (!info.push_name.is_empty()).then(|| info.push_name.clone()),
            from_account: info.source.is_from_me,
            content,
            at: self.at,
            quoted,
        }
    }
}

/// Where a message belongs, if that is a chat that Seatport shows; and who turned out to be whom by the way.
async fn source(client: &Client, info: &MessageInfo) -> Option<(Source, Vec<(Address, Address)>)> {
    let source = &info.source;
    if info.category == MessageCategory::Peer {
        return None;
    }
    // What the stanza tells of the other address of whom it names.
    let sender_also = source.sender_alt.as_ref();
    let (chat, chat_also) = match (kind(&source.chat)?, source.is_from_me) {
        // A message to many shows in the chat with its sender, as it does on the phone.
        (ChatKind::Broadcast, false) => (&source.sender, sender_also),
        (ChatKind::Person, false) => (&source.chat, sender_also),
        (ChatKind::Person, true) => (&source.chat, source.recipient_alt.as_ref().or(info.peer_recipient_pn.as_ref())),
        _ => (&source.chat, None),
    };
    let Ok(id) = MessageId::new(info.id.as_str()) else {
        tracing::warn!(length = info.id.len(), "a message with an impossible id was passed over");
        return None;
    };
    let known = [(chat, chat_also), (&source.sender, sender_also)];
    let people = known.iter().filter_map(|(one, other)| pair(one, (*other)?)).collect();
    let found = Source {
        kind: kind(chat)?,
        chat: by_number(client, chat, chat_also).await?,
        sender: by_number(client, &source.sender, sender_also).await?,
        id,
        at: Timestamp::from_millis(info.timestamp.timestamp_millis()),
    };
    Some((found, people))
}
