//! The network's task for one connection: carries frames between the wire and the state.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use super::journal::{ConnectionId, End};
use super::network::Network;
use super::wire::{Duplex, Ear, FromNetwork, HungUp, Mouth, ToNetwork, split};

/// A frame, and when it arrives.
type Outgoing = (Instant, FromNetwork);

/// How often the network asks for a sign of life in the time that it waits for one.
const PINGS: u32 = 4;

/// A connection's entry on the network: it is taken out however the task ends.
struct Presence {
    network: Arc<Network>,
    id: ConnectionId,
    wake: Arc<Notify>,
    end: End,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.network.state().close(self.id, self.end);
    }
}

/// Serves one connection until it ends, or until the other side has been silent for so long.
pub(super) async fn serve(network: Arc<Network>, stream: impl Duplex + 'static, silence: Option<Duration>) {
    let (mut ear, mouth) = split(stream);
    let mut patience = Patience::new(silence);
    let dial = tokio::select! {
        dial = ear.hear() => dial,
        () = until(patience.over()) => return,
    };
    let Some(ToNetwork::Dial(dial)) = dial else { return };
    patience.heard();
    let (id, wake) = network.state().open(dial);
    let presence = Presence { network, id, wake, end: End::HungUp };
    let (outgoing, queue) = mpsc::unbounded_channel();
    let (pings, pinging) = mpsc::unbounded_channel();
    // Side by side: two that only talk would wait for each other for ever. The first to find the other side gone ends
    // both.
    let ended = tokio::try_join!(listen(presence, ear, patience, outgoing, pings), speak(mouth, queue, pinging));
    tracing::trace!(connection = id.0, hung_up = ended.is_err(), "a simulated connection ended");
}

/// How long the network waits for a sign of life, and when it asks for one.
struct Patience {
    silence: Option<Duration>,
    heard_at: Instant,
    ping_at: Instant,
}

impl Patience {
    fn new(silence: Option<Duration>) -> Self {
        let now = Instant::now();
        Self { silence, heard_at: now, ping_at: now }
    }

    /// The other side is there.
    fn heard(&mut self) {
        self.heard_at = Instant::now();
    }

    /// When to ask next.
    fn next_ping(&self) -> Option<Instant> {
        self.silence.map(|_| self.ping_at)
    }

    /// The other side is being asked.
    fn asked(&mut self) {
        self.ping_at = Instant::now() + self.silence.unwrap_or_default() / PINGS;
    }

    /// When the other side counts as gone.
    fn over(&self) -> Option<Instant> {
        self.silence.map(|silence| self.heard_at + silence)
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn listen(
    mut presence: Presence,
    mut ear: Ear,
    mut patience: Patience,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    pings: mpsc::UnboundedSender<()>,
) -> Result<(), HungUp> {
    let mut heard = VecDeque::new();
    loop {
        let turn = presence.network.state().turn(presence.id, &mut heard);
        let arrival = Instant::now() + turn.latency;
        for frame in turn.frames {
            outgoing.send((arrival, frame)).map_err(|_| HungUp)?;
        }
        if let Some(end) = turn.end {
            presence.end = end;
            break;
        }
        tokio::select! {
            // First of all, whether the other side is still there.
            biased;
            frame = ear.hear() => {
                heard.push_back(frame.ok_or(HungUp)?);
                patience.heard();
            }
            () = until(patience.over()) => {
                presence.end = End::Silent;
                return Err(HungUp);
            }
            () = presence.wake.notified() => {}
            () = until(turn.again_at) => {}
            () = until(patience.next_ping()) => {
                patience.asked();
                pings.send(()).map_err(|_| HungUp)?;
            }
        }
    }
    drop((presence, outgoing, pings));
    // A stream that is dropped with something unread may lose what was said last.
    while ear.hear::<ToNetwork>().await.is_some() {}
    Ok(())
}

/// Says what is to be said, each when it is to arrive. Pings wait for nothing.
async fn speak(
    mut mouth: Mouth,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
    mut pings: mpsc::UnboundedReceiver<()>,
) -> Result<(), HungUp> {
    let mut next = None;
    loop {
        let due = async {
            if next.is_none() {
                next = queue.recv().await;
            }
            if let Some((arrival, _)) = &next {
                sleep_until(*arrival).await;
            }
        };
        tokio::select! {
            biased;
            Some(()) = pings.recv() => mouth.say(&FromNetwork::Ping).await?,
            () = due => match next.take() {
                Some((_, frame)) => mouth.say(&frame).await?,
                None => break,
            },
        }
    }
    mouth.finish().await;
    Ok(())
}
