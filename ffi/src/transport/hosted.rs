//! Core's side of a transport that the host brings.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::conversation::ChatKind;
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{
    Capabilities as CoreCapabilities, ConnectContext, ConnectError, Connection as CoreConnection, ConnectionGuard,
    Signal, Transport as CoreTransport,
};
use seatport::{Address, SessionId, TransportName};
use tokio::runtime::Handle;
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};

use crate::host::{Held, call};
use crate::transport::driver::Driver;
use crate::transport::{Capabilities, Dial, Signals, Transport, Vault};

/// How many signals, and how many commands, may wait for the other side.
const WAITING: usize = 16;

/// How long a dial that nobody waits for any more goes on: an answer that is on its way is a connection, which has to be closed.
/// Cancelling the host's call would lose it.
const LAST_WORD: Duration = Duration::from_secs(1);

/// A transport of the host, as core sees it.
#[derive(Clone)]
pub(crate) struct HostedTransport {
    name: TransportName,
    capabilities: Capabilities,
    transport: Held<dyn Transport>,
    /// How long a call into the host may take.
    limit: Duration,
    turns: Turns,
}

/// Whose turn it is at each session: a connection that core has dropped is not over before the host has closed it, and the next one
/// waits for that. Two at a time would throw each other out of the network.
#[derive(Clone, Debug, Default)]
struct Turns(Arc<Mutex<HashMap<SessionId, Weak<tokio::sync::Mutex<()>>>>>);

/// Lets the next one have its turn when it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Turns {
    async fn next(&self, session: SessionId) -> Turn {
        let turn = {
            let mut turns = self.0.lock();
            turns.retain(|_, turn| turn.strong_count() > 0);
            let turn = turns.get(&session).and_then(Weak::upgrade).unwrap_or_default();
            turns.insert(session, Arc::downgrade(&turn));
            turn
        };
        turn.lock_owned().await
    }
}

impl HostedTransport {
    pub(crate) fn new(
        name: TransportName,
        capabilities: Capabilities,
        transport: Held<dyn Transport>,
        limit: Duration,
    ) -> Self {
        Self { name, capabilities, transport, limit, turns: Turns::default() }
    }
}

#[async_trait]
impl CoreTransport for HostedTransport {
    fn name(&self) -> TransportName {
        self.name.clone()
    }

    fn capabilities(&self) -> CoreCapabilities {
        let mut capabilities = CoreCapabilities::default();
        capabilities.stores_credentials = self.capabilities.stores_credentials;
        capabilities.pairing_code = self.capabilities.pairing_code;
        capabilities.proxy = self.capabilities.proxy;
        capabilities.media = self.capabilities.media;
        capabilities
    }

    fn chat_kind(&self, chat: &Address) -> ChatKind {
        let ends_with_one_of = |suffixes: &[String]| suffixes.iter().any(|suffix| chat.as_str().ends_with(suffix));
        if ends_with_one_of(&self.capabilities.group_suffixes) {
            ChatKind::Group
        } else if ends_with_one_of(&self.capabilities.broadcast_suffixes) {
            ChatKind::Broadcast
        } else {
            ChatKind::Person
        }
    }

    async fn connect(&self, context: ConnectContext) -> Result<CoreConnection, ConnectError> {
        let turn = self.turns.next(context.session).await;
        let (tell, told) = mpsc::channel(WAITING);
        let dial = Dial {
            session: context.session.to_string(),
            port: context.port.0,
            environment: context.environment.into(),
            account: context.account.map(Into::into),
            login: context.login.into(),
            vault: Vault::new(context.vault, Handle::current()).into(),
            signals: Signals::new(tell).into(),
        };
        let (answer, answered) = oneshot::channel();
        // Dropped with this future, which says that nobody waits any more.
        let (waiting, gone) = oneshot::channel::<Infallible>();
        let dialling = Dialling { transport: self.transport.clone(), limit: self.limit, told, turn };
        // On a task of its own: the host's answer may be on its way when core drops this.
        tokio::spawn(dialling.run(dial, gone, answer));
        let connected = answered.await;
        drop(waiting);
        connected.unwrap_or_else(|_| Err(ConnectError::Lost(Reason::new(ReasonKind::ConnectionLost).code("shutdown"))))
    }
}

/// A dial that the host was asked for.
struct Dialling {
    transport: Held<dyn Transport>,
    limit: Duration,
    told: mpsc::Receiver<Signal>,
    turn: Turn,
}

impl Dialling {
    /// Waits for the host and answers core. A connection that the host made is always closed, also one that nobody waits for any more.
    async fn run(
        self,
        dial: Dial,
        gone: oneshot::Receiver<Infallible>,
        answer: oneshot::Sender<Result<CoreConnection, ConnectError>>,
    ) {
        let Self { transport, limit, told, turn } = self;
        let mut told = Some(told);
        let mut connecting = pin!(call("connect", limit, transport.connect(dial)));
        let connected = tokio::select! {
            biased;
            connected = &mut connecting => connected,
            _ = gone => {
                // From now on what the host tells meets nobody.
                told = None;
                match tokio::time::timeout(LAST_WORD, connecting).await {
                    Ok(connected) => connected,
                    // The host's call is cancelled.
                    Err(_) => return,
                }
            }
        };
        let connection = match connected {
            Ok(connection) => Held::new(connection.0),
            Err(error) => return drop(answer.send(Err(error.of_a_dial()))),
        };
        let told = told.unwrap_or_else(|| mpsc::channel(1).1);
        let (say, signals) = mpsc::channel(WAITING);
        let (commands, obey) = mpsc::channel(WAITING);
        let (held, dropped) = oneshot::channel::<Infallible>();
        let driver = Driver { connection, limit, commands: obey, told, signals: say, dropped, turn };
        // The driver is not aborted, for it has a last word for the host. If nobody takes this, its guard is dropped at once.
        let guard = ConnectionGuard::new(move || drop(held));
        drop(answer.send(Ok(CoreConnection { signals, commands, guard })));
        driver.run().await;
    }
}

impl fmt::Debug for HostedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostedTransport").field("name", &self.name).finish_non_exhaustive()
    }
}
