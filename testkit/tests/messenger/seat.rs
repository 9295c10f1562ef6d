//! A session without Seatport around it.

use std::sync::Arc;
use std::time::Duration;

use seatport::conversation::Content;
use seatport::lifecycle::Account;
use seatport::memory::MemoryStorage;
use seatport::transport::{
    ConnectContext, ConnectError, Connection, LoginChallenge, SendError, Signal, TransportCommand,
};
use seatport::transport::{InboundMessage, Transport};
use seatport::vault::{Vault, VaultKey};
use seatport::{
    Address, Clock, Environment, LoginMethod, MessageId, PortNumber, Random, SessionId, SessionRecord, Timestamp,
};
use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::{Messenger, Phone, Settings, SimulatedTransport};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Longer than anything takes that ends at all.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

/// When the network's clock starts.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What a session is: a vault that survives, and where it dials.
pub(crate) struct Seat {
    storage: Arc<MemoryStorage>,
    record: SessionRecord,
    transport: SimulatedTransport,
    random: Random,
    clock: VirtualClock,
    pub(crate) environment: Environment,
    pub(crate) login: LoginMethod,
}

impl Seat {
    pub(crate) fn new(seed: u64, transport: SimulatedTransport) -> Self {
        let random = Random::seeded(seed);
        // A day behind the network's: nobody may take one for the other.
        let clock = VirtualClock::starting_at(START - Duration::from_secs(86_400));
        let now = clock.now();
        let record = SessionRecord::new(SessionId::generate(now, &random), now, transport.name());
        let (environment, login) = (Environment::new(), LoginMethod::Qr);
        Self { storage: Arc::new(MemoryStorage::new()), record, transport, random, clock, environment, login }
    }

    pub(crate) fn session(&self) -> SessionId {
        self.record.id
    }

    pub(crate) async fn vault(&self) -> Vault {
        let key = VaultKey::new([7; 32]);
        Vault::detached(self.storage.clone(), self.record.clone(), &key, &self.random).await.unwrap()
    }

    pub(crate) async fn dial(&self) -> Result<Connection, ConnectError> {
        let (vault, clock) = (self.vault().await, Arc::new(self.clock));
        let context = ConnectContext::new(self.record.id, PortNumber(7), vault, clock, self.random.clone())
            .environment(self.environment.clone())
            .login(self.login.clone());
        self.transport.connect(context).await
    }

    /// Dials and waits until the account is online.
    pub(crate) async fn online(&self) -> Connection {
        let mut connection = self.dial().await.expect("the network answers");
        ready(&mut connection).await;
        connection
    }

    /// Dials, has the phone scan, and comes online.
    pub(crate) async fn log_in(&self, phone: &Phone) -> Connection {
        let mut connection = self.dial().await.expect("the network answers");
        phone.scan(challenge(&mut connection).await.code.expose()).unwrap();
        let Some(Signal::Paired { redial, .. }) = signal(&mut connection).await else { panic!("not paired") };
        if redial {
            drop(connection);
            return self.online().await;
        }
        ready(&mut connection).await;
        connection
    }
}

/// A messenger on paused time, a phone, and a session that is online with it.
pub(crate) async fn one_online() -> (Messenger, Phone, Seat, Connection) {
    let messenger = messenger(Settings::default());
    let phone = messenger.phone("+8613800138000");
    let seat = Seat::new(1, messenger.transport());
    let connection = seat.log_in(&phone).await;
    (messenger, phone, seat, connection)
}

pub(crate) fn messenger(settings: Settings) -> Messenger {
    Messenger::with_settings(7, Arc::new(VirtualClock::default()), settings)
}

/// The next signal; none once the connection is closed.
pub(crate) async fn signal(connection: &mut Connection) -> Option<Signal> {
    timeout(FOR_EVER, connection.signals.recv()).await.expect("neither a signal nor the end")
}

pub(crate) async fn challenge(connection: &mut Connection) -> LoginChallenge {
    match signal(connection).await {
        Some(Signal::Challenge(challenge)) => challenge,
        other => panic!("a login code was due, not {other:?}"),
    }
}

pub(crate) async fn ready(connection: &mut Connection) -> Account {
    match signal(connection).await {
        Some(Signal::Ready { account }) => account,
        other => panic!("ready was due, not {other:?}"),
    }
}

/// The next messages, acknowledged.
pub(crate) async fn stored(connection: &mut Connection) -> Vec<InboundMessage> {
    loop {
        match signal(connection).await {
            Some(Signal::Messages { messages, ack }) => {
                ack.stored();
                return messages;
            }
            Some(Signal::Alive) => {}
            other => panic!("messages were due, not {other:?}"),
        }
    }
}

/// All signals that come within this time but signs of life.
pub(crate) async fn within(time: Duration, connection: &mut Connection) -> Vec<Signal> {
    let end = tokio::time::Instant::now() + time;
    let mut signals = Vec::new();
    while let Ok(Some(signal)) = tokio::time::timeout_at(end, connection.signals.recv()).await {
        if !matches!(signal, Signal::Alive) {
            signals.push(signal);
        }
    }
    signals
}

pub(crate) fn texts(messages: &[InboundMessage]) -> Vec<String> {
    messages
        .iter()
        .map(|message| match &message.content {
            Content::Text(text) => text.clone(),
            other => panic!("a text was due, not {other:?}"),
        })
        .collect()
}

pub(crate) async fn send(connection: &Connection, chat: &Address, id: &str, text: &str) -> Result<(), SendError> {
    say(connection, chat, id, Content::Text(text.to_owned()), None).await
}

pub(crate) async fn say(
    connection: &Connection,
    chat: &Address,
    id: &str,
    content: Content,
    quoted: Option<MessageId>,
) -> Result<(), SendError> {
    let (done, answer) = oneshot::channel();
    let (chat, id) = (chat.clone(), MessageId::new(id).unwrap());
    connection.commands.send(TransportCommand::Send { chat, id, content, quoted, done }).await.unwrap();
    answered(answer).await
}

/// Says that these messages were read, whose senders are named with them.
pub(crate) async fn mark_read(
    connection: &Connection,
    chat: &Address,
    messages: &[(&MessageId, &Address)],
) -> Result<(), SendError> {
    let (done, answer) = oneshot::channel();
    let messages = messages.iter().map(|(id, sender)| ((*id).clone(), (*sender).clone())).collect();
    connection.commands.send(TransportCommand::MarkRead { chat: chat.clone(), messages, done }).await.unwrap();
    answered(answer).await
}

async fn answered(answer: oneshot::Receiver<Result<(), SendError>>) -> Result<(), SendError> {
    timeout(FOR_EVER, answer)
        .await
        .expect("the network answers")
        .unwrap_or_else(|_| Err(SendError::Later("the connection ended".into())))
}
