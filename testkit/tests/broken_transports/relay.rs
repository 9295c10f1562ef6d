//! What goes between the suite and the simulated transport, both ways.

use std::future::pending;

use seatport::transport::{ConnectContext, Connection, Signal, Transport, TransportCommand};
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep};

use crate::Defect;
use crate::broken::BrokenTransport;
use crate::dials::Live;

pub(crate) struct Relay {
    pub(crate) transport: BrokenTransport,
    pub(crate) context: ConnectContext,
    pub(crate) first_dial: bool,
    pub(crate) inner: Connection,
    pub(crate) signals: mpsc::Sender<Signal>,
    pub(crate) commands: mpsc::Receiver<TransportCommand>,
    pub(crate) online: bool,
    /// What was told to be read.
    pub(crate) told: Vec<seatport::MessageId>,
    /// Counts the connection as long as it lives.
    pub(crate) _live: Live,
}

/// Whether the relay goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    On,
    /// The signals end.
    End,
    /// Nothing happens any more, but the signals do not end.
    Hang,
}

impl Relay {
    pub(crate) fn is(&self, defect: Defect) -> bool {
        self.transport.is(defect)
    }

    pub(crate) async fn run(mut self) {
        let memory = self.transport.memory.clone();
        let next = loop {
            let next = tokio::select! {
                biased;
                Some(command) = self.commands.recv() => self.on_command(command).await,
                signal = self.inner.signals.recv() => match signal {
                    Some(signal) => self.on_signal(signal).await,
                    None => Next::End,
                },
                () = memory.closed.notified(), if self.is(Defect::EndsAllAtOnce) => Next::End,
            };
            if next != Next::On {
                break next;
            }
        };
        if next == Next::Hang {
            let _kept = self;
            return pending().await;
        }
        if self.is(Defect::EndsAllAtOnce) {
            memory.closed.notify_waiters();
        }
        if self.is(Defect::TakesCommandsAfterTheEnd) {
            let mut commands = self.commands;
            tokio::spawn(async move {
                while let Some(command) = commands.recv().await {
                    if let TransportCommand::Send { done, .. } = command {
                        let _ = done.send(Ok(()));
                    }
                }
            });
        }
        let own = self.signals.clone();
        memory.signals.lock().retain(|signals| !signals.same_channel(&own));
    }

    /// Dials again, as if it were the same connection.
    pub(crate) async fn dial_again(&mut self) -> Next {
        sleep(Duration::from_secs(1)).await;
        match self.transport.inner.connect(self.context.clone()).await {
            Ok(inner) => {
                self.inner = inner;
                Next::On
            }
            Err(_) => Next::End,
        }
    }
}
