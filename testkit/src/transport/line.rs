//! A connection that is tested.

use std::collections::VecDeque;

use seatport::conversation::Content;
use seatport::transport::{Ack, Connection, InboundMessage, LoginChallenge, SendError, Signal, TransportCommand};
use seatport::{Address, MessageId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::trial::Trial;

/// A connection, and what it has said that nobody has listened to yet.
pub(crate) struct Line<'a> {
    trial: &'a Trial,
    pub(crate) connection: Connection,
    said: VecDeque<Signal>,
    /// A text that is not to be stored when it comes.
    pub(crate) awaited: Option<String>,
    /// The address of the account that is online.
    pub(crate) account: String,
}

impl<'a> Line<'a> {
    pub(crate) fn new(trial: &'a Trial, connection: Connection) -> Self {
        Self { trial, connection, said: VecDeque::new(), awaited: None, account: String::new() }
    }

    /// The next signal; none once the connection is closed.
    pub(crate) async fn signal(&mut self) -> Option<Signal> {
        if let Some(signal) = self.said.pop_front() {
            return Some(signal);
        }
        self.trial.within("a signal, or the end of the signals", self.connection.signals.recv()).await
    }

    /// The next signal about the login or the end. What comes before is stored, as a network may wait for that; messages are also
    /// kept for whoever listens later. With the text that is awaited unstored they are a word too, which is heard again.
    pub(crate) async fn word(&mut self) -> Option<Signal> {
        let deadline = Instant::now() + self.trial.can.patience;
        let mut kept = VecDeque::new();
        let word = loop {
            let signal = match self.said.pop_front() {
                Some(signal) => Some(signal),
                None => match timeout_at(deadline, self.connection.signals.recv()).await {
                    Ok(signal) => signal,
                    Err(_) => panic!(
                        "neither a word about the login nor the end of the signals within {:?}",
                        self.trial.can.patience
                    ),
                },
            };
            match signal {
                Some(Signal::Messages { messages, ack }) => {
                    let awaited = |message: &InboundMessage| self.awaited.iter().any(|text| says(message, text));
                    if messages.iter().any(awaited) {
                        let copy = Signal::Messages { messages: messages.clone(), ack: Ack::unneeded() };
                        kept.push_back(Signal::Messages { messages, ack });
                        break Some(copy);
                    }
                    ack.stored();
                    kept.push_back(Signal::Messages { messages, ack: Ack::unneeded() });
                }
                Some(Signal::Amendments { ack, .. } | Signal::History { ack, .. }) => ack.stored(),
                Some(
                    Signal::Alive
                    | Signal::Contacts(_)
                    | Signal::Chats(_)
                    | Signal::Identities(_)
                    | Signal::Status { .. }
                    | Signal::Read { .. },
                ) => {}
                word => break word,
            }
        };
        kept.append(&mut self.said);
        self.said = kept;
        word
    }

    /// The login code that is due.
    pub(crate) async fn challenge(&mut self) -> LoginChallenge {
        match self.word().await {
            Some(Signal::Challenge(challenge)) => challenge,
            other => panic!("a login code was due, not {other:?}"),
        }
    }

    /// The last word of the connection, after which the signals have to end.
    pub(crate) async fn last_word(&mut self) -> Option<Signal> {
        let mut last = None;
        while let Some(word) = self.word().await {
            last = Some(word);
        }
        last
    }

    /// Waits until the connection has closed, as it was told to.
    pub(crate) async fn closed(&mut self) {
        let trial = self.trial;
        trial.soon("the signals end", self.last_word()).await;
    }

    /// Waits until these texts have come, stores all that comes, and answers those that say one of them, in order.
    pub(crate) async fn arrivals(&mut self, texts: &[&str]) -> Vec<InboundMessage> {
        let mut arrived: Vec<InboundMessage> = Vec::new();
        let deadline = Instant::now() + self.trial.can.patience;
        while !texts.iter().all(|text| arrived.iter().any(|message| says(message, text))) {
            let Ok(signal) = timeout_at(deadline, self.signal()).await else {
                panic!("of {texts:?} only {arrived:?} arrived within {:?}", self.trial.can.patience)
            };
            let Some(signal) = signal else { panic!("the signals ended, and of {texts:?} only {arrived:?} arrived") };
            arrived.extend(stored(signal).into_iter().filter(|message| texts.iter().any(|text| says(message, text))));
        }
        arrived
    }

    /// What else arrives with this text, if one waits for a while.
    pub(crate) async fn more_arrivals(&mut self, text: &str) -> Vec<InboundMessage> {
        let (mut arrived, deadline) = (Vec::new(), Instant::now() + self.trial.can.quiet);
        while let Ok(Some(signal)) = timeout_at(deadline, self.signal()).await {
            arrived.extend(stored(signal).into_iter().filter(|message| says(message, text)));
        }
        arrived
    }

    /// Waits until this text has come, and answers it with its acknowledgement, which is yet to be given.
    pub(crate) async fn unstored(&mut self, text: &str) -> (InboundMessage, Ack) {
        let trial = self.trial;
        let search = async {
            loop {
                match self.signal().await {
                    Some(Signal::Messages { messages, ack }) => {
                        match messages.into_iter().find(|message| says(message, text)) {
                            Some(message) => break (message, ack),
                            None => ack.stored(),
                        }
                    }
                    Some(signal) => drop(stored(signal)),
                    None => panic!("the signals ended, and {text:?} did not arrive"),
                }
            }
        };
        trial.within(&format!("{text:?} arrives"), search).await
    }

    /// Sends a text to the peer's chat.
    pub(crate) async fn send_text(&mut self, id: &MessageId, text: &str) -> Result<(), SendError> {
        self.send(id, Content::Text(text.to_owned())).await
    }

    /// Sends something to the peer's chat. As Seatport does, it listens while it waits for the answer.
    pub(crate) async fn send(&mut self, id: &MessageId, content: Content) -> Result<(), SendError> {
        let answer = self.tell_to_send(id, content).await;
        self.answered(answer).await
    }

    /// Tells the connection to send, and does not wait.
    pub(crate) async fn tell_to_send(&mut self, id: &MessageId, content: Content) -> Answer {
        let (done, answer) = oneshot::channel();
        let command = TransportCommand::Send { chat: self.trial.chat(), id: id.clone(), content, quoted: None, done };
        self.tell(command).await;
        answer
    }

    /// Says that messages of the peer's chat were read.
    pub(crate) async fn mark_read(&mut self, messages: Vec<(MessageId, Address)>) -> Result<(), SendError> {
        let (done, answer) = oneshot::channel();
        self.tell(TransportCommand::MarkRead { chat: self.trial.chat(), messages, done }).await;
        self.answered(answer).await
    }

    /// What became of a command. An answer that is dropped counts as [`SendError::Later`].
    pub(crate) async fn answered(&mut self, answer: Answer) -> Result<(), SendError> {
        let answered = self.while_listening("a command is answered or dropped", answer).await;
        answered.unwrap_or_else(|_| Err(SendError::Later("not answered".into())))
    }

    /// Tells the connection something. A connection that has ended takes it no more, which is an answer too. As Seatport does, it
    /// listens meanwhile.
    pub(crate) async fn tell(&mut self, command: TransportCommand) {
        let (trial, commands) = (self.trial, self.connection.commands.clone());
        self.while_listening("a command is taken", tell(trial, &commands, command)).await;
    }

    /// What comes of this, in good time. What the connection says meanwhile is kept.
    async fn while_listening<T>(&mut self, what: &str, future: impl Future<Output = T>) -> T {
        let (signals, said) = (&mut self.connection.signals, &mut self.said);
        let listening = async {
            tokio::pin!(future);
            loop {
                tokio::select! {
                    biased;
                    result = &mut future => break result,
                    Some(signal) = signals.recv() => said.push_back(signal),
                }
            }
        };
        self.trial.within(what, listening).await
    }
}

/// Where the answer to a command comes.
pub(crate) type Answer = oneshot::Receiver<Result<(), SendError>>;

/// Tells a connection something that may have ended.
pub(crate) async fn tell(trial: &Trial, commands: &mpsc::Sender<TransportCommand>, command: TransportCommand) {
    // An error hands the command back, and with it drops whoever was to answer.
    let _ = trial.within("a command is taken", commands.send(command)).await;
}

/// Whether a message from somebody else says this text.
fn says(message: &InboundMessage, text: &str) -> bool {
    !message.from_account && matches!(&message.content, Content::Text(said) if said == text)
}

/// Stores what a signal brings, and answers the messages among it.
fn stored(signal: Signal) -> Vec<InboundMessage> {
    match signal {
        Signal::Messages { messages, ack } => {
            ack.stored();
            messages
        }
        Signal::Amendments { ack, .. } | Signal::History { ack, .. } => {
            ack.stored();
            Vec::new()
        }
        Signal::Lost(reason) => panic!("the connection was lost: {reason}"),
        Signal::Rejected(reason) => panic!("the connection was rejected: {reason}"),
        _ => Vec::new(),
    }
}
