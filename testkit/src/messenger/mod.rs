//! A small messenger network in memory: phones that scan, people who write, and everything that goes wrong on the way.
//!
//! The network has a side of its own that outlives connections, sessions and, over TCP, processes: accounts, their linked
//! devices, what waits for them, and a [`Journal`] of who dialled. [`SimulatedTransport`] is the way to it. Both sides speak
//! one protocol, whether they share a process or not.
//!
//! It runs on tokio's time, paused or not, and takes all randomness from its seed.
//!
//! - One connection per account: a second login replaces the first.
//! - Messages are at-least-once: what was not acknowledged is delivered again, at the next login or after a while.
//! - A message sent twice under one id is shown once, and counted.
//! - A device that is linked gets what was said before, in pieces.
//! - A person may have two addresses, and the network tells so when the test wants it.
//! - Errors of the network are set with [`Conditions`], for all or for one account.

mod account;
mod client;
mod exchange;
mod group;
mod handset;
mod journal;
mod link;
mod listener;
mod memory;
mod network;
mod parcel;
mod person;
mod phone;
mod settings;
mod talk;
mod transport;
mod wire;

use std::fmt;
use std::io;
use std::sync::Arc;

use seatport::conversation::ChatKind;
use seatport::{Address, Clock, Proxy, Random, Timestamp};
use tokio::net::ToSocketAddrs;

pub use group::Group;
pub use journal::{ConnectionId, ConnectionRecord, End, Journal, Overlap, Sent};
pub use listener::Listener;
pub use person::{Person, Received};
pub use phone::{LinkedDevice, Phone, PhoneError};
pub use settings::{Conditions, Settings};
pub use transport::SimulatedTransport;

use network::{GroupState, Network, PersonState, address_of, digits, group_address};

/// A simulated messenger network. Its clones are the same network.
///
/// ```
/// use std::sync::Arc;
/// use seatport::transport::{Signal, Transport};
/// use seatport_testkit::VirtualClock;
/// use seatport_testkit::messenger::Messenger;
/// # use seatport::memory::MemoryStorage;
/// # use seatport::transport::ConnectContext;
/// # use seatport::vault::{Vault, VaultKey};
/// # use seatport::{Clock, PortNumber, Random, SessionId, SessionRecord};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(VirtualClock::default());
/// let messenger = Messenger::new(7, clock.clone());
/// let phone = messenger.phone("+8613800138000");
/// # let random = Random::seeded(1);
/// # let record = SessionRecord::new(SessionId::generate(clock.now(), &random), clock.now(), messenger.transport().name());
/// # let session = record.id;
/// # let vault = Vault::detached(Arc::new(MemoryStorage::new()), record, &VaultKey::new([7; 32]), &random).await?;
/// # let context = ConnectContext::new(session, PortNumber(1), vault, clock, random);
/// let mut connection = messenger.transport().connect(context).await?;
/// let Some(Signal::Challenge(challenge)) = connection.signals.recv().await else { panic!("no login code") };
/// phone.scan(challenge.code.expose())?;
/// assert!(matches!(connection.signals.recv().await, Some(Signal::Paired { .. })));
/// assert_eq!(phone.devices().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Messenger {
    network: Arc<Network>,
}

impl Messenger {
    /// A network with the default [`Settings`]. The same seed gives the same run on paused time.
    #[must_use]
    pub fn new(seed: u64, clock: Arc<dyn Clock>) -> Self {
        Self::with_settings(seed, clock, Settings::default())
    }

    /// A network with these settings.
    #[must_use]
    pub fn with_settings(seed: u64, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        Self { network: Arc::new(Network::new(settings, clock, Random::seeded(seed))) }
    }

    /// The transport to it from this process.
    #[must_use]
    pub fn transport(&self) -> SimulatedTransport {
        SimulatedTransport::in_process(self.network.clone())
    }

    /// Lets other processes dial in, with [`SimulatedTransport::remote`]. On real time only: sockets know no paused one.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn listen(&self, address: impl ToSocketAddrs) -> io::Result<Listener> {
        Listener::bind(self.network.clone(), address).await
    }

    /// The phone with this number, and the account on it.
    #[must_use]
    pub fn phone(&self, number: &str) -> Phone {
        let account = self.network.state().account(number);
        Phone::new(self.network.clone(), account)
    }

    /// Somebody called so, or with this phone number, which begins with a `+`. The network tells the number along with the
    /// address; whoever has a mere name is known by nothing else, until [`Person::reveal_number`] or [`Person::is_also`].
    ///
    /// # Panics
    /// For a name that makes no address: empty, longer than 246 bytes, or with control characters.
    #[must_use]
    pub fn person(&self, name: &str) -> Person {
        let address = address_of(name);
        let person = || PersonState {
            name: name.to_owned(),
            phone: name.starts_with('+').then(|| digits(name)),
            received: Vec::new(),
            seen: Vec::new(),
        };
        self.network.state().people.entry(address.clone()).or_insert_with(person);
        Person::new(self.network.clone(), address)
    }

    /// A group of this name that these accounts are in. Everybody may write in it.
    ///
    /// # Panics
    /// As for [`person`](Self::person).
    #[must_use]
    pub fn group(&self, name: &str, members: &[&Phone]) -> Group {
        self.many(name, ChatKind::Group, members)
    }

    /// A channel of this name that these accounts follow. Everybody may write in it.
    ///
    /// # Panics
    /// As for [`person`](Self::person).
    #[must_use]
    pub fn channel(&self, name: &str, followers: &[&Phone]) -> Group {
        self.many(name, ChatKind::Broadcast, followers)
    }

    fn many(&self, name: &str, kind: ChatKind, accounts: &[&Phone]) -> Group {
        let address = group_address(name, kind);
        let accounts = accounts.iter().map(|phone| phone.address().clone()).collect();
        self.network.state().groups.insert(address.clone(), GroupState { accounts, received: Vec::new() });
        Group::new(self.network.clone(), address)
    }

    /// Changes what is wrong with the network for all.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use seatport_testkit::{VirtualClock, messenger::Messenger};
    /// # let messenger = Messenger::new(7, Arc::new(VirtualClock::default()));
    /// messenger.conditions(|now| now.down = true);
    /// ```
    pub fn conditions(&self, change: impl FnOnce(&mut Conditions)) {
        let mut state = self.network.state();
        change(&mut state.conditions);
        state.wake_all();
    }

    /// Lets a proxy refuse whoever wants to go through it from now on.
    pub fn refuse_proxy(&self, proxy: &Proxy) {
        self.network.state().refusing_proxies.insert(proxy.to_string());
    }

    /// Lets a proxy work again.
    pub fn accept_proxy(&self, proxy: &Proxy) {
        self.network.state().refusing_proxies.remove(&proxy.to_string());
    }

    /// Bans an account, until a time or for good: its connection ends, and it cannot log in.
    pub fn ban(&self, account: &Address, until: Option<Timestamp>) {
        let mut state = self.network.state();
        let now = state.now();
        let Some(banned) = state.accounts.get_mut(account) else { return };
        banned.banned = Some(until);
        if let Some(reason) = banned.ban(now) {
            state.kick(account, reason);
        }
    }

    /// Lifts a ban.
    pub fn unban(&self, account: &Address) {
        if let Some(banned) = self.network.state().accounts.get_mut(account) {
            banned.banned = None;
        }
    }

    /// What the network remembers of those who dialled, up to now.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.network.state().journal.clone()
    }
}

impl fmt::Debug for Messenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Messenger")
    }
}
