//! One connection: the client's events become signals, commands become calls.

use std::sync::Arc;
use std::time::Duration;

use seatport::Clock;
use seatport::lifecycle::Account;
use seatport::transport::{Signal, TransportCommand};
use tokio::sync::mpsc;
use whatsapp_rust::prelude::Event;

use crate::address::{account, own};
use crate::engine::Engine;
use crate::farewell::Farewell;
use crate::fate::{Ending, Fate};
use crate::history::Takeover;
use crate::inbound::Inbound;
use crate::login::{LoginCodes, no_code};
use crate::news::{self, News};
use crate::outbound::{Letter, Outbound};
use crate::people::{Learnt, People};
use crate::receipt;
use crate::scope::{Scope, ScopeEnd};
use crate::store::Store;
use crate::verdict::{lost, verdict};

/// How long the network may take to end the connection after linking, as it does before it lets the device log in.
const AFTER_LINKING: Duration = Duration::from_secs(10);
/// How long unlinking may take. Stopping a session has to end within 4 s.
const UNLINK: Duration = Duration::from_secs(3);
/// How long a write to the vault may take that is on its way when the connection ends.
const LAST_WRITES: Duration = Duration::from_secs(1);
/// How many pairs of addresses are taken note of at once.
const LEARNT_AT_ONCE: usize = 256;
/// How long a device that was just linked waits for what Seatport makes of it.
const JUDGEMENT: Duration = Duration::from_secs(60);

/// A running connection.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) engine: Engine,
    pub(crate) history: Takeover,
    pub(crate) inbound: Inbound,
    pub(crate) people: People,
    /// What the client has learnt of who is whom.
    pub(crate) learnt: mpsc::UnboundedReceiver<Learnt>,
    pub(crate) news: News,
    pub(crate) store: Store,
    pub(crate) fate: Fate,
    pub(crate) scope: Scope,
    pub(crate) end: ScopeEnd,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signals: mpsc::Sender<Signal>,
    pub(crate) commands: mpsc::Receiver<TransportCommand>,
    pub(crate) codes: LoginCodes,
    pub(crate) outbound: Outbound,
    /// The account that was linked on this connection.
    pub(crate) paired: Option<Account>,
    /// The code of the network's last error, if it gave one.
    pub(crate) last_error: Option<String>,
    pub(crate) farewell: Farewell,
}

impl Line {
    /// Runs the connection until it ends, and says how. The signals end with it.
    pub(crate) async fn run(mut self) {
        self.scope.start(self.history.clone().run(self.engine.client.clone(), self.engine.tasks.clone()));
        let ending = self.drive().await;
        // From here on nothing that the client asks for is waited for.
        self.fate.decide(ending.clone());
        self.engine.leave().await;
        let Self { engine, end, store, signals, mut commands, farewell, .. } = self;
        let device = engine.device.get_device_snapshot();
        // Nothing of this client writes to the vault once Seatport knows that it has ended.
        if tokio::time::timeout(LAST_WRITES, store.close()).await.is_err() {
            tracing::warn!("the vault is still being written");
        }
        drop((engine, end));
        let linked = matches!(ending, Ending::Linked(_));
        if let Some(signal) = ending.signal() {
            // An error means that Seatport has dropped the connection: nobody wants to know.
            let _ = signals.send(signal).await;
        }
        if linked {
            // Whoever it is may turn out to be a stranger, whose phone must not go on listing this device.
            let judgement = tokio::time::timeout(JUDGEMENT, commands.recv()).await;
            if let Ok(Some(TransportCommand::LogOut)) = judgement {
                farewell.unlink(&device).await;
            }
        }
    }

    async fn drive(&mut self) -> Ending {
        let mut learnt = Vec::new();
        loop {
            // What comes in numbers is handed over in numbers.
            if self.news.is_full() || self.engine.events.is_empty() {
                self.say_news().await;
            }
            let limit = self.paired.is_some().then(|| self.scope.real(AFTER_LINKING));
            tokio::select! {
                biased;
                ending = self.fate.decided() => return ending,
                command = self.commands.recv() => match command {
                    None | Some(TransportCommand::Close) => return Ending::Closed,
                    Some(command) => if let Some(ending) = self.on_command(command).await {
                        return ending;
                    },
                },
                _ = self.learnt.recv_many(&mut learnt, LEARNT_AT_ONCE) => {
                    let own = own(&self.engine.client);
                    self.people.tell_learnt(own.as_ref(), std::mem::take(&mut learnt)).await;
                },
                event = self.engine.events.recv() => if let Ok(event) = event {
                    self.on_event(&event).await;
                },
                // Last, so that everything it had to say was heard.
                _ = &mut self.engine.ended => {
                    while let Ok(event) = self.engine.events.try_recv() {
                        self.on_event(&event).await;
                    }
                    self.say_news().await;
                    return self.fate.get().unwrap_or_else(|| self.over());
                },
                () = after(limit) => return self.over(),
            }
        }
    }

    /// How a connection ends that ends without a word: after linking that is what the network does.
    fn over(&self) -> Ending {
        let why = self.last_error.as_deref().unwrap_or("no answer");
        self.paired.clone().map_or_else(|| lost(why), Ending::Linked)
    }

    async fn on_command(&mut self, command: TransportCommand) -> Option<Ending> {
        let client = self.engine.client.clone();
        match command {
            TransportCommand::Send { chat, id, content, quoted, done } => {
                let (outbound, scope, store) = (self.outbound.clone(), self.scope.clone(), self.store.clone());
                self.scope.start(async move {
                    let letter = Letter { chat: &chat, id: &id, content, quoted: quoted.as_ref() };
                    let sent = outbound.send(&client, &store, |wait| scope.real(wait), letter).await;
                    // An error means that Seatport does not wait any longer.
                    let _ = done.send(sent);
                });
                None
            }
            TransportCommand::MarkRead { chat, messages, done } => {
                let (outbound, scope) = (self.outbound.clone(), self.scope.clone());
                self.scope.start(async move {
                    let told = outbound.mark_read(&client, |wait| scope.real(wait), &chat, &messages).await;
                    let _ = done.send(told);
                });
                None
            }
            TransportCommand::LogOut => {
                // A client that says that it has logged out has not lost anything.
                self.fate.decide(Ending::Closed);
                let unlinked = async {
                    while !client.is_logged_in() {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    client.logout().await;
                };
                if tokio::time::timeout(UNLINK, unlinked).await.is_err() {
                    tracing::info!("the network could not be told in time that the device unlinks");
                }
                Some(Ending::Closed)
            }
            // What this version does not know it cannot do; a dropped answer says so.
            _ => None,
        }
    }

    async fn on_event(&mut self, event: &Event) {
        if let Some(ending) = verdict(event, self.clock.now()) {
            match ending {
                // A device that was linked is cut off so that it logs in; that is no loss.
                Ending::Lost(_) if self.paired.is_some() => {}
                Ending::Lost(_) if self.last_error.is_some() => self.fate.decide(self.over()),
                ending => self.fate.decide(ending),
            }
            return;
        }
        if let Some(options) = self.codes.ask(event) {
            self.ask_for_code(options);
        }
        if let Some(challenge) = self.codes.show(event, self.clock.as_ref(), &self.scope) {
            self.say(Signal::Challenge(challenge)).await;
        }
        let client = self.engine.client.clone();
        match event {
            Event::PairSuccess(pair) => {
                let name = pair.business_name.as_str();
                self.paired = account(Some(&pair.id), Some(&pair.lid), name);
                // The credentials must be there before Seatport counts on them. An error has decided the fate.
                if let Err(error) = self.engine.device.flush().await {
                    tracing::debug!(%error, "the credentials could not be kept");
                }
            }
            Event::Connected(_) => {
                let (pn, lid) = (client.pn(), client.lid());
                if let Some(account) = account(pn.as_ref(), lid.as_ref(), &client.push_name()) {
                    self.say(Signal::Ready { account }).await;
                }
                self.scope.start(self.history.clone().go_on(client));
            }
            Event::PairingCodeError(error) => self.fate.decide(no_code(error.rejection, &error.error)),
            Event::ServerAck(ack) => self.outbound.on_ack(ack),
            Event::Receipt(event) => {
                if let Some(signal) = receipt::status(&client, event).await {
                    self.say(signal).await;
                }
            }
            // Some errors end the connection without an event of their own.
            Event::RawNode(stanza) if stanza.get().tag == "stream:error" => {
                self.last_error = stanza.get_attr("code").map(|code| code.as_str().into_owned());
            }
            Event::RawNode(stanza) => {
                for signal in receipt::read_elsewhere(&client, stanza.get()).await {
                    self.say(signal).await;
                }
            }
            Event::MarkChatAsReadUpdate(event) => {
                for signal in news::read_elsewhere(&client, event).await {
                    self.say(signal).await;
                }
            }
            Event::UndecryptableMessage(event) => self.inbound.undecryptable(&client, event).await,
            Event::Messages(batch) if !batch.hook_committed => self.inbound.opened_elsewhere(&client, batch).await,
            event => self.news.note(&client, event).await,
        }
    }

    fn ask_for_code(&self, options: whatsapp_rust::pair_code::PairCodeOptions) {
        let (client, fate) = (self.engine.client.clone(), self.fate.clone());
        self.scope.start(async move {
            // The code itself comes as an event, as do most failures.
            if let Err(error) = client.pair_with_code(options).await {
                fate.decide(no_code(error.rejection(), &error.to_string()));
            }
        });
    }

    async fn say_news(&mut self) {
        for signal in self.news.take() {
            self.say(signal).await;
        }
    }

    async fn say(&self, signal: Signal) {
        // An error means that Seatport has dropped the connection, which ends this task.
        let _ = self.signals.send(signal).await;
    }
}

async fn after(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}
