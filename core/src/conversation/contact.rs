//! Contacts.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::Address;

/// A person an account has talked to, or has in its address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The person's address.
    pub address: Address,
    /// The phone number, E.164 digits without `+`, as far as it is known.
    pub phone: Option<String>,
    /// What the person calls itself, as far as it is known.
    pub name: Option<String>,
    /// What the account's owner calls the person.
    pub saved_name: Option<String>,
    /// Where the picture is, as the network writes it.
    pub avatar: Option<String>,
    /// The time of the first message from the person, if there is one.
    pub first_seen: Option<Timestamp>,
    /// The time of the latest message from the person, if there is one.
    pub last_seen: Option<Timestamp>,
}

impl Contact {
    /// Somebody of whom no more is known than the address.
    #[must_use]
    pub fn unknown(address: Address) -> Self {
        Self { address, phone: None, name: None, saved_name: None, avatar: None, first_seen: None, last_seen: None }
    }

    /// The text by which it is found: its names, its phone number and its address, in lines, so that no word reaches from one
    /// into the next.
    #[must_use]
    pub fn searchable(&self) -> String {
        let texts = [self.name.as_deref(), self.saved_name.as_deref(), self.phone.as_deref()];
        texts.into_iter().flatten().chain([self.address.as_str()]).collect::<Vec<_>>().join("\n")
    }
}

/// What the network says about a person. What is left out stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactUpdate {
    /// The person's address.
    pub address: Address,
    /// The phone number, E.164 digits without `+`.
    pub phone: Option<String>,
    /// What the person calls itself.
    pub name: Option<String>,
    /// What the account's owner calls the person.
    pub saved_name: Option<String>,
    /// Where the picture is; `Some(None)` when there is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::chat::said")]
    pub avatar: Option<Option<String>>,
}

impl ContactUpdate {
    /// Says nothing yet, but that there is such a person.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self { address, phone: None, name: None, saved_name: None, avatar: None }
    }

    /// Puts what is said into a contact; answers whether that changed it. For storages.
    ///
    /// ```
    /// use seatport::Address;
    /// use seatport::conversation::{Contact, ContactUpdate};
    /// let address = Address::new("mei@net").unwrap();
    /// let mut contact = Contact::unknown(address.clone());
    /// let update = ContactUpdate { name: Some("Mei".into()), ..ContactUpdate::new(address) };
    /// assert!(update.apply_to(&mut contact));
    /// assert!(!update.apply_to(&mut contact), "that was known");
    /// assert_eq!(contact.name.as_deref(), Some("Mei"));
    /// ```
    pub fn apply_to(&self, contact: &mut Contact) -> bool {
        let said = [
            (&mut contact.phone, self.phone.is_some().then_some(&self.phone)),
            (&mut contact.name, self.name.is_some().then_some(&self.name)),
            (&mut contact.saved_name, self.saved_name.is_some().then_some(&self.saved_name)),
            (&mut contact.avatar, self.avatar.as_ref()),
        ];
        let mut changed = false;
        for (known, said) in said {
            if let Some(said) = said.filter(|said| *said != known) {
                known.clone_from(said);
                changed = true;
            }
        }
        changed
    }
}
