//! A person as a test sees them: somebody who writes to accounts, and is written to.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::letter::Letter;
use crate::mailbox::Parcel;
use crate::network::{Network, lid_jid};
use crate::party::Party;
use crate::phone::Phone;
use crate::stanza::{self, Envelope, SERVER, now};

/// What a person's phone tells about a message that it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It arrived.
    Delivered,
    /// It was read.
    Read,
}

/// Somebody outside. Copies are the same person.
#[derive(Debug, Clone)]
pub struct Person {
    network: Arc<Network>,
    number: String,
}

impl Person {
    pub(crate) fn new(network: Arc<Network>, number: &str) -> Self {
        Self { network, number: number.to_owned() }
    }

    /// The person's number, digits only.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The person's address: `<number>@s.whatsapp.net`.
    pub fn jid(&self) -> String {
        format!("{}@{SERVER}", self.number)
    }

    /// The person's hidden address: `<lid>@lid`.
    pub fn lid(&self) -> String {
        lid_jid(&self.number)
    }

    /// Sets the name that comes with the person's messages.
    pub async fn set_name(&self, name: &str) {
        self.network.person(&self.number).lock().await.name = Some(name.to_owned());
    }

    /// From now on the network's directory tells the person's hidden address too.
    pub fn give_hidden_address(&self) {
        self.network.give_hidden_address(&self.number);
    }

    /// Writes a text to an account. Answers the message's id.
    ///
    /// # Errors
    /// When no device is linked to the account.
    pub async fn write(&self, to: &Phone, text: &str) -> Result<String> {
        self.send(to, Letter::text(text)).await
    }

    /// Sends anything to an account: at once when its device is ready, else when it next is. Answers the message's id.
    ///
    /// # Errors
    /// When no device is linked to the account.
    pub async fn send(&self, to: &Phone, letter: Letter) -> Result<String> {
        let person = self.network.person(&self.number);
        let id = letter.id.clone().unwrap_or_else(|| format!("PERSON{:08}", self.network.next()));
        let account = to.network().account(to.number());
        // Always the account before the person: whoever needs both takes them in this order.
        let mut account = account.lock().await;
        let mut person = person.lock().await;
        let envelope = self.envelope(&letter, id.clone(), person.name.clone());
        let companion = account.companion()?;
        match letter.content {
            Some(content) => companion.deliver(to.number(), &mut person.party, envelope, content).await?,
            None => {
                let stanza = envelope.stanza(&Party::sealed_for_another().await?);
                companion.post(Parcel { envelope, content: None, stanza });
            }
        }
        Ok(id)
    }

    fn envelope(&self, letter: &Letter, id: String, push_name: Option<String>) -> Envelope {
        let (address, other) = if letter.hidden_number { (self.lid(), Some(self.jid())) } else { (self.jid(), None) };
        let other = other.filter(|_| letter.tells_number);
        let (from, participant, alias) = match &letter.room {
            Some(room) => (room.clone(), Some(address), "participant_pn"),
            None => (address, None, "sender_pn"),
        };
        Envelope {
            id,
            from,
            participant,
            recipient: None,
            also_known_as: other.map(|other| (alias, other)),
            push_name,
            sent_at: letter.sent_at.unwrap_or_else(now),
            edit: letter.edit,
            is_peer: false,
        }
    }

    /// Has another picture from now on, or none; the account's device is told.
    ///
    /// # Errors
    /// When no device is linked to the account, or it is offline.
    pub async fn change_picture(&self, of: &Phone, picture: Option<&str>) -> Result<()> {
        let account = of.network().account(of.number());
        let mut account = account.lock().await;
        let line = account.companion()?.line.as_ref().context("the device is offline")?;
        line.say(stanza::picture(&format!("PICTURE{}", self.network.next()), &self.jid(), picture));
        Ok(())
    }

    /// Tells an account's device that its messages arrived, or were read.
    ///
    /// # Errors
    /// When no device is linked to the account, or it is offline.
    pub async fn confirm(&self, to: &Phone, ids: &[&str], receipt: Receipt) -> Result<()> {
        let (last, earlier) = ids.split_last().context("nothing to confirm")?;
        let kind = match receipt {
            Receipt::Delivered => None,
            Receipt::Read => Some("read"),
        };
        let account = to.network().account(to.number());
        let mut account = account.lock().await;
        let line = account.companion()?.line.as_ref().context("the device is offline")?;
        line.say(stanza::receipt(last, &self.jid(), kind, None, earlier));
        Ok(())
    }
}
