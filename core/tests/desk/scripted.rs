//! A transport that does what the test says: one connection at a time is handed to the test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use async_trait::async_trait;
use seatport::conversation::{ChatKind, Content};
use seatport::lifecycle::Account;
use seatport::transport::{
    Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, InboundMessage, Signal, Transport,
    TransportCommand,
};
use seatport::{
    Address, CardStatus, Desk, Invalid, MessageId, NewAccount, Random, SessionId, Timestamp, TransportName, WhenFull,
};
use tokio::sync::mpsc;

/// What the test holds of a connection.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) context: ConnectContext,
    pub(crate) signals: mpsc::Sender<Signal>,
    pub(crate) commands: mpsc::Receiver<TransportCommand>,
}

/// How connecting goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dial {
    Answers,
    Hangs,
    Panics,
}

#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) dial: Dial,
    pub(crate) proxy: bool,
    pub(crate) media: bool,
    /// If set, who asks for an id for a message waits here for the others who do.
    pub(crate) meet: Option<Barrier>,
    lines: mpsc::UnboundedSender<Line>,
    pub(crate) dropped: Arc<AtomicU32>,
}

impl Scripted {
    pub(crate) fn new(dial: Dial) -> (Self, mpsc::UnboundedReceiver<Line>) {
        let (lines, receiver) = mpsc::unbounded_channel();
        (Self { dial, proxy: true, media: false, meet: None, lines, dropped: Arc::default() }, receiver)
    }
}

#[async_trait]
impl Transport for Scripted {
    fn name(&self) -> TransportName {
        TransportName::new("scripted").unwrap()
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        (capabilities.proxy, capabilities.media) = (self.proxy, self.media);
        capabilities
    }

    fn new_message_id(&self, random: &Random) -> Result<MessageId, Invalid> {
        if let Some(meet) = &self.meet {
            meet.wait();
        }
        MessageId::new(format!("ours {:x}", random.below(u64::MAX)))
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        match self.dial {
            Dial::Answers => {}
            Dial::Hangs => std::future::pending().await,
            Dial::Panics => panic!("scripted"),
        }
        let (signals, connection_signals) = mpsc::channel(16);
        let (connection_commands, commands) = mpsc::channel(16);
        self.lines.send(Line { context, signals, commands }).unwrap();
        let dropped = self.dropped.clone();
        let guard = ConnectionGuard::new(move || {
            dropped.fetch_add(1, Ordering::SeqCst);
        });
        Ok(Connection { signals: connection_signals, commands: connection_commands, guard })
    }
}

pub(crate) fn account(user: &str) -> Account {
    Account { address: Address::new(user).unwrap(), phone: None, name: None }
}

/// A session that is online with the account `a`.
pub(crate) async fn online(desk: &Desk, lines: &mut mpsc::UnboundedReceiver<Line>) -> (SessionId, Line) {
    let session = desk.add_and_start(NewAccount::on("scripted"), WhenFull::Fail).await.unwrap();
    (session, ready(desk, session, lines).await)
}

/// The session's next connection, on which the account `a` is online.
pub(crate) async fn ready(desk: &Desk, session: SessionId, lines: &mut mpsc::UnboundedReceiver<Line>) -> Line {
    let line = lines.recv().await.unwrap();
    line.signals.send(Signal::Ready { account: account("a") }).await.unwrap();
    desk.watch(session).await.unwrap().until(|view| view.card.status == CardStatus::Online).await.unwrap();
    line
}

pub(crate) fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

pub(crate) fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

/// A text that this person wrote.
pub(crate) fn from(person: &str, message: &str) -> InboundMessage {
    InboundMessage {
        chat: address(person),
        kind: ChatKind::Person,
        phone: None,
        id: id(message),
        sender: address(person),
        sender_name: None,
        from_account: false,
        content: Content::Text(format!("this is {message}")),
        at: Timestamp::from_millis(1_700_000_000_000),
        quoted: None,
    }
}
