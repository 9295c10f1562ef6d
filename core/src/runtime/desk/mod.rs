//! The desk: the one door for people. Permissions are checked here and nowhere else.

mod audit;
mod conversations;
mod export;
mod feed;
mod leads;
mod lifecycle;
mod new_account;
mod read_marks;
mod search;
mod sending;
mod sessions;

use std::sync::Arc;

pub use export::{EXPORT_FORMAT, EXPORT_VERSION, Export, ExportEnd, ExportHeader, ExportLine};
pub use new_account::NewAccount;
pub use sending::{SendOptions, WhenStopped};

use crate::agent::{Agent, Role};
use crate::audit::{AuditEntry, Outcome};
use crate::error::{Error, Invalid};
use crate::ids::{AgentId, SessionId};
use crate::lifecycle::{Input, transition};
use crate::policy::{Action, AgentScope};
use crate::runtime::node::Node;
use crate::runtime::seatport::Running;
use crate::session::Card;
use crate::storage::{Page, SessionCommit, SessionFilter, StorageErrorKind, StoredSession};

/// The most items one page of a list holds.
const MAX_PAGE: u32 = 1000;
/// How often a change is decided anew when others keep changing the same session.
const TRIES: u32 = 16;

/// The page with no more items than one may hold.
fn limited<K>(page: Page<K>) -> Result<Page<K>, Invalid> {
    match page.limit {
        0 => Err(Invalid::new("page", "a limit of zero", "ask for at least one item")),
        limit => Ok(page.limited(limit.min(MAX_PAGE))),
    }
}

/// What one agent sees and may do. Made by [`Seatport::desk`](crate::Seatport::desk); clones are the same desk.
///
/// Every call looks the agent's role up: who is demoted or removed loses the desk at once. A refused call changes nothing
/// and is written to the audit trail.
///
/// Every call may answer [`Error::UnknownAgent`] once the agent was removed, [`Error::ShutDown`] once the node ends and
/// [`Error::Storage`] when the storage fails. One on a session may answer [`Error::UnknownSession`], [`Error::Denied`] when the
/// agent may not do this or does not see the session, and, if it changes the session, [`Error::Contended`]. The errors listed
/// with each call come on top of these, or say when they are to be expected.
///
/// ```
/// use std::time::Duration;
/// use seatport::{AgentId, CardStatus, Desk, Error, NewAccount, Page, SessionFilter, WhenFull};
///
/// async fn spring_campaign(desk: &Desk, li: AgentId) -> Result<(), Error> {
///     let patient = WhenFull::Wait { timeout: Duration::from_secs(30) };
///     let session = desk.add_and_start(NewAccount::on("whatsapp").bind(li), patient).await?;
///     desk.set_remark(session, "spring campaign").await?;
///     let blocked = SessionFilter { statuses: vec![CardStatus::Blocked], ..Default::default() };
///     for card in desk.cards(&blocked, Page::first(50)).await? {
///         println!("{}: {}", card.remark, card.reason.map_or_else(String::new, |reason| reason.to_string()));
///     }
///     desk.stop(session).await?;
///     desk.delete(session).await
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Desk {
    running: Arc<Running>,
    agent: AgentId,
}

impl Desk {
    pub(crate) fn new(running: Arc<Running>, agent: AgentId) -> Self {
        Self { running, agent }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.running.node
    }

    /// Whose desk this is, as registered now.
    ///
    /// # Errors
    /// [`Error::UnknownAgent`] when the agent was removed.
    pub async fn agent(&self) -> Result<Agent, Error> {
        self.node().running()?;
        self.node().storage.agent(&self.agent).await?.ok_or_else(|| Error::UnknownAgent(self.agent.clone()))
    }

    /// Whether this agent may do this at all; whether a session's state allows it, its [`Card::actions`] say.
    ///
    /// # Errors
    /// [`Error::UnknownAgent`] when the agent was removed.
    pub async fn may(&self, action: Action) -> Result<bool, Error> {
        Ok(self.permits(&self.agent().await?, action))
    }

    fn permits(&self, agent: &Agent, action: Action) -> bool {
        // Who only works on what is bound to them would lose sight of a session by adding it.
        action.allowed_to(agent.role) && (self.sees_all(agent) || action != Action::Add)
    }

    /// Whether the agent works on all sessions.
    fn sees_all(&self, agent: &Agent) -> bool {
        agent.role == Role::Supervisor || self.node().scope == AgentScope::All
    }

    pub(crate) fn sees(&self, agent: &Agent, stored: &StoredSession) -> bool {
        self.sees_all(agent) || stored.record.agent.as_ref() == Some(&agent.id)
    }

    /// Lets the agent in for this action, or writes the refusal down.
    async fn admit(&self, action: Action, session: Option<SessionId>) -> Result<Agent, Error> {
        let agent = self.agent().await?;
        if self.permits(&agent, action) { Ok(agent) } else { Err(self.refuse(action, session).await?) }
    }

    /// Lets the agent in for this action on this session.
    async fn admit_to(&self, action: Action, session: SessionId) -> Result<(Agent, StoredSession), Error> {
        let agent = self.admit(action, Some(session)).await?;
        let stored = self.node().storage.session(session).await?.ok_or(Error::UnknownSession(session))?;
        if self.sees(&agent, &stored) { Ok((agent, stored)) } else { Err(self.refuse(action, Some(session)).await?) }
    }

    async fn refuse(&self, action: Action, session: Option<SessionId>) -> Result<Error, Error> {
        self.node().storage.record(self.line(action, session, Outcome::Denied)).await?;
        Ok(Error::Denied { agent: self.agent.clone(), action })
    }

    fn line(&self, action: Action, session: Option<SessionId>, outcome: Outcome) -> AuditEntry {
        AuditEntry { at: self.node().now(), agent: self.agent.clone(), action, session, outcome }
    }

    /// Changes a session: reads it, lets `change` decide, and commits what it decided, again if somebody else was faster.
    /// `change` answers none when there is nothing to do.
    async fn change(
        &self,
        action: Action,
        session: SessionId,
        mut change: impl FnMut(&StoredSession) -> Result<Option<SessionCommit>, Error>,
    ) -> Result<(Agent, StoredSession), Error> {
        for _ in 0..TRIES {
            let (agent, mut stored) = self.admit_to(action, session).await?;
            let mut commit = match change(&stored) {
                Ok(Some(commit)) => commit,
                Ok(None) => return Ok((agent, stored)),
                Err(error) => {
                    if matches!(error, Error::IllegalTransition(_)) {
                        self.node().storage.record(self.line(action, Some(session), Outcome::Illegal)).await?;
                    }
                    return Err(error);
                }
            };
            commit.audit.push(self.line(action, Some(session), Outcome::Done));
            let record = commit.record.clone();
            match self.node().storage.commit(commit).await {
                Ok(committed) => {
                    stored.record = record.unwrap_or(stored.record);
                    stored.revision = committed.revision;
                    stored.port = committed.port;
                    stored.unread = committed.unread;
                    stored.last_event = committed.last_event;
                    return Ok((agent, stored));
                }
                Err(error) => match error.kind() {
                    StorageErrorKind::Stale => {}
                    StorageErrorKind::NotFound => return Err(Error::UnknownSession(session)),
                    _ => return Err(error.into()),
                },
            }
        }
        Err(Error::Contended(session))
    }

    /// The filter, narrowed to what the agent may see.
    fn narrowed(&self, agent: &Agent, filter: &SessionFilter) -> Option<SessionFilter> {
        if self.sees_all(agent) {
            return Some(filter.clone());
        }
        let mine = Some(Some(agent.id.clone()));
        match &filter.agent {
            None => Some(SessionFilter { agent: mine, ..filter.clone() }),
            asked => (*asked == mine).then(|| filter.clone()),
        }
    }

    pub(crate) fn card_of(&self, agent: &Agent, stored: StoredSession) -> Card {
        use crate::lifecycle::Lifecycle::{Backoff, Connecting};
        let status = stored.status();
        let facts = &stored.record.facts;
        let (attempt, next_try) = match facts.lifecycle {
            Connecting { attempt } => (attempt, None),
            Backoff { attempt, retry_at } => (attempt, Some(retry_at)),
            _ => (0, None),
        };
        let applies = |action: &Action| match action.command() {
            None => true,
            Some(command) => match transition(facts, &Input::Command(command), |_| stored.record.since) {
                Ok(step) => step.next != *facts || command == crate::lifecycle::Command::Delete,
                Err(_) => false,
            },
        };
        let actions = Action::all()
            .filter(|action| action.concerns_one_session() && self.permits(agent, *action) && applies(action))
            .collect();
        Card {
            session: stored.record.id,
            transport: stored.record.transport,
            status,
            reason: stored.record.facts.reason,
            attempt,
            next_try,
            account: stored.record.facts.account,
            login: stored.record.facts.login,
            unread: stored.unread,
            remark: stored.record.remark,
            agent: stored.record.agent,
            port: stored.port,
            environment: stored.record.environment,
            created_at: stored.record.created_at,
            since: stored.record.since,
            actions,
        }
    }
}
