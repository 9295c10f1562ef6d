//! A transport that does what the test says: one connection at a time is handed to the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use seatport::lifecycle::Account;
use seatport::transport::{
    Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, Signal, Transport, TransportCommand,
};
use seatport::{Address, TransportName};
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
    lines: mpsc::UnboundedSender<Line>,
    pub(crate) dropped: Arc<AtomicU32>,
}

impl Scripted {
    pub(crate) fn new(dial: Dial) -> (Self, mpsc::UnboundedReceiver<Line>) {
        let (lines, receiver) = mpsc::unbounded_channel();
        (Self { dial, proxy: true, lines, dropped: Arc::default() }, receiver)
    }
}

#[async_trait]
impl Transport for Scripted {
    fn name(&self) -> TransportName {
        TransportName::new("scripted").unwrap()
    }

    fn capabilities(&self) -> Capabilities {
        if self.proxy { Capabilities::default().with_proxy() } else { Capabilities::default() }
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
