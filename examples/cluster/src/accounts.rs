//! The accounts' phones, the customers who write to them, and what the messenger network has seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use seatport::{SessionId, SystemClock, Timestamp};
use seatport_testkit::messenger::{Listener, Messenger, Person, Phone, Settings};
use tokio::task::JoinHandle;

/// How often every customer writes.
const WRITE_EVERY: Duration = Duration::from_millis(250);

/// The messenger network and everybody on it.
#[derive(Debug)]
pub(crate) struct Accounts {
    messenger: Messenger,
    listener: Listener,
    pub(crate) phones: BTreeMap<SessionId, Phone>,
    written: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
}

impl Accounts {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let messenger = Messenger::with_settings(7, Arc::new(SystemClock), Settings::default());
        let listener = messenger.listen("127.0.0.1:0").await?;
        Ok(Self { messenger, listener, phones: BTreeMap::new(), written: Arc::default(), enough: Arc::default() })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.listener.address().to_string()
    }

    /// The phone of this session's account scans a login code. If that has expired, the session shows another one.
    pub(crate) fn scan(&mut self, session: SessionId, code: &str) {
        let number = self.phones.len();
        let new = || self.messenger.phone(&format!("+861380013{number:04}"));
        let _ = self.phones.entry(session).or_insert_with(new).scan(code);
    }

    /// The customer of this account.
    pub(crate) fn customer(&self, session: SessionId) -> Person {
        self.messenger.person(&format!("customer of {session}"))
    }

    /// From now on every account has a customer who writes to it, until it is enough.
    pub(crate) fn customers_write(&self) -> JoinHandle<()> {
        let pairs: Vec<_> =
            self.phones.iter().map(|(session, phone)| (self.customer(*session), phone.clone())).collect();
        let (written, enough) = (self.written.clone(), self.enough.clone());
        tokio::spawn(async move {
            while !enough.load(Ordering::Relaxed) {
                for (customer, phone) in &pairs {
                    let number = written.fetch_add(1, Ordering::Relaxed);
                    customer.write(phone.address(), format!("question {number}"));
                }
                tokio::time::sleep(WRITE_EVERY).await;
            }
        })
    }

    pub(crate) fn enough(&self) {
        self.enough.store(true, Ordering::Relaxed);
    }

    /// How many messages customers have written.
    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// How many of them no session has acknowledged yet.
    pub(crate) fn on_their_way(&self) -> usize {
        self.phones.values().map(Phone::unacknowledged).sum()
    }

    /// How many connections there were, and how often two of them were one account's at the same time.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let journal = self.messenger.journal();
        (journal.connections.len(), journal.overlaps.len())
    }

    /// Whether this account is logged in on a connection of its session.
    pub(crate) fn is_connected(&self, session: SessionId) -> bool {
        self.phones.get(&session).is_some_and(|phone| self.messenger.journal().live(phone.address()) == 1)
    }

    /// When the session logged in again after this moment, and how long it was offline before that.
    pub(crate) fn came_back(&self, session: SessionId, after: Timestamp) -> Option<(Timestamp, Duration)> {
        let journal = self.messenger.journal();
        let logins = journal.dials(session).filter_map(|connection| connection.login.as_ref().map(|login| login.1));
        let again = logins.into_iter().find(|login| *login > after)?;
        let ends = journal.dials(session).filter_map(|connection| connection.end.map(|end| end.1));
        let gone = ends.filter(|end| *end <= again).max()?;
        Some((again, again.since(gone)))
    }
}
