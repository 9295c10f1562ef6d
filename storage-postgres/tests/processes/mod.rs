//! Node processes: a test starts itself again as one, and talks to it over its standard input and output, a line at a
//! time.

#![allow(dead_code, reason = "every test that has node processes uses a part of this")]

pub(crate) mod offline;

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use seatport::vault::VaultKey;
use seatport::{
    Address, Agent, CardStatus, Desk, Error, NewAccount, NodeId, PortRange, Role, Seatport, SendKey, SendOptions,
    SessionId, Timing, View, WhenFull, WhenStopped,
};
use seatport_postgres::PostgresStorage;
use seatport_testkit::Cable;
use seatport_testkit::messenger::SimulatedTransport;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};

/// How long anything may take that has to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The first argument of a process that is a node.
const NODE: &str = "node";

/// What a node is told when it is started.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The TCP port of the database.
    pub(crate) database: u16,
    pub(crate) schema: String,
    /// Where the messenger listens.
    pub(crate) messenger: String,
    pub(crate) timing: Pace,
    /// How many ports the organisation has.
    pub(crate) ports: u32,
}

/// How fast a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As in production.
    Ordinary,
    /// With a lease of so many milliseconds, and everything else as fast as that.
    Hasty(u64),
}

impl Pace {
    pub(crate) fn timing(self) -> Timing {
        match self {
            Self::Ordinary => Timing { send_every: Duration::from_millis(20), ..Timing::default() },
            Self::Hasty(lease) => Timing {
                dial: Duration::from_secs(5),
                stop: Duration::from_secs(1),
                retry_first: Duration::from_millis(100),
                retry_most: Duration::from_secs(1),
                reconnects_per_second: 200.0,
                adoptions_per_second: 200.0,
                lease: Duration::from_millis(lease),
                scan: Duration::from_millis(250),
                send_every: Duration::ZERO,
                ..Timing::default()
            },
        }
    }
}

/// Opens the database, as soon as that is possible: it may be starting at this moment.
pub(crate) async fn storage(port: u16, schema: &str) -> PostgresStorage {
    let url = format!("postgresql://postgres@127.0.0.1:{port}/postgres");
    patiently(|| PostgresStorage::options().schema(schema).open(&url)).await
}

/// Tries until something succeeds that may succeed later.
async fn patiently<T, E: std::error::Error, F: Future<Output = Result<T, E>>>(attempt: impl Fn() -> F) -> T {
    let begin = std::time::Instant::now();
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => assert!(begin.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// If this process was started as a node: is one, until its standard input ends.
pub(crate) async fn be_one_if_told() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [node, database, schema, messenger, lease, ports] = &arguments[..] else { return };
    if node == NODE {
        if let Ok(level) = std::env::var("SEATPORT_LOG") {
            // For whoever wants to know why.
            let level: tracing::Level = level.parse().unwrap();
            tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false).init();
        }
        let pace = if lease == "0" { Pace::Ordinary } else { Pace::Hasty(lease.parse().unwrap()) };
        serve(storage(database.parse().unwrap(), schema).await, messenger, pace, ports.parse().unwrap()).await;
    }
}

async fn serve(storage: PostgresStorage, messenger: &str, pace: Pace, ports: u32) -> ! {
    let seatport = patiently(|| {
        let builder = Seatport::builder().storage(storage.clone()).transport(SimulatedTransport::remote(messenger));
        let builder = builder.vault_key(VaultKey::new([7; 32])).timing(pace.timing());
        builder.ports(PortRange::new(1, ports).unwrap()).build()
    })
    .await;
    let mei = Agent::new("mei", "Mei", Role::Supervisor).unwrap();
    let agents = seatport.agents();
    patiently(|| agents.put(mei.clone())).await;
    let desk = patiently(|| seatport.desk(&mei.id)).await;
    println!("ready {}", seatport.node_id());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (seatport, desk) = (seatport.clone(), desk.clone());
        tokio::spawn(async move {
            let (number, order) = line.split_once(' ').unwrap();
            match obey(&seatport, &desk, order).await {
                Ok(()) => println!("done {number}"),
                Err(Error::IllegalTransition(_)) => println!("refused {number}"),
                Err(error) => println!("failed {number} {error}"),
            }
        });
    }
    std::process::exit(0)
}

async fn obey(seatport: &Seatport, desk: &Desk, order: &str) -> Result<(), Error> {
    let words: Vec<_> = order.splitn(4, ' ').collect();
    let session = |id: &str| id.parse::<SessionId>().unwrap();
    match words[..] {
        ["add"] => {
            let session = desk.add_and_start(NewAccount::on("simulated"), WhenFull::Fail).await?;
            let mut watch = desk.watch(session).await?;
            // A session that goes on elsewhere before its code was scanned shows another one.
            let mut last = None;
            loop {
                let new = |view: &View| view.challenge.is_some() && view.challenge != last;
                let online = |view: &View| view.card.status == CardStatus::Online;
                let shown = watch.until(|view| new(view) || online(view)).await?;
                let Some(challenge) = &shown.challenge else { return Ok(()) };
                println!("code {session} {}", challenge.code.expose());
                last = shown.challenge;
            }
        }
        ["start", id] => desk.start(session(id), WhenFull::Fail).await.map(drop),
        ["stop", id] => desk.stop(session(id)).await.map(drop),
        ["send", id, to, text] => {
            let how = SendOptions::default().key(SendKey::new(text).unwrap()).when_stopped(WhenStopped::Queue);
            desk.send_text(session(id), &Address::new(to).unwrap(), text.to_owned(), how).await.map(drop)
        }
        ["drain"] => {
            let drained = seatport.drain(Duration::from_secs(20)).await?;
            seatport.shutdown(Duration::from_secs(5)).await;
            // What is left is offline until another node finds it.
            if drained.left.is_empty() { Ok(()) } else { Err(Error::ShutDown(seatport.node_id())) }
        }
        ["shutdown"] => {
            seatport.shutdown(Duration::from_secs(5)).await;
            Ok(())
        }
        _ => panic!("unknown order: {order}"),
    }
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was acknowledged.
    Done,
    /// It was refused, and changed nothing.
    Refused,
    /// It may have happened or not: the storage failed, or the node is gone.
    Unknown(String),
}

/// The orders that are not answered yet, by number.
type Open = HashMap<u64, oneshot::Sender<Answer>>;

/// A node in a process of its own, on a cable of its own to the database. Dropping it kills it.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) cable: Cable,
    process: u32,
    child: Mutex<Child>,
    orders: tokio::sync::Mutex<ChildStdin>,
    open: Arc<Mutex<Option<Open>>>,
    numbers: AtomicU64,
}

impl Node {
    /// Starts one. What it says of login codes goes there.
    pub(crate) async fn start(place: &Place, codes: mpsc::UnboundedSender<(SessionId, String)>) -> Self {
        let cable = Cable::to(format!("127.0.0.1:{}", place.database)).await.unwrap();
        let lease = if let Pace::Hasty(lease) = place.timing { lease } else { 0 };
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(NODE).arg(cable.address().port().to_string()).args([&place.schema, &place.messenger]);
        command.arg(lease.to_string()).arg(place.ports.to_string()).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a node does not start").unwrap();
        let first = first.expect("a node ended before it was ready");
        let id = first.strip_prefix("ready ").unwrap().parse().unwrap();
        let open = Arc::new(Mutex::new(Some(Open::new())));
        let waiting = open.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let (word, rest) = line.split_once(' ').unwrap();
                let (number, why) = rest.split_once(' ').unwrap_or((rest, ""));
                let answer = match word {
                    "code" => {
                        codes.send((number.parse().unwrap(), why.to_owned())).unwrap();
                        continue;
                    }
                    "done" => Answer::Done,
                    "refused" => Answer::Refused,
                    "failed" => Answer::Unknown(why.to_owned()),
                    _ => panic!("unexpected: {line}"),
                };
                let asked = waiting.lock().as_mut().and_then(|open| open.remove(&number.parse().unwrap()));
                // Whoever asked may have stopped waiting.
                let _ = asked.map(|asked| asked.send(answer));
            }
            // Nobody is answered any more.
            waiting.lock().take();
        });
        let (process, orders) = (child.id().unwrap(), tokio::sync::Mutex::new(child.stdin.take().unwrap()));
        Self { id, cable, process, child: Mutex::new(child), orders, open, numbers: AtomicU64::new(0) }
    }

    /// Gives it an order and waits for what becomes of it, however long that takes.
    pub(crate) async fn ask(&self, order: impl AsRef<str>) -> Answer {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (done, answer) = oneshot::channel();
        let gone = || Answer::Unknown("the node is gone".to_owned());
        match self.open.lock().as_mut() {
            Some(open) => drop(open.insert(number, done)),
            None => return gone(),
        }
        let line = format!("{number} {}\n", order.as_ref());
        if self.orders.lock().await.write_all(line.as_bytes()).await.is_err() {
            return gone();
        }
        answer.await.unwrap_or_else(|_| gone())
    }

    /// Kills it without a word.
    pub(crate) fn kill(&self) {
        self.child.lock().start_kill().unwrap();
    }

    /// Holds it where it is.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    /// The shell's own `kill`, for there need not be another.
    fn signal(&self, name: &str) {
        let mut shell = std::process::Command::new("/bin/sh");
        let status = shell.args(["-c", "kill -s \"$0\" \"$1\"", name]).arg(self.process.to_string()).status().unwrap();
        assert!(status.success(), "SIG{name} could not be sent");
    }
}
