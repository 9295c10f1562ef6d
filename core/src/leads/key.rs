//! How a person becomes a [`PersonKey`].

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::PersonKey;
use crate::ids::{Address, TransportName};

/// The block of SHA-256, to which HMAC fills a shorter key up with zeros.
const BLOCK: usize = 64;

/// Makes [`PersonKey`]s, with a secret of 32 random bytes. Who has the ledger and not the secret can neither read a phone
/// number from it nor look one up. Whoever loses the secret counts everybody as new again.
///
/// A person is known by the phone number, on whatever network; else by the address on the one network.
///
/// ```
/// use seatport::leads::PersonKeyer;
/// let keyer = PersonKeyer::new([7; 32]);
/// assert_eq!(keyer.phone("+86 138 0000 0000"), keyer.phone("8613800000000"));
/// assert_ne!(
///     keyer.address(&"whatsapp".parse()?, &"8613800000000@s.whatsapp.net".parse()?),
///     keyer.phone("8613800000000"),
/// );
/// assert_eq!(format!("{keyer:?}"), "PersonKeyer(…)");
/// # Ok::<(), seatport::Invalid>(())
/// ```
#[derive(Clone)]
pub struct PersonKeyer(Zeroizing<[u8; BLOCK]>);

impl PersonKeyer {
    /// Takes the secret in.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        let secret = Zeroizing::new(secret);
        let mut block = Zeroizing::new([0; BLOCK]);
        block[..secret.len()].copy_from_slice(secret.as_slice());
        Self(block)
    }

    /// The person with this phone number in the international form (E.164), country code first. All but the digits is
    /// left out.
    #[must_use]
    pub fn phone(&self, digits: &str) -> PersonKey {
        let digits = digits.bytes().filter(u8::is_ascii_digit);
        self.key(&Zeroizing::new(std::iter::once(b'+').chain(digits).collect()))
    }

    /// The person with this address, when no phone number is known.
    #[must_use]
    pub fn address(&self, transport: &TransportName, address: &Address) -> PersonKey {
        // A phone number has no colon, so that no address is taken for one.
        self.key(&Zeroizing::new(format!("{transport}:{address}").into_bytes()))
    }

    /// The first 16 bytes of HMAC-SHA-256.
    fn key(&self, person: &Zeroizing<Vec<u8>>) -> PersonKey {
        let mut mac = Hmac::<Sha256>::new((&*self.0).into());
        mac.update(person);
        let mut key = [0; 16];
        key.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        PersonKey::from_bytes(key)
    }
}

impl fmt::Debug for PersonKeyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonKeyer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2: the key "Jefe".
    #[test]
    fn the_hash_is_hmac_sha_256() {
        let mut secret = [0; 32];
        secret[..4].copy_from_slice(b"Jefe");
        let key = PersonKeyer::new(secret).key(&Zeroizing::new(b"what do ya want for nothing?".to_vec()));
        assert_eq!(format!("{key:?}"), "PersonKey(5bdcc146bf60754e6a042426089575c7)");
    }

    #[test]
    fn the_same_number_is_the_same_person_on_every_network_and_under_one_secret_only() {
        let (keyer, other) = (PersonKeyer::new([7; 32]), PersonKeyer::new([8; 32]));
        assert_eq!(keyer.phone("8613800000000"), keyer.phone("+86 (138) 0000-0000"));
        assert_ne!(keyer.phone("8613800000000"), keyer.phone("8613800000001"));
        assert_ne!(keyer.phone("8613800000000"), other.phone("8613800000000"));
    }

    #[test]
    fn an_address_is_a_person_of_its_own_network() {
        let keyer = PersonKeyer::new([7; 32]);
        let key =
            |transport: &str, address: &str| keyer.address(&transport.parse().unwrap(), &address.parse().unwrap());
        assert_eq!(key("whatsapp", "1@lid"), key("whatsapp", "1@lid"));
        assert_ne!(key("whatsapp", "1@lid"), key("other", "1@lid"));
        assert_ne!(key("whatsapp", "1@lid"), key("whatsapp", "2@lid"));
    }
}
