//! The transport's task for one connection: frames become signals, commands become frames.

use std::collections::HashMap;

use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{Ack, LoginChallenge, SendError, Signal, TransportCommand};
use seatport::vault::Vault;
use seatport::{MessageId, Secret};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::wire::{Ear, FromNetwork, Mouth, ToNetwork};

/// The name of the credentials in the vault.
pub(super) const CREDENTIALS: &str = "credentials";
/// How many signals, and how many commands, may wait for the other side.
const WAITING: usize = 16;

pub(super) struct Client {
    ear: Ear,
    mouth: Mouth,
    vault: Vault,
    signals: mpsc::Sender<Signal>,
    commands: mpsc::Receiver<TransportCommand>,
    /// A signal that Seatport has not taken yet, with the deliveries to acknowledge as soon as it has. While there is one,
    /// nothing more is heard: a Seatport that is behind slows the network down.
    told: Option<(Signal, Vec<u64>)>,
    /// Messages that Seatport is storing; each answers the deliveries to acknowledge.
    storing: JoinSet<Vec<u64>>,
    /// Messages that the network has not answered yet.
    sending: HashMap<MessageId, oneshot::Sender<Result<(), SendError>>>,
    /// Whether the end of the stream is what was asked for, or was announced.
    ending: bool,
}

impl Client {
    pub(super) fn new(
        ear: Ear,
        mouth: Mouth,
        vault: Vault,
    ) -> (Self, mpsc::Receiver<Signal>, mpsc::Sender<TransportCommand>) {
        let (signals, told) = mpsc::channel(WAITING);
        let (orders, commands) = mpsc::channel(WAITING);
        let client = Self {
            ear,
            mouth,
            vault,
            signals,
            commands,
            told: None,
            storing: JoinSet::new(),
            sending: HashMap::new(),
            ending: false,
        };
        (client, told, orders)
    }

    /// Runs until the network has hung up and Seatport knows all it said.
    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                // In a fixed order, so that a seed repeats a run; commands first, so that a flood holds none of them up.
                biased;
                Some(command) = self.commands.recv() => self.obey(command).await,
                permit = self.signals.clone().reserve_owned(), if self.told.is_some() => {
                    let (Ok(permit), Some((signal, deliveries))) = (permit, self.told.take()) else { return };
                    permit.send(signal);
                    self.acknowledge(deliveries).await;
                }
                frame = self.ear.hear(), if self.told.is_none() => match frame {
                    Some(frame) => self.hear(frame).await,
                    None => break,
                },
                Some(Ok(deliveries)) = self.storing.join_next() => self.acknowledge(deliveries).await,
            }
        }
        if !self.ending {
            // Nobody is left to hear it if this fails.
            let _ = self.signals.send(Signal::Lost(Reason::new(ReasonKind::ConnectionLost).code("cut"))).await;
        }
    }

    async fn hear(&mut self, frame: FromNetwork) {
        let mut deliveries = Vec::new();
        let signal = match frame {
            FromNetwork::Welcome => return,
            FromNetwork::Rejected(reason) => {
                self.ending = true;
                Signal::Rejected(reason)
            }
            FromNetwork::Code { kind, code, sequence, expires_at } => {
                Signal::Challenge(LoginChallenge { kind: kind.into(), code: Secret::new(code), sequence, expires_at })
            }
            FromNetwork::CodesRanOut => {
                self.ending = true;
                Signal::LoginExpired
            }
            FromNetwork::Paired { account, token, redial } => {
                if let Err(error) = self.vault.put(CREDENTIALS, token.as_bytes()).await {
                    tracing::warn!(%error, "the credentials could not be stored");
                    self.ending = true;
                    self.told = Some((Signal::Lost(Reason::new(ReasonKind::ConnectionLost).code("vault")), deliveries));
                    return self.speak(&ToNetwork::Close).await;
                }
                self.ending |= redial;
                Signal::Paired { account, redial }
            }
            FromNetwork::Ready(account) => Signal::Ready { account },
            FromNetwork::Alive => Signal::Alive,
            FromNetwork::Messages { deliveries, messages } => {
                let (ack, stored) = Ack::new();
                // Without the acknowledgement there is nothing to pass on: the network delivers again.
                self.storing.spawn(async move { if stored.await.is_ok() { deliveries } else { Vec::new() } });
                Signal::Messages { messages: messages.into_iter().map(Into::into).collect(), ack }
            }
            FromNetwork::Status { delivery, chat, id, status } => {
                deliveries.push(delivery);
                Signal::Status { chat, ids: vec![id], status }
            }
            FromNetwork::Read { delivery, chat, up_to } => {
                deliveries.push(delivery);
                Signal::Read { chat, up_to }
            }
            FromNetwork::Taken(id) => return self.answer(&id, Ok(())),
            FromNetwork::NotTaken { id, later: true, why } => return self.answer(&id, Err(SendError::Later(why))),
            FromNetwork::NotTaken { id, later: false, why } => return self.answer(&id, Err(SendError::Refused(why))),
        };
        self.told = Some((signal, deliveries));
    }

    async fn obey(&mut self, command: TransportCommand) {
        let frame = match command {
            TransportCommand::SendText { chat, id, text, done } => {
                self.sending.insert(id.clone(), done);
                ToNetwork::Send { chat, id, text }
            }
            TransportCommand::MarkRead { chat, messages } => {
                ToNetwork::MarkRead { chat, messages: messages.into_iter().map(|(id, _)| id).collect() }
            }
            TransportCommand::LogOut => {
                self.ending = true;
                ToNetwork::LogOut
            }
            TransportCommand::Close => {
                self.ending = true;
                ToNetwork::Close
            }
            other => return tracing::warn!(?other, "the simulated transport does not know this command"),
        };
        self.speak(&frame).await;
    }

    fn answer(&mut self, id: &MessageId, result: Result<(), SendError>) {
        if let Some(done) = self.sending.remove(id) {
            // Whoever asked may not wait any more.
            let _ = done.send(result);
        }
    }

    async fn acknowledge(&mut self, deliveries: Vec<u64>) {
        if !deliveries.is_empty() {
            self.speak(&ToNetwork::Acknowledge(deliveries)).await;
        }
    }

    async fn speak(&mut self, frame: &ToNetwork) {
        if self.mouth.say(frame).await.is_err() {
            tracing::debug!("the network hung up; the end of the stream tells");
        }
    }
}
