//! Taking sessions over, and watching over the tasks that drive them.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::ids::SessionId;
use crate::lifecycle::{Input, Lifecycle, Reason, ReasonKind, transition};
use crate::runtime::actor::{Actor, Exit};
use crate::runtime::node::Node;
use crate::runtime::step::step_commit;
use crate::storage::{Fence, StorageError, StorageErrorKind, StoredSession};

/// How much a session's task may be behind before mail for it is dropped.
const MAILBOX: usize = 32;
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
///
/// A storage that fails on the way may leave the session owned by this node and driven by nobody, which no scan would find:
/// so this is tried again until it is settled.
pub(crate) async fn adopt(node: Arc<Node>, session: SessionId, entry: Entry) {
    if let Err(error) = try_adopt(&node, session, entry).await {
        tracing::warn!(%session, %error, "could not take the session over; trying again");
        tokio::spawn(async move {
            let mut attempt = 1;
            loop {
                tokio::time::sleep(node.timing.retry_delay(attempt, &node.random)).await;
                match try_adopt(&node, session, entry).await {
                    Ok(()) => return,
                    Err(error) => tracing::warn!(%session, %error, "still could not take the session over"),
                }
                attempt += 1;
            }
        });
    }
}

async fn try_adopt(node: &Arc<Node>, session: SessionId, entry: Entry) -> Result<(), StorageError> {
    if !node.is_running() || !node.reserve(session) {
        return Ok(());
    }
    match claim(node, session, entry).await {
        Ok(Some((stored, fence))) => {
            spawn(node.clone(), stored, fence, entry);
            Ok(())
        }
        Ok(None) => {
            node.vacate(session);
            Ok(())
        }
        Err(error) => {
            node.vacate(session);
            Err(error)
        }
    }
}

async fn claim(node: &Node, session: SessionId, entry: Entry) -> Result<Option<(StoredSession, Fence)>, StorageError> {
    if !mend(node, session, entry).await? {
        return Ok(None);
    }
    let Some(fence) = node.storage.claim(session, node.id).await? else { return Ok(None) };
    // Now that it is ours, what is read stays true until a desk changes it, and then a hint comes.
    match node.storage.session(session).await? {
        Some(stored) if stored.record.facts.lifecycle != Lifecycle::Stopped => Ok(Some((stored, fence))),
        _ => node.storage.release(session, fence).await.map(|()| None),
    }
}

/// Writes down that whatever connection the session had is gone; answers whether it still wants to be driven. This comes
/// before the claim: a session with an owner is believed when it says that it is online.
async fn mend(node: &Node, session: SessionId, entry: Entry) -> Result<bool, StorageError> {
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
        let step = match transition(facts, &input, |attempt| node.retry_at(attempt)) {
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

/// Starts the session's task, and one that watches over it: a task that ends badly ends alone.
fn spawn(node: Arc<Node>, stored: StoredSession, fence: Fence, entry: Entry) {
    let session = stored.record.id;
    let (mailbox, mail) = mpsc::channel(MAILBOX);
    let mut slots = node.slots.lock();
    // The slot is gone when the node ended meanwhile.
    let Some(slot) = slots.get_mut(&session) else { return };
    // What was not started by a person this moment waits its turn among the node's reconnects.
    let actor = Actor::new(node.clone(), fence, stored, slot.wake.clone(), mail, entry != Entry::Started);
    let task = tokio::spawn(actor.run());
    slot.mailbox = Some(mailbox);
    slot.task = Some(task.abort_handle());
    drop(slots);
    let watched = node.clone();
    tokio::spawn(async move {
        let ended = task.await;
        watched.vacate(session);
        match ended {
            Ok(Exit::Rest) => {
                if let Err(error) = watched.storage.release(session, fence).await {
                    tracing::debug!(%session, %error, "could not give a resting session up");
                }
                // It may have been started again before the slot was free.
                adopt(watched, session, Entry::Started).await;
            }
            Ok(Exit::Fenced) => tracing::debug!(%session, "somebody else drives it now"),
            Ok(Exit::ShutDown) => {}
            Ok(Exit::Storage(error)) => {
                tracing::warn!(%session, %error, "the storage failed; the session is taken up again");
                resume(watched, session).await;
            }
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                tracing::error!(%session, %error, "the task that drove the session ended unexpectedly");
                resume(watched, session).await;
            }
        }
    });
}

/// Takes up again what ended badly, after a pause.
async fn resume(node: Arc<Node>, session: SessionId) {
    tokio::time::sleep(node.timing.retry_delay(1, &node.random)).await;
    Box::pin(adopt(node, session, Entry::Crashed)).await;
}

/// Looks for sessions that nobody drives, and takes them over at a bounded rate: at boot, and as long as the node runs.
pub(crate) async fn scan(node: Arc<Node>) {
    loop {
        match node.storage.orphans(SCAN_BATCH).await {
            Ok(orphans) => {
                let more = orphans.len() == SCAN_BATCH as usize;
                for session in orphans {
                    node.adoptions.take().await;
                    adopt(node.clone(), session, Entry::Adopted).await;
                }
                if more {
                    continue;
                }
            }
            Err(error) => tracing::warn!(%error, "could not look for sessions that nobody drives"),
        }
        tokio::time::sleep(node.timing.scan).await;
    }
}
