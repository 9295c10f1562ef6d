//! The network's side of everything: who is there, what waits for whom, who is connected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use seatport::conversation::ChatKind;
use seatport::lifecycle::{Account as Identity, Reason, ReasonKind};
use seatport::{Address, Clock, MessageId, Random, Timestamp};
use tokio::time::Instant;

use super::account::Account;
use super::journal::{ConnectionId, Journal};
use super::link::{Link, Verdict};
use super::person::Received;
use super::settings::{Conditions, Settings};

/// How the addresses of groups end.
const GROUPS: &str = "@groups.simulated";
/// How the addresses of channels end.
const CHANNELS: &str = "@channels.simulated";

/// The network, shared by its handles and by the tasks that serve its connections.
pub(super) struct Network(Mutex<State>);

/// All that the network knows. Its methods do no I/O and never wait: what they answer is said, and when they ask to be called
/// again is slept, by the task of each connection.
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Random,
    pub(super) conditions: Conditions,
    pub(super) refusing_proxies: BTreeSet<String>,
    pub(super) accounts: BTreeMap<Address, Account>,
    pub(super) people: BTreeMap<Address, PersonState>,
    pub(super) groups: BTreeMap<Address, GroupState>,
    pub(super) links: BTreeMap<ConnectionId, Link>,
    /// Every login code ever issued, to tell an expired one from one that never was.
    pub(super) codes: BTreeSet<String>,
    pub(super) journal: Journal,
    /// Where in the journal a message is: by sender, recipient and id.
    pub(super) sent: BTreeMap<(Address, Address, MessageId), usize>,
    pub(super) numbers: u64,
}

/// A person, as the network knows them.
pub(super) struct PersonState {
    pub(super) name: String,
    /// The number that the network tells with the address, if it does.
    pub(super) phone: Option<String>,
    pub(super) received: Vec<Received>,
    /// Which of their messages which account has read.
    pub(super) seen: Vec<(Address, MessageId)>,
}

/// A group, or whatever else is heard by many.
pub(super) struct GroupState {
    pub(super) accounts: BTreeSet<Address>,
    /// What was said in it.
    pub(super) received: Vec<Received>,
}

impl Network {
    pub(super) fn new(settings: Settings, clock: Arc<dyn Clock>, random: Random) -> Self {
        Self(Mutex::new(State {
            settings,
            clock,
            random,
            conditions: Conditions::default(),
            refusing_proxies: BTreeSet::new(),
            accounts: BTreeMap::new(),
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            links: BTreeMap::new(),
            codes: BTreeSet::new(),
            journal: Journal::default(),
            sent: BTreeMap::new(),
            numbers: 0,
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl State {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A number that was never used before.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn hex(&self, bytes: usize) -> String {
        let mut random = vec![0; bytes];
        self.random.fill(&mut random);
        random.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// Whether something happens that happens so many times in 100.
    pub(super) fn chance(&self, percent: u8) -> bool {
        self.random.below(100) < u64::from(percent)
    }

    pub(super) fn wake(&self, link: Option<ConnectionId>) {
        if let Some(link) = link.and_then(|id| self.links.get(&id)) {
            link.wake.notify_one();
        }
    }

    pub(super) fn wake_all(&self) {
        self.links.values().for_each(|link| link.wake.notify_one());
    }

    /// Ends the connection that is logged in to an account, for this reason.
    pub(super) fn kick(&mut self, account: &Address, reason: Reason) {
        self.sentence(account, Verdict { reason, overlap: None, at: Instant::now() });
    }

    pub(super) fn sentence(&mut self, account: &Address, verdict: Verdict) {
        if let Some(id) = self.accounts.get_mut(account).and_then(|account| account.live.take()) {
            if let Some(link) = self.links.get_mut(&id) {
                link.verdict = Some(verdict);
            }
            self.wake(Some(id));
        }
    }

    pub(super) fn replaced() -> Reason {
        Reason::new(ReasonKind::Replaced).code("440")
    }

    pub(super) fn logged_out() -> Reason {
        Reason::new(ReasonKind::LoggedOut).code("401")
    }

    /// The account with this number, made at the first call.
    pub(super) fn account(&mut self, number: &str) -> Identity {
        let digits = digits(number);
        let address = address_of(&digits);
        let identity = Identity { address: address.clone(), name: Some(format!("+{digits}")), phone: Some(digits) };
        self.accounts.entry(address).or_insert_with(|| Account::new(identity)).identity.clone()
    }
}

/// The address of whoever is called so.
pub(super) fn address_of(name: &str) -> Address {
    id(Address::new(format!("{}@simulated", name.trim_start_matches('+'))))
}

/// The address of the group or channel that is called so: like many networks, this one tells by the address which it is.
pub(super) fn group_address(name: &str, kind: ChatKind) -> Address {
    let domain = if kind == ChatKind::Group { GROUPS } else { CHANNELS };
    id(Address::new(format!("{name}{domain}")))
}

/// Whom a chat with this address is with.
pub(super) fn kind_of(address: &Address) -> ChatKind {
    match address.as_str() {
        address if address.ends_with(GROUPS) => ChatKind::Group,
        address if address.ends_with(CHANNELS) => ChatKind::Broadcast,
        _ => ChatKind::Person,
    }
}

/// A phone number without its `+` and whatever stands between its digits.
pub(super) fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// Unwraps an id that the network made itself, or that a test named.
pub(super) fn id<T>(made: Result<T, seatport::Invalid>) -> T {
    made.unwrap_or_else(|invalid| panic!("the simulated messenger was given a bad name: {invalid}"))
}
