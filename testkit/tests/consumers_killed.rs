//! A process that runs sessions on SQLite, and consumes their events, is killed without a word, 100 times at random moments,
//! while people write to its accounts and everything is trimmed that may be. It notes each event that it handles in a journal,
//! which has to hold all of them in the end. A test without the usual harness: it starts itself again as the process to be
//! killed.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use seatport::storage::{EventStore, Storage};
use seatport::vault::VaultKey;
use seatport::{
    Agent, AgentId, CardStatus, Consumer, ConsumerName, Cursors, Desk, EventHead, NewAccount, Page, PortRange, Random,
    Retention, Role, Seatport, SessionFilter, SessionId, SystemClock, Timing, WhenFull,
};
use seatport_sqlite::SqliteStorage;
use seatport_testkit::messenger::{Messenger, Phone, SimulatedTransport};

const SESSIONS: usize = 3;
const KILLS: u32 = 100;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    match &arguments[1..] {
        [address, folder, life] if address.starts_with("127.0.0.1:") => host(address, folder, life).await,
        _ => network().await,
    }
}

/// The process to be killed.
async fn host(address: &str, folder: &str, life: &str) {
    let folder = PathBuf::from(folder);
    let timing =
        Timing { retry_first: Duration::from_millis(50), trim: Duration::from_millis(20), ..Timing::default() };
    let seatport = Seatport::builder()
        .storage(SqliteStorage::open(folder.join("seatport.db")).await.unwrap())
        .transport(SimulatedTransport::remote(address))
        .vault_key(VaultKey::new([7; 32]))
        .ports(PortRange::new(1, SESSIONS as u32).unwrap())
        // Whatever is not held back for the consumer is gone in a moment.
        .retention(Retention { age: None, count: Some(1) })
        .timing(timing)
        .build()
        .await
        .unwrap();
    seatport.agents().put(Agent::new("mei", "Mei", Role::Supervisor).unwrap()).await.unwrap();
    let desk = seatport.desk(&AgentId::new("mei").unwrap()).await.unwrap();
    // Before the first session is there, and so before its first event.
    let consumer = desk.consume(&ConsumerName::new("journal").unwrap()).await.unwrap();
    let journal = File::options().create(true).append(true).open(folder.join("journal")).unwrap();
    let consuming = tokio::spawn(consume(consumer, journal, life.to_owned()));

    let sessions = cards(&desk).await;
    for _ in sessions.len()..SESSIONS {
        let session = desk.add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await.unwrap();
        let mut watch = desk.watch(session).await.unwrap();
        let shown = watch.until(|view| view.challenge.is_some()).await.unwrap();
        println!("code {}", shown.challenge.unwrap().code.expose());
        watch.until(|view| view.card.status == CardStatus::Online).await.unwrap();
    }
    println!("ready");

    // Who is not killed is told to end, once there is nothing more to come.
    let told = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()).unwrap());
    told.await.unwrap();
    loop {
        let consumed: Cursors = std::fs::read_to_string(folder.join("journal")).map(|text| newest(&text)).unwrap();
        if consumed == desk.cursors().await.unwrap() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    consuming.abort();
    seatport.shutdown(Duration::from_secs(5)).await;
}

async fn cards(desk: &Desk) -> Vec<SessionId> {
    let cards = desk.cards(&SessionFilter::default(), Page::first(100)).await.unwrap();
    cards.into_iter().map(|card| card.session).collect()
}

/// Notes what it handles (`=`), what it is about to acknowledge (`?`), and what was acknowledged (`!`).
async fn consume(mut consumer: Consumer, mut journal: File, life: String) {
    let random = Random::from_os().unwrap();
    // One write for each: it is in the file as a whole, or not at all.
    let mut note = move |what: char, session: SessionId, seq: u64| {
        journal.write_all(format!("{life} {what} {session} {seq}\n").as_bytes()).unwrap();
    };
    let mut acknowledged = consumer.cursors().clone();
    loop {
        let most = usize::try_from(1 + random.below(40)).unwrap();
        for event in consumer.next_batch(most).await.unwrap() {
            note('=', event.session, event.seq);
        }
        println!("handling");
        let handed_out = consumer.cursors().clone();
        let part = match random.below(4) {
            0 => continue,
            1 => {
                let between = |(session, seq): (&SessionId, &u64)| {
                    let done = acknowledged.after(*session);
                    (*session, done + random.below(1 + seq - done))
                };
                Cursors(handed_out.0.iter().map(between).collect())
            }
            _ => handed_out,
        };
        part.0.iter().for_each(|(session, seq)| note('?', *session, *seq));
        consumer.acknowledge_up_to(&part).await.unwrap();
        part.0.iter().for_each(|(session, seq)| note('!', *session, *seq));
        acknowledged = part;
        tokio::time::sleep(random.up_to(Duration::from_millis(5))).await;
    }
}

/// One line of the journal.
struct Note {
    life: u32,
    what: char,
    session: SessionId,
    seq: u64,
}

fn notes(journal: &str) -> impl Iterator<Item = Note> {
    journal.lines().map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let [life, what, session, seq] = words[..] else { panic!("torn: {line:?}") };
        Note {
            life: life.parse().unwrap(),
            what: what.parse().unwrap(),
            session: session.parse().unwrap(),
            seq: seq.parse().unwrap(),
        }
    })
}

/// The newest event of each session in the journal.
fn newest(journal: &str) -> Cursors {
    let mut newest = Cursors::default();
    for note in notes(journal).filter(|note| note.what == '=') {
        let seq = newest.0.entry(note.session).or_default();
        *seq = note.seq.max(*seq);
    }
    newest
}

/// What outlives the process: the network, and the folder with the database and the journal.
struct Outside {
    messenger: Messenger,
    address: String,
    folder: tempfile::TempDir,
    phones: Vec<Phone>,
    lives: u32,
}

/// The process.
struct Host {
    child: Child,
    stdin: ChildStdin,
    said: mpsc::Receiver<String>,
}

impl Host {
    /// Waits until it says something that begins so; answers the rest.
    fn says(&self, beginning: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left).unwrap_or_else(|_| panic!("it never said {beginning:?}"));
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it that nothing more comes, and waits until it has ended by itself.
    fn end(mut self) {
        writeln!(self.stdin, "end").unwrap();
        let begin = Instant::now();
        while self.child.try_wait().unwrap().is_none_or(|status| {
            assert!(status.success(), "{status}");
            false
        }) {
            if begin.elapsed() > PATIENCE {
                self.kill();
                panic!("it did not handle everything that there was");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Outside {
    /// Starts the process.
    fn host(&mut self) -> Host {
        self.lives += 1;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(&self.address).arg(self.folder.path()).arg(self.lives.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (say, said) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).for_each(|line| say.send(line).unwrap_or_default());
        });
        Host { child, stdin, said }
    }

    /// Waits until it is so.
    async fn until(&self, what: &str, so: impl Fn(&Phone) -> bool) {
        let begin = Instant::now();
        while !self.phones.iter().all(&so) {
            assert!(begin.elapsed() < PATIENCE, "never: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn hung_up(&self) {
        let journal = || self.messenger.journal();
        self.until("the network notices that the process is dead", |phone| journal().live(phone.address()) == 0).await;
    }
}

async fn network() {
    let begin = Instant::now();
    let messenger = Messenger::new(7, Arc::new(SystemClock));
    let listener = messenger.listen("127.0.0.1:0").await.unwrap();
    let address = listener.address().to_string();
    let phones: Vec<_> = (0..SESSIONS).map(|number| messenger.phone(&format!("+86138001380{number:02}"))).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut outside = Outside { messenger, address, folder, phones, lives: 0 };
    // The moments of the kills. What meets them is up to the machine.
    let seed = match std::env::var("SEATPORT_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => Random::from_os().unwrap().below(u64::MAX),
    };
    println!("SEATPORT_SEED={seed}");
    let random = Random::seeded(seed);

    let mut host = outside.host();
    tokio::task::block_in_place(|| {
        for phone in &outside.phones {
            phone.scan(&host.says("code ")).unwrap();
        }
        host.says("ready");
    });
    let writing = tokio::spawn(write(outside.messenger.clone(), outside.phones.clone()));
    for kill in 0..KILLS {
        // At any moment of its life; and, so that there is something to lose, every other time while it is handling events.
        let at_most = match kill % 2 {
            0 => 300,
            _ => {
                tokio::task::block_in_place(|| host.says("handling"));
                60
            }
        };
        tokio::time::sleep(random.up_to(Duration::from_millis(at_most))).await;
        tokio::task::block_in_place(|| host.kill());
        outside.hung_up().await;
        host = outside.host();
    }
    writing.abort();
    outside.until("everything was delivered", |phone| phone.unacknowledged() == 0).await;
    tokio::task::block_in_place(|| host.end());

    let storage = SqliteStorage::open(outside.folder.path().join("seatport.db")).await.unwrap();
    let heads = storage.event_heads(None, 100).await.unwrap();
    storage.close().await.unwrap();
    check(&std::fs::read_to_string(outside.folder.path().join("journal")).unwrap(), &heads);
    println!("test consumer_killed_{KILLS}_times ... ok, {:.0?}", begin.elapsed());
}

/// People write to every account, without end.
async fn write(messenger: Messenger, phones: Vec<Phone>) {
    let ada = messenger.person("ada");
    loop {
        for phone in &phones {
            ada.write(phone.address(), "hello");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What is known of a session from the journal, as far as it was read.
#[derive(Default)]
struct Known {
    handled: BTreeSet<u64>,
    /// The life that handled an event last, and which one.
    last: Option<(u32, u64)>,
    /// What was acknowledged for sure, and what may have been.
    acknowledged: u64,
    asked: u64,
    again: usize,
}

fn check(journal: &str, heads: &[EventHead]) {
    let mut sessions: BTreeMap<SessionId, Known> = BTreeMap::new();
    let mut lives = BTreeSet::new();
    for Note { life, what, session, seq } in notes(journal) {
        let known = sessions.entry(session).or_default();
        match what {
            '?' => known.asked = known.asked.max(seq),
            '!' => known.acknowledged = known.acknowledged.max(seq),
            _ => {
                match known.last {
                    Some((same, last)) if same == life => assert_eq!(seq, last + 1, "life {life}, {session}: in order"),
                    _ => {
                        let first = known.acknowledged + 1..=known.asked + 1;
                        assert!(first.contains(&seq), "life {life}, {session} begins with {seq}, not in {first:?}");
                    }
                }
                known.last = Some((life, seq));
                known.again += usize::from(!known.handled.insert(seq));
                lives.insert(life);
            }
        }
    }
    assert_eq!(heads.len(), SESSIONS);
    for head in heads {
        let known = &sessions[&head.session];
        assert!(known.handled.iter().copied().eq(1..=head.last), "some of {head:?} were missed");
        assert!(head.trimmed > 0 && head.trimmed <= known.asked, "trimmed what was not acknowledged: {head:?}");
    }
    let sum = |of: fn(&Known) -> usize| sessions.values().map(of).sum::<usize>();
    let (events, again) = (sum(|known| known.handled.len()), sum(|known| known.again));
    println!("{events} events, handled in {} lives, {again} of them again", lives.len());
    assert!(lives.len() > KILLS as usize / 2 && again > 0, "the kills met nothing");
}
