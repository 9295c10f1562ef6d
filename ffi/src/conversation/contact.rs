//! Contacts.

use std::time::SystemTime;

use seatport::{Invalid, conversation, transport};

use crate::time::told;

/// A person an account has talked to, or has in its address book.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Contact {
    /// The person's address: its place in the list of contacts.
    pub address: String,
    /// The phone number, E.164 digits without `+`, as far as it is known.
    pub phone: Option<String>,
    /// What the person calls itself, as far as it is known.
    pub name: Option<String>,
    /// What the account's owner calls the person.
    pub saved_name: Option<String>,
    /// Where the picture is, as the network writes it.
    pub avatar: Option<String>,
    /// The time of the first message from the person, if there is one.
    pub first_seen: Option<SystemTime>,
    /// The time of the latest message from the person, if there is one.
    pub last_seen: Option<SystemTime>,
}

impl From<conversation::Contact> for Contact {
    fn from(contact: conversation::Contact) -> Self {
        Self {
            address: contact.address.into(),
            phone: contact.phone,
            name: contact.name,
            saved_name: contact.saved_name,
            avatar: contact.avatar,
            first_seen: contact.first_seen.map(told),
            last_seen: contact.last_seen.map(told),
        }
    }
}

/// What the network says about a person. What is left out stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ContactUpdate {
    /// The person's address.
    pub address: String,
    /// The phone number, E.164 digits without `+`.
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// What the person calls itself.
    #[uniffi(default = None)]
    pub name: Option<String>,
    /// What the account's owner calls the person.
    #[uniffi(default = None)]
    pub saved_name: Option<String>,
    /// What became of the picture.
    #[uniffi(default = None)]
    pub avatar: Option<AvatarUpdate>,
}

/// What became of a person's picture.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AvatarUpdate {
    /// There is none any more.
    Removed,
    /// There is one.
    Set {
        /// Where it is, as the network writes it.
        avatar: String,
    },
}

impl TryFrom<ContactUpdate> for conversation::ContactUpdate {
    type Error = Invalid;

    fn try_from(update: ContactUpdate) -> Result<Self, Invalid> {
        Ok(Self {
            address: update.address.parse()?,
            phone: update.phone,
            name: update.name,
            saved_name: update.saved_name,
            avatar: update.avatar.map(|avatar| match avatar {
                AvatarUpdate::Removed => None,
                AvatarUpdate::Set { avatar } => Some(avatar),
            }),
        })
    }
}

/// Two addresses of one person, or the phone number behind one.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SamePerson {
    /// The address that is given up, or the same as `canonical`.
    pub address: String,
    /// The address that counts from now on.
    pub canonical: String,
    /// The person's phone number, E.164 digits without `+`, where the network tells.
    #[uniffi(default = None)]
    pub phone: Option<String>,
}

impl TryFrom<SamePerson> for transport::SamePerson {
    type Error = Invalid;

    fn try_from(same: SamePerson) -> Result<Self, Invalid> {
        Ok(Self { address: same.address.parse()?, canonical: same.canonical.parse()?, phone: same.phone })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_was_removed_is_told_from_one_of_which_nothing_was_said() {
        let core = |address: &str, avatar| {
            let update = ContactUpdate { address: address.into(), phone: None, name: None, saved_name: None, avatar };
            conversation::ContactUpdate::try_from(update)
        };
        assert_eq!(core("a", None).unwrap().avatar, None);
        assert_eq!(core("a", Some(AvatarUpdate::Removed)).unwrap().avatar, Some(None));
        let set = core("a", Some(AvatarUpdate::Set { avatar: "x".into() })).unwrap();
        assert_eq!(set.avatar, Some(Some("x".into())));
        assert_eq!(core("", None).unwrap_err().field, "address");
    }

    #[test]
    fn both_addresses_of_a_person_are_checked() {
        let same = |address: &str, canonical: &str| {
            let same = SamePerson { address: address.into(), canonical: canonical.into(), phone: Some("86".into()) };
            transport::SamePerson::try_from(same)
        };
        let core = same("a@lid", "a").unwrap();
        assert_eq!((core.address.as_str(), core.canonical.as_str()), ("a@lid", "a"));
        assert!(same("", "a").is_err() && same("a", "").is_err());
    }
}
