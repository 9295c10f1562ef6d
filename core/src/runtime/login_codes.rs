//! Login codes: the one in force for each session, and how nodes learn of it that do not drive the session.
//!
//! A code lives in memory only. The node that drives the session [shows](Shown::show) it and tells the others by a
//! [`Notice`], sealed for nothing but this; they keep it until it expires, is withdrawn, or a later one comes. Who misses one
//! asks, and the node that drives the session answers. A word may get lost: then somebody asks again, or the code expires.
//!
//! How long a code is valid travels as a duration, because the clocks of nodes may differ by an hour. Which of two codes is the
//! later one says the epoch of the ownership under which it was shown, and then a number that the owner counts up; the
//! generation of the connection says whether it belongs to the round that the session is in.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::sync::{Notify, broadcast};
use tokio::time::{Instant, sleep_until, timeout};
use zeroize::Zeroizing;

use crate::ids::{NodeId, SessionId};
use crate::lifecycle::Lifecycle;
use crate::runtime::node::Node;
use crate::runtime::timing::after;
use crate::secret::Secret;
use crate::session::CardStatus;
use crate::storage::{Fence, Notice, StoredSession};
use crate::transport::{ChallengeKind, LoginChallenge};

/// What notices are sealed for: with this name they can be opened as nothing else, and nothing else as them.
const SEALED_FOR: &str = "login-code";
/// How many codes of sessions that other nodes drive are kept; whoever looks at one that had to go asks for it again.
const KEPT: usize = 1024;
/// How often a node asks for the code of one session at most.
pub(crate) const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long the storage may take to pass a notice on. It may get lost anyway.
const TELLING: Duration = Duration::from_secs(5);

/// The login codes that this node knows of.
#[derive(Debug, Default)]
pub(crate) struct LoginCodes {
    codes: Mutex<Codes>,
    /// Raised when there is something to tell the other nodes.
    untold: Notify,
}

#[derive(Debug, Default)]
struct Codes {
    known: BTreeMap<SessionId, Known>,
    /// What the other nodes are yet to be told.
    untold: BTreeMap<SessionId, Untold>,
    /// When this node last asked.
    asked: BTreeMap<SessionId, Instant>,
    /// Counts the codes that this node has shown.
    shown: u64,
}

/// Which code is the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Turn {
    epoch: u64,
    number: u64,
}

/// A code, as it is known here.
#[derive(Debug)]
struct Known {
    turn: Turn,
    generation: u64,
    /// Whether it was shown here, by the owner.
    own: bool,
    challenge: LoginChallenge,
    /// When it expires, whatever becomes of the clock.
    until: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Untold {
    /// The code that is in force.
    Code,
    /// That this code is in force no longer.
    Withdrawn(Turn),
    /// That this node would like to know it.
    Question,
}

/// A notice, opened.
#[derive(Debug, Serialize, Deserialize)]
struct Word {
    from: NodeId,
    says: Says,
}

#[derive(Debug, Serialize, Deserialize)]
enum Says {
    Code {
        turn: Turn,
        generation: u64,
        pairing: bool,
        sequence: u32,
        valid_for_ms: u64,
        #[serde(serialize_with = "exposed", deserialize_with = "hidden")]
        code: Secret,
    },
    Withdrawn(Turn),
    Question,
}

fn exposed<S: Serializer>(code: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.expose())
}

fn hidden<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

impl Codes {
    /// Lets go of those that have expired.
    fn expire(&mut self) {
        let now = Instant::now();
        self.known.retain(|_, known| now < known.until);
    }

    /// Keeps the code, unless the one that is known came later; answers whether it does.
    fn keep(&mut self, session: SessionId, known: Known) -> bool {
        self.expire();
        if self.known.get(&session).is_some_and(|before| before.turn >= known.turn) || known.until <= Instant::now() {
            return false;
        }
        self.known.insert(session, known);
        let others = self.known.iter().filter(|(_, known)| !known.own);
        if others.clone().count() > KEPT
            && let Some((first, _)) = others.min_by_key(|(_, known)| known.until)
        {
            let first = *first;
            self.known.remove(&first);
        }
        true
    }

    /// Forgets the code, if it is not later than this one; answers it.
    fn forget(&mut self, session: SessionId, up_to: Turn) -> Option<Known> {
        self.known.get(&session).filter(|known| known.turn <= up_to)?;
        self.known.remove(&session)
    }
}

impl LoginCodes {
    fn tell(&self, session: SessionId, what: Untold) {
        self.codes.lock().untold.insert(session, what);
        self.untold.notify_one();
    }

    /// When the next one expires.
    fn next_expiry(&self) -> Option<Instant> {
        self.codes.lock().known.values().map(|known| known.until).min()
    }
}

/// Where the owner of a session shows its codes. When this is dropped, they are gone.
#[derive(Debug)]
pub(crate) struct Shown {
    node: Arc<Node>,
    session: SessionId,
    epoch: u64,
}

impl Shown {
    pub(crate) fn new(node: Arc<Node>, session: SessionId, fence: Fence) -> Self {
        Self { node, session, epoch: fence.epoch }
    }

    /// This is the code now, on this connection.
    pub(crate) fn show(&self, generation: u64, challenge: LoginChallenge) {
        let until = after(challenge.expires_at.since(self.node.now()));
        let codes = &self.node.login_codes;
        let kept = {
            let mut codes = codes.codes.lock();
            codes.shown += 1;
            let turn = Turn { epoch: self.epoch, number: codes.shown };
            codes.keep(self.session, Known { turn, generation, own: true, challenge, until })
        };
        if kept {
            self.node.hub.poke(self.session);
            codes.tell(self.session, Untold::Code);
        }
    }

    /// There is no code any more.
    pub(crate) fn withdraw(&self) {
        let codes = &self.node.login_codes;
        let gone = codes.codes.lock().forget(self.session, Turn { epoch: self.epoch, number: u64::MAX });
        if let Some(gone) = gone {
            self.node.hub.poke(self.session);
            if gone.own {
                codes.tell(self.session, Untold::Withdrawn(gone.turn));
            }
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl Node {
    /// The login code to show now; an expired one is never handed out, nor one of another round than the session is in.
    pub(crate) fn login_code(&self, stored: &StoredSession) -> Option<LoginChallenge> {
        let (facts, now) = (&stored.record.facts, self.now());
        let mut codes = self.login_codes.codes.lock();
        let known = codes.known.get(&stored.record.id)?;
        // Should the word that it is withdrawn have been lost. It may also have come a moment before the card says so.
        let over = match facts.lifecycle {
            Lifecycle::Connecting { .. } | Lifecycle::AwaitingLogin => known.generation < facts.generation,
            _ => known.generation <= facts.generation,
        };
        if over && !known.own {
            codes.known.remove(&stored.record.id);
            return None;
        }
        let valid = known.challenge.is_valid(now) && Instant::now() < known.until;
        let awaited = stored.status() == CardStatus::AwaitingLogin && known.generation == facts.generation;
        (valid && awaited).then(|| known.challenge.clone())
    }

    /// Whether another node drives the session and may have a login code to show that did not come here.
    pub(crate) fn may_miss_login_code(&self, stored: &StoredSession) -> bool {
        let elsewhere = stored.owner.is_some_and(|owner| owner.node != self.id);
        elsewhere && stored.status() == CardStatus::AwaitingLogin && self.sealer.can_seal()
    }

    /// Asks the other nodes for the session's login code, unless that was done this moment.
    pub(crate) fn ask_for_login_code(&self, session: SessionId) {
        let now = Instant::now();
        let mut codes = self.login_codes.codes.lock();
        codes.asked.retain(|_, asked| now < *asked + ASK_EVERY);
        if codes.asked.contains_key(&session) {
            return;
        }
        codes.asked.insert(session, now);
        drop(codes);
        self.login_codes.tell(session, Untold::Question);
    }
}

/// Brings login codes from node to node, as long as the node runs.
pub(crate) async fn relay(node: Arc<Node>, notices: broadcast::Receiver<Notice>) {
    // Both at once: a storage that is slow to pass something on must not keep the node from hearing.
    tokio::select! {
        () = tell(&node) => {}
        () = listen(&node, notices) => {}
    }
}

async fn tell(node: &Node) {
    loop {
        node.login_codes.untold.notified().await;
        while let Some((session, what)) = next_untold(node) {
            let Some(notice) = sealed(node, session, what) else { continue };
            match timeout(TELLING, node.storage.notify(notice)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%session, %error, "could not tell other nodes of a login code"),
                Err(_) => tracing::debug!(%session, "it takes too long to tell other nodes of a login code"),
            }
        }
    }
}

fn next_untold(node: &Node) -> Option<(SessionId, Untold)> {
    node.login_codes.codes.lock().untold.pop_first()
}

/// What is to be told, as it is now; none if there is nothing to tell any more, or no key to seal it with.
fn sealed(node: &Node, session: SessionId, what: Untold) -> Option<Notice> {
    if !node.sealer.can_seal() {
        return None;
    }
    let says = match what {
        Untold::Question => Says::Question,
        Untold::Withdrawn(turn) => Says::Withdrawn(turn),
        Untold::Code => {
            let codes = node.login_codes.codes.lock();
            let known = codes.known.get(&session).filter(|known| known.own)?;
            let left = known.until.saturating_duration_since(Instant::now());
            Says::Code {
                turn: known.turn,
                generation: known.generation,
                pairing: known.challenge.kind == ChallengeKind::PairingCode,
                sequence: known.challenge.sequence,
                valid_for_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
                code: known.challenge.code.clone(),
            }
        }
    };
    let word = Zeroizing::new(serde_json::to_vec(&Word { from: node.id, says }).ok()?);
    let sealed = node.sealer.seal(session, SEALED_FOR, &word).ok()?;
    Some(Notice { session, sealed })
}

async fn listen(node: &Node, mut notices: broadcast::Receiver<Notice>) {
    loop {
        let expiry = node.login_codes.next_expiry();
        let expired = async {
            match expiry {
                Some(expiry) => sleep_until(expiry).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            notice = notices.recv() => match notice {
                Ok(notice) => hear(node, &notice),
                // Who misses what was lost asks for it.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            },
            () = expired => node.login_codes.codes.lock().expire(),
        }
    }
}

fn hear(node: &Node, notice: &Notice) {
    let session = notice.session;
    let opened = node.sealer.open(session, SEALED_FOR, &notice.sealed).ok();
    let Some(Word { from, says }) = opened.and_then(|word| serde_json::from_slice(&word).ok()) else {
        tracing::trace!(%session, "a notice that nobody here can read");
        return;
    };
    if from == node.id {
        return;
    }
    let codes = &node.login_codes;
    match says {
        Says::Code { turn, generation, pairing, sequence, valid_for_ms, code } => {
            let kind = if pairing { ChallengeKind::PairingCode } else { ChallengeKind::Qr };
            let valid_for = Duration::from_millis(valid_for_ms);
            let challenge = LoginChallenge { kind, code, sequence, expires_at: node.now() + valid_for };
            let known = Known { turn, generation, own: false, challenge, until: after(valid_for) };
            if codes.codes.lock().keep(session, known) {
                node.hub.poke(session);
            }
        }
        Says::Withdrawn(turn) => {
            let gone = codes.codes.lock().forget(session, turn);
            if gone.is_some() {
                node.hub.poke(session);
            }
        }
        Says::Question => {
            let own = codes.codes.lock().known.get(&session).is_some_and(|known| known.own);
            if own {
                codes.tell(session, Untold::Code);
            }
        }
    }
}
