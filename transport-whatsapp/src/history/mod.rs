//! The history that the phone hands over after linking: taken over in pieces, and confirmed to the phone when Seatport has
//! stored all of them.
//!
//! What the phone sends is kept in the vault, packed, until then: it sends it once. Of what is unpacked there is one chat in
//! memory at a time.

mod conversation;
mod system;

pub(crate) use conversation::silent_until;

use std::sync::Arc;

use seatport::conversation::{Amendment, History};
use seatport::transport::{Ack, Signal};
use tokio::sync::{Mutex, mpsc};
use whatsapp_rust::anyhow::{Result, bail};
use whatsapp_rust::async_channel::Receiver;
use whatsapp_rust::bytes::Bytes;
use whatsapp_rust::lid_pn_cache::LearningSource;
use whatsapp_rust::prelude::wa;
use whatsapp_rust::sync_task::MajorSyncTask;
use whatsapp_rust::wacore::history_sync::{HistorySyncStream, MAX_DECOMPRESSED};
use whatsapp_rust::wacore::messages::DetachedHistorySyncNotification;
use whatsapp_rust::{Client, Jid};

use crate::fate::Fate;
use crate::people::Learnt;
use crate::store::{KeptHistory, Store};
use crate::verdict::lost;

/// How many messages, chats, people or changes are handed over at once.
const AT_ONCE: usize = 200;

/// Takes over the history of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Takeover {
    signals: mpsc::Sender<Signal>,
    store: Store,
    fate: Fate,
    /// Held while one piece is taken over: one after the other.
    turn: Arc<Mutex<()>>,
}

/// What is about to be handed over.
#[derive(Debug, Default)]
struct Portion {
    history: History,
    amendments: Vec<Amendment>,
}

impl Takeover {
    pub(crate) fn new(signals: mpsc::Sender<Signal>, store: Store, fate: Fate) -> Self {
        Self { signals, store, fate, turn: Arc::default() }
    }

    /// Does what the client has put off, until it has no more: settings, and history.
    pub(crate) async fn run(self, client: Arc<Client>, tasks: Receiver<MajorSyncTask>) {
        while let Ok(task) = tasks.recv().await {
            match task {
                MajorSyncTask::HistorySync { message_id, notification, tracker } => {
                    let Some((task, piece)) = self.unwrap(&client, message_id, *notification, tracker).await else {
                        continue;
                    };
                    if self.take_over(&client, &piece).await {
                        // It learns from it what it needs itself, and confirms it to the phone.
                        client.process_sync_task(task).await;
                    }
                }
                task => client.process_sync_task(task).await,
            }
        }
    }

    /// Goes on with what an earlier connection has left.
    pub(crate) async fn go_on(self, client: Arc<Client>) {
        // A failing vault has decided the connection's fate by now.
        for piece in self.store.kept_history().await.unwrap_or_default() {
            self.take_over(&client, &piece).await;
        }
    }

    /// The piece, fetched if it did not come along; with the client's task, to be done once it is stored.
    async fn unwrap(
        &self,
        client: &Client,
        message_id: String,
        notification: DetachedHistorySyncNotification,
        tracker: whatsapp_rust::sync_task::HistorySyncTaskTracker,
    ) -> Option<(MajorSyncTask, KeptHistory)> {
        let DetachedHistorySyncNotification { notification, inline_payload } = notification;
        let packed = match inline_payload {
            Some(packed) => packed,
            None => match client.download(&notification).await {
                Ok(packed) => Bytes::from(packed),
                Err(error) => {
                    tracing::warn!(%error, "a piece of the phone's history could not be fetched; it is asked for again");
                    ask_again(client, &message_id, &notification).await;
                    return None;
                }
            },
        };
        let progress = notification.progress.map(|progress| u8::try_from(progress.min(100)).unwrap_or(100));
        let piece = KeptHistory { id: message_id.clone(), progress, packed: packed.clone() };
        let notification = Box::new(DetachedHistorySyncNotification { notification, inline_payload: Some(packed) });
        Some((MajorSyncTask::HistorySync { message_id, notification, tracker }, piece))
    }

    /// Whether the piece is stored. One that cannot be read is not looked at again.
    async fn take_over(&self, client: &Client, piece: &KeptHistory) -> bool {
        let _turn = self.turn.lock().await;
        if self.store.keep_history(piece).await.is_err() {
            return false;
        }
        match self.deliver(client, piece).await {
            Ok(true) => {}
            Ok(false) => {
                self.fate.decide(lost("not stored"));
                return false;
            }
            Err(error) => tracing::warn!(%error, "a piece of the phone's history cannot be read"),
        }
        self.store.forget_history(&piece.id).await.is_ok()
    }

    /// Hands the piece over, portion by portion; whether all of it was stored.
    async fn deliver(&self, client: &Client, piece: &KeptHistory) -> Result<bool> {
        // The phone writes down last who is whom, which everything before depends on.
        let rest = rest(&piece.packed)?;
        let known = rest.phone_number_to_lid_mappings.iter().filter_map(|told| pair(&told.lid_jid, &told.pn_jid));
        let contacts = rest.inline_contacts.iter().filter_map(|told| pair(&told.lid_jid, &told.pn_jid));
        learn(client, known.chain(contacts).collect()).await;

        let mut portion = Portion::default();
        let mut stream = HistorySyncStream::new(&piece.packed, MAX_DECOMPRESSED);
        while let Some(chat) = stream.next_conversation()? {
            learn(client, pair(&chat.lid_jid, &chat.pn_jid).into_iter().collect()).await;
            let Some(chat) = conversation::Told::read(client, chat).await else { continue };
            portion.history.contacts.extend(chat.contact);
            portion.history.chats.push(chat.update);
            for said in chat.messages {
                if let Some(said) = conversation::said(client, &chat.place, said).await {
                    portion.history.messages.extend(said.message);
                    portion.amendments.extend(said.amendments);
                }
                if portion.is_full() && !self.hand_over(&mut portion).await {
                    return Ok(false);
                }
            }
        }
        for contact in conversation::contacts(client, rest).await {
            portion.history.contacts.push(contact);
            if portion.is_full() && !self.hand_over(&mut portion).await {
                return Ok(false);
            }
        }
        // Told with the last portion: so much has come.
        portion.history.progress = piece.progress;
        Ok(self.hand_over(&mut portion).await)
    }

    /// Hands a portion over; whether it was stored.
    async fn hand_over(&self, portion: &mut Portion) -> bool {
        let Portion { history, amendments } = std::mem::take(portion);
        if history != History::default() {
            let (ack, stored) = Ack::new();
            // An error means that Seatport has dropped the connection, and the acknowledgement with it.
            let _ = self.signals.send(Signal::History { history: Box::new(history), ack }).await;
            if stored.await.is_err() {
                return false;
            }
        }
        for some in amendments.chunks(AT_ONCE) {
            let (ack, stored) = Ack::new();
            let _ = self.signals.send(Signal::Amendments { amendments: some.to_vec(), ack }).await;
            if stored.await.is_err() {
                return false;
            }
        }
        true
    }
}

impl Portion {
    fn is_full(&self) -> bool {
        let History { messages, chats, contacts, .. } = &self.history;
        [messages.len(), chats.len(), contacts.len(), self.amendments.len()].iter().any(|length| *length >= AT_ONCE)
    }
}

/// All that is no chat.
fn rest(packed: &[u8]) -> Result<wa::HistorySync> {
    let mut stream = HistorySyncStream::new(packed, MAX_DECOMPRESSED);
    while stream.next_conversation_bytes()?.is_some() {}
    match stream.remainder() {
        Ok(rest) => Ok(rest),
        Err(error) => bail!(error),
    }
}

/// Hidden address and phone number of one person, as the phone writes them, without their servers.
fn pair(lid: &Option<String>, pn: &Option<String>) -> Option<Learnt> {
    let (lid, pn): (Jid, Jid) = (lid.as_deref()?.parse().ok()?, pn.as_deref()?.parse().ok()?);
    (lid.is_lid() && pn.is_pn()).then(|| (lid.user_base().to_owned(), pn.user_base().to_owned()))
}

/// Lets the client know who is whom, which it then knows in all that follows.
async fn learn(client: &Client, pairs: Vec<Learnt>) {
    if !pairs.is_empty()
        && let Err(error) = client.add_lid_pn_mappings(pairs, LearningSource::Other).await
    {
        tracing::debug!(%error, "who is whom could not be kept");
    }
}

/// Asks the phone to upload the piece again.
async fn ask_again(client: &Client, id: &str, notification: &wa::message::HistorySyncNotification) {
    let Some(key) = notification.media_key.as_deref() else { return };
    if let Err(error) = client.send_history_sync_server_error_receipt(id, key).await {
        tracing::debug!(%error, "the phone could not be asked");
    }
}
