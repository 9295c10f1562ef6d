//! The network lives in this process, the session in another one, which is killed without a word. A test without the usual
//! harness: it starts itself again as the process to be killed.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use seatport::memory::MemoryStorage;
use seatport::transport::{ConnectContext, Connection, Signal, Transport};
use seatport::vault::{Vault, VaultKey};
use seatport::{Clock, PortNumber, Random, SessionId, SessionRecord, SystemClock};
use seatport_testkit::messenger::{End, Messenger, SimulatedTransport};

#[tokio::main]
async fn main() {
    match std::env::args().nth(1).filter(|argument| argument.starts_with("127.0.0.1:")) {
        Some(address) => session(&address).await,
        None => messenger().await,
    }
}

/// The process to be killed: shows its login code, comes online, and acknowledges nothing.
async fn session(address: &str) {
    let (transport, clock, random) = (SimulatedTransport::remote(address), Arc::new(SystemClock), Random::seeded(1));
    let record = SessionRecord::new(SessionId::generate(clock.now(), &random), clock.now(), transport.name());
    let (session, storage) = (record.id, Arc::new(MemoryStorage::new()));
    let vault = Vault::detached(storage, record, &VaultKey::new([7; 32]), &random).await.unwrap();
    let context = ConnectContext::new(session, PortNumber(1), vault, clock, random);
    let mut connection = transport.connect(context.clone()).await.unwrap();
    let mut unacknowledged = Vec::new();
    loop {
        match connection.signals.recv().await {
            Some(Signal::Challenge(challenge)) => println!("code {}", challenge.code.expose()),
            Some(Signal::Paired { .. }) => connection = redial(&transport, &context, connection).await,
            Some(Signal::Ready { .. }) => println!("online"),
            Some(Signal::Messages { messages, ack }) => {
                println!("message {}", messages[0].id);
                unacknowledged.push(ack);
            }
            other => return println!("unexpected {other:?}"),
        }
    }
}

async fn redial(transport: &SimulatedTransport, context: &ConnectContext, before: Connection) -> Connection {
    drop(before);
    transport.connect(context.clone()).await.unwrap()
}

/// Kills the process however the test ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

async fn messenger() {
    let messenger = Messenger::new(7, Arc::new(SystemClock));
    let listener = messenger.listen("127.0.0.1:0").await.unwrap();
    let phone = messenger.phone("+8613800138000");

    let mut child = Command::new(std::env::current_exe().unwrap());
    let mut child = child.arg(listener.address().to_string()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let child = Killed(child);
    let mut line = move || tokio::task::block_in_place(|| lines.next().expect("the session ended").unwrap());

    phone.scan(line().strip_prefix("code ").expect("a login code first")).unwrap();
    assert_eq!(line(), "online");
    let id = messenger.person("bob").write(phone.address(), "hello");
    assert_eq!(line(), format!("message {id}"));
    assert_eq!(messenger.journal().live(phone.address()), 1);

    drop(child);
    let killed = Instant::now();
    while messenger.journal().live(phone.address()) > 0 {
        assert!(killed.elapsed() < Duration::from_secs(10), "the network did not notice the death of the process");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let journal = messenger.journal();
    let ends: Vec<Option<End>> =
        journal.connections.iter().map(|connection| connection.end.map(|(end, _)| end)).collect();
    assert_eq!(ends, [Some(End::Paired), Some(End::HungUp)]);
    assert_eq!(phone.devices().len(), 1, "the link outlives the process");
    assert_eq!(phone.unacknowledged(), 1, "what it did not acknowledge waits for the next one");
    println!("test messenger_outlives_processes ... ok");
}
