//! A transport written against the traits of a host, and a session to dial for.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::memory::MemoryStorage;
use seatport::transport::{
    ConnectContext, ConnectError, Connection as CoreConnection, Signal, Transport as _, TransportCommand,
};
use seatport::vault::VaultKey;
use seatport::{Clock, PortNumber, Random, SessionId, SessionRecord, SystemClock, TransportName};
use tokio::sync::Notify;

use crate::card::Account;
use crate::host::Held;
use crate::transport::{
    AnyConnection, Capabilities, Connection, Dial, HostedTransport, OutboundMessage, ReadMessage, Transport,
    TransportError,
};

/// How long a call into the host may take in these tests; on paused time that is nothing.
pub(super) const LIMIT: Duration = Duration::from_secs(2);

/// What a call into the host comes to.
#[derive(Clone, Debug, Default)]
pub(super) enum Mood {
    #[default]
    Willing,
    Hanging,
    /// Willing, after this.
    Slow(Duration),
    Panicking,
    Failing(TransportError),
}

impl Mood {
    async fn answer<T>(self, answer: T, given_up: &AtomicU32) -> Result<T, TransportError> {
        let dropped = Dropped(given_up);
        let answer = match self {
            Self::Willing => Ok(answer),
            Self::Hanging => pending().await,
            Self::Slow(pause) => {
                tokio::time::sleep(pause).await;
                Ok(answer)
            }
            Self::Panicking => panic!("the host panics"),
            Self::Failing(error) => Err(error),
        };
        std::mem::forget(dropped);
        answer
    }
}

/// Counts a call that was dropped before it answered.
struct Dropped<'a>(&'a AtomicU32);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The host: its transport, what it was told, and what it will do.
#[derive(Default)]
pub(super) struct Host {
    pub(super) dialling: Mutex<Mood>,
    pub(super) sending: Mutex<Mood>,
    pub(super) leaving: Mutex<Mood>,
    pub(super) dials: Mutex<Vec<Dial>>,
    pub(super) sent: Mutex<Vec<OutboundMessage>>,
    pub(super) read: Mutex<Vec<(String, Vec<ReadMessage>)>>,
    /// What ended, in order: `log_out`, `close`, `drop`.
    pub(super) ends: Mutex<Vec<&'static str>>,
    /// How many calls were given up.
    pub(super) given_up: AtomicU32,
    /// There is something new in these.
    pub(super) news: Notify,
}

impl Host {
    /// What the last dial was told.
    pub(super) fn dial(&self) -> Dial {
        self.dials.lock().last().unwrap().clone()
    }

    pub(super) fn given_up(&self) -> u32 {
        self.given_up.load(Ordering::SeqCst)
    }

    /// Waits until this is so.
    pub(super) async fn until(&self, mut is: impl FnMut(&Self) -> bool) {
        while !is(self) {
            self.news.notified().await;
        }
    }

    fn note<T>(&self, list: &Mutex<Vec<T>>, what: T) {
        list.lock().push(what);
        self.news.notify_one();
    }

    /// Core's side of it.
    pub(super) fn hosted(self: &Arc<Self>) -> HostedTransport {
        let capabilities = Capabilities { stores_credentials: true, proxy: true, ..Capabilities::default() };
        let bulletin: Arc<dyn Transport> = Arc::new(Bulletin(self.clone()));
        HostedTransport::new(TransportName::new("bulletin").unwrap(), capabilities, Held::new(bulletin), LIMIT)
    }
}

/// The host's transport.
struct Bulletin(Arc<Host>);

#[async_trait]
impl Transport for Bulletin {
    async fn connect(&self, dial: Dial) -> Result<AnyConnection, TransportError> {
        let host = &self.0;
        host.note(&host.dials, dial);
        let mood = host.dialling.lock().clone();
        mood.answer((), &host.given_up).await?;
        Ok(AnyConnection(Arc::new(Line(host.clone()))))
    }
}

/// The host's connection.
struct Line(Arc<Host>);

#[async_trait]
impl Connection for Line {
    async fn send(&self, message: OutboundMessage) -> Result<(), TransportError> {
        let host = &self.0;
        host.note(&host.sent, message);
        let mood = host.sending.lock().clone();
        mood.answer((), &host.given_up).await
    }

    async fn mark_read(&self, chat: String, messages: Vec<ReadMessage>) -> Result<(), TransportError> {
        let host = &self.0;
        host.note(&host.read, (chat, messages));
        Ok(())
    }

    async fn log_out(&self) -> Result<(), TransportError> {
        let host = &self.0;
        host.note(&host.ends, "log_out");
        let mood = host.leaving.lock().clone();
        mood.answer((), &host.given_up).await
    }

    async fn close(&self) -> Result<(), TransportError> {
        let host = &self.0;
        host.note(&host.ends, "close");
        let mood = host.leaving.lock().clone();
        mood.answer((), &host.given_up).await
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.note(&self.0.ends, "drop");
    }
}

/// A session that no Seatport drives.
pub(super) struct Seat {
    storage: Arc<MemoryStorage>,
    record: SessionRecord,
    random: Random,
}

impl Seat {
    pub(super) fn new(seed: u64) -> Self {
        let random = Random::seeded(seed);
        let now = SystemClock.now();
        let record =
            SessionRecord::new(SessionId::generate(now, &random), now, TransportName::new("bulletin").unwrap());
        Self { storage: Arc::new(MemoryStorage::new()), record, random }
    }

    pub(super) fn session(&self) -> SessionId {
        self.record.id
    }

    pub(super) async fn context(&self) -> ConnectContext {
        self.context_with_key([7; 32]).await
    }

    pub(super) async fn context_with_key(&self, key: [u8; 32]) -> ConnectContext {
        let key = VaultKey::new(key);
        let vault = seatport::vault::Vault::detached(self.storage.clone(), self.record.clone(), &key, &self.random);
        let vault = vault.await.unwrap();
        ConnectContext::new(self.record.id, PortNumber(17), vault, Arc::new(SystemClock), self.random.clone())
    }

    pub(super) async fn dial(&self, transport: &HostedTransport) -> Result<CoreConnection, ConnectError> {
        transport.connect(self.context().await).await
    }
}

pub(super) fn me() -> Account {
    Account { address: "me@bulletin".to_owned(), phone: Some("8613800138000".to_owned()), name: None }
}

/// Tells a connection to do something.
pub(super) async fn tell(connection: &CoreConnection, command: TransportCommand) {
    connection.commands.send(command).await.unwrap();
}

/// What a connection says until its signals end.
pub(super) async fn rest(connection: &mut CoreConnection) -> Vec<Signal> {
    let mut signals = Vec::new();
    while let Some(signal) = connection.signals.recv().await {
        signals.push(signal);
    }
    signals
}
