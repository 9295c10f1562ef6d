//! What drives one connection of the host: its signals go out, commands go in.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{ConnectError, SendError, Signal, TransportCommand};
use tokio::sync::{mpsc, oneshot};

use crate::host::{Held, call};
use crate::transport::hosted::Turn;
use crate::transport::{Connection, OutboundMessage, ReadMessage, TransportError};

/// How many messages may wait for the one that the host is sending. What is more is put off: core asks again.
const MOST_ERRANDS: usize = 64;

pub(super) struct Driver {
    pub(super) connection: Held<dyn Connection>,
    /// How long a call into the host may take.
    pub(super) limit: Duration,
    pub(super) commands: mpsc::Receiver<TransportCommand>,
    /// What the host tells.
    pub(super) told: mpsc::Receiver<Signal>,
    pub(super) signals: mpsc::Sender<Signal>,
    /// Its end says that core has dropped the connection.
    pub(super) dropped: oneshot::Receiver<Infallible>,
    pub(super) turn: Turn,
}

/// How a connection is left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaving {
    Close,
    LogOut,
}

/// Something the host is doing; answers the end of the connection, if it came to that.
type Errand = Pin<Box<dyn Future<Output = Option<ConnectError>> + Send>>;

impl Driver {
    /// Runs until the connection is over and the host knows it.
    pub(super) async fn run(mut self) {
        let leaving = self.live().await;
        let Self { connection, limit, commands, told, signals, turn, .. } = self;
        // From now on whatever the host tells is answered with `Ended`, and every command with `Later`: nobody waits for
        // somebody who waits here.
        drop((commands, told));
        if leaving == Leaving::LogOut {
            note("log_out", call("log_out", limit, connection.log_out()).await);
        }
        note("close", call("close", limit, connection.close()).await);
        drop(connection);
        // The next connection of this session may come; and the end of the signals says that this one is closed.
        drop((turn, signals));
    }

    async fn live(&mut self) -> Leaving {
        let mut waiting: VecDeque<TransportCommand> = VecDeque::new();
        let mut errand: Option<Errand> = None;
        let mut outgoing: VecDeque<Signal> = VecDeque::new();
        loop {
            tokio::select! {
                // Commands first, so that a flood of signals holds none of them up.
                biased;
                _ = &mut self.dropped => return Leaving::Close,
                command = self.commands.recv() => match command {
                    None | Some(TransportCommand::Close) => return Leaving::Close,
                    Some(TransportCommand::LogOut) => return Leaving::LogOut,
                    Some(command) if waiting.len() < MOST_ERRANDS => waiting.push_back(command),
                    Some(_) => {}
                },
                end = in_progress(&mut errand) => {
                    errand = None;
                    outgoing.extend(end.map(|end| match end {
                        ConnectError::Lost(reason) => Signal::Lost(reason),
                        ConnectError::Rejected(reason) => Signal::Rejected(reason),
                    }));
                }
                permit = self.signals.reserve(), if !outgoing.is_empty() => {
                    let (Ok(permit), Some(signal)) = (permit, outgoing.pop_front()) else { return Leaving::Close };
                    let last = is_last(&signal);
                    permit.send(signal);
                    if last {
                        return Leaving::Close;
                    }
                }
                signal = self.told.recv(), if outgoing.is_empty() => outgoing.push_back(signal.unwrap_or_else(|| {
                    let reason = Reason::new(ReasonKind::ConnectionLost);
                    Signal::Lost(reason.code("the transport let go of its signals"))
                })),
            }
            if errand.is_none() {
                errand = waiting.pop_front().map(|command| self.errand(command));
            }
        }
    }

    /// Begins with a command.
    fn errand(&self, command: TransportCommand) -> Errand {
        let (connection, limit) = (self.connection.clone(), self.limit);
        Box::pin(async move {
            match command {
                TransportCommand::Send { chat, id, content, quoted, done } => {
                    let message = OutboundMessage {
                        chat: chat.to_string(),
                        id: id.to_string(),
                        content: content.into(),
                        quoted: quoted.map(|id| id.to_string()),
                    };
                    settle(done, call("send", limit, connection.send(message)).await)
                }
                TransportCommand::MarkRead { chat, messages, done } => {
                    let read = |(id, sender): &(seatport::MessageId, seatport::Address)| ReadMessage {
                        id: id.to_string(),
                        sender: sender.to_string(),
                    };
                    let messages = messages.iter().map(read).collect();
                    settle(done, call("mark_read", limit, connection.mark_read(chat.to_string(), messages)).await)
                }
                other => {
                    tracing::warn!(command = ?other, "transports of a host do not know this command");
                    None
                }
            }
        })
    }
}

/// What the host is doing; for ever, if it is doing nothing.
async fn in_progress(errand: &mut Option<Errand>) -> Option<ConnectError> {
    match errand {
        Some(errand) => errand.await,
        None => pending().await,
    }
}

/// Passes on what became of a command, and answers the end of the connection, if that is what became of it.
fn settle(done: oneshot::Sender<Result<(), SendError>>, result: Result<(), TransportError>) -> Option<ConnectError> {
    let (answer, end) = match result {
        Ok(()) => (Ok(()), None),
        Err(error) => {
            let (error, end) = error.of_a_message();
            (Err(error), end)
        }
    };
    // Whoever asked may not wait any more.
    let _ = done.send(answer);
    end
}

/// Whether nothing may follow this one.
fn is_last(signal: &Signal) -> bool {
    matches!(signal, Signal::Lost(_) | Signal::Rejected(_) | Signal::LoginExpired | Signal::Paired { redial: true, .. })
}

/// A connection is over whatever the host says to it.
fn note(what: &str, result: Result<(), TransportError>) {
    if let Err(error) = result {
        tracing::warn!(%error, what, "the host failed at the end of a connection");
    }
}
