//! One task per running session: commands, signals and deadlines meet in one `select!`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::lifecycle::{Input, Lifecycle, Reason, ReasonKind, transition};
use crate::runtime::link::{Link, LinkEvent};
use crate::runtime::login_codes::Shown;
use crate::runtime::node::{Node, Phase, Reservation};
use crate::runtime::step::step_commit;
use crate::storage::{Fence, StorageError, StorageErrorKind, StoredSession};
use crate::transport::{ConnectError, SendError, TransportCommand};

mod intake;
mod leaving;
mod outbox;
mod reads;
mod signals;
mod storing;

pub(crate) use intake::Parcel;

/// Why a session's task ends.
#[derive(Debug)]
pub(crate) enum Exit {
    /// The session is at rest.
    Rest,
    /// Somebody else drives it now; nothing more may be written.
    Fenced,
    /// Another node is to drive it.
    HandOver,
    /// The node shuts down.
    ShutDown,
    /// The storage kept failing.
    Storage(StorageError),
}

/// A session's task.
#[derive(Debug)]
pub(crate) struct Actor {
    node: Arc<Node>,
    fence: Fence,
    stored: StoredSession,
    wake: Arc<Notify>,
    /// Whether the session is to be handed over to another node.
    leave: watch::Receiver<bool>,
    /// Once it is: until when it waits for what is on its way to the network.
    leave_by: Option<Instant>,
    /// How many connections in a row came to nothing that lasted, over this session's tasks here.
    failures: Arc<AtomicU32>,
    online_since: Option<Instant>,
    phase: watch::Receiver<Phase>,
    link: Option<Link>,
    /// When the time allowed for the present state is over.
    deadline: Option<Instant>,
    /// Whether the next dial waits its turn among the node's reconnects.
    patient: bool,
    outbox: outbox::Outbox,
    reads: reads::Reads,
    login_code: Shown,
}

impl Actor {
    pub(crate) fn new(
        node: Arc<Node>,
        fence: Fence,
        stored: StoredSession,
        reservation: &Reservation,
        patient: bool,
    ) -> Self {
        let phase = node.phase.subscribe();
        let login_code = Shown::new(node.clone(), stored.record.id, fence);
        Self {
            node,
            fence,
            stored,
            wake: reservation.wake.clone(),
            leave: reservation.leave.clone(),
            leave_by: None,
            failures: reservation.failures.clone(),
            online_since: None,
            phase,
            link: None,
            deadline: None,
            patient,
            outbox: outbox::Outbox::default(),
            reads: reads::Reads::default(),
            login_code,
        }
    }

    /// Drives the session until it rests, is taken over, or the node shuts down.
    pub(crate) async fn run(mut self) -> Exit {
        match self.drive().await {
            Ok(never) => match never {},
            Err(exit) => {
                match &exit {
                    // Until the deadline of the shutdown, which ends this task.
                    Exit::ShutDown => self.close().await,
                    // What came and is not stored is not acknowledged: the network delivers it to the next connection.
                    Exit::HandOver => drop(timeout(self.node.timing.stop, self.close()).await),
                    Exit::Rest | Exit::Fenced | Exit::Storage(_) => {}
                }
                exit
            }
        }
    }

    async fn drive(&mut self) -> Result<std::convert::Infallible, Exit> {
        self.entered();
        loop {
            if self.may_leave() {
                return Err(Exit::HandOver);
            }
            self.reconcile().await?;
            if self.leave_by.is_none() {
                self.send_next().await?;
                self.tell_next().await?;
            }
            let leave_at = self.leave_by.filter(|_| !self.is_stopping());
            let (stores, listens) = (self.may_store(), self.may_listen());
            let (send_at, tell_at) = (self.outbox.not_before, self.reads.not_before);
            tokio::select! {
                biased;
                () = ending(&mut self.phase) => return Err(Exit::ShutDown),
                () = leaving::asked(&mut self.leave), if self.leave_by.is_none() => {}
                () = self.wake.notified() => drop(self.refresh().await?),
                sent = self.outbox.sent() => self.on_sent(sent).await?,
                told = self.reads.told() => self.on_told(told).await?,
                () = std::future::ready(()), if stores => self.store_next().await?,
                event = next(&mut self.link), if listens => match event {
                    LinkEvent::Dialled(result) => self.on_dialled(result).await?,
                    LinkEvent::Signal(signal) => self.on_signal(signal).await?,
                    LinkEvent::Closed => self.on_closed().await?,
                },
                () = until(self.deadline) => self.on_deadline().await?,
                () = until(send_at) => self.outbox.not_before = None,
                () = until(tell_at) => self.reads.not_before = None,
                () = until(leave_at) => {}
            }
        }
    }

    /// Makes the connection what the facts say it ought to be.
    async fn reconcile(&mut self) -> Result<(), Exit> {
        loop {
            let facts = &self.stored.record.facts;
            match (facts.lifecycle, facts.connection(), &self.link) {
                (Lifecycle::Stopped, ..) => return Err(Exit::Rest),
                (Lifecycle::Stopping { .. }, _, None) => self.apply(Input::Closed).await?,
                (Lifecycle::Stopping { .. }, ..) | (_, None, None) => return Ok(()),
                (_, Some(wanted), Some(link)) if link.generation == wanted => return Ok(()),
                (.., Some(_)) => self.link = None,
                (_, Some(_), None) => return self.dial(),
            }
        }
    }

    fn dial(&mut self) -> Result<(), Exit> {
        let Some(port) = self.stored.port else {
            // The claim and the state travel in one commit: this cannot be, and must not go unseen if it is.
            return Err(Exit::Storage(StorageError::new(
                StorageErrorKind::Corrupt,
                format!("session {} is started and holds no port", self.stored.record.id),
            )));
        };
        self.link = Some(Link::dial(&self.node, &self.stored.record, port, self.fence, self.patient));
        Ok(())
    }

    /// Takes the step that follows from the input, if one does.
    async fn apply(&mut self, input: Input) -> Result<(), Exit> {
        if matches!(input, Input::Lost(_) | Input::Deadline)
            && let Some(since) = self.online_since.take()
        {
            // Being online for a moment does not make up for the trouble before.
            match since.elapsed() < self.node.timing.proof_of_life {
                true => self.failures.fetch_add(1, Ordering::Relaxed),
                false => self.failures.swap(0, Ordering::Relaxed),
            };
        }
        loop {
            let facts = &self.stored.record.facts;
            let failures = self.failures.load(Ordering::Relaxed);
            let step = match transition(facts, &input, |attempt| self.node.retry_at(attempt.max(failures))) {
                Ok(step) if step.next == *facts => {
                    tracing::trace!(session = %self.stored.record.id, ?input, "ignored");
                    return Ok(());
                }
                Ok(step) => step,
                Err(illegal) => {
                    tracing::debug!(session = %self.stored.record.id, %illegal, "ignored");
                    return Ok(());
                }
            };
            if let (true, Some(link)) = (step.forget_credentials, &self.link) {
                // Or a last write of the connection would bring back what the commit wipes.
                link.close_vault().await;
            }
            let mut commit = step_commit(&self.stored, step, self.node.now());
            commit.fence = Some(self.fence);
            let record = commit.record.clone();
            match self.commit(commit).await {
                Ok(committed) => {
                    if let Some(record) = record {
                        let (from, to) = (self.stored.record.facts.lifecycle, record.facts.lifecycle);
                        let reason = record.facts.reason.as_ref().map(ToString::to_string);
                        tracing::info!(session = %record.id, ?from, ?to, reason, "moved");
                        self.stored.record = record;
                    }
                    self.stored.revision = committed.revision;
                    self.stored.port = committed.port;
                    self.entered();
                    return Ok(());
                }
                // Somebody changed the session meanwhile: decide anew, unless that made the input a thing of the past.
                Err(Exit::Storage(error)) if error.kind() == StorageErrorKind::Stale => {
                    if self.refresh().await? {
                        return Ok(());
                    }
                }
                Err(exit) => return Err(exit),
            }
        }
    }

    /// The session has entered a state: its deadline starts, and what belongs to the state before goes.
    fn entered(&mut self) {
        let (timing, now) = (&self.node.timing, Instant::now());
        self.deadline = match self.stored.record.facts.lifecycle {
            Lifecycle::Stopped | Lifecycle::Blocked => None,
            // Dialling is bounded by the link, which knows when its turn has come.
            Lifecycle::Connecting { .. } if !self.is_linked() => None,
            Lifecycle::Connecting { .. } | Lifecycle::AwaitingLogin => Some(now + timing.dial),
            Lifecycle::Online => Some(now + timing.proof_of_life),
            // Never longer than any wait: the system's clock may have been set back.
            Lifecycle::Backoff { retry_at, .. } => Some(now + retry_at.since(self.node.now()).min(timing.retry_most)),
            Lifecycle::Stopping { log_out, .. } => {
                let command = if log_out { TransportCommand::LogOut } else { TransportCommand::Close };
                self.link = self.link.take().filter(|link| link.tell(command));
                Some(now + timing.stop)
            }
        };
        let lifecycle = self.stored.record.facts.lifecycle;
        match lifecycle {
            Lifecycle::Backoff { .. } => self.patient = true,
            Lifecycle::Online => self.patient = false,
            _ => {}
        }
        self.node.set_moving_costs(self.stored.record.id, leaving::costs(lifecycle));
        if lifecycle != Lifecycle::AwaitingLogin {
            self.login_code.withdraw();
        }
        self.online_since = (lifecycle == Lifecycle::Online).then_some(now);
        if lifecycle == Lifecycle::Online {
            self.look_again();
        } else {
            self.outbox.interrupted();
            self.reads.interrupted();
        }
    }

    /// There may be something in the storage that the network is yet to hear of.
    fn look_again(&mut self) {
        self.outbox.due = true;
        self.reads.due = true;
    }

    fn is_online(&self) -> bool {
        self.stored.record.facts.lifecycle == Lifecycle::Online
    }

    /// The network is there: it said something, and maybe it brought news.
    fn heard(&mut self, news: bool) {
        let (timing, now) = (&self.node.timing, Instant::now());
        match self.stored.record.facts.lifecycle {
            // Whatever it says, it is alive.
            Lifecycle::Online => self.deadline = Some(now + timing.proof_of_life),
            // What was written meanwhile comes before it is online. However much that is, dialling goes well.
            Lifecycle::Connecting { .. } if news => self.deadline = Some(now + timing.dial),
            _ => {}
        }
    }

    /// Whether the connection that ought to exist does.
    fn is_linked(&self) -> bool {
        self.link.as_ref().is_some_and(|link| Some(link.generation) == self.stored.record.facts.connection())
    }

    async fn on_deadline(&mut self) -> Result<(), Exit> {
        if matches!(self.stored.record.facts.lifecycle, Lifecycle::Stopping { .. }) {
            // It would not close. It is gone before its port is free for somebody else.
            self.link = None;
        }
        self.apply(Input::Deadline).await
    }

    async fn on_dialled(&mut self, result: Result<(), ConnectError>) -> Result<(), Exit> {
        match result {
            Ok(()) => {
                self.deadline = Some(Instant::now() + self.node.timing.dial);
                Ok(())
            }
            Err(ConnectError::Lost(reason)) => self.apply(Input::Lost(reason)).await,
            Err(ConnectError::Rejected(reason)) => self.apply(Input::Rejected(reason)).await,
        }
    }

    async fn on_closed(&mut self) -> Result<(), Exit> {
        self.link = None;
        match self.stored.record.facts.lifecycle {
            // `reconcile` finds the connection gone and says so.
            Lifecycle::Stopping { .. } => Ok(()),
            _ => self.apply(Input::Lost(Reason::new(ReasonKind::ConnectionLost))).await,
        }
    }
}

/// What a transport answers, if it does in time.
async fn answer(done: &mut oneshot::Receiver<Result<(), SendError>>, give_up_at: Instant) -> Result<(), SendError> {
    match timeout_at(give_up_at, done).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(SendError::Later("the connection ended before it was done".to_owned())),
        Err(_) => Err(SendError::Later("the transport gave no answer".to_owned())),
    }
}

async fn ending(phase: &mut watch::Receiver<Phase>) {
    // An error means that the node is gone altogether.
    let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
}

async fn next(link: &mut Option<Link>) -> LinkEvent {
    match link {
        Some(link) => link.next().await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
