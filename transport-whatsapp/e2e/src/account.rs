//! An account on the network: its phone, and the companion linked to it.

use whatsapp_rust::wacore::libsignal::protocol::ProtocolAddress;
use whatsapp_rust::waproto::whatsapp as wa;

use anyhow::{Context, Result};

use crate::connection::Line;
use crate::mailbox::{Mailbox, Parcel};
use crate::party::{DeviceKeys, Party};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::stanza::{Envelope, SERVER, now};

/// Who an account belongs to, and the state of its devices. There is at most one companion.
pub(crate) struct Account {
    pub(crate) number: String,
    pub(crate) lid: String,
    pub(crate) name: Option<String>,
    pub(crate) phone: Party,
    /// Set while logins are to be turned away.
    pub(crate) refusal: Option<Refusal>,
    /// Whether the account is a hosted one, which signs its devices differently.
    pub(crate) hosted: bool,
    /// Whether the server keeps quiet about the messages that it takes from the companion.
    pub(crate) withholds_acks: bool,
    pub(crate) settings: Settings,
    pub(crate) companion: Option<Companion>,
    /// Each link gets a device number of its own, so that nobody writes into the ratchets of an earlier one.
    last_device: u16,
}

/// A linked device.
pub(crate) struct Companion {
    pub(crate) device: u16,
    pub(crate) keys: DeviceKeys,
    pub(crate) line: Option<Line>,
    /// Whether it has said, on this connection, that it is ready for messages.
    pub(crate) active: bool,
    pub(crate) mailbox: Mailbox,
    /// How many messages waited when it came online, until all of them have been handed over.
    pub(crate) backlog: Option<usize>,
}

impl Account {
    pub(crate) fn new(number: &str) -> Self {
        Self {
            number: number.to_owned(),
            lid: lid_of(number),
            name: None,
            phone: Party::generate(),
            refusal: None,
            hosted: false,
            withholds_acks: false,
            settings: Settings::default(),
            companion: None,
            last_device: 0,
        }
    }

    /// The number that the next device will get.
    pub(crate) fn next_device(&self) -> u16 {
        self.last_device + 1
    }

    /// Links a device in place of the one before.
    pub(crate) fn link(&mut self, keys: DeviceKeys) {
        self.last_device = self.next_device();
        self.companion = Some(Companion {
            device: self.last_device,
            keys,
            line: None,
            active: false,
            mailbox: Mailbox::default(),
            backlog: None,
        });
    }

    pub(crate) fn jid(&self) -> String {
        format!("{}@{SERVER}", self.number)
    }

    pub(crate) fn companion(&mut self) -> Result<&mut Companion> {
        let number = &self.number;
        self.companion.as_mut().with_context(|| format!("no device is linked to {number}; scan a code first"))
    }

    /// The connection of the companion, where it has one.
    pub(crate) fn line(&self) -> Option<&Line> {
        self.companion.as_ref()?.line.as_ref()
    }

    /// The outside of a message from the phone to its companion, about the account itself.
    pub(crate) fn peer_envelope(&self, id: String) -> Envelope {
        Envelope {
            id,
            from: self.jid(),
            participant: None,
            recipient: None,
            also_known_as: None,
            push_name: self.name.clone(),
            sent_at: now(),
            edit: None,
            is_peer: true,
        }
    }

    /// Seals a message of the account's own phone for its companion, and sends it.
    pub(crate) async fn send_from_phone(&mut self, envelope: Envelope, content: wa::Message) -> Result<()> {
        let Self { phone, companion, number, .. } = self;
        let companion = companion.as_mut().context("no device is linked")?;
        companion.deliver(number, phone, envelope, content).await
    }
}

impl Companion {
    /// The address under which others keep their ratchet with this device.
    pub(crate) fn address(&self, number: &str) -> ProtocolAddress {
        ProtocolAddress::new(&format!("{number}:{}", self.device), 0.into())
    }

    /// Seals a message for this device and puts it on its way: at once when it is listening, else at its next login.
    pub(crate) async fn deliver(
        &mut self,
        number: &str,
        from: &mut Party,
        envelope: Envelope,
        content: wa::Message,
    ) -> Result<()> {
        let address = self.address(number);
        let sealed = from.seal(&address, &mut self.keys, &content).await?;
        let stanza = envelope.stanza(&sealed);
        self.post(Parcel { envelope, content: Some(content), stanza });
        Ok(())
    }

    /// Puts a sealed message on its way.
    pub(crate) fn post(&mut self, parcel: Parcel) {
        let id = parcel.envelope.id.clone();
        let stanza = parcel.stanza.clone();
        self.mailbox.put(parcel);
        if self.active
            && let Some(line) = &self.line
        {
            self.mailbox.mark_handed(&id);
            line.say(stanza);
        }
    }
}

/// The hidden address that the network gives to the owner of a number.
pub(crate) fn lid_of(number: &str) -> String {
    format!("9{number}")
}
