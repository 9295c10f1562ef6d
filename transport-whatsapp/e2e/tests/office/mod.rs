//! A supervisor's desk in front of the fake network: everything goes through the real `Seatport`.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::time::Duration;

use anyhow::{Context, Result, bail};
use seatport::conversation::{Chat, Contact, Content, Message, MessageStatus, StoredMessage};
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::memory::MemoryStorage;
use seatport::storage::{LeadStore, VaultStore};
use seatport::vault::VaultKey;
use seatport::{
    Address, Agent, CardStatus, Desk, Environment, LoginMethod, NewAccount, Page, Role, Seatport, SendOptions,
    SessionId, Timestamp, Timing, View, WhenFull,
};
use seatport_whatsapp::WhatsApp;
use seatport_whatsapp_e2e::{FakeServer, Phone};

/// How long a step may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const ALICE: &str = "5511999990001";
pub(crate) const BOB: &str = "5521888880002";
pub(crate) const CAROL: &str = "5531777770003";

/// One process of the console, and the network outside.
pub(crate) struct Office {
    pub(crate) server: FakeServer,
    pub(crate) storage: MemoryStorage,
    pub(crate) seatport: Seatport,
    pub(crate) desk: Desk,
    transport: WhatsApp,
    timing: Timing,
}

/// Retries so soon that a test need not wait for them; everything else as in production.
pub(crate) fn impatient() -> Timing {
    Timing {
        retry_first: Duration::from_millis(50),
        retry_most: Duration::from_millis(400),
        scan: Duration::from_millis(200),
        send_every: Duration::ZERO,
        ..Timing::default()
    }
}

/// The transport as it is in production, but for the server.
pub(crate) fn whatsapp(url: &str) -> Result<WhatsApp> {
    Ok(WhatsApp::default().server_url(url)?.web_version(2, 3000, 1))
}

async fn start(storage: &MemoryStorage, transport: &WhatsApp, timing: &Timing) -> Result<(Seatport, Desk)> {
    let seatport = Seatport::builder()
        .storage(storage.clone())
        .transport(transport.clone())
        .vault_key(VaultKey::new([7; 32]))
        .timing(timing.clone())
        .build()
        .await?;
    let mei = Agent::new("mei", "Mei Lin", Role::Supervisor)?;
    seatport.agents().put(mei.clone()).await?;
    let desk = seatport.desk(&mei.id).await?;
    Ok((seatport, desk))
}

impl Office {
    pub(crate) async fn open() -> Result<Self> {
        Self::open_with(impatient(), |transport| transport).await
    }

    pub(crate) async fn open_with(timing: Timing, adjust: impl FnOnce(WhatsApp) -> WhatsApp) -> Result<Self> {
        let server = FakeServer::start().await?;
        let transport = adjust(whatsapp(&server.url())?);
        let storage = MemoryStorage::new();
        let (seatport, desk) = start(&storage, &transport, &timing).await?;
        Ok(Self { server, storage, seatport, desk, transport, timing })
    }

    /// The process dies without a word, and another one opens the same storage.
    pub(crate) async fn crash_and_start_again(self) -> Result<Self> {
        let Self { server, storage, seatport, desk, transport, timing } = self;
        drop((seatport, desk));
        eventually("the connections end with the process", async || server.live_connections() == 0).await?;
        let storage = storage.reopen();
        let (seatport, desk) = start(&storage, &transport, &timing).await?;
        Ok(Self { server, storage, seatport, desk, transport, timing })
    }

    pub(crate) async fn add_and_start(&self) -> Result<SessionId> {
        self.add_and_start_in(Environment::new()).await
    }

    pub(crate) async fn add_and_start_in(&self, environment: Environment) -> Result<SessionId> {
        let new = NewAccount::on("whatsapp").environment(environment);
        Ok(self.desk.add_and_start(new, WhenFull::Fail).await?)
    }

    pub(crate) async fn add_and_start_by_code(&self, phone: &str) -> Result<SessionId> {
        let new = NewAccount::on("whatsapp").login(LoginMethod::pairing_code(phone)?);
        Ok(self.desk.add_and_start(new, WhenFull::Fail).await?)
    }

    /// Waits until the session looks like this.
    pub(crate) async fn until(&self, session: SessionId, what: &str, is: impl Fn(&View) -> bool) -> Result<View> {
        let mut watch = self.desk.watch(session).await?;
        match tokio::time::timeout(PATIENCE, watch.until(is)).await {
            Ok(view) => Ok(view?),
            Err(_) => bail!("{what}: not within {PATIENCE:?}; it is {:?}", self.desk.card(session).await?),
        }
    }

    pub(crate) async fn online(&self, session: SessionId) -> Result<View> {
        self.until(session, "online", |view| view.card.status == CardStatus::Online).await
    }

    /// Waits until the session is blocked, holding its port; answers why.
    pub(crate) async fn blocked(&self, session: SessionId) -> Result<Reason> {
        let view = self.until(session, "blocked", |view| view.card.status == CardStatus::Blocked).await?;
        anyhow::ensure!(view.card.port.is_some(), "a blocked session keeps its port");
        view.card.reason.context("a blocked session says why")
    }

    /// Waits until the session is blocked for a reason of this kind.
    pub(crate) async fn blocked_by(&self, session: SessionId, kind: ReasonKind) -> Result<Reason> {
        let reason = self.blocked(session).await?;
        anyhow::ensure!(reason.kind == kind, "{reason:?}");
        Ok(reason)
    }

    /// Waits for a login code that is valid now.
    pub(crate) async fn code(&self, session: SessionId) -> Result<String> {
        let view = self.until(session, "a login code", |view| view.challenge.is_some()).await?;
        Ok(view.challenge.context("a login code")?.code.expose().to_owned())
    }

    /// Scans the code that the session shows; it may lack a moment until the session is online.
    pub(crate) async fn scan(&self, session: SessionId, phone: &Phone) -> Result<()> {
        phone.scan(&self.code(session).await?).await
    }

    /// A session that Alice's phone has logged in.
    pub(crate) async fn alice_online(&self) -> Result<(SessionId, Phone)> {
        let session = self.add_and_start().await?;
        let phone = self.server.phone(ALICE);
        self.scan(session, &phone).await?;
        self.online(session).await?;
        Ok((session, phone))
    }

    /// The names of what the transport keeps in the session's vault.
    pub(crate) async fn storage_names(&self, session: SessionId) -> Result<Vec<String>> {
        let entries = self.storage.vault_list(session, "net/").await?;
        Ok(entries.into_iter().map(|entry| entry.name).collect())
    }

    /// The messages of a chat as they are now, oldest first.
    pub(crate) async fn stored(&self, session: SessionId, chat: &str) -> Result<Vec<StoredMessage>> {
        let chat = Address::new(chat)?;
        let newest = self.desk.messages(session, &chat, Page::first(100)).await?;
        Ok(newest.into_iter().rev().collect())
    }

    /// Waits until the chat's messages, as they are now, look like this.
    pub(crate) async fn stored_until(
        &self,
        session: SessionId,
        chat: &str,
        is: impl Fn(&[StoredMessage]) -> bool,
    ) -> Result<Vec<StoredMessage>> {
        let mut last = Vec::new();
        let search = async {
            loop {
                last = self.stored(session, chat).await?;
                if is(&last) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await;
        match found {
            Ok(result) => result.map(|()| last),
            Err(_) => bail!("messages of {chat}: {last:#?}"),
        }
    }

    /// The messages of a chat, oldest first.
    pub(crate) async fn messages(&self, session: SessionId, chat: &str) -> Result<Vec<Message>> {
        Ok(messages(&self.stored(session, chat).await?))
    }

    /// Waits until the chat's messages look like this.
    pub(crate) async fn messages_until(
        &self,
        session: SessionId,
        chat: &str,
        is: impl Fn(&[Message]) -> bool,
    ) -> Result<Vec<Message>> {
        Ok(messages(&self.stored_until(session, chat, |stored| is(&messages(stored))).await?))
    }

    /// All chats, in the order of the list.
    pub(crate) async fn chats(&self, session: SessionId) -> Result<Vec<Chat>> {
        Ok(self.desk.chats(session, Page::first(100)).await?)
    }

    /// The contact with this address, if there is one.
    pub(crate) async fn contact(&self, session: SessionId, address: &str) -> Result<Option<Contact>> {
        let contacts = self.desk.contacts(session, Page::first(100)).await?;
        Ok(contacts.into_iter().find(|contact| contact.address.as_str() == address))
    }

    /// How many people count as leads.
    pub(crate) async fn leads(&self) -> Result<u64> {
        let totals = self.storage.lead_totals(Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX)).await?;
        Ok(totals.iter().map(|total| total.count).sum())
    }

    /// Waits until the message with this id has come so far.
    pub(crate) async fn status(&self, session: SessionId, chat: &str, id: &str, status: MessageStatus) -> Result<()> {
        let reached = |message: &Message| message.id.as_str() == id && message.status == status;
        self.messages_until(session, chat, |messages| messages.iter().any(reached)).await.map(drop)
    }

    /// Sends a text, and waits until the network has taken it; answers its id.
    pub(crate) async fn send(&self, session: SessionId, chat: &str, text: &str) -> Result<String> {
        let id = self.desk.send_text(session, &Address::new(chat)?, text, SendOptions::default()).await?;
        self.status(session, chat, id.as_str(), MessageStatus::Sent).await?;
        Ok(id.as_str().to_owned())
    }
}

pub(crate) fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

fn messages(stored: &[StoredMessage]) -> Vec<Message> {
    stored.iter().map(|stored| stored.message.clone()).collect()
}

/// What the messages say.
pub(crate) fn contents(messages: &[Message]) -> Vec<Content> {
    messages.iter().map(|message| message.content.clone()).collect()
}

/// Waits until this is so.
pub(crate) async fn eventually(what: &str, mut is: impl AsyncFnMut() -> bool) -> Result<()> {
    let search = async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, search).await.with_context(|| format!("{what}: not within {PATIENCE:?}"))
}
