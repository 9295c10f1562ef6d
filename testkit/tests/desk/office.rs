//! A team at work: a network, a storage, a supervisor called Mei, an agent called Li.

use std::path::Path;
use std::sync::Arc;

use std::time::Duration;

use seatport::conversation::{Content, MessageStatus, StoredMessage};
use seatport::memory::MemoryStorage;
use seatport::storage::{Storage, StorageErrorKind};
use seatport::vault::VaultKey;
use seatport::{
    Address, Agent, AgentId, AgentScope, Card, CardStatus, Desk, EventBody, MessageId, NewAccount, Page, PortRange,
    Random, Role, Seatport, SeatportBuilder, SendOptions, SessionId, View, WhenFull,
};
use seatport_sqlite::SqliteStorage;
use seatport_testkit::VirtualClock;
use seatport_testkit::messenger::{Messenger, Phone};

/// Where everything is kept: outlives the processes that work on it.
pub(crate) enum Store {
    Memory(MemoryStorage),
    Sqlite(tempfile::TempDir),
}

impl Store {
    pub(crate) fn memory() -> Self {
        Self::Memory(MemoryStorage::new())
    }

    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// Opens it as a process does when it starts.
    pub(crate) async fn open(&mut self) -> Arc<dyn Storage> {
        match self {
            Self::Memory(storage) => {
                *storage = storage.reopen();
                Arc::new(storage.clone())
            }
            Self::Sqlite(folder) => loop {
                match SqliteStorage::open(folder.path().join("seatport.db")).await {
                    Ok(storage) => break Arc::new(storage),
                    // The process before is ending: what it had queued is being written, in real time.
                    Err(error) if error.kind() == StorageErrorKind::InUse => std::thread::yield_now(),
                    Err(error) => panic!("{error}"),
                }
            },
        }
    }
}

pub(crate) struct Office {
    store: Store,
    /// Which sessions agents work on after the next restart.
    pub(crate) scope: AgentScope,
    /// How often it was opened: no two processes choose the same ids.
    boots: u64,
    pub(crate) clock: VirtualClock,
    pub(crate) messenger: Messenger,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) seatport: Seatport,
    pub(crate) mei: Desk,
    pub(crate) li: Desk,
}

pub(crate) fn id(agent: &str) -> AgentId {
    AgentId::new(agent).unwrap()
}

pub(crate) fn new_account() -> NewAccount {
    NewAccount::on("simulated")
}

impl Office {
    pub(crate) async fn open(mut store: Store) -> Self {
        let clock = VirtualClock::default();
        let messenger = Messenger::new(7, Arc::new(clock));
        let storage = store.open().await;
        let (scope, boots) = (AgentScope::All, 1);
        let builder = builder(&messenger, clock, storage.clone(), scope, boots);
        let seatport = builder.ports(PortRange::new(1, 3).unwrap()).build().await;
        let seatport = seatport.unwrap();
        for (agent, role) in [("mei", Role::Supervisor), ("li", Role::Agent), ("wang", Role::Agent)] {
            seatport.agents().put(Agent::new(agent, agent, role).unwrap()).await.unwrap();
        }
        let (mei, li) = (seatport.desk(&id("mei")).await.unwrap(), seatport.desk(&id("li")).await.unwrap());
        Self { store, scope, boots, clock, messenger, storage, seatport, mei, li }
    }

    /// The process ends, politely or not, and starts again.
    pub(crate) async fn restart(self, politely: bool) -> Self {
        self.restarted(politely, async |_| {}).await
    }

    /// The process ends, something happens to the file, and it starts again. Only where there is a file.
    pub(crate) async fn restart_after(self, happens: impl FnOnce(&Path)) -> Self {
        self.restarted(true, async |store| match store {
            Store::Sqlite(folder) => happens(&folder.path().join("seatport.db")),
            Store::Memory(_) => panic!("there is no file"),
        })
        .await
    }

    /// No process runs while this happens. Days pass quickly then: nobody renews a lease meanwhile.
    pub(crate) async fn closed(self, meanwhile: impl AsyncFnOnce()) -> Self {
        self.restarted(true, async |_| meanwhile().await).await
    }

    async fn restarted(self, politely: bool, meanwhile: impl AsyncFnOnce(&Store)) -> Self {
        let Self { mut store, scope, boots, clock, messenger, storage, seatport, mei, li } = self;
        if politely {
            seatport.shutdown(Duration::from_secs(5)).await;
        }
        drop((seatport, mei, li));
        // A process that dies takes its tasks along at once; ours are cancelled at their next turn.
        while Arc::strong_count(&storage) > 1 {
            tokio::task::yield_now().await;
        }
        drop(storage);
        meanwhile(&store).await;
        let storage = store.open().await;
        let seatport = builder(&messenger, clock, storage.clone(), scope, boots + 1).build().await.unwrap();
        let (mei, li) = (seatport.desk(&id("mei")).await.unwrap(), seatport.desk(&id("li")).await.unwrap());
        Self { store, scope, boots: boots + 1, clock, messenger, storage, seatport, mei, li }
    }

    /// Adds an account and starts it.
    pub(crate) async fn started(&self) -> SessionId {
        self.mei.add_and_start(new_account(), WhenFull::Fail).await.unwrap()
    }

    /// Adds an account, starts it, and scans with this phone until it is online.
    pub(crate) async fn online(&self, number: &str) -> (SessionId, Phone) {
        let (session, phone) = (self.started().await, self.messenger.phone(number));
        self.scan(session, &phone).await;
        self.reaches(session, CardStatus::Online).await;
        (session, phone)
    }

    /// Waits for a login code and scans it.
    pub(crate) async fn scan(&self, session: SessionId, phone: &Phone) {
        let view = self.until(session, |view| view.challenge.is_some()).await;
        phone.scan(view.challenge.unwrap().code.expose()).unwrap();
    }

    pub(crate) async fn until(&self, session: SessionId, wanted: impl Fn(&View) -> bool) -> View {
        let mut watch = self.mei.watch(session).await.unwrap();
        let reached = tokio::time::timeout(Duration::from_secs(3600), watch.until(wanted)).await;
        match reached {
            Ok(view) => view.unwrap(),
            Err(_) => panic!("never got there: {:?}", self.mei.card(session).await),
        }
    }

    pub(crate) async fn reaches(&self, session: SessionId, status: CardStatus) -> Card {
        self.until(session, |view| view.card.status == status).await.card
    }

    /// Waits until so many messages are unread.
    pub(crate) async fn unread(&self, session: SessionId, unread: u64) -> Card {
        self.until(session, |view| view.card.unread == unread).await.card
    }

    pub(crate) async fn card(&self, session: SessionId) -> Card {
        self.mei.card(session).await.unwrap()
    }

    /// Waits until everything the network had for this account is stored.
    pub(crate) async fn settled(&self, phone: &Phone) {
        eventually(|| phone.undelivered() == 0).await;
        // What needs no acknowledgement may still be on its way into the storage.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    /// Li sends a text.
    pub(crate) async fn says(&self, session: SessionId, chat: &Address, text: &str) -> MessageId {
        self.li.send_text(session, chat, text, SendOptions::default()).await.unwrap()
    }

    /// What was said in a chat, the oldest first.
    pub(crate) async fn messages(&self, session: SessionId, chat: &Address) -> Vec<StoredMessage> {
        let mut messages = self.li.messages(session, chat, Page::first(1000)).await.unwrap();
        messages.reverse();
        messages
    }

    /// The texts of a chat, the oldest first.
    pub(crate) async fn texts(&self, session: SessionId, chat: &Address) -> Vec<String> {
        let text = |content| match content {
            Content::Text(text) => text,
            other => format!("{other:?}"),
        };
        self.messages(session, chat).await.into_iter().map(|stored| text(stored.message.content)).collect()
    }

    pub(crate) async fn message(&self, session: SessionId, chat: &Address, id: &MessageId) -> StoredMessage {
        self.li.message(session, chat, id).await.unwrap().unwrap()
    }

    /// Waits until a message has come this far.
    pub(crate) async fn gets(&self, session: SessionId, chat: &Address, id: &MessageId, status: MessageStatus) {
        for _ in 0..36_000 {
            if self.message(session, chat, id).await.message.status == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("never {status}: {:?}", self.message(session, chat, id).await);
    }

    /// All that subscribers of a session were told.
    pub(crate) async fn events(&self, session: SessionId) -> Vec<EventBody> {
        let events = self.storage.events(session, 0, 10_000).await.unwrap();
        assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq), "the sequence has a gap");
        events.into_iter().map(|event| event.body).collect()
    }
}

/// Waits, within an hour, for something that the network sees.
pub(crate) async fn eventually(seen: impl Fn() -> bool) {
    for _ in 0..36_000 {
        if seen() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never got there");
}

fn builder(
    messenger: &Messenger,
    clock: VirtualClock,
    storage: Arc<dyn Storage>,
    scope: AgentScope,
    boot: u64,
) -> SeatportBuilder {
    Seatport::builder()
        .shared_storage(storage)
        .transport(messenger.transport())
        .vault_key(VaultKey::new([7; 32]))
        .agent_scope(scope)
        .clock(clock)
        .random(Random::seeded(10 + boot))
}
