//! A transport of a host with a whole Seatport around it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::conversation::{Content as CoreContent, MessageStatus};
use seatport::lifecycle::ReasonKind as CoreKind;
use seatport::memory::MemoryStorage;
use seatport::vault::VaultKey;
use seatport::{Agent, CardStatus, Desk, NewAccount, Page, Role, Seatport, SendOptions, SessionId, WhenFull};
use seatport_testkit::VirtualClock;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::double::{LIMIT, me};
use crate::card::{ChallengeKind, LoginChallenge};
use crate::conversation::{ChatKind, InboundMessage};
use crate::network::Network;
use crate::secret::Secret;
use crate::time::told;
use crate::transport::{
    AnyConnection, Capabilities, Connection, Dial, OutboundMessage, ReadMessage, Signals, Transport, TransportError,
};

/// A network that logs in whoever is scanned and answers every message in the same chat.
#[derive(Default)]
struct Echo {
    clock: VirtualClock,
    scanned: Notify,
    /// How many login codes were shown.
    codes: Mutex<u32>,
    /// Whether it gives no sign of life.
    mute: Mutex<bool>,
    closes: Mutex<u32>,
}

#[async_trait]
impl Transport for Arc<Echo> {
    async fn connect(&self, dial: Dial) -> Result<AnyConnection, TransportError> {
        let known = dial.vault.get("token".to_owned()).await?.is_some();
        let signals = dial.signals.clone();
        let living = tokio::spawn(self.clone().live(dial, known));
        Ok(AnyConnection(Arc::new(EchoLine { network: self.clone(), signals, living })))
    }
}

impl Echo {
    async fn live(self: Arc<Self>, dial: Dial, known: bool) -> Result<(), TransportError> {
        if !known {
            *self.codes.lock() += 1;
            let expires_at = told(seatport::Clock::now(&self.clock) + Duration::from_secs(60));
            let code = Secret::new("2@secret".to_owned());
            dial.signals.challenge(LoginChallenge { kind: ChallengeKind::Qr, code, sequence: 1, expires_at }).await?;
            self.scanned.notified().await;
            dial.vault.put("token".to_owned(), b"credentials".to_vec()).await?;
            return dial.signals.paired(me(), true).await;
        }
        dial.signals.ready(me()).await?;
        loop {
            sleep(Duration::from_secs(25)).await;
            if !*self.mute.lock() {
                dial.signals.alive().await?;
            }
        }
    }
}

struct EchoLine {
    network: Arc<Echo>,
    signals: Arc<Signals>,
    living: JoinHandle<Result<(), TransportError>>,
}

#[async_trait]
impl Connection for EchoLine {
    async fn send(&self, message: OutboundMessage) -> Result<(), TransportError> {
        let echo = InboundMessage {
            id: format!("echo of {}", message.id),
            sender: message.chat.clone(),
            chat: message.chat,
            kind: ChatKind::Person,
            content: message.content,
            at: told(seatport::Clock::now(&self.network.clock)),
            from_account: false,
            phone: None,
            sender_name: None,
            quoted: None,
        };
        let signals = self.signals.clone();
        tokio::spawn(async move { signals.messages(vec![echo]).await });
        Ok(())
    }

    async fn mark_read(&self, _: String, _: Vec<ReadMessage>) -> Result<(), TransportError> {
        Ok(())
    }

    async fn log_out(&self) -> Result<(), TransportError> {
        Ok(())
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.living.abort();
        *self.network.closes.lock() += 1;
        Ok(())
    }
}

/// An instance on this network, and a supervisor's desk.
async fn office(echo: &Arc<Echo>) -> (Seatport, Desk) {
    let capabilities = Capabilities { stores_credentials: true, ..Capabilities::default() };
    let transport: Arc<dyn Transport> = Arc::new(echo.clone());
    let network = Network::hosted("echo".to_owned(), capabilities, transport).unwrap();
    let building = Seatport::builder()
        .storage(MemoryStorage::new())
        .shared_transport(network.transport(LIMIT))
        .clock(echo.clock)
        .vault_key(VaultKey::new([7; 32]));
    let seatport = building.build().await.unwrap();
    seatport.agents().put(Agent::new("mei", "Mei Lin", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&"mei".parse().unwrap()).await.unwrap();
    (seatport, desk)
}

async fn reach(desk: &Desk, session: SessionId, status: CardStatus) {
    desk.watch(session).await.unwrap().until(|view| view.card.status == status).await.unwrap();
}

async fn online(echo: &Arc<Echo>, desk: &Desk) -> SessionId {
    let session = desk.add_and_start(NewAccount::on("echo"), WhenFull::Fail).await.unwrap();
    reach(desk, session, CardStatus::AwaitingLogin).await;
    echo.scanned.notify_one();
    reach(desk, session, CardStatus::Online).await;
    session
}

#[tokio::test(start_paused = true)]
async fn an_account_on_a_network_of_the_host_logs_in_once_and_talks() {
    let echo = Arc::new(Echo::default());
    let (seatport, desk) = office(&echo).await;
    let session = online(&echo, &desk).await;
    assert_eq!(*echo.codes.lock(), 1);

    let chat = "li@echo".parse().unwrap();
    desk.send_text(session, &chat, "hello", SendOptions::default()).await.unwrap();
    let messages = loop {
        let messages = desk.messages(session, &chat, Page::first(10)).await.unwrap();
        if messages.len() == 2 && messages.iter().all(|stored| stored.message.status >= MessageStatus::Sent) {
            break messages;
        }
        sleep(Duration::from_millis(50)).await;
    };
    assert!(messages.iter().all(|stored| stored.message.content == CoreContent::Text("hello".to_owned())));

    assert_eq!(desk.stop(session).await.unwrap().status, CardStatus::Offline);
    desk.start(session, WhenFull::Fail).await.unwrap();
    reach(&desk, session, CardStatus::Online).await;
    assert_eq!(*echo.codes.lock(), 1, "it is logged in from the vault");
    seatport.shutdown(Duration::from_secs(5)).await;
    assert_eq!(*echo.closes.lock(), 3, "after the login, the stop and the shutdown");
}

#[tokio::test(start_paused = true)]
async fn a_network_of_the_host_that_gives_no_sign_of_life_is_dialled_again() {
    let echo = Arc::new(Echo::default());
    let (_seatport, desk) = office(&echo).await;
    let session = online(&echo, &desk).await;
    *echo.mute.lock() = true;
    reach(&desk, session, CardStatus::Connecting).await;
    let reason = desk.card(session).await.unwrap().reason.unwrap();
    assert_eq!(reason.kind, CoreKind::NoProofOfLife);
    *echo.mute.lock() = false;
    reach(&desk, session, CardStatus::Online).await;
}

#[tokio::test(start_paused = true)]
async fn when_an_instance_has_ended_the_objects_of_the_host_are_given_back() {
    let echo = Arc::new(Echo::default());
    let (seatport, desk) = office(&echo).await;
    online(&echo, &desk).await;
    seatport.shutdown(Duration::from_secs(5)).await;
    drop((seatport, desk));
    while Arc::strong_count(&echo) > 1 {
        sleep(Duration::from_millis(50)).await;
    }
}
