//! The network's task for one connection: carries frames between the wire and the state.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use super::journal::{ConnectionId, End};
use super::network::Network;
use super::wire::{Duplex, Ear, FromNetwork, HungUp, Mouth, ToNetwork, split};

/// A frame, and when it arrives.
type Outgoing = (Instant, FromNetwork);

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

/// Serves one connection until it ends.
pub(super) async fn serve(network: Arc<Network>, stream: impl Duplex + 'static) {
    let (mut ear, mouth) = split(stream);
    let Some(ToNetwork::Dial(dial)) = ear.hear().await else { return };
    let (id, wake) = network.state().open(dial);
    let presence = Presence { network, id, wake, end: End::HungUp };
    let (outgoing, queue) = mpsc::unbounded_channel();
    // Side by side: two that only talk would wait for each other for ever. The first to find the other side gone ends both.
    let ended = tokio::try_join!(listen(presence, ear, outgoing), speak(mouth, queue));
    tracing::trace!(connection = id.0, hung_up = ended.is_err(), "a simulated connection ended");
}

async fn listen(mut presence: Presence, mut ear: Ear, outgoing: mpsc::UnboundedSender<Outgoing>) -> Result<(), HungUp> {
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
        let again_at = async {
            match turn.again_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // First of all, whether the other side is still there.
            biased;
            frame = ear.hear() => heard.push_back(frame.ok_or(HungUp)?),
            () = presence.wake.notified() => {}
            () = again_at => {}
        }
    }
    drop((presence, outgoing));
    // A stream that is dropped with something unread may lose what was said last.
    while ear.hear::<ToNetwork>().await.is_some() {}
    Ok(())
}

async fn speak(mut mouth: Mouth, mut queue: mpsc::UnboundedReceiver<Outgoing>) -> Result<(), HungUp> {
    while let Some((arrival, frame)) = queue.recv().await {
        sleep_until(arrival).await;
        mouth.say(&frame).await?;
    }
    mouth.finish().await;
    Ok(())
}
