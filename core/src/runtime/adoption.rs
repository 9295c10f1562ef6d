//! Taking sessions over, and watching over the tasks that drive them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::ids::SessionId;
use crate::lifecycle::{Input, Lifecycle, Reason, ReasonKind, transition};
use crate::runtime::actor::{Actor, Exit};
use crate::runtime::node::{Node, Reservation};
use crate::runtime::placement::{choose, may_take};
use crate::runtime::step::step_commit;
use crate::storage::{Fence, Orphan, StorageError, StorageErrorKind};

/// A task that ends badly is begun again at once so often; its session waits in Backoff anyway, if it can.
const FAILURES_WITHOUT_PAUSE: u32 = 2;
/// How long it is left alone at most, however often it went wrong, when it is to be handed over.
const SHORT_PAUSE: Duration = Duration::from_secs(1);
/// How many sessions one look at the storage takes on.
const SCAN_BATCH: u32 = 256;
/// For so many leases a session that nobody drives is left to the node whose it is to be.
const PATIENCE: u32 = 2;

/// Why a session is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// There is a hint: somebody started it just now, or another node hands it over. The nodes see whose it is to be.
    Started,
    /// Nobody drove it, and it is this node's: its process died, or this one begins.
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
            Ok(Next::Gone) => return,
            Ok(Next::Again) => entry = Entry::Crashed,
            Err(error) => {
                tracing::warn!(%session, %error, "could not take the session over; trying again");
                reservation.failed();
                tokio::select! {
                    biased;
                    () = pause(&node, &reservation) => {}
                    // Somebody wants something of it, and got through to the storage.
                    () = reservation.wake.notified() => {}
                }
            }
        }
        if !node.is_running() {
            return;
        }
    }
}

/// Waits a while after it went wrong; not for long, if the session is to be handed over.
async fn pause(node: &Node, reservation: &Reservation) {
    let asked_to_leave = async {
        reservation.asked_to_leave().await;
        tokio::time::sleep(SHORT_PAUSE).await;
    };
    tokio::select! {
        biased;
        () = node.pause(reservation.failures()) => {}
        () = asked_to_leave => {}
    }
}

/// What comes after a session's task has ended.
enum Next {
    /// It needs none, here and now.
    Leave,
    /// It is handed over: whatever there is to do is for another node, which has been told.
    Gone,
    /// It ended badly and needs another one.
    Again,
}

async fn drive(node: &Arc<Node>, reservation: &Reservation, entry: Entry) -> Result<Next, StorageError> {
    let session = reservation.session;
    if !mend(node, reservation, entry).await? {
        return Ok(Next::Leave);
    }
    if entry == Entry::Crashed && reservation.failures() > FAILURES_WITHOUT_PAUSE {
        pause(node, reservation).await;
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
            give_back(node, reservation, fence, true).await;
            Next::Leave
        }
        Ok(Exit::HandOver) => {
            give_back(node, reservation, fence, false).await;
            Next::Gone
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

/// Writes down that whatever connection the session had is gone; answers whether it still wants to be driven, by this node. This
/// comes before the claim: a session with an owner is believed when it says that it is online.
async fn mend(node: &Node, reservation: &Reservation, entry: Entry) -> Result<bool, StorageError> {
    let (session, failures) = (reservation.session, reservation.failures());
    loop {
        let Some(stored) = node.storage.session(session).await? else { return Ok(false) };
        let facts = &stored.record.facts;
        let input = match (facts.lifecycle, entry) {
            (Lifecycle::Stopped, _) => return Ok(false),
            _ if stored.owner.is_some_and(|owner| owner.node != node.id) => return Ok(false),
            // A session that crashes its task must not do so again and again without a pause.
            (_, Entry::Crashed) => Some(Input::Lost(Reason::new(ReasonKind::Crashed))),
            // Connecting and no connection: that is where dialling starts.
            (Lifecycle::Connecting { .. }, _) => None,
            (_, Entry::Started | Entry::Adopted) => Some(Input::Adopted),
        };
        if !reservation.is_driven() {
            // What this node owns, and for which it has no task, nobody else can take.
            let owns = stored.owner.is_some();
            let here = owns
                || entry == Entry::Adopted
                || node.place_of(session, &stored.record.environment).await? == Some(node.id);
            if !here || !reservation.drive(owns) {
                return Ok(false);
            }
        }
        let Some(input) = input else { return Ok(true) };
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

/// Gives a session up, however often that has to be said: while this node seems to own it, nobody else can take it. Unless
/// there is a hint to follow first, of a session that rests.
async fn give_back(node: &Node, reservation: &Reservation, fence: Fence, rests: bool) {
    let (session, mut failures) = (reservation.session, 0);
    while let Err(error) = node.storage.release(session, fence).await {
        tracing::debug!(%session, %error, "could not give a session up");
        failures += 1;
        tokio::select! {
            biased;
            () = node.pause(failures) => {}
            () = reservation.wake.notified(), if rests => {
                reservation.wake.notify_one();
                return;
            }
        }
        // Whoever ends gives everything up.
        if !node.is_running() {
            return;
        }
    }
}

/// Looks for sessions that nobody drives, and takes over those whose place is here, at a bounded rate: at boot, and as long as
/// the node runs.
pub(crate) async fn scan(node: Arc<Node>) {
    let mut orphaned = BTreeMap::new();
    loop {
        if node.is_accepting()
            && let Err(error) = look(&node, &mut orphaned).await
        {
            tracing::warn!(%error, "could not look for sessions that nobody drives");
        }
        tokio::time::sleep(node.timing.scan).await;
    }
}

/// One look at all of them. Since when each was seen without an owner is kept from one look to the next.
async fn look(node: &Arc<Node>, orphaned: &mut BTreeMap<SessionId, Instant>) -> Result<(), StorageError> {
    let (mut after, mut seen) = (None, BTreeMap::new());
    loop {
        let orphans = node.storage.orphans(after, SCAN_BATCH).await?;
        after = orphans.last().map(|orphan| orphan.session);
        let full = orphans.len() == SCAN_BATCH as usize;
        for orphan in orphans {
            let since = orphaned.get(&orphan.session).copied().unwrap_or_else(Instant::now);
            seen.insert(orphan.session, since);
            if !node.is_taken(orphan.session) && is_for(node, &orphan, since).await? {
                node.adoptions.take().await;
                adopt(node, orphan.session, Entry::Adopted);
            }
        }
        if !full {
            *orphaned = seen;
            return Ok(());
        }
    }
}

/// Whether the session's place is here; or the node whose it is has left it alone for too long, and it may be here.
async fn is_for(node: &Node, orphan: &Orphan, since: Instant) -> Result<bool, StorageError> {
    let nodes = node.live_nodes().await?;
    let left_alone = since.elapsed() > PATIENCE * node.timing.lease;
    let own = nodes.iter().find(|live| live.profile.id == node.id);
    Ok(choose(orphan.session, &orphan.runs_on, &nodes) == Some(node.id)
        || (left_alone && own.is_some_and(|own| may_take(own, &orphan.runs_on))))
}
