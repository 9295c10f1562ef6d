//! What all connections share: accounts, people, devices that wait to be linked, and the state of the network itself.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, oneshot, watch};
use whatsapp_rust::wacore_binary::{Jid, Server};

use crate::account::{Account, lid_of};
use crate::connection::Line;
use crate::journal::Journal;
use crate::noise::ServerIdentity;
use crate::party::{DeviceKeys, Party};
use crate::refusal::Refusal;

/// Whether clients get through to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As it should be.
    Up,
    /// Connections break, and new ones end as soon as they are made.
    Down,
    /// Connections stay open, but nothing comes through: what a dead link looks like from inside.
    Silent,
}

/// A device that has registered and waits for a phone.
#[derive(Clone)]
pub(crate) struct Applicant {
    pub(crate) keys: DeviceKeys,
    pub(crate) line: Line,
}

/// A pairing code that a device has announced for a number. The server never learns the code.
pub(crate) struct LinkCode {
    pub(crate) reference: Vec<u8>,
    pub(crate) wrapped_ephemeral: Vec<u8>,
    pub(crate) applicant: Applicant,
    /// Where the phone waits for the device's answer to a typed code.
    pub(crate) finish: Option<oneshot::Sender<KeyBundle>>,
}

/// The device's answer to a typed code.
pub(crate) struct KeyBundle {
    pub(crate) wrapped: Vec<u8>,
    pub(crate) identity: Vec<u8>,
}

/// A person outside: the party, and what the network tells about it.
pub(crate) struct Outsider {
    pub(crate) party: Party,
    pub(crate) name: Option<String>,
}

/// How many connections of one account are logged in, and the most there ever were.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Load {
    pub(crate) now: usize,
    pub(crate) peak: usize,
}

pub(crate) struct Network {
    pub(crate) identity: ServerIdentity,
    pub(crate) journal: Journal,
    pub(crate) reach: watch::Sender<Reach>,
    /// Turns everybody away while it is set.
    pub(crate) refusal: Mutex<Option<Refusal>>,
    /// How many QR codes a device gets per connection.
    pub(crate) qr_codes: Mutex<usize>,
    pub(crate) applicants: Mutex<HashMap<[u8; 32], Applicant>>,
    pub(crate) link_codes: Mutex<HashMap<String, LinkCode>>,
    /// Phones that wait for a device's word on being linked, by the id of the request.
    pub(crate) adoptions: Mutex<HashMap<String, oneshot::Sender<Result<(), String>>>>,
    accounts: Mutex<HashMap<String, Arc<AsyncMutex<Account>>>>,
    people: Mutex<HashMap<String, Arc<AsyncMutex<Outsider>>>>,
    /// Numbers for which the directory also tells the hidden address.
    hidden: Mutex<HashSet<String>>,
    load: Mutex<HashMap<String, Load>>,
    next: AtomicU64,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys, and locks that a caller may hold, stay out of it.
        f.debug_struct("Network").field("reach", &*self.reach.borrow()).finish_non_exhaustive()
    }
}

impl Network {
    pub(crate) fn new() -> Self {
        Self {
            identity: ServerIdentity::generate(),
            journal: Journal::new(),
            reach: watch::Sender::new(Reach::Up),
            refusal: Mutex::default(),
            qr_codes: Mutex::new(6),
            applicants: Mutex::default(),
            link_codes: Mutex::default(),
            adoptions: Mutex::default(),
            accounts: Mutex::default(),
            people: Mutex::default(),
            hidden: Mutex::default(),
            load: Mutex::default(),
            next: AtomicU64::new(1),
        }
    }

    /// A number that has not been used before.
    pub(crate) fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The account of a number; made when it is first asked for.
    pub(crate) fn account(&self, number: &str) -> Arc<AsyncMutex<Account>> {
        let mut accounts = self.accounts.lock();
        accounts.entry(number.to_owned()).or_insert_with(|| Arc::new(AsyncMutex::new(Account::new(number)))).clone()
    }

    /// The account of a number, if there is one.
    pub(crate) fn known_account(&self, number: &str) -> Option<Arc<AsyncMutex<Account>>> {
        self.accounts.lock().get(number).cloned()
    }

    /// The person of a number; everybody in the world is on the network.
    pub(crate) fn person(&self, number: &str) -> Arc<AsyncMutex<Outsider>> {
        let mut people = self.people.lock();
        people
            .entry(number.to_owned())
            .or_insert_with(|| Arc::new(AsyncMutex::new(Outsider { party: Party::generate(), name: None })))
            .clone()
    }

    /// From now on the directory tells the hidden address of a number too.
    pub(crate) fn give_hidden_address(&self, number: &str) {
        self.hidden.lock().insert(number.to_owned());
    }

    pub(crate) fn has_hidden_address(&self, number: &str) -> bool {
        self.hidden.lock().contains(number)
    }

    pub(crate) fn entered(&self, number: &str) {
        let mut load = self.load.lock();
        let load = load.entry(number.to_owned()).or_default();
        load.now += 1;
        load.peak = load.peak.max(load.now);
    }

    pub(crate) fn left(&self, number: &str) {
        if let Some(load) = self.load.lock().get_mut(number) {
            load.now -= 1;
        }
    }

    pub(crate) fn load(&self, number: &str) -> Load {
        self.load.lock().get(number).copied().unwrap_or_default()
    }

    pub(crate) fn total_load(&self) -> usize {
        self.load.lock().values().map(|load| load.now).sum()
    }
}

/// The number behind an address, hidden or not.
pub(crate) fn number_of(jid: &Jid) -> String {
    let user = jid.user.as_str();
    match jid.server {
        // The reverse of `lid_of`.
        Server::Lid => user.strip_prefix('9').unwrap_or(user).to_owned(),
        _ => user.to_owned(),
    }
}

/// The hidden address of a number, in full.
pub(crate) fn lid_jid(number: &str) -> String {
    format!("{}@lid", lid_of(number))
}
