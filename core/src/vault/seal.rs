//! Sealing and opening, and the rotation of keys.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::ids::SessionId;
use crate::random::Random;
use crate::storage::Storage;
use crate::vault::VaultError;

/// Where the password of a session's proxy is kept.
pub(crate) const PROXY_PASSWORD: &str = "environment/proxy-password";

const KEY_CHECK: &str = "key-check";
const LEDGER_KEY: &str = "ledger-key";
const NOBODY: [u8; 16] = [0; 16];
const NONCE_BYTES: usize = 24;
/// First byte of what is stored: as it is, or sealed with XChaCha20-Poly1305.
const PLAIN: u8 = 0;
const SEALED: u8 = 1;
/// Entries read at a time while keys are rotated.
const ROTATION_BATCH: u32 = 256;

/// The host's key for the vault: 32 random bytes, from the host's own key store.
///
/// ```
/// use seatport::vault::VaultKey;
/// let key = VaultKey::new([7; 32]);
/// assert_eq!(format!("{key:?}"), "VaultKey(…)");
/// ```
#[derive(Clone)]
pub struct VaultKey(Zeroizing<[u8; 32]>);

impl VaultKey {
    /// Takes the 32 bytes in.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A fresh key; keep it in the host's key store, without it the credentials are lost.
    #[must_use]
    pub fn generate(random: &Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut());
        Self(bytes)
    }

    /// The bytes, for the host's key store.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(…)")
    }
}

/// The lead ledger's key, and how it was kept.
pub(super) struct LedgerKey {
    pub(super) key: Zeroizing<[u8; 32]>,
    pub(super) in_the_clear: bool,
    pub(super) by_current_key: bool,
}

/// Seals with one key and opens with that one or an earlier one.
pub(crate) struct Sealer {
    current: Option<XChaCha20Poly1305>,
    previous: Vec<XChaCha20Poly1305>,
    plaintext: bool,
    random: Random,
}

impl Sealer {
    pub(crate) fn new(current: Option<&VaultKey>, previous: &[VaultKey], plaintext: bool, random: Random) -> Self {
        let cipher = |key: &VaultKey| XChaCha20Poly1305::new(key.expose().into());
        Self { current: current.map(cipher), previous: previous.iter().map(cipher).collect(), plaintext, random }
    }

    /// Whether what is kept from now on is sealed.
    pub(super) fn has_key(&self) -> bool {
        self.current.is_some()
    }

    /// Fills `bytes` with randomness.
    pub(super) fn fill(&self, bytes: &mut [u8]) {
        self.random.fill(bytes);
    }

    /// Whether anything can be kept at all.
    pub(crate) fn can_seal(&self) -> bool {
        self.current.is_some() || self.plaintext
    }

    pub(crate) fn seal(&self, session: SessionId, name: &str, bytes: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.seal_for(session.as_bytes(), name, bytes)
    }

    pub(crate) fn open(&self, session: SessionId, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.open_for(session.as_bytes(), name, sealed)
    }

    fn seal_for(&self, session: &[u8; 16], name: &str, bytes: &[u8]) -> Result<Vec<u8>, VaultError> {
        let Some(cipher) = &self.current else {
            if !self.plaintext {
                return Err(VaultError::KeyMissing);
            }
            return Ok([&[PLAIN], bytes].concat());
        };
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce);
        let payload = Payload { msg: bytes, aad: &associated_data(session, name) };
        // Encryption fails only for texts of 256 GiB and more.
        let text = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::KeyMissing)?;
        Ok([&[SEALED], &nonce[..], &text].concat())
    }

    fn open_for(&self, session: &[u8; 16], name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.open_with(session, name, sealed).map(|(bytes, _)| bytes)
    }

    /// Opens; answers also whether that was by the current key.
    fn open_with(
        &self,
        session: &[u8; 16],
        name: &str,
        sealed: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, bool), VaultError> {
        let wrong = || VaultError::WrongKey { entry: name.to_owned() };
        match sealed.split_first() {
            Some((&PLAIN, bytes)) if self.plaintext => Ok((Zeroizing::new(bytes.to_vec()), false)),
            Some((&SEALED, rest)) => {
                if self.current.is_none() && self.previous.is_empty() {
                    return Err(VaultError::Sealed { entry: name.to_owned() });
                }
                let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(wrong)?;
                let aad = associated_data(session, name);
                let open = |cipher: &XChaCha20Poly1305| {
                    cipher.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: &aad }).ok()
                };
                let current = self.current.iter().map(|cipher| (cipher, true));
                let mut keys = current.chain(self.previous.iter().map(|cipher| (cipher, false)));
                let opened = keys.find_map(|(cipher, current)| Some((Zeroizing::new(open(cipher)?), current)));
                opened.ok_or_else(wrong)
            }
            Some((&PLAIN, _)) => Err(VaultError::Plaintext { entry: name.to_owned() }),
            _ => Err(wrong()),
        }
    }

    /// Seals the lead ledger's key, if there is a key to seal it with.
    pub(super) fn seal_ledger_key(&self, key: &[u8]) -> Result<Vec<u8>, VaultError> {
        match self.has_key() {
            true => self.seal_for(&NOBODY, LEDGER_KEY, key),
            false => Ok([&[PLAIN], key].concat()),
        }
    }

    pub(super) fn open_ledger_key(&self, kept: &[u8]) -> Result<LedgerKey, VaultError> {
        let in_the_clear = kept.first() == Some(&PLAIN);
        let (bytes, by_current_key) = match in_the_clear {
            true => (Zeroizing::new(kept[1..].to_vec()), false),
            false => self.open_with(&NOBODY, LEDGER_KEY, kept)?,
        };
        let wrong = |_| VaultError::WrongKey { entry: LEDGER_KEY.to_owned() };
        let key = Zeroizing::new(bytes.as_slice().try_into().map_err(wrong)?);
        Ok(LedgerKey { key, in_the_clear, by_current_key })
    }

    /// Refuses a key that does not open what this database holds, before anything is written with it.
    pub(crate) async fn check(&self, storage: &dyn Storage) -> Result<(), VaultError> {
        match storage.key_check().await? {
            Some(sealed) => self.open_for(&NOBODY, KEY_CHECK, &sealed).map(drop),
            None if self.can_seal() => self.write_check(storage).await,
            None => Ok(()),
        }
    }

    async fn write_check(&self, storage: &dyn Storage) -> Result<(), VaultError> {
        Ok(storage.set_key_check(self.seal_for(&NOBODY, KEY_CHECK, KEY_CHECK.as_bytes())?).await?)
    }

    /// Seals everything that an earlier key sealed with the current one; answers how many entries that were. The check value
    /// goes last, so that a rotation that was cut short still accepts the earlier key.
    pub(crate) async fn rotate(&self, storage: &dyn Storage) -> Result<u64, VaultError> {
        if self.current.is_none() {
            return Err(VaultError::KeyMissing);
        }
        let (mut after, mut resealed) = (None, 0);
        loop {
            let entries = storage.vault_scan(after, ROTATION_BATCH).await?;
            let Some(last) = entries.last() else { break };
            after = Some((last.session, last.name.clone()));
            for entry in entries {
                // An entry that its connection rewrites meanwhile is written with the current key anyway.
                let (bytes, current) = self.open_with(entry.session.as_bytes(), &entry.name, &entry.sealed)?;
                if !current {
                    let sealed = self.seal(entry.session, &entry.name, &bytes)?;
                    resealed += u64::from(storage.vault_replace(&entry, sealed).await?);
                }
            }
        }
        self.reseal_ledger_key(storage).await?;
        self.write_check(storage).await?;
        Ok(resealed)
    }
}

fn associated_data(session: &[u8; 16], name: &str) -> Vec<u8> {
    [&session[..], name.as_bytes()].concat()
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}
