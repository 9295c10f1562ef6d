//! A TCP connection that a test can cut, freeze and slow down.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// A cable to a server: clients connect to its own [address](Self::address), and a test decides what gets through.
/// Dropping it cuts it for good.
///
/// ```
/// use seatport_testkit::Cable;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let cable = Cable::to(server.local_addr()?.to_string()).await?;
/// let mut client = tokio::net::TcpStream::connect(cable.address()).await?;
/// let (mut served, _) = server.accept().await?;
/// client.write_all(b"hello").await?;
/// assert_eq!(served.read(&mut [0; 8]).await?, 5);
/// cable.cut();
/// assert_eq!(served.read(&mut [0; 8]).await?, 0);
/// # Ok(())
/// # }
/// ```
pub struct Cable {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    server: String,
    state: watch::Sender<State>,
    trap: Mutex<Option<Trap>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    /// Whatever is said takes this much longer.
    Slow(Duration),
    /// Nothing gets through, and nobody is told.
    Frozen,
    /// What was connected is not any more, and nobody can connect.
    Cut,
}

/// What a client says when its connection is to break.
#[derive(Clone)]
struct Trap {
    words: Vec<u8>,
    fate: Fate,
}

/// What happens at those words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    CutBefore,
    CutAfter,
    FreezeBefore,
}

impl Cable {
    /// A cable to the server at this address.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn to(server: impl Into<String>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Shared { server: server.into(), state: watch::Sender::new(State::Whole), trap: Mutex::default() };
        let shared = Arc::new(shared);
        let task = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { address, shared, task })
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything gets through again: also what was held back while the cable was frozen, on connections that are still
    /// there.
    pub fn mend(&self) {
        self.shared.state.send_replace(State::Whole);
    }

    /// What is said takes this much longer, in either direction.
    pub fn slow_down(&self, by: Duration) {
        self.shared.state.send_replace(State::Slow(by));
    }

    /// Nothing gets through from now on, and neither side is told.
    pub fn freeze(&self) {
        self.shared.state.send_replace(State::Frozen);
    }

    /// Ends every connection, and every one that is tried, until the cable is mended.
    pub fn cut(&self) {
        self.shared.state.send_replace(State::Cut);
    }

    /// Ends the next connection on which a client says these words as soon as it has said them; the server hears them
    /// and its answer is lost. Once.
    pub fn cut_after(&self, words: impl Into<Vec<u8>>) {
        self.set(words.into(), Fate::CutAfter);
    }

    /// The same, but the server does not hear them.
    pub fn cut_before(&self, words: impl Into<Vec<u8>>) {
        self.set(words.into(), Fate::CutBefore);
    }

    /// [Freezes](Self::freeze) the whole cable when a client says these words, which are held back with all that
    /// follows. Once.
    pub fn freeze_before(&self, words: impl Into<Vec<u8>>) {
        self.set(words.into(), Fate::FreezeBefore);
    }

    fn set(&self, words: Vec<u8>, fate: Fate) {
        *self.shared.trap.lock() = Some(Trap { words, fate });
    }

    /// Whether the words that something is to happen at have not been said yet.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.shared.trap.lock().is_some()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Cable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cable({} to {}: {:?})", self.address, self.shared.server, *self.shared.state.borrow())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((client, _)) = listener.accept().await {
            connections.spawn(carry(client, shared.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

/// One connection, until either side ends it or the cable is cut.
async fn carry(client: TcpStream, shared: Arc<Shared>) {
    let mut state = shared.state.subscribe();
    let talk = async {
        passes(&mut shared.state.subscribe()).await;
        let server = TcpStream::connect(&shared.server).await?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
        }
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let ask = pump(from_client, to_server, &shared, true);
        let answer = pump(from_server, to_client, &shared, false);
        // The first end ends both: who talks to a database half closes nothing.
        tokio::select! {
            asked = ask => asked,
            answered = answer => answered,
        }
    };
    tokio::select! {
        biased;
        // It lives as long as this task, which holds it.
        _ = state.wait_for(|state| *state == State::Cut) => {}
        _ended = talk => {}
    }
}

/// Waits until the cable lets something through.
async fn passes(state: &mut watch::Receiver<State>) {
    let state = state.wait_for(|state| matches!(state, State::Whole | State::Slow(_))).await.map(|state| *state);
    if let Ok(State::Slow(by)) = state {
        sleep(by).await;
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared, asks: bool) -> io::Result<()> {
    let (mut state, mut buffer, mut said) = (shared.state.subscribe(), vec![0; 64 * 1024], Vec::new());
    loop {
        let count = from.read(&mut buffer).await?;
        let trap = if asks { sprung(&mut shared.trap.lock(), &mut said, &buffer[..count]) } else { None };
        if trap == Some(Fate::FreezeBefore) {
            shared.state.send_replace(State::Frozen);
        }
        passes(&mut state).await;
        if count == 0 || trap == Some(Fate::CutBefore) {
            return Ok(());
        }
        to.write_all(&buffer[..count]).await?;
        if trap == Some(Fate::CutAfter) {
            // The client is told that all is over while the server still works on it.
            tokio::spawn(async move {
                sleep(Duration::from_secs(1)).await;
                drop(to);
            });
            return Ok(());
        }
    }
}

/// Takes the trap if its words have just been said.
fn sprung(trap: &mut Option<Trap>, said: &mut Vec<u8>, now: &[u8]) -> Option<Fate> {
    let words = trap.as_ref()?.words.clone();
    said.extend_from_slice(now);
    if said.windows(words.len()).any(|window| window == words) {
        return trap.take().map(|trap| trap.fate);
    }
    // The words may come in two pieces.
    said.drain(..said.len().saturating_sub(words.len().saturating_sub(1)));
    None
}
