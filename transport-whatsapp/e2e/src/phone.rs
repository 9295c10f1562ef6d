//! A phone as a test sees it: the account's owner in person.

use std::sync::Arc;

use anyhow::{Context, Result};
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::account::lid_of;
use crate::history::{self, History};
use crate::letter::Letter;
use crate::network::Network;
use crate::pairing;
use crate::refusal::{Refusal, StreamEnd};
use crate::settings::Setting;
use crate::stanza::{self, Envelope, SERVER};

/// The phone of one account. Copies are the same phone.
#[derive(Debug, Clone)]
pub struct Phone {
    network: Arc<Network>,
    number: String,
}

impl Phone {
    pub(crate) fn new(network: Arc<Network>, number: &str) -> Self {
        // The account exists from the moment that somebody holds its phone.
        network.account(number);
        Self { network, number: number.to_owned() }
    }

    pub(crate) fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The account's number, digits only.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The account's address: `<number>@s.whatsapp.net`.
    pub fn jid(&self) -> String {
        format!("{}@{SERVER}", self.number)
    }

    /// The account's hidden address: `<lid>@lid`.
    pub fn lid(&self) -> String {
        format!("{}@lid", lid_of(&self.number))
    }

    /// Sets the name that the account shows to others.
    pub async fn set_name(&self, name: &str) {
        self.network.account(&self.number).lock().await.name = Some(name.to_owned());
    }

    /// Makes the account a hosted business account, which clients of version 0.7.0 cannot be linked to.
    pub async fn set_hosted(&self, hosted: bool) {
        self.network.account(&self.number).lock().await.hosted = hosted;
    }

    // ---- linking ----------------------------------------------------------------------------------------------------

    /// Scans a QR code and links the device that shows it, in place of the one before.
    ///
    /// # Errors
    /// When the code is not one, its device has left, does not answer, or refuses.
    pub async fn scan(&self, qr: &str) -> Result<()> {
        pairing::scan(&self.network, &self.number, qr).await
    }

    /// Types a pairing code and links the device that announced it for this number.
    ///
    /// # Errors
    /// When no device has announced one, or another one, or it does not answer, or refuses.
    pub async fn enter_code(&self, code: &str) -> Result<()> {
        pairing::enter_code(&self.network, &self.number, code).await
    }

    /// Whether a device is linked.
    pub async fn is_linked(&self) -> bool {
        self.network.account(&self.number).lock().await.companion.is_some()
    }

    /// Logs the device out: it is told if it is online, and refused from then on.
    pub async fn log_out_companion(&self) {
        let companion = self.network.account(&self.number).lock().await.companion.take();
        if let Some(line) = companion.and_then(|companion| companion.line) {
            line.end(StreamEnd::DeviceRemoved);
        }
    }

    // ---- trouble ----------------------------------------------------------------------------------------------------

    /// Ends the device's connection, if there is one, for this reason.
    pub async fn end_stream(&self, why: StreamEnd) {
        if let Some(line) = self.network.account(&self.number).lock().await.line() {
            line.end(why);
        }
    }

    /// Ends the device's connection, if there is one, with a failure, and refuses its logins until
    /// [`accept_logins`](Self::accept_logins).
    pub async fn refuse_logins(&self, refusal: Refusal) {
        let account = self.network.account(&self.number);
        let mut account = account.lock().await;
        account.refusal = Some(refusal);
        if let Some(line) = account.line() {
            line.refuse(refusal);
        }
    }

    /// Lets the device log in again.
    pub async fn accept_logins(&self) {
        self.network.account(&self.number).lock().await.refusal = None;
    }

    /// Cuts the device's connection without a word.
    pub async fn cut(&self) {
        if let Some(line) = self.network.account(&self.number).lock().await.line() {
            line.cut();
        }
    }

    /// Whether the server keeps quiet about the messages that it takes from the device.
    pub async fn withhold_acks(&self, withhold: bool) {
        self.network.account(&self.number).lock().await.withholds_acks = withhold;
    }

    // ---- messages ---------------------------------------------------------------------------------------------------

    /// Writes to somebody from the phone; the device gets a copy. Answers the message's id.
    ///
    /// # Errors
    /// When no device is linked.
    pub async fn send_text(&self, to: &str, text: &str) -> Result<String> {
        self.send(to, Letter::text(text)).await
    }

    /// Sends anything to somebody from the phone; the device gets a copy. Answers the message's id.
    ///
    /// # Errors
    /// When no device is linked.
    pub async fn send(&self, to: &str, letter: Letter) -> Result<String> {
        let id = letter.id.unwrap_or_else(|| format!("PHONE{:08}", self.network.next()));
        let copy = wa::message::DeviceSentMessage {
            destination_jid: Some(to.to_owned()),
            message: letter.content.map(MessageField::some).unwrap_or_default(),
            ..Default::default()
        };
        let content = wa::Message { device_sent_message: MessageField::some(copy), ..Default::default() };
        let account = self.network.account(&self.number);
        let mut account = account.lock().await;
        let envelope = Envelope {
            recipient: Some(to.to_owned()),
            edit: letter.edit,
            is_peer: false,
            ..account.peer_envelope(id.clone())
        };
        account.send_from_phone(envelope, content).await?;
        Ok(id)
    }

    /// Changes settings on the phone; the device is told, if it is online, and asks for them.
    ///
    /// # Errors
    /// When no device is linked.
    pub async fn change_settings(&self, settings: &[Setting]) -> Result<()> {
        let account = self.network.account(&self.number);
        let mut account = account.lock().await;
        let notice = account.settings.change(format!("SYNC{}", self.network.next()), settings);
        if let Some(line) = &account.companion()?.line {
            line.say(notice);
        }
        Ok(())
    }

    /// Reads messages of a chat on the phone; the device is told, if it is online.
    ///
    /// # Errors
    /// When no device is linked.
    pub async fn read(&self, chat: &str, ids: &[&str]) -> Result<()> {
        let (last, earlier) = ids.split_last().context("nothing to read")?;
        let account = self.network.account(&self.number);
        let mut account = account.lock().await;
        let from = account.jid();
        if let Some(line) = &account.companion()?.line {
            line.say(stanza::receipt(last, &from, Some("read-self"), Some(chat), earlier));
        }
        Ok(())
    }

    /// Hands the device the history that a phone shares after linking: chats with what was said, names, unread counts.
    ///
    /// # Errors
    /// When no device is linked.
    pub async fn share_history(&self, history: &History) -> Result<()> {
        let content = history::notification(history)?;
        let account = self.network.account(&self.number);
        let mut account = account.lock().await;
        let envelope = account.peer_envelope(format!("HISTORY{}", self.network.next()));
        account.send_from_phone(envelope, content).await
    }

    /// Sends the device a message once more, as it was: same id, same ciphertext, whether or not it was acknowledged.
    ///
    /// # Errors
    /// When no device is linked, none is online, or the message was never sent.
    pub async fn redeliver(&self, id: &str) -> Result<()> {
        let account = self.network.account(&self.number);
        let mut account = account.lock().await;
        let companion = account.companion()?;
        let parcel = companion.mailbox.recall(id).with_context(|| format!("no message {id} was ever sent"))?;
        let line = companion.line.as_ref().context("the device is offline")?;
        line.say(stanza::offline(&parcel.stanza));
        Ok(())
    }

    /// The ids of the messages that the device has not acknowledged.
    pub async fn unacknowledged(&self) -> Vec<String> {
        let account = self.network.account(&self.number);
        let account = account.lock().await;
        account.companion.as_ref().map(|companion| companion.mailbox.waiting_ids()).unwrap_or_default()
    }

    // ---- what there is to see ----------------------------------------------------------------------------------------

    /// How many connections are logged in to the account now.
    pub fn live_connections(&self) -> usize {
        self.network.load(&self.number).now
    }

    /// The most connections that were ever logged in to the account at the same time.
    pub fn peak_connections(&self) -> usize {
        self.network.load(&self.number).peak
    }

    /// Whether the device is online and has said that it is ready for messages.
    pub async fn is_companion_active(&self) -> bool {
        let account = self.network.account(&self.number);
        let account = account.lock().await;
        account.companion.as_ref().is_some_and(|companion| companion.active)
    }
}
