//! The network's side of everything: who is there, what waits for whom, who is connected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use seatport::conversation::Content;
use seatport::lifecycle::{Account as Identity, Reason, ReasonKind};
use seatport::{Address, Clock, MessageId, Random, Timestamp};
use tokio::time::Instant;

use super::account::{Account, Item};
use super::journal::{ConnectionId, Journal, Sent};
use super::link::{Link, Verdict};
use super::person::Received;
use super::settings::{Conditions, Settings};
use super::wire::{FromNetwork, Letter};

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
    pub(super) links: BTreeMap<ConnectionId, Link>,
    /// Every login code ever issued, to tell an expired one from one that never was.
    pub(super) codes: BTreeSet<String>,
    pub(super) journal: Journal,
    /// Where in the journal a message is: by sender, recipient and id.
    sent: BTreeMap<(Address, Address, MessageId), usize>,
    numbers: u64,
}

/// A person, as the network knows them.
pub(super) struct PersonState {
    pub(super) name: String,
    pub(super) received: Vec<Received>,
    /// Which of their messages which account has read.
    pub(super) seen: Vec<(Address, MessageId)>,
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

    /// Puts something into the mailboxes of all devices of an account. An account without devices, or an address that is none,
    /// gets nothing.
    pub(super) fn deliver(&mut self, to: &Address, item: &Item) {
        let Some(account) = self.accounts.get_mut(to) else { return };
        let jitter = self.conditions.and(&account.conditions).jitter;
        if let Item::Message(letter) = item
            && !letter.from_account
        {
            account.newest.insert(letter.chat.clone(), letter.id.clone());
        }
        for device in account.devices.values_mut() {
            self.numbers += 1;
            device.keep(self.numbers, item.clone(), Instant::now() + self.random.up_to(jitter));
        }
        let live = account.live;
        self.wake(live);
    }

    /// Carries what somebody wrote to an account.
    pub(super) fn write(&mut self, from: &Address, name: Option<String>, to: &Address, content: Content) -> MessageId {
        let id = self.message_id();
        let letter = Letter {
            chat: from.clone(),
            id: id.clone(),
            sender: from.clone(),
            sender_name: name,
            from_account: false,
            content,
            at: self.now(),
        };
        self.deliver(to, &Item::Message(letter));
        id
    }

    /// Carries what an account wrote to whoever it is for, and answers whether there is such an address.
    pub(super) fn carry(&mut self, from: &Address, to: &Address, id: &MessageId, text: &str) -> bool {
        let at = self.now();
        if let Some(person) = self.people.get_mut(to) {
            person.received.push(Received { from: from.clone(), id: id.clone(), text: text.to_owned(), at });
            return true;
        }
        let Some(name) = self.accounts.get(from).map(|account| account.identity.name.clone()) else { return false };
        let letter = Letter {
            chat: from.clone(),
            id: id.clone(),
            sender: from.clone(),
            sender_name: name,
            from_account: false,
            content: Content::Text(text.to_owned()),
            at,
        };
        self.deliver(to, &Item::Message(letter));
        self.accounts.contains_key(to)
    }

    /// Takes a message that came through a connection. The same id again is counted, and carried no second time.
    pub(super) fn take(&mut self, from: &Address, to: Address, id: MessageId, text: String) -> FromNetwork {
        let key = (from.clone(), to.clone(), id.clone());
        if let Some(sent) = self.sent.get(&key).and_then(|index| self.journal.sent.get_mut(*index)) {
            sent.times += 1;
            return FromNetwork::Taken(id);
        }
        if !self.carry(from, &to, &id, &text) {
            return FromNetwork::NotTaken { why: format!("404: nobody has the address {to}"), id, later: false };
        }
        let at = self.now();
        self.sent.insert(key, self.journal.sent.len());
        self.journal.sent.push(Sent { from: from.clone(), to, id: id.clone(), text, at, times: 1 });
        FromNetwork::Taken(id)
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

    pub(super) fn message_id(&mut self) -> MessageId {
        let number = self.number();
        id(MessageId::new(format!("IN{number:010}")))
    }

    /// The account with this number, made at the first call.
    pub(super) fn account(&mut self, number: &str) -> Identity {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let address = address_of(&digits);
        let identity = Identity { address: address.clone(), name: Some(format!("+{digits}")), phone: Some(digits) };
        self.accounts.entry(address).or_insert_with(|| Account::new(identity)).identity.clone()
    }
}

/// The address of whoever is called so.
pub(super) fn address_of(name: &str) -> Address {
    id(Address::new(format!("{}@simulated", name.trim_start_matches('+'))))
}

/// Unwraps an id that the network made itself, or that a test named.
fn id<T>(made: Result<T, seatport::Invalid>) -> T {
    made.unwrap_or_else(|invalid| panic!("the simulated messenger was given a bad name: {invalid}"))
}
