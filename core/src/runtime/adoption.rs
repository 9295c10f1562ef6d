//! Taking sessions over, and watching over the tasks that drive them.

use std::sync::Arc;

use crate::ids::SessionId;
use crate::lifecycle::{Input, Lifecycle, Reason, ReasonKind, transition};
use crate::runtime::actor::{Actor, Exit};
use crate::runtime::node::{Node, Reservation};
use crate::runtime::step::step_commit;
use crate::storage::{StorageError, StorageErrorKind};

/// A task that ends badly is begun again at once so often; its session waits in Backoff anyway, if it can.
const FAILURES_WITHOUT_PAUSE: u32 = 2;
/// How many sessions one look at the storage takes on.
const SCAN_BATCH: u32 = 256;

/// Why a session is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Somebody started it just now.
    Started,
    /// Nobody drove it: its process died, or this one begins.
    Adopted,
    /// Its task here ended unexpectedly.
    Crashed,
}

/// Takes the session over if it wants driving and nobody drives it. Idempotent: a session has one task here at most.
pub(crate) fn adopt(node: &Arc<Node>, session: SessionId, entry: Entry) {
    if let Some(reservation) = Reservation::take(node, session) {
        tokio::spawn(keep(node.clone(), reservation, entry));
    }
}

/// Keeps the session driven until it rests or somebody else has it. What goes wrong on the way, in its task or in the
/// storage, is tried again, each time after a longer pause; the slot stays taken meanwhile, so that nobody else tries too.
async fn keep(node: Arc<Node>, mut reservation: Reservation, mut entry: Entry) {
    let session = reservation.session;
    loop {
        match drive(&node, &reservation, entry).await {
            // Unless it was started again before the slot was free.
            Ok(Next::Leave) => match reservation.give_up() {
                Some(woken) => (reservation, entry) = (woken, Entry::Started),
                None => return,
            },
            Ok(Next::Again) => entry = Entry::Crashed,
            Err(error) => {
                tracing::warn!(%session, %error, "could not take the session over; trying again");
                reservation.failed();
                node.pause(reservation.failures()).await;
            }
        }
        if !node.is_running() {
            return;
        }
    }
}

/// What comes after a session's task has ended.
enum Next {
    /// It needs none, here and now.
    Leave,
    /// It ended badly and needs another one.
    Again,
}

async fn drive(node: &Arc<Node>, reservation: &Reservation, entry: Entry) -> Result<Next, StorageError> {
    let session = reservation.session;
    if !mend(node, reservation, entry).await? {
        return Ok(Next::Leave);
    }
    if entry == Entry::Crashed && reservation.failures() > FAILURES_WITHOUT_PAUSE {
        node.pause(reservation.failures()).await;
    }
    let Some(fence) = node.storage.claim(session, node.id).await? else { return Ok(Next::Leave) };
    // Now that it is ours, what is read stays true until a desk changes it, and then a hint comes.
    let stored = match node.storage.session(session).await? {
        Some(stored) if stored.record.facts.lifecycle != Lifecycle::Stopped => stored,
        _ => return node.storage.release(session, fence).await.map(|()| Next::Leave),
    };
    // What was not started by a person this moment waits its turn among the node's reconnects.
    let actor = Actor::new(node.clone(), fence, stored, reservation, entry != Entry::Started);
    let Some(task) = reservation.begin(actor.run()) else { return Ok(Next::Leave) };
    Ok(match task.await {
        Ok(Exit::Rest) => {
            if let Err(error) = node.storage.release(session, fence).await {
                tracing::debug!(%session, %error, "could not give a resting session up");
            }
            Next::Leave
        }
        Ok(Exit::Fenced | Exit::ShutDown) => Next::Leave,
        Ok(Exit::Storage(error)) => {
            tracing::warn!(%session, %error, "the storage failed; the session is taken up again");
            reservation.failed();
            Next::Again
        }
        Err(error) if error.is_cancelled() => Next::Leave,
        Err(error) => {
            tracing::error!(%session, %error, "the task that drove the session ended unexpectedly");
            reservation.failed();
            Next::Again
        }
    })
}

/// Writes down that whatever connection the session had is gone; answers whether it still wants to be driven. This comes
/// before the claim: a session with an owner is believed when it says that it is online.
async fn mend(node: &Node, reservation: &Reservation, entry: Entry) -> Result<bool, StorageError> {
    let (session, failures) = (reservation.session, reservation.failures());
    loop {
        let Some(stored) = node.storage.session(session).await? else { return Ok(false) };
        let facts = &stored.record.facts;
        let input = match (facts.lifecycle, entry) {
            (Lifecycle::Stopped, _) => return Ok(false),
            _ if stored.owner.is_some_and(|owner| owner.node != node.id) => return Ok(false),
            // A session that crashes its task must not do so again and again without a pause.
            (_, Entry::Crashed) => Input::Lost(Reason::new(ReasonKind::Crashed)),
            // Connecting and no connection: that is where dialling starts.
            (Lifecycle::Connecting { .. }, _) => return Ok(true),
            (_, Entry::Started | Entry::Adopted) => Input::Adopted,
        };
        let step = match transition(facts, &input, |attempt| node.retry_at(attempt.max(failures))) {
            Ok(step) if step.next != *facts => step,
            _ => return Ok(true),
        };
        let rests = step.next.lifecycle == Lifecycle::Stopped;
        match node.storage.commit(step_commit(&stored, step, node.now())).await {
            Ok(_) => return Ok(!rests),
            Err(error) if error.kind() == StorageErrorKind::Stale => {}
            Err(error) => return Err(error),
        }
    }
}

/// Looks for sessions that nobody drives, and takes them over at a bounded rate: at boot, and as long as the node runs.
pub(crate) async fn scan(node: Arc<Node>) {
    loop {
        let mut after = None;
        loop {
            let orphans = match node.storage.orphans(after, SCAN_BATCH).await {
                Ok(orphans) => orphans,
                Err(error) => {
                    tracing::warn!(%error, "could not look for sessions that nobody drives");
                    break;
                }
            };
            after = orphans.last().map(|orphan| orphan.session);
            let full = orphans.len() == SCAN_BATCH as usize;
            for orphan in orphans {
                node.adoptions.take().await;
                adopt(&node, orphan.session, Entry::Adopted);
            }
            if !full {
                break;
            }
        }
        tokio::time::sleep(node.timing.scan).await;
    }
}
