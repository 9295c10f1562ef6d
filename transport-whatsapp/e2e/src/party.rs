//! A remote end of the end-to-end encryption: the phone of an account, or of a person it talks to.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use rand::rngs::StdRng;
use whatsapp_rust::buffa::Message as _;
use whatsapp_rust::wacore::iq::prekeys::{PreKeyBundleUserNode, SignedPreKeyNode};
use whatsapp_rust::wacore::libsignal::protocol::{
    CiphertextMessage, GenericSignedPreKey, IdentityKey, IdentityKeyPair, KeyPair, PreKeyBundle, PreKeySignalMessage,
    ProtocolAddress, PublicKey, SessionStore, SignalMessage, SignedPreKeyRecord, Timestamp, UsePQRatchet,
    message_decrypt_prekey, message_decrypt_signal, message_encrypt, process_prekey_bundle,
};
use whatsapp_rust::wacore::messages::MessageUtils;
use whatsapp_rust::wacore_binary::Jid;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::signal::{Identities, PreKeys, Sessions, SignedPreKeys};

/// The id of the one signed pre-key that a party has.
const SIGNED_PRE_KEY: u32 = 1;

pub(crate) fn rng() -> StdRng {
    rand::make_rng()
}

pub(crate) fn key_pair() -> KeyPair {
    KeyPair::generate(&mut rng())
}

pub(crate) fn public_bytes(key: &KeyPair) -> [u8; 32] {
    array(key.public_key.public_key_bytes())
}

fn array(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().expect("a Curve25519 key has 32 bytes")
}

/// The public keys of a companion device: what others need to write to it.
#[derive(Debug, Clone)]
pub(crate) struct DeviceKeys {
    /// The number that the device drew for this registration.
    registration_id: u32,
    pub(crate) identity: [u8; 32],
    /// Number, key, and signature by the identity key.
    signed_pre_key: (u32, [u8; 32], Vec<u8>),
    pub(crate) one_time: Vec<(u32, [u8; 32])>,
}

impl DeviceKeys {
    /// Reads the keys out of the payload with which a device registers.
    pub(crate) fn from_registration(data: &wa::client_payload::DevicePairingRegistrationData) -> Result<Self> {
        let key = |bytes: &Option<Vec<u8>>| -> Result<[u8; 32]> {
            bytes.as_deref().context("key missing")?.try_into().context("key of a wrong length")
        };
        let number = |bytes: &Option<Vec<u8>>| -> Result<u32> {
            let bytes = bytes.as_deref().context("number missing")?;
            Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
        };
        Ok(Self {
            registration_id: number(&data.e_regid)?,
            identity: key(&data.e_ident)?,
            signed_pre_key: (
                number(&data.e_skey_id)?,
                key(&data.e_skey_val)?,
                data.e_skey_sig.clone().context("signature missing")?,
            ),
            one_time: Vec::new(),
        })
    }

    fn bundle(&mut self, address: &ProtocolAddress) -> Result<PreKeyBundle> {
        // A one-time key is given out once.
        let one_time = if self.one_time.is_empty() { None } else { Some(self.one_time.remove(0)) };
        let one_time = match one_time {
            Some((id, key)) => Some((id.into(), PublicKey::from_djb_public_key_bytes(&key)?)),
            None => None,
        };
        let (id, key, signature) = &self.signed_pre_key;
        Ok(PreKeyBundle::new(
            self.registration_id,
            address.device_id(),
            one_time,
            (*id).into(),
            PublicKey::from_djb_public_key_bytes(key)?,
            signature.clone(),
            IdentityKey::new(PublicKey::from_djb_public_key_bytes(&self.identity)?),
        )?)
    }
}

/// A message as it travels: the kind of ciphertext, and the ciphertext.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Party {
    identities: Identities,
    sessions: Sessions,
    pre_keys: PreKeys,
    signed_pre_keys: SignedPreKeys,
    signed_pre_key: KeyPair,
    signature: Vec<u8>,
}

impl Party {
    pub(crate) fn generate() -> Self {
        let mut rng = rng();
        let own = IdentityKeyPair::generate(&mut rng);
        let signed_pre_key = KeyPair::generate(&mut rng);
        let signature = own
            .private_key()
            .calculate_signature(&signed_pre_key.public_key.serialize(), &mut rng)
            .expect("signing with a fresh key")
            .to_vec();
        let record = SignedPreKeyRecord::new(
            SIGNED_PRE_KEY.into(),
            Timestamp::from_epoch_millis(0),
            &signed_pre_key,
            &signature,
        );
        Self {
            identities: Identities::new(own, 4242),
            sessions: Sessions::default(),
            pre_keys: PreKeys::default(),
            signed_pre_keys: SignedPreKeys(HashMap::from([(SIGNED_PRE_KEY, record)])),
            signed_pre_key,
            signature,
        }
    }

    pub(crate) fn identity(&self) -> &IdentityKeyPair {
        &self.identities.own
    }

    pub(crate) fn identity_public(&self) -> [u8; 32] {
        array(self.identities.own.public_key().public_key_bytes())
    }

    /// The keys with which a device may write to this party first.
    pub(crate) fn bundle(&self, jid: Jid) -> PreKeyBundleUserNode {
        PreKeyBundleUserNode {
            jid,
            registration_id: self.identities.registration_id,
            identity_key: self.identity_public().to_vec(),
            signed_pre_key: SignedPreKeyNode::new(
                SIGNED_PRE_KEY,
                public_bytes(&self.signed_pre_key).to_vec(),
                self.signature.clone(),
            ),
            one_time_pre_key: None,
            device_identity: None,
        }
    }

    /// Drops the ratchet with a device, so that the next message starts a new one.
    pub(crate) fn forget(&mut self, address: &ProtocolAddress) {
        self.sessions.forget(address);
    }

    /// Seals a message for a device; the first one carries what the device needs to start a ratchet.
    pub(crate) async fn seal(
        &mut self,
        address: &ProtocolAddress,
        keys: &mut DeviceKeys,
        message: &wa::Message,
    ) -> Result<Sealed> {
        if !self.sessions.has_session(address).await? {
            let bundle = keys.bundle(address)?;
            process_prekey_bundle(
                address,
                &mut self.sessions,
                &mut self.identities,
                &bundle,
                &mut rng(),
                UsePQRatchet::No,
            )
            .await?;
        }
        let plain = MessageUtils::encode_and_pad(message);
        let sealed = message_encrypt(&plain, address, &mut self.sessions, &mut self.identities).await?;
        let kind = match sealed {
            CiphertextMessage::PreKeySignalMessage(_) => "pkmsg",
            _ => "msg",
        };
        Ok(Sealed { kind, bytes: sealed.serialize().to_vec() })
    }

    /// A well-formed message that was sealed for somebody else: what is left of one after its ratchet was lost.
    pub(crate) async fn sealed_for_another() -> Result<Sealed> {
        let reader = Self::generate();
        let mut keys = DeviceKeys {
            registration_id: reader.identities.registration_id,
            identity: reader.identity_public(),
            signed_pre_key: (SIGNED_PRE_KEY, public_bytes(&reader.signed_pre_key), reader.signature.clone()),
            one_time: Vec::new(),
        };
        let address = ProtocolAddress::new("another:1", 0.into());
        let sealed = Self::generate().seal(&address, &mut keys, &wa::Message::default()).await?;
        let opening = PreKeySignalMessage::try_from(sealed.bytes.as_slice())?;
        Ok(Sealed { kind: "msg", bytes: opening.message().serialized().to_vec() })
    }

    /// Opens what a device sealed for this party.
    pub(crate) async fn open(&mut self, address: &ProtocolAddress, kind: &str, sealed: &[u8]) -> Result<wa::Message> {
        let opened = if kind == "pkmsg" {
            message_decrypt_prekey(
                &PreKeySignalMessage::try_from(sealed)?,
                address,
                &mut self.sessions,
                &mut self.identities,
                &mut self.pre_keys,
                &self.signed_pre_keys,
                &mut rng(),
                UsePQRatchet::No,
            )
            .await?
        } else {
            message_decrypt_signal(
                &SignalMessage::try_from(sealed)?,
                address,
                &mut self.sessions,
                &mut self.identities,
                &mut rng(),
            )
            .await?
        };
        let plain = MessageUtils::unpad_message_ref(&opened.plaintext, 2).map_err(|error| anyhow!("{error}"))?;
        Ok(wa::Message::decode_from_slice(plain)?)
    }
}
