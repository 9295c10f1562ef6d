//! People, as the lead ledger knows them.

use crate::ids::{Address, TransportName};
use crate::leads::{PersonKey, PersonKeyer};
use crate::storage::PersonIs;

/// Makes the keys that the ledger knows people by: by the phone number where it is known, else by the address on the network.
#[derive(Debug)]
pub(crate) struct People(PersonKeyer);

impl People {
    pub(crate) fn new(ledger_key: [u8; 32]) -> Self {
        Self(PersonKeyer::new(ledger_key))
    }

    /// The person at this address.
    pub(crate) fn person(&self, transport: &TransportName, address: &Address, phone: Option<&str>) -> PersonKey {
        match phone.filter(|phone| is_number(phone)) {
            Some(phone) => self.0.phone(phone),
            None => self.0.address(transport, address),
        }
    }

    /// What is learnt when an address turns out to be that of a phone number.
    pub(crate) fn has_phone(&self, transport: &TransportName, address: &Address, phone: &str) -> Option<PersonIs> {
        let alias = self.0.address(transport, address);
        is_number(phone).then(|| PersonIs { alias, person: self.0.phone(phone) })
    }
}

/// Whether it names anybody.
fn is_number(phone: &str) -> bool {
    phone.bytes().any(|byte| byte.is_ascii_digit())
}
