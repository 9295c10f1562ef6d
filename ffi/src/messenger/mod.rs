//! The simulated messenger: a small network in memory, for the tests and examples of a host.
//!
//! It is part of the library when that is built with `testkit`. Without, nobody can have a [`Messenger`]: its constructor says so.

#[cfg(feature = "testkit")]
mod built;
#[cfg(not(feature = "testkit"))]
#[path = "unbuilt.rs"]
mod built;
mod conditions;
mod group;
mod person;
mod phone;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::SystemTime;

use crate::environment::Proxy;
use crate::error::SeatportError;
use crate::network::Network;
use crate::time::given;

pub use conditions::Conditions;
pub use group::Group;
pub use person::{Person, Received};
pub use phone::{LinkedDevice, Phone};

/// A simulated messenger network: phones that scan, people who write, and everything that goes wrong on the way. It lives in this
/// process, and outlives the instances that dial it. Its name as a network is `simulated`.
///
/// As on WhatsApp, a QR code is valid for 60 s and then five for 20 s, and the network wants a new connection after a login.
#[derive(Debug, uniffi::Object)]
pub struct Messenger(built::Messenger);

#[uniffi::export]
impl Messenger {
    /// A network of its own. All that is random in it comes from the seed.
    ///
    /// # Errors
    /// `NotBuilt` in a library that was built without `testkit`.
    #[uniffi::constructor]
    pub fn new(seed: u64) -> Result<Arc<Self>, SeatportError> {
        Ok(Self(built::Messenger::open(seed)?).into())
    }

    /// The way to it, for `Options.networks`.
    ///
    /// # Errors
    /// None.
    pub fn network(&self) -> Result<Arc<Network>, SeatportError> {
        Ok(self.0.network().into())
    }

    /// The phone with this number (E.164, `+` included), and the account on it.
    ///
    /// # Errors
    /// `Invalid` for a number without digits, or with more than 15.
    pub fn phone(&self, number: String) -> Result<Arc<Phone>, SeatportError> {
        Ok(Phone::new(self.0.phone(&number)?).into())
    }

    /// Somebody called so, or with this phone number, which begins with a `+`. The network tells the number along with the address.
    ///
    /// # Errors
    /// `Invalid` for a name that makes no address: empty, longer than 246 bytes, or with control characters.
    pub fn person(&self, name: String) -> Result<Arc<Person>, SeatportError> {
        Ok(Person::new(self.0.person(&name)?).into())
    }

    /// A group of this name that these accounts are in. Everybody may write in it.
    ///
    /// # Errors
    /// `Invalid` for a name that makes no address: empty, longer than 237 bytes, or with control characters.
    pub fn group(&self, name: String, members: Vec<Arc<Phone>>) -> Result<Arc<Group>, SeatportError> {
        Ok(Group::new(self.0.group(&name, &members)?).into())
    }

    /// A channel of this name that these accounts follow. Everybody may write in it.
    ///
    /// # Errors
    /// As for `group`.
    pub fn channel(&self, name: String, followers: Vec<Arc<Phone>>) -> Result<Arc<Group>, SeatportError> {
        Ok(Group::new(self.0.channel(&name, &followers)?).into())
    }

    /// Sets what is wrong with the network for all.
    ///
    /// # Errors
    /// `Invalid` for a percentage above 100.
    pub fn set_conditions(&self, conditions: Conditions) -> Result<(), SeatportError> {
        conditions.check()?;
        self.0.set_conditions(conditions);
        Ok(())
    }

    /// Bans an account, until a time or for good: its connection ends, and it cannot log in.
    ///
    /// # Errors
    /// `Invalid` for what is no address, or no time of our calendar.
    #[uniffi::method(default(until = None))]
    pub fn ban(&self, account: String, until: Option<SystemTime>) -> Result<(), SeatportError> {
        self.0.ban(&account.parse()?, until.map(given).transpose()?);
        Ok(())
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// `Invalid` for what is no address.
    pub fn unban(&self, account: String) -> Result<(), SeatportError> {
        self.0.unban(&account.parse()?);
        Ok(())
    }

    /// Lets a proxy refuse whoever wants to go through it, or work again.
    ///
    /// # Errors
    /// `Invalid` for what is no proxy.
    pub fn set_proxy_refusing(&self, proxy: Proxy, refusing: bool) -> Result<(), SeatportError> {
        self.0.set_proxy_refusing(&proxy.try_into()?, refusing);
        Ok(())
    }

    /// How often anybody has dialled so far: it shows whether sessions reconnect.
    ///
    /// # Errors
    /// None.
    pub fn dials(&self) -> Result<u64, SeatportError> {
        Ok(self.0.dials())
    }
}
