//! One task per running session: commands, signals and deadlines meet in one `select!`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::conversation::{Content, MessageStatus};
use crate::error::Retry;
use crate::ids::{Address, MessageId};
use crate::lifecycle::{Input, Lifecycle, Reason, ReasonKind, transition};
use crate::runtime::link::{Link, LinkEvent};
use crate::runtime::mail::Mail;
use crate::runtime::node::{Node, Phase};
use crate::runtime::step::step_commit;
use crate::runtime::timing::after;
use crate::storage::{
    Committed, Expect, Fence, MessageUpdate, SessionCommit, StorageError, StorageErrorKind, StoredSession,
};
use crate::transport::{ConnectError, SendError, TransportCommand};

mod signals;

/// How often a failing storage is tried again before the session is given up for a while.
const COMMIT_TRIES: u32 = 6;
/// How long to leave a message alone that the network could not take now.
const RESEND_AFTER: Duration = Duration::from_secs(5);

/// Why a session's task ends.
#[derive(Debug)]
pub(crate) enum Exit {
    /// The session is at rest.
    Rest,
    /// Somebody else drives it now; nothing more may be written.
    Fenced,
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
    mailbox: mpsc::Receiver<Mail>,
    phase: watch::Receiver<Phase>,
    link: Option<Link>,
    /// When the time allowed for the present state is over.
    deadline: Option<Instant>,
    /// Whether the next dial waits its turn among the node's reconnects.
    patient: bool,
    /// Whether there may be messages to send: set by hints, cleared by looking.
    outbox: bool,
    sending: Option<Sending>,
    resend_at: Option<Instant>,
}

/// A message on its way to the network.
#[derive(Debug)]
struct Sending {
    chat: Address,
    id: MessageId,
    done: oneshot::Receiver<Result<(), SendError>>,
}

impl Actor {
    pub(crate) fn new(
        node: Arc<Node>,
        fence: Fence,
        stored: StoredSession,
        wake: Arc<Notify>,
        mailbox: mpsc::Receiver<Mail>,
        patient: bool,
    ) -> Self {
        let phase = node.phase.subscribe();
        Self {
            node,
            fence,
            stored,
            wake,
            mailbox,
            phase,
            link: None,
            deadline: None,
            patient,
            outbox: false,
            sending: None,
            resend_at: None,
        }
    }

    /// Drives the session until it rests, is taken over, or the node shuts down.
    pub(crate) async fn run(mut self) -> Exit {
        match self.drive().await {
            Ok(never) => match never {},
            Err(exit) => {
                if let (Exit::ShutDown, Some(mut link)) = (&exit, self.link.take()) {
                    // Until the deadline of the shutdown, which ends this task.
                    if link.tell(TransportCommand::Close) {
                        while !matches!(link.next().await, LinkEvent::Closed) {}
                    }
                }
                exit
            }
        }
    }

    async fn drive(&mut self) -> Result<std::convert::Infallible, Exit> {
        self.entered();
        loop {
            self.reconcile().await?;
            self.send_next().await?;
            tokio::select! {
                biased;
                () = ending(&mut self.phase) => return Err(Exit::ShutDown),
                () = self.wake.notified() => self.refresh().await?,
                Some(mail) = self.mailbox.recv() => self.on_mail(mail),
                sent = sent(&mut self.sending) => self.on_sent(sent).await?,
                event = next(&mut self.link) => match event {
                    LinkEvent::Dialled(result) => self.on_dialled(result).await?,
                    LinkEvent::Signal(signal) => self.on_signal(signal).await?,
                    LinkEvent::Closed => self.on_closed().await?,
                },
                () = until(self.deadline) => self.apply(Input::Deadline).await?,
                () = until(self.resend_at) => self.resend_at = None,
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
        loop {
            let facts = &self.stored.record.facts;
            let step = match transition(facts, &input, |attempt| self.node.retry_at(attempt)) {
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
                    self.note(&committed);
                    self.entered();
                    return Ok(());
                }
                // Somebody changed the session meanwhile: decide anew.
                Err(Exit::Storage(error)) if error.kind() == StorageErrorKind::Stale => self.refresh().await?,
                Err(exit) => return Err(exit),
            }
        }
    }

    /// Commits, patiently while the storage is busy.
    async fn commit(&self, commit: SessionCommit) -> Result<Committed, Exit> {
        let mut tries = 0;
        loop {
            let error = match self.node.storage.commit(commit.clone()).await {
                Ok(committed) => return Ok(committed),
                Err(error) => error,
            };
            tries += 1;
            match error.kind() {
                StorageErrorKind::Fenced | StorageErrorKind::NotFound => return Err(Exit::Fenced),
                _ if error.retry() == Retry::Later && tries < COMMIT_TRIES => {
                    let wait = Duration::from_millis(20) * 2_u32.pow(tries);
                    tokio::time::sleep(wait / 2 + self.node.random.up_to(wait / 2)).await;
                }
                _ => return Err(Exit::Storage(error)),
            }
        }
    }

    fn note(&mut self, committed: &Committed) {
        self.stored.revision = committed.revision;
        self.stored.port = committed.port;
        self.stored.unread = committed.unread;
        self.stored.last_event = committed.last_event;
    }

    /// Reads what was committed for this session by others.
    async fn refresh(&mut self) -> Result<(), Exit> {
        let stored = self.node.storage.session(self.stored.record.id).await.map_err(Exit::Storage)?;
        let stored = stored.filter(|stored| stored.owner == Some(self.fence)).ok_or(Exit::Fenced)?;
        let before = &self.stored.record.facts;
        let moved =
            (before.lifecycle, before.generation) != (stored.record.facts.lifecycle, stored.record.facts.generation);
        self.stored = stored;
        self.outbox = true;
        if moved {
            self.patient = false;
            self.entered();
        }
        Ok(())
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
            Lifecycle::Backoff { retry_at, .. } => Some(after(retry_at.since(self.node.now()))),
            Lifecycle::Stopping { log_out, .. } => {
                let command = if log_out { TransportCommand::LogOut } else { TransportCommand::Close };
                self.link = self.link.take().filter(|link| link.tell(command));
                Some(now + timing.stop)
            }
        };
        let lifecycle = self.stored.record.facts.lifecycle;
        self.patient |= matches!(lifecycle, Lifecycle::Backoff { .. });
        if lifecycle != Lifecycle::AwaitingLogin {
            self.node.set_challenge(self.stored.record.id, None);
        }
        if lifecycle == Lifecycle::Online {
            self.outbox = true;
        } else {
            self.sending = None;
            self.resend_at = None;
        }
    }

    /// Whether the connection that ought to exist does.
    fn is_linked(&self) -> bool {
        self.link.as_ref().is_some_and(|link| Some(link.generation) == self.stored.record.facts.connection())
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

    fn on_mail(&mut self, mail: Mail) {
        let Mail::MarkRead { chat, messages } = mail;
        if let Some(link) = &self.link {
            link.tell(TransportCommand::MarkRead { chat, messages });
        }
    }

    /// Hands the oldest message that waits to the network, one at a time, so that their order is kept.
    async fn send_next(&mut self) -> Result<(), Exit> {
        let online = self.stored.record.facts.lifecycle == Lifecycle::Online;
        if !online || !self.outbox || self.sending.is_some() || self.resend_at.is_some() {
            return Ok(());
        }
        let pending = self.node.storage.pending(self.stored.record.id, 1).await.map_err(Exit::Storage)?;
        self.outbox = !pending.is_empty();
        let (Some(next), Some(link)) = (pending.into_iter().next(), &self.link) else { return Ok(()) };
        let message = next.message;
        let Content::Text(text) = message.content else {
            return self.update(message.chat, vec![message.id], MessageStatus::Failed).await;
        };
        let (done, receiver) = oneshot::channel();
        let command = TransportCommand::SendText { chat: message.chat.clone(), id: message.id.clone(), text, done };
        if link.tell(command) {
            self.sending = Some(Sending { chat: message.chat, id: message.id, done: receiver });
        } else {
            self.resend_at = Some(Instant::now() + RESEND_AFTER);
        }
        Ok(())
    }

    async fn on_sent(&mut self, result: Result<(), SendError>) -> Result<(), Exit> {
        let Some(Sending { chat, id, .. }) = self.sending.take() else { return Ok(()) };
        match result {
            Ok(()) => self.update(chat, vec![id], MessageStatus::Sent).await,
            Err(SendError::Refused(why)) => {
                tracing::info!(session = %self.stored.record.id, %why, "the network refused a message");
                self.update(chat, vec![id], MessageStatus::Failed).await
            }
            Err(SendError::Later(_)) => {
                self.resend_at = Some(Instant::now() + RESEND_AFTER);
                Ok(())
            }
        }
    }

    async fn update(&mut self, chat: Address, ids: Vec<MessageId>, status: MessageStatus) -> Result<(), Exit> {
        let mut commit = self.conversation_commit();
        commit.updates = ids.into_iter().map(|id| MessageUpdate { chat: chat.clone(), id, status }).collect();
        let committed = self.commit(commit).await?;
        self.note(&committed);
        Ok(())
    }

    /// A commit that leaves the lifecycle alone: it needs no particular revision, only ownership.
    fn conversation_commit(&self) -> SessionCommit {
        let mut commit = SessionCommit::new(self.stored.record.id, self.node.now(), Expect::Present);
        commit.fence = Some(self.fence);
        commit
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

async fn sent(sending: &mut Option<Sending>) -> Result<(), SendError> {
    match sending {
        Some(sending) => (&mut sending.done)
            .await
            .unwrap_or_else(|_| Err(SendError::Later("the connection ended before it was sent".to_owned()))),
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
