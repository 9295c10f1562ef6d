//! Start, stop and the other commands that move a session's lifecycle.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Desk;
use crate::agent::Agent;
use crate::error::{Error, Retry};
use crate::ids::SessionId;
use crate::lifecycle::{Command, Input, Lifecycle, transition};
use crate::policy::Action;
use crate::port::Occupied;
use crate::runtime::port_queue::{self, Ticket, WhenFull};
use crate::runtime::step::step_commit;
use crate::runtime::timing::after;
use crate::session::{Card, LoginMethod};
use crate::storage::{SessionCommit, StorageErrorKind, StoredSession};

/// How often a waiting stop looks by itself, should a hint get lost.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// What the storage has for stopping a session, beside the time that the transport has.
const STORAGE: Duration = Duration::from_secs(1);
/// How often a waiting start looks whether it is still wanted, should a hint get lost.
const STILL_WANTED: Duration = Duration::from_secs(5);

/// What claims a port.
pub(super) enum Claim {
    /// The start of a session that is there.
    Start(SessionId),
    /// A session that is added and started in one commit.
    Add(Box<SessionCommit>),
}

impl Claim {
    /// The session that it starts, if that is there already.
    fn starts(&self) -> Option<SessionId> {
        match self {
            Self::Start(session) => Some(*session),
            Self::Add(_) => None,
        }
    }
}

impl Desk {
    /// Starts a session: it claims a port, in the same commit, and dials. Starting a started one changes nothing.
    ///
    /// A dropped call gives its place in the queue up; if the claim was already on its way to the storage, the session may
    /// turn out started, as a whole.
    ///
    /// # Errors
    /// [`Error::PoolFull`] or [`Error::PortWaitTimedOut`] when there is no port; [`Error::IllegalTransition`] while it is
    /// stopping.
    pub async fn start(&self, session: SessionId, when_full: WhenFull) -> Result<Card, Error> {
        self.claim_port(&Claim::Start(session), when_full).await?;
        self.card(session).await
    }

    /// Stops a session: closes its connection and releases its port. Answers when it is at rest, within 5 s even if the
    /// transport hangs; if the storage is slower than that, with a card that is still
    /// [`Stopping`](crate::CardStatus::Stopping). Stopping a stopped one changes nothing.
    ///
    /// # Errors
    /// [`Error::UnknownSession`].
    pub async fn stop(&self, session: SessionId) -> Result<Card, Error> {
        // The transport has `stop`; the rest is for the storage.
        let until = after(self.node().timing.stop + STORAGE);
        let (agent, mut stored) = self.command(session, Action::Stop, Command::Stop).await?;
        let mut changed = self.node().hub.follow(session);
        let rests = async {
            while matches!(stored.record.facts.lifecycle, Lifecycle::Stopping { .. }) {
                stored = self.node().storage.session(session).await?.ok_or(Error::UnknownSession(session))?;
                if matches!(stored.record.facts.lifecycle, Lifecycle::Stopping { .. }) {
                    let _ = tokio::time::timeout(LOOK_AGAIN, changed.changed()).await;
                }
            }
            Ok::<_, Error>(())
        };
        // What was known last is what is answered if even this takes too long.
        if let Ok(failed @ Err(_)) = tokio::time::timeout_at(until, rests).await {
            failed?;
        }
        Ok(self.card_of(&agent, stored))
    }

    /// Closes the connection and dials again, on the same port. Answers at once; [`watch`](Self::watch) tells how it goes on.
    ///
    /// # Errors
    /// [`Error::IllegalTransition`] when it is stopped or stopping.
    pub async fn restart(&self, session: SessionId) -> Result<Card, Error> {
        let (agent, stored) = self.command(session, Action::Restart, Command::Restart).await?;
        Ok(self.card_of(&agent, stored))
    }

    /// Asks for a new round of login codes when one ran out, or for the next try right now; in place, on the same port.
    ///
    /// # Errors
    /// [`Error::IllegalTransition`] when it is neither blocked, awaiting login, nor waiting to reconnect.
    pub async fn refresh_login(&self, session: SessionId) -> Result<Card, Error> {
        let (agent, stored) = self.command(session, Action::RefreshLogin, Command::Resume).await?;
        Ok(self.card_of(&agent, stored))
    }

    /// Like [`refresh_login`](Self::refresh_login), by another method from now on: a pairing code instead of a QR code, say.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the network has no such method; [`Error::UnknownTransport`] when its transport is not part
    /// of this host; [`Error::IllegalTransition`] as for [`refresh_login`](Self::refresh_login).
    pub async fn refresh_login_by(&self, session: SessionId, method: LoginMethod) -> Result<Card, Error> {
        let change = |stored: &StoredSession| {
            let method = self.checked_method(stored.record.transport.as_str(), &method)?;
            let step = self.step(stored, Command::Resume)?;
            let mut commit = step_commit(stored, step, self.node().now());
            if let Some(record) = &mut commit.record {
                record.login_method = method;
            }
            Ok(Some(commit))
        };
        let (agent, stored) = self.change(Action::RefreshLogin, session, change).await?;
        Ok(self.card_of(&agent, stored))
    }

    /// Logs the account out, on the network too where it can be reached, and forgets its credentials. The session keeps its
    /// port and is blocked until a new scan; contacts and history stay. Answers at once; [`watch`](Self::watch) tells when it
    /// is done.
    ///
    /// # Errors
    /// [`Error::IllegalTransition`] when it is stopped, stopping, or no account is logged in.
    pub async fn log_out(&self, session: SessionId) -> Result<Card, Error> {
        let (agent, stored) = self.command(session, Action::LogOut, Command::LogOut).await?;
        Ok(self.card_of(&agent, stored))
    }

    fn step(&self, stored: &StoredSession, command: Command) -> Result<crate::lifecycle::Step, Error> {
        let retry_at = |attempt| self.node().retry_at(attempt);
        Ok(transition(&stored.record.facts, &Input::Command(command), retry_at)?)
    }

    async fn command(
        &self,
        session: SessionId,
        action: Action,
        command: Command,
    ) -> Result<(Agent, StoredSession), Error> {
        let change = |stored: &StoredSession| {
            let step = self.step(stored, command)?;
            let moves = step.next != stored.record.facts;
            Ok(moves.then(|| step_commit(stored, step, self.node().now())))
        };
        self.change(action, session, change).await
    }

    /// Claims a port, in the order of the queue.
    pub(super) async fn claim_port(&self, claim: &Claim, when_full: WhenFull) -> Result<(), Error> {
        let waiting = self.node().ports.waiting().await?;
        match when_full {
            // The ports that are free, or become free, belong to those who wait.
            WhenFull::Fail
                if !waiting.is_empty() && self.wants_port(claim).await? && self.would_overtake(&waiting).await? =>
            {
                Err(self.pool_full(waiting.len()).await?)
            }
            WhenFull::Fail => match self.try_claim(claim).await {
                Err(error) if is_full(&error) => Err(self.pool_full(waiting.len()).await?),
                other => other,
            },
            WhenFull::Wait { timeout } => {
                let until = after(timeout);
                // Where nobody waits, or no port is wanted, there is no need to queue.
                if waiting.is_empty() || !self.wants_port(claim).await? {
                    match self.try_claim(claim).await {
                        Err(error) if is_full(&error) => {}
                        other => return other,
                    }
                }
                // If this call is dropped, so is its ticket.
                let mut ticket = None;
                let served = self.claim_in_turn(claim, until, &mut ticket).await;
                if let Some(ticket) = ticket {
                    ticket.leave().await;
                }
                if served? { Ok(()) } else { Err(Error::PortWaitTimedOut { waited: timeout }) }
            }
        }
    }

    /// Claims a port once it is this one's turn; answers whether that came in time.
    async fn claim_in_turn(&self, claim: &Claim, until: Instant, ticket: &mut Option<Ticket>) -> Result<bool, Error> {
        let queue = &self.node().ports;
        let mut moved = queue.follow();
        let mut changed = claim.starts().map(|session| self.node().hub.follow(session));
        let mut look_at = Instant::now() + STILL_WANTED;
        loop {
            moved.borrow_and_update();
            let turn = match timeout_at(until, queue.is_turn_of(ticket)).await {
                Ok(Ok(turn)) => turn,
                // Whoever waits has time.
                Ok(Err(error)) if error.retry() == Retry::Later => false,
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => return Ok(false),
            };
            // Who may not start it any more, or need not, does not wait for that.
            let look = changed.as_mut().is_some_and(seen_change) || Instant::now() >= look_at;
            if look {
                look_at = Instant::now() + STILL_WANTED;
            }
            if turn || look && !self.wants_port(claim).await? {
                match self.try_claim(claim).await {
                    Err(error) if is_full(&error) => {}
                    other => return other.map(|()| true),
                }
            }
            tokio::select! {
                _ = moved.changed() => {}
                () = next_change(&mut changed) => {}
                () = sleep_until(after(port_queue::LOOK_AGAIN).min(until)) => if Instant::now() >= until {
                    return Ok(false);
                },
            }
            self.node().running()?;
        }
    }

    /// Whether this needs a port, and whether the agent may have it.
    async fn wants_port(&self, claim: &Claim) -> Result<bool, Error> {
        match claim {
            Claim::Start(session) => Ok(self.admit_to(Action::Start, *session).await?.1.port.is_none()),
            Claim::Add(commit) => {
                self.admit(Action::Add, None).await?;
                if let Some(agent) = commit.record.as_ref().and_then(|record| record.agent.as_ref()) {
                    self.known_agent(agent).await?;
                }
                Ok(true)
            }
        }
    }

    async fn try_claim(&self, claim: &Claim) -> Result<(), Error> {
        match claim {
            Claim::Start(session) => self.command(*session, Action::Start, Command::Start).await.map(drop),
            Claim::Add(commit) => {
                self.wants_port(claim).await?;
                Ok(self.node().storage.commit(SessionCommit::clone(commit)).await.map(drop)?)
            }
        }
    }

    async fn would_overtake(&self, waiting: &[u64]) -> Result<bool, Error> {
        let free = self.node().storage.port_usage().await?.free();
        self.node().ports.observe(waiting.first().copied(), free).await?;
        Ok(free as usize <= waiting.len())
    }

    async fn pool_full(&self, waiting: usize) -> Result<Error, Error> {
        let usage = self.node().storage.port_usage().await?;
        let agent = self.agent().await?;
        let mut holders: Vec<Occupied> = Vec::new();
        for occupied in &usage.occupied {
            let stored = self.node().storage.session(occupied.session).await?;
            if stored.is_some_and(|stored| self.sees(&agent, &stored)) {
                holders.push(*occupied);
            }
        }
        Ok(Error::PoolFull {
            capacity: usage.range.capacity(),
            occupied: u32::try_from(usage.occupied.len()).unwrap_or(u32::MAX),
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            holders,
        })
    }
}

fn is_full(error: &Error) -> bool {
    matches!(error, Error::Storage(error) if matches!(error.kind(), StorageErrorKind::PoolFull { .. }))
}

/// Whether something changed since it was last looked.
fn seen_change(changed: &mut watch::Receiver<u64>) -> bool {
    let news = changed.has_changed().unwrap_or(true);
    changed.borrow_and_update();
    news
}

/// Waits for the next change, if there is anything to follow.
async fn next_change(changed: &mut Option<watch::Receiver<u64>>) {
    match changed {
        // The change stays unseen, so that the next look is because of it.
        Some(changed) => drop(changed.clone().changed().await),
        None => std::future::pending().await,
    }
}
