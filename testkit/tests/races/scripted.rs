//! A transport that does what the test says: one connection at a time is handed to the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use seatport::conversation::{ChatKind, Content};
use seatport::lifecycle::{Account, Reason, ReasonKind};
use seatport::transport::{
    Ack, Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, InboundMessage, Signal, Transport,
    TransportCommand,
};
use seatport::{Address, MessageId, Timestamp, TransportName};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// What the test holds of a connection.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) context: ConnectContext,
    pub(crate) signals: mpsc::Sender<Signal>,
    pub(crate) commands: mpsc::Receiver<TransportCommand>,
}

impl Line {
    pub(crate) async fn says(&self, signal: Signal) {
        self.signals.send(signal).await.unwrap();
    }

    /// Shows signs of life from now on, for as long as the node listens.
    pub(crate) fn stays_alive(&self) {
        let signals = self.signals.clone();
        tokio::spawn(async move {
            while signals.send(Signal::Alive).await.is_ok() {
                sleep(Duration::from_secs(20)).await;
            }
        });
    }
}

/// The test's end of the transport.
#[derive(Debug)]
pub(crate) struct Network {
    lines: mpsc::UnboundedReceiver<Line>,
    ended: Arc<AtomicU32>,
}

impl Network {
    /// The next connection; dialling may take an hour.
    pub(crate) async fn dialled(&mut self) -> Line {
        self.dialled_within(Duration::from_secs(3600)).await.expect("nobody dialled")
    }

    pub(crate) async fn dialled_within(&mut self, limit: Duration) -> Option<Line> {
        timeout(limit, self.lines.recv()).await.ok().flatten()
    }

    /// How many connections the node has let go of.
    pub(crate) fn ended(&self) -> u32 {
        self.ended.load(Ordering::SeqCst)
    }

    /// From now on every connection is online at once and stays so until the node lets go of it.
    pub(crate) fn answers_everybody(mut self) -> Open {
        let (dialled, ended) = (Arc::<AtomicU32>::default(), self.ended.clone());
        let count = dialled.clone();
        tokio::spawn(async move {
            while let Some(line) = self.lines.recv().await {
                count.fetch_add(1, Ordering::SeqCst);
                line.says(ready()).await;
                line.stays_alive();
            }
        });
        Open { dialled, ended }
    }
}

/// How many connections are open.
#[derive(Debug)]
pub(crate) struct Open {
    dialled: Arc<AtomicU32>,
    ended: Arc<AtomicU32>,
}

impl Open {
    pub(crate) fn count(&self) -> u32 {
        self.dialled.load(Ordering::SeqCst) - self.ended.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
pub(crate) struct Scripted {
    lines: mpsc::UnboundedSender<Line>,
    ended: Arc<AtomicU32>,
}

impl Scripted {
    pub(crate) fn new() -> (Self, Network) {
        let (lines, receiver) = mpsc::unbounded_channel();
        let ended = Arc::<AtomicU32>::default();
        (Self { lines, ended: ended.clone() }, Network { lines: receiver, ended })
    }
}

#[async_trait]
impl Transport for Scripted {
    fn name(&self) -> TransportName {
        TransportName::new("scripted").unwrap()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().with_proxy()
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        let (signals, connection_signals) = mpsc::channel(16);
        let (connection_commands, commands) = mpsc::channel(16);
        // A test that has seen enough no longer listens; then the connection ends at once.
        let _ = self.lines.send(Line { context, signals, commands });
        let ended = self.ended.clone();
        let guard = ConnectionGuard::new(move || {
            ended.fetch_add(1, Ordering::SeqCst);
        });
        Ok(Connection { signals: connection_signals, commands: connection_commands, guard })
    }
}

pub(crate) fn ready() -> Signal {
    Signal::Ready { account: Account { address: Address::new("a").unwrap(), phone: None, name: None } }
}

pub(crate) fn lost() -> Signal {
    Signal::Lost(Reason::new(ReasonKind::ConnectionLost))
}

pub(crate) fn bob() -> Address {
    Address::new("bob").unwrap()
}

pub(crate) fn message_id(number: i64) -> MessageId {
    MessageId::new(format!("m{number}")).unwrap()
}

/// Bob writes.
pub(crate) fn message(number: i64) -> Signal {
    let message = InboundMessage {
        chat: bob(),
        kind: ChatKind::Person,
        phone: None,
        id: message_id(number),
        sender: bob(),
        sender_name: None,
        from_account: false,
        content: Content::Text("hello".to_owned()),
        at: Timestamp::from_millis(number),
        quoted: None,
    };
    Signal::Messages { messages: vec![message], ack: Ack::unneeded() }
}
