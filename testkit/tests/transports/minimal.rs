//! The least that a network can be: everybody is logged in at once, and hears their own words.

use std::time::Duration;

use async_trait::async_trait;
use seatport::conversation::{ChatKind, Content};
use seatport::lifecycle::Account;
use seatport::transport::{
    Ack, Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, InboundMessage, SendError, Signal,
    Transport, TransportCommand,
};
use seatport::{Address, Clock, MessageId, SystemClock, TransportName};
use seatport_testkit::transport::{Abilities, CASES, Outcome, Peer, Subject, run_all};
use tokio::sync::mpsc;

#[derive(Debug)]
struct Wall;

#[async_trait]
impl Peer for Wall {
    fn abilities(&self) -> Abilities {
        let mut can = Abilities::default();
        (can.echo, can.two_accounts, can.unhurried, can.patience) = (true, true, true, Duration::from_secs(60));
        can
    }

    fn chat(&self) -> String {
        "wall@wall".to_owned()
    }
}

#[async_trait]
impl Transport for Wall {
    fn name(&self) -> TransportName {
        TransportName::new("wall").expect("a name")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        let (say, signals) = mpsc::channel(16);
        let (commands, mut told) = mpsc::channel(16);
        let address = Address::new(format!("{}@wall", context.session)).expect("an address");
        let task = tokio::spawn(async move {
            let mut next = Some(Signal::Ready { account: Account { address, phone: None, name: None } });
            loop {
                let signal = next.take().unwrap_or(Signal::Alive);
                if say.send(signal).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(25)) => {}
                    command = told.recv() => match command {
                        Some(TransportCommand::Send { chat, id, content: content @ Content::Text(_), done, .. }) => {
                            let _ = done.send(Ok(()));
                            next = Some(Signal::Messages { messages: vec![echo(chat, &id, content)], ack: Ack::unneeded() });
                        }
                        Some(TransportCommand::Send { done, .. }) => {
                            let _ = done.send(Err(SendError::Refused("texts only".to_owned())));
                        }
                        Some(TransportCommand::MarkRead { done, .. }) => drop(done.send(Ok(()))),
                        _ => return,
                    },
                }
            }
        });
        Ok(Connection { signals, commands, guard: ConnectionGuard::abort(task.abort_handle()) })
    }
}

fn echo(chat: Address, id: &MessageId, content: Content) -> InboundMessage {
    InboundMessage {
        sender: chat.clone(),
        chat,
        kind: ChatKind::Person,
        phone: None,
        id: MessageId::new(format!("echo of {id}")).expect("an id"),
        sender_name: None,
        from_account: false,
        content,
        at: SystemClock.now(),
        quoted: None,
    }
}

#[tokio::test(start_paused = true)]
async fn it_passes_the_cases_that_its_abilities_allow() {
    // In a task, as a host may want it.
    let report =
        tokio::spawn(async { run_all(&Subject::new(Wall, Wall)).await }).await.expect("no panic leaves the suite");
    assert_eq!(report.failed().count(), 0, "{report}");
    let passed = report.0.iter().filter(|verdict| verdict.outcome == Outcome::Passed).count();
    assert_eq!((passed, report.left_out().count()), (28, CASES.len() - 28), "{report}");
}
