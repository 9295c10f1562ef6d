//! A process that runs 20 sessions on SQLite is killed without a word, 50 times at random moments, while people write to its
//! accounts and a supervisor starts and stops sessions and writes to people. The network lives in this process and remembers
//! everything.
//! A test without the usual harness: it starts itself again as the process to be killed.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod reconcile;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use seatport::conversation::Direction;
use seatport::lifecycle::{Desired, Lifecycle};
use seatport::storage::{ConversationStore, PortStore, SessionStore, Storage};
use seatport::vault::VaultKey;
use seatport::{
    Address, Agent, AgentId, CardStatus, Desk, Error, NewAccount, Page, PortRange, Random, Role, Seatport, SendKey,
    SendOptions, SessionFilter, SessionId, SystemClock, Timing, WhenFull, WhenStopped,
};
use seatport_sqlite::SqliteStorage;
use seatport_testkit::messenger::{Messenger, Phone, Received, SimulatedTransport};

const SESSIONS: usize = 20;
const KILLS: u32 = 50;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    match &arguments[1..] {
        [address, file, seed] if address.starts_with("127.0.0.1:") => host(address, file, seed.parse().unwrap()).await,
        _ => network().await,
    }
}

/// The process to be killed. It says what it is about to do, and then that it was answered.
async fn host(address: &str, file: &str, seed: u64) {
    let seatport = Seatport::builder()
        .storage(SqliteStorage::open(file).await.unwrap())
        .transport(SimulatedTransport::remote(address))
        .vault_key(VaultKey::new([7; 32]))
        .ports(PortRange::new(1, SESSIONS as u32).unwrap())
        .timing(timing())
        .build()
        .await
        .unwrap();
    let mei = AgentId::new("mei").unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&mei).await.unwrap();
    let mut sessions = cards(&desk).await;
    if sessions.is_empty() {
        for _ in 0..SESSIONS {
            desk.add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await.unwrap();
        }
        sessions = cards(&desk).await;
        for session in &sessions {
            let shown = desk.watch(*session).await.unwrap().until(|view| view.challenge.is_some()).await.unwrap();
            println!("code {session} {}", shown.challenge.unwrap().code.expose());
        }
        for session in &sessions {
            let mut watch = desk.watch(*session).await.unwrap();
            watch.until(|view| view.card.status == CardStatus::Online).await.unwrap();
        }
    }
    println!("ready");
    let (random, ada) = (Random::seeded(seed), Address::new("ada@simulated").unwrap());
    loop {
        let session = sessions[usize::try_from(random.below(SESSIONS as u64)).unwrap()];
        let start = random.below(2) == 0;
        println!("{} {session}", if start { "starting" } else { "stopping" });
        let answer = match start {
            true => desk.start(session, WhenFull::Fail).await,
            false => desk.stop(session).await,
        };
        match answer {
            Ok(_) => println!("answered {session}"),
            // The stop that the process before was killed over is still being finished.
            Err(Error::IllegalTransition(_)) => println!("refused {session}"),
            Err(error) => panic!("{error}"),
        }
        // A name for the message that no other process gives one.
        let text = format!("order-{seed}-{}", random.below(u64::MAX));
        println!("saying {session} {text}");
        let how = SendOptions::default().key(SendKey::new(&*text).unwrap()).when_stopped(WhenStopped::Queue);
        desk.send_text(session, &ada, text.clone(), how).await.unwrap();
        println!("said {session} {text}");
        tokio::time::sleep(random.up_to(Duration::from_millis(50))).await;
    }
}

fn timing() -> Timing {
    Timing { retry_first: Duration::from_millis(100), send_every: Duration::ZERO, ..Timing::default() }
}

async fn cards(desk: &Desk) -> Vec<SessionId> {
    let cards = desk.cards(&SessionFilter::default(), Page::first(100)).await.unwrap();
    cards.into_iter().map(|card| card.session).collect()
}

/// An account and its session, as seen from outside.
struct Account {
    phone: Phone,
    /// How many messages people have written to it.
    written: usize,
    /// What the supervisor was told it is, and what she asked for since and had no answer to.
    told: Desired,
    asked: Option<Desired>,
    /// What a supervisor was told is on its way to Ada.
    said: BTreeSet<String>,
}

impl Account {
    fn new(phone: Phone) -> Self {
        Self { phone, written: 0, told: Desired::Started, asked: None, said: BTreeSet::new() }
    }
}

type Accounts = Arc<Mutex<BTreeMap<SessionId, Account>>>;

/// What outlives the process: the network, the file, and everything anybody was told.
struct Outside {
    messenger: Messenger,
    address: String,
    folder: tempfile::TempDir,
    accounts: Accounts,
}

/// The process.
struct Host {
    child: Child,
    listening: std::thread::JoinHandle<()>,
}

impl Host {
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.listening.join().unwrap();
    }
}

async fn network() {
    let begin = Instant::now();
    let messenger = Messenger::new(7, Arc::new(SystemClock));
    let listener = messenger.listen("127.0.0.1:0").await.unwrap();
    let address = listener.address().to_string();
    let folder = tempfile::tempdir().unwrap();
    let outside = Outside { messenger, address, folder, accounts: Arc::default() };
    // The moments of the kills, and what the supervisor asks for. What meets them is up to the machine.
    let seed = match std::env::var("SEATPORT_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => Random::from_os().unwrap().below(u64::MAX),
    };
    println!("SEATPORT_SEED={seed}");
    let random = Random::seeded(seed);

    let (mut host, ready) = outside.host(&random);
    tokio::task::block_in_place(|| ready.recv_timeout(PATIENCE).expect("the sessions did not come online"));
    let writing = tokio::spawn(write(outside.messenger.clone(), outside.accounts.clone()));
    for kill in 1..=KILLS {
        tokio::time::sleep(random.up_to(Duration::from_millis(700))).await;
        tokio::task::block_in_place(|| host.kill());
        outside.hung_up().await;
        outside.check(kill).await;
        host = outside.host(&random).0;
    }
    writing.abort();
    tokio::task::block_in_place(|| host.kill());
    outside.hung_up().await;
    outside.resumes().await;
    println!("test killed_{KILLS}_times ... ok, {:.0?}", begin.elapsed());
}

/// People write to every account, without end.
async fn write(messenger: Messenger, accounts: Accounts) {
    let ada = messenger.person("ada");
    loop {
        for account in accounts.lock().values_mut() {
            ada.write(account.phone.address(), "hello");
            account.written += 1;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Outside {
    fn file(&self) -> PathBuf {
        self.folder.path().join("seatport.db")
    }

    /// Starts the process. Answers also what tells when it is ready.
    fn host(&self, random: &Random) -> (Host, mpsc::Receiver<()>) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(&self.address).arg(self.file()).arg(random.below(u64::MAX).to_string());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (ready, is_ready) = mpsc::channel();
        let (accounts, messenger) = (self.accounts.clone(), self.messenger.clone());
        let listening = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let words: Vec<_> = line.split(' ').collect();
                let session = words.get(1).and_then(|id| id.parse::<SessionId>().ok());
                let mut accounts = accounts.lock();
                match (words[0], session) {
                    ("ready", _) => ready.send(()).unwrap_or_default(),
                    ("code", Some(session)) => {
                        let phone = messenger.phone(&format!("+861380013{:04}", accounts.len()));
                        phone.scan(words[2]).unwrap();
                        accounts.insert(session, Account::new(phone));
                    }
                    (word, Some(session)) => {
                        let account = accounts.get_mut(&session).unwrap();
                        match word {
                            "starting" => account.asked = Some(Desired::Started),
                            "stopping" => account.asked = Some(Desired::Stopped),
                            "refused" => account.asked = None,
                            "saying" => {}
                            "said" => drop(account.said.insert(words[2].to_owned())),
                            "answered" => account.told = account.asked.take().unwrap(),
                            _ => panic!("unexpected: {line}"),
                        }
                    }
                    _ => panic!("unexpected: {line}"),
                }
            }
        });
        (Host { child, listening }, is_ready)
    }

    /// Waits until the network has noticed that the process is gone.
    async fn hung_up(&self) {
        let accounts: Vec<_> = self.accounts.lock().values().map(|account| account.phone.address().clone()).collect();
        let begin = Instant::now();
        loop {
            let journal = self.messenger.journal();
            if accounts.iter().all(|account| journal.live(account) == 0) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "the network did not notice the death of the process");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Looks at what the killed process left behind.
    async fn check(&self, kill: u32) {
        let storage = SqliteStorage::open(self.file()).await.unwrap();
        let sessions = storage.sessions(&SessionFilter::default(), Page::first(100)).await.unwrap();
        assert_eq!(sessions.len(), SESSIONS);
        let usage = storage.port_usage().await.unwrap();
        for stored in &sessions {
            let (id, facts) = (stored.record.id, &stored.record.facts);
            let acknowledged = {
                let mut accounts = self.accounts.lock();
                let account = accounts.get_mut(&id).unwrap();
                let may_be = [Some(account.told), account.asked];
                assert!(may_be.contains(&Some(facts.desired)), "kill {kill}: {facts:?}, expected one of {may_be:?}");
                (account.told, account.asked) = (facts.desired, None);
                account.written - account.phone.unacknowledged()
            };
            let stopped = facts.lifecycle == Lifecycle::Stopped;
            let held = usage.occupied.iter().filter(|occupied| occupied.session == id).count();
            assert_eq!((held, stored.port.is_some()), (usize::from(!stopped), !stopped), "kill {kill}: {facts:?}");
            let messages = stored_messages(&storage, id).await;
            assert!(messages >= acknowledged, "kill {kill}: {acknowledged} acknowledged, {messages} stored");
        }
        assert_eq!(reconcile::disagreements(&storage).await, Vec::<String>::new(), "kill {kill}");
        storage.close().await.unwrap();
    }

    /// After the last kill: what was started comes online again without a scan, what was stopped stays so, nothing is lost.
    async fn resumes(&self) {
        let storage = SqliteStorage::open(self.file()).await.unwrap();
        let before = storage.sessions(&SessionFilter::default(), Page::first(100)).await.unwrap();
        let builder = Seatport::builder().storage(storage.clone()).vault_key(VaultKey::new([7; 32])).timing(timing());
        let seatport = builder.transport(SimulatedTransport::remote(&self.address)).build().await.unwrap();
        let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
        for stored in &before {
            let wanted = match stored.record.facts.desired {
                Desired::Started => CardStatus::Online,
                Desired::Stopped => CardStatus::Offline,
            };
            let mut watch = desk.watch(stored.record.id).await.unwrap();
            let reached = tokio::time::timeout(PATIENCE, watch.until(|view| view.card.status == wanted)).await;
            assert!(reached.is_ok(), "never {wanted}: {:?}", desk.card(stored.record.id).await);
        }
        // Whoever was stopped gets what was written meanwhile at the next start.
        for stored in &before {
            desk.start(stored.record.id, WhenFull::Fail).await.unwrap();
        }
        let (mut total, begin) = (0, Instant::now());
        for stored in &before {
            let unacknowledged = || self.accounts.lock()[&stored.record.id].phone.unacknowledged();
            while unacknowledged() > 0 {
                assert!(begin.elapsed() < PATIENCE, "{} messages never arrived", unacknowledged());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let written = self.accounts.lock()[&stored.record.id].written;
            assert_eq!(stored_messages(&storage, stored.record.id).await, written, "every message is there once");
            total += written;
        }
        println!("{total} messages, each stored once");
        let said = self.heard(begin).await;
        println!("{said} messages, each shown once");
        seatport.shutdown(Duration::from_secs(5)).await;
        drop((seatport, desk, storage));
        let storage = SqliteStorage::open(self.file()).await.unwrap();
        assert_eq!(reconcile::disagreements(&storage).await, Vec::<String>::new());
    }
}

impl Outside {
    /// Waits until Ada has heard everything that the supervisor was told is on its way. Nothing was shown to her twice.
    async fn heard(&self, begin: Instant) -> usize {
        let ada = self.messenger.person("ada");
        loop {
            let received = ada.received();
            let heard: BTreeSet<_> = received.iter().map(Received::text).collect();
            assert_eq!(heard.len(), received.len(), "something was shown twice");
            match self.missing(&heard) {
                0 => return heard.len(),
                missing => assert!(begin.elapsed() < PATIENCE, "{missing} messages never went out"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn missing(&self, heard: &BTreeSet<&str>) -> usize {
        let accounts = self.accounts.lock();
        accounts.values().flat_map(|account| &account.said).filter(|said| !heard.contains(&***said)).count()
    }
}

/// How many messages came in; each has an id of its own, or it would not be stored.
async fn stored_messages(storage: &SqliteStorage, session: SessionId) -> usize {
    let chats = storage.chats(session, Page::first(10)).await.unwrap();
    let Some(chat) = chats.first() else { return 0 };
    let messages = reconcile::messages(storage, session, &chat.address).await;
    let ids: BTreeSet<_> = messages.iter().map(|stored| &stored.message.id).collect();
    assert_eq!(ids.len(), messages.len(), "a message is stored twice");
    let inbound = messages.iter().filter(|stored| stored.message.direction == Direction::Inbound).count();
    assert_eq!(chat.unread, inbound as u64, "all of them are unread");
    inbound
}
