//! A messenger network without a network: it says what a benchmark has it say.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::lifecycle::Account;
use seatport::transport::{
    Ack, Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, InboundMessage, Signal, Transport,
    TransportCommand,
};
use seatport::{Address, Invalid, PortNumber, TransportName};
use tokio::sync::{mpsc, oneshot};

/// The name that sessions know it by.
pub const NAME: &str = "bench";
/// How many signals may wait for Seatport; as many as those of the WhatsApp transport.
const SIGNALS_AHEAD: usize = 64;

/// The network. Its clones are the same one.
///
/// Everybody is online at once, under an account that belongs to the session's port; so it stays the same one over restarts.
#[derive(Clone, Debug, Default)]
pub struct Network {
    lines: Arc<Mutex<BTreeMap<PortNumber, mpsc::UnboundedSender<Flood>>>>,
}

/// Messages for one session.
#[derive(Debug)]
struct Flood {
    messages: Vec<InboundMessage>,
    window: usize,
    done: oneshot::Sender<Vec<Duration>>,
}

/// A flood on its way.
#[derive(Debug)]
pub struct Flooding(oneshot::Receiver<Vec<Duration>>);

impl Flooding {
    /// Waits until every message was acknowledged, and answers how long each of them waited for that.
    ///
    /// # Errors
    /// The connection ended before.
    pub async fn acknowledged(self) -> Result<Vec<Duration>> {
        self.0.await.context("the connection ended with messages that were not acknowledged")
    }
}

impl Network {
    /// Hands messages to the session on a port, one signal for each as they come from a network, with at most `window` of them
    /// unacknowledged at any time.
    ///
    /// # Errors
    /// Nobody is connected there.
    pub fn flood(&self, port: PortNumber, messages: Vec<InboundMessage>, window: usize) -> Result<Flooding> {
        ensure!(window > 0, "a window of none lets nothing pass");
        let (done, flooding) = oneshot::channel();
        let lines = self.lines.lock();
        let line = lines.get(&port).with_context(|| format!("nobody is connected on port {}", port.0))?;
        line.send(Flood { messages, window, done }).ok().with_context(|| format!("port {} hung up", port.0))?;
        Ok(Flooding(flooding))
    }
}

fn account(port: PortNumber) -> Result<Account, Invalid> {
    let phone = format!("85260{:06}", port.0);
    let address = Address::new(format!("{phone}@s.whatsapp.net"))?;
    Ok(Account { address, phone: Some(phone), name: Some(format!("Seat {}", port.0)) })
}

#[async_trait]
impl Transport for Network {
    fn name(&self) -> TransportName {
        TransportName::new(NAME).unwrap_or_else(|invalid| panic!("{invalid}"))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        let (say, signals) = mpsc::channel(SIGNALS_AHEAD);
        let (commands, told) = mpsc::channel(16);
        let (line, floods) = mpsc::unbounded_channel();
        self.lines.lock().insert(context.port, line);
        let account = account(context.port).unwrap_or_else(|invalid| panic!("{invalid}"));
        let task = tokio::spawn(serve(account, say, told, floods));
        Ok(Connection { signals, commands, guard: ConnectionGuard::abort(task.abort_handle()) })
    }
}

/// One connection, until Seatport closes it.
async fn serve(
    account: Account,
    say: mpsc::Sender<Signal>,
    mut told: mpsc::Receiver<TransportCommand>,
    mut floods: mpsc::UnboundedReceiver<Flood>,
) {
    if say.send(Signal::Ready { account }).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            Some(flood) = floods.recv() => {
                let Some(waits) = deliver(&say, flood.messages, flood.window).await else { return };
                // Whoever asked may not wait any more.
                let _ = flood.done.send(waits);
            }
            command = told.recv() => match command {
                Some(TransportCommand::Send { done, .. } | TransportCommand::MarkRead { done, .. }) => {
                    let _ = done.send(Ok(()));
                }
                Some(TransportCommand::Close | TransportCommand::LogOut) | None => return,
                Some(_) => {}
            },
            () = tokio::time::sleep(Duration::from_secs(25)) => {
                if say.send(Signal::Alive).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Hands the messages over; none when Seatport hung up.
async fn deliver(say: &mpsc::Sender<Signal>, messages: Vec<InboundMessage>, window: usize) -> Option<Vec<Duration>> {
    let mut waits = Vec::with_capacity(messages.len());
    let mut unacknowledged: VecDeque<(Instant, oneshot::Receiver<()>)> = VecDeque::with_capacity(window);
    for message in messages {
        // Acknowledgements come in the order of the messages: whoever waits for the first misses none of the others.
        while let Some((since, stored)) = unacknowledged.front_mut() {
            match stored.try_recv() {
                Ok(()) => waits.push(since.elapsed()),
                Err(_) => break,
            }
            unacknowledged.pop_front();
        }
        if unacknowledged.len() == window
            && let Some((since, stored)) = unacknowledged.pop_front()
        {
            stored.await.ok()?;
            waits.push(since.elapsed());
        }
        let (ack, stored) = Ack::new();
        say.send(Signal::Messages { messages: vec![message], ack }).await.ok()?;
        unacknowledged.push_back((Instant::now(), stored));
    }
    for (since, stored) in unacknowledged {
        stored.await.ok()?;
        waits.push(since.elapsed());
    }
    Some(waits)
}
