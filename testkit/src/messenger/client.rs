//! The transport's task for one connection: frames become signals, commands become frames.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{Ack, LoginChallenge, SendError, Signal, TransportCommand};
use seatport::vault::Vault;
use seatport::{Clock, Secret};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

use super::parcel::{Parcel, same_person};
use super::wire::{Ear, FromNetwork, Mouth, ToNetwork};

/// The name of the credentials in the vault.
pub(super) const CREDENTIALS: &str = "credentials";
/// How many signals, and how many commands, may wait for the other side.
const WAITING: usize = 16;

pub(super) struct Client {
    mouth: Arc<Mutex<Mouth>>,
    vault: Vault,
    clock: Arc<dyn Clock>,
    signals: mpsc::Sender<Signal>,
    commands: mpsc::Receiver<TransportCommand>,
    /// A signal that Seatport has not taken yet, with the deliveries to acknowledge as soon as it has. While there is
    /// one, whatever else the network says waits.
    told: Option<(Signal, Vec<u64>)>,
    /// Messages that Seatport is storing; each answers the deliveries to acknowledge.
    storing: JoinSet<Vec<u64>>,
    /// Questions that the network has not answered yet.
    asked: HashMap<u64, oneshot::Sender<Result<(), SendError>>>,
    questions: u64,
    /// Whether the end of the stream is what was asked for, or was announced.
    ending: bool,
}

impl Client {
    pub(super) fn new(
        mouth: Mouth,
        vault: Vault,
        clock: Arc<dyn Clock>,
    ) -> (Self, mpsc::Receiver<Signal>, mpsc::Sender<TransportCommand>) {
        let (signals, told) = mpsc::channel(WAITING);
        let (orders, commands) = mpsc::channel(WAITING);
        let client = Self {
            mouth: Arc::new(Mutex::new(mouth)),
            vault,
            clock,
            signals,
            commands,
            told: None,
            storing: JoinSet::new(),
            asked: HashMap::new(),
            questions: 0,
            ending: false,
        };
        (client, told, orders)
    }

    /// Runs until the network has hung up and Seatport knows all it said.
    pub(super) async fn run(mut self, ear: Ear) {
        let (frames, heard) = mpsc::unbounded_channel();
        let mouth = self.mouth.clone();
        // The network is told that somebody is there however long Seatport, or its storage, takes for anything.
        tokio::select! {
            biased;
            () = self.live(heard) => {}
            never = listen(ear, mouth, frames) => match never {},
        }
    }

    async fn live(&mut self, mut heard: mpsc::UnboundedReceiver<FromNetwork>) {
        loop {
            tokio::select! {
                // In a fixed order, so that a seed repeats a run; commands first, so that a flood holds none of them
                // up.
                biased;
                Some(command) = self.commands.recv() => self.obey(command).await,
                permit = self.signals.clone().reserve_owned(), if self.told.is_some() => {
                    let (Ok(permit), Some((signal, deliveries))) = (permit, self.told.take()) else { return };
                    permit.send(signal);
                    self.acknowledge(deliveries).await;
                }
                frame = heard.recv(), if self.told.is_none() => match frame {
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
            FromNetwork::Welcome | FromNetwork::Ping => return,
            FromNetwork::Rejected(reason) => {
                self.ending = true;
                Signal::Rejected(reason)
            }
            FromNetwork::Code { kind, code, sequence, valid_for } => {
                let expires_at = self.clock.now() + valid_for;
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
            FromNetwork::Delivery { numbers, parcel } => {
                let (signal, now) = self.open(parcel, numbers);
                deliveries = now;
                signal
            }
            FromNetwork::Answer { question, answer } => {
                if let Some(done) = self.asked.remove(&question) {
                    // Whoever asked may not wait any more.
                    let _ = done.send(answer.into());
                }
                return;
            }
        };
        self.told = Some((signal, deliveries));
    }

    /// The signal for a parcel, and the deliveries to acknowledge as soon as it is taken: those whose signal has no
    /// acknowledgement of its own.
    fn open(&mut self, parcel: Parcel, numbers: Vec<u64>) -> (Signal, Vec<u64>) {
        let signal = match parcel {
            Parcel::Messages(letters) => {
                let messages = letters.into_iter().map(Into::into).collect();
                return (Signal::Messages { messages, ack: self.once_stored(numbers) }, Vec::new());
            }
            Parcel::Amendments(amendments) => {
                return (Signal::Amendments { amendments, ack: self.once_stored(numbers) }, Vec::new());
            }
            Parcel::History(past) => {
                let history = Box::new(past.into());
                return (Signal::History { history, ack: self.once_stored(numbers) }, Vec::new());
            }
            Parcel::Contact(update) => Signal::Contacts(vec![update]),
            Parcel::Chat(update) => Signal::Chats(vec![update]),
            Parcel::Identity { address, canonical, phone } => {
                Signal::Identities(vec![same_person(address, canonical, phone)])
            }
            Parcel::Status { chat, id, status } => Signal::Status { chat, ids: vec![id], status },
            Parcel::Read { chat, up_to } => Signal::Read { chat, up_to },
        };
        (signal, numbers)
    }

    /// Acknowledges these once Seatport has stored them. If it does not, there is nothing to pass on: the network
    /// delivers again.
    fn once_stored(&mut self, numbers: Vec<u64>) -> Ack {
        let (ack, stored) = Ack::new();
        self.storing.spawn(async move { if stored.await.is_ok() { numbers } else { Vec::new() } });
        ack
    }

    async fn obey(&mut self, command: TransportCommand) {
        let frame = match command {
            TransportCommand::Send { chat, id, content, quoted, done } => {
                ToNetwork::Send { question: self.ask(done), chat, id, content, quoted }
            }
            TransportCommand::MarkRead { chat, messages, done } => {
                ToNetwork::MarkRead { question: self.ask(done), chat, messages }
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

    /// Keeps in mind who waits for the answer, and gives the question a number.
    fn ask(&mut self, done: oneshot::Sender<Result<(), SendError>>) -> u64 {
        self.questions += 1;
        self.asked.insert(self.questions, done);
        self.questions
    }

    async fn acknowledge(&mut self, deliveries: Vec<u64>) {
        if !deliveries.is_empty() {
            self.speak(&ToNetwork::Acknowledge(deliveries)).await;
        }
    }

    async fn speak(&mut self, frame: &ToNetwork) {
        if self.mouth.lock().await.say(frame).await.is_err() {
            tracing::debug!("the network hung up; the end of the stream tells");
        }
    }
}

/// Passes on what the network says, and answers its pings.
async fn listen(mut ear: Ear, mouth: Arc<Mutex<Mouth>>, frames: mpsc::UnboundedSender<FromNetwork>) -> Infallible {
    while let Some(frame) = ear.hear().await {
        match frame {
            // If the network has hung up, the end of the stream tells, after all that it said before.
            FromNetwork::Ping => drop(mouth.lock().await.say(&ToNetwork::Pong).await),
            // Whoever takes them is gone only when all of this is.
            frame => drop(frames.send(frame)),
        }
    }
    drop(frames);
    std::future::pending().await
}
