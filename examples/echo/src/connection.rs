//! One connection: what the network says becomes signals, commands become what the network is told.

use std::future::pending;
use std::time::Duration;

use seatport::conversation::{ChatKind, Content};
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{
    Ack, ChallengeKind, ConnectContext, ConnectError, InboundMessage, LoginChallenge, SendError, Signal,
    TransportCommand,
};
use seatport::{Address, Invalid, MessageId, Secret};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::network::{Echo, EchoNetwork, News, WALL};

/// The name of the credentials in the vault.
pub(crate) const CREDENTIALS: &str = "token";
/// How long a login code is good.
const CODE: Duration = Duration::from_secs(60);
/// How often Seatport is told that the network is there. It wants to know once a minute.
const ALIVE: Duration = Duration::from_secs(25);

/// A connection that runs. It ends when `run` returns: then the signals end.
pub(crate) struct Echoing {
    pub(crate) network: EchoNetwork,
    pub(crate) line: u64,
    pub(crate) context: ConnectContext,
    /// The credentials, once there are any.
    pub(crate) token: Option<String>,
    pub(crate) news: mpsc::UnboundedReceiver<News>,
    pub(crate) signals: mpsc::Sender<Signal>,
    pub(crate) commands: mpsc::Receiver<TransportCommand>,
    /// What Seatport is storing; each answers the number to acknowledge, once it is.
    pub(crate) storing: JoinSet<Option<u64>>,
    /// Until when the login code is shown.
    pub(crate) showing: Option<Instant>,
}

impl Echoing {
    pub(crate) async fn run(mut self) {
        if let Some(last) = self.live().await {
            self.say(last).await;
        }
    }

    /// Lives until the connection ends, and answers what there is to say about it.
    async fn live(&mut self) -> Option<Signal> {
        if self.token.is_none() {
            self.show_code().await;
        }
        let mut alive_at = Instant::now() + ALIVE;
        loop {
            tokio::select! {
                news = self.news.recv() => match news {
                    Some(news) => if let Some(last) = self.hear(news).await {
                        return Some(last);
                    },
                    // It never dials again by itself: whether and when is Seatport's to decide.
                    None => return Some(Signal::Lost(Reason::new(ReasonKind::ConnectionLost))),
                },
                command = self.commands.recv() => match command? {
                    TransportCommand::Close => return None,
                    TransportCommand::LogOut => {
                        self.unlink();
                        return None;
                    }
                    command => self.obey(command),
                },
                Some(Ok(Some(number))) = self.storing.join_next() => {
                    let token = self.token.as_deref().unwrap_or_default();
                    self.network.acknowledge(token, number);
                }
                () = until(self.showing) => return Some(Signal::LoginExpired),
                () = sleep_until(alive_at) => {
                    alive_at += ALIVE;
                    self.say(Signal::Alive).await;
                }
            }
        }
    }

    async fn show_code(&mut self) {
        let code = Secret::new(self.network.code(self.line));
        let expires_at = self.context.clock.now() + CODE;
        self.showing = Some(Instant::now() + CODE);
        self.say(Signal::Challenge(LoginChallenge { kind: ChallengeKind::Qr, code, sequence: 1, expires_at })).await;
    }

    /// Passes on what the network says; answers the last word, if that was it.
    async fn hear(&mut self, news: News) -> Option<Signal> {
        match news {
            News::Linked { account, token } => {
                self.showing = None;
                // `Paired` says that the credentials are in the vault, so that is what has to happen first.
                let kept = self.context.vault.put(CREDENTIALS, token.as_bytes()).await;
                self.token = Some(token.clone());
                if let Err(error) = kept {
                    self.unlink();
                    return Some(match ConnectError::from(error) {
                        ConnectError::Lost(reason) => Signal::Lost(reason),
                        ConnectError::Rejected(reason) => Signal::Rejected(reason),
                    });
                }
                self.say(Signal::Paired { account, redial: false }).await;
                self.network.log_in(self.line, &token);
            }
            News::Online(account) => self.say(Signal::Ready { account }).await,
            News::Echo(echo) => {
                // Nobody is told of it, and the network keeps it: it is acknowledged once Seatport says so, or never.
                let (ack, stored) = Ack::new();
                let number = echo.number;
                self.storing.spawn(async move { stored.await.is_ok().then_some(number) });
                match inbound(echo, self.context.clock.now()) {
                    Ok(message) => self.say(Signal::Messages { messages: vec![message], ack }).await,
                    Err(_) => ack.stored(),
                }
            }
            News::LoggedOut => return Some(Signal::Rejected(Reason::new(ReasonKind::LoggedOut))),
        }
        None
    }

    fn obey(&self, command: TransportCommand) {
        match command {
            TransportCommand::Send { chat, id, content, done, .. } => {
                let answer = match (&self.token, content) {
                    (None, _) => Err(SendError::Later("nobody is logged in".to_owned())),
                    (Some(_), _) if chat.as_str() != WALL => Err(SendError::Refused(format!("nobody is at {chat}"))),
                    (Some(token), Content::Text(text)) => {
                        self.network.send(token, id, text);
                        Ok(())
                    }
                    (Some(_), _) => Err(SendError::Refused("only texts come back".to_owned())),
                };
                // An error means that Seatport does not wait any more.
                let _ = done.send(answer);
            }
            // A wall does not care whether it is read.
            TransportCommand::MarkRead { done, .. } => drop(done.send(Ok(()))),
            // What a later version asks for: whoever waits for an answer learns that there is none.
            _ => {}
        }
    }

    fn unlink(&self) {
        if let Some(token) = &self.token {
            self.network.unlink(token);
        }
    }

    async fn say(&self, signal: Signal) {
        // An error means that Seatport has dropped the connection, which aborts this task.
        let _ = self.signals.send(signal).await;
    }
}

/// The echo as a message from the wall.
fn inbound(echo: Echo, at: seatport::Timestamp) -> Result<InboundMessage, Invalid> {
    let wall = Address::new(WALL)?;
    Ok(InboundMessage {
        chat: wall.clone(),
        kind: ChatKind::Person,
        phone: None,
        // The network's number, so that it is the same whenever it comes again.
        id: MessageId::new(format!("echo{}", echo.number))?,
        sender: wall,
        sender_name: None,
        from_account: false,
        content: Content::Text(echo.text),
        at,
        quoted: None,
    })
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}
