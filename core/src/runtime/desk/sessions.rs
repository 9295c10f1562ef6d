//! Adding, listing, editing and deleting sessions.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::lifecycle::Claim;
use super::{Desk, NewAccount, limited};
use crate::audit::Outcome;
use crate::error::Error;
use crate::event::EventBody;
use crate::ids::{AgentId, SessionId};
use crate::lifecycle::{Command, Input, transition};
use crate::policy::Action;
use crate::runtime::login_codes::ASK_EVERY;
use crate::runtime::port_queue::WhenFull;
use crate::runtime::step::{advanced, events};
use crate::runtime::watch::{View, Watch};
use crate::session::{Card, Environment, LoginMethod, Remark, SessionRecord};
use crate::storage::{
    Deletion, Expect, Page, SessionCommit, SessionFilter, StorageErrorKind, StoredSession, VaultWrite,
};
use crate::transport::{LoginChallenge, Transport};
use crate::vault::PROXY_PASSWORD;

/// How long the node that drives a session may take to answer what its login code is.
const ANSWER: Duration = Duration::from_secs(2);

impl Desk {
    /// Adds an account, to be started later. Answers the id of its session.
    ///
    /// # Errors
    /// [`Error::UnknownTransport`], [`Error::UnknownAgent`] for the agent to bind, [`Error::Invalid`] (remark or environment),
    /// [`Error::Unsupported`] (a proxy or a login method that the network's transport has not), [`Error::Denied`] when the
    /// agent may not add or not bind, and [`Error::Vault`] when a proxy's password is to be kept and there is no vault key.
    pub async fn add_account(&self, new: NewAccount) -> Result<SessionId, Error> {
        let commit = self.added(new).await?;
        let session = commit.session;
        self.node().storage.commit(commit).await?;
        Ok(session)
    }

    /// Adds an account and starts it, in one commit: either it is there and holds a port, or nothing was added.
    ///
    /// # Errors
    /// Those of [`add_account`](Self::add_account), and [`Error::PoolFull`] or [`Error::PortWaitTimedOut`].
    pub async fn add_and_start(&self, new: NewAccount, when_full: WhenFull) -> Result<SessionId, Error> {
        self.admit(Action::Start, None).await?;
        let mut commit = self.added(new).await?;
        if let Some(record) = &mut commit.record {
            let start =
                transition(&record.facts, &Input::Command(Command::Start), |attempt| self.node().retry_at(attempt))?;
            commit.events.extend(events(&record.facts, &start.next));
            commit.port = start.port;
            *record = advanced(record, &start, commit.at);
        }
        commit.audit.push(self.line(Action::Start, Some(commit.session), Outcome::Done));
        let session = commit.session;
        self.claim_port(&Claim::Add(Box::new(commit)), when_full).await?;
        Ok(session)
    }

    /// The commit that adds the account.
    async fn added(&self, mut new: NewAccount) -> Result<SessionCommit, Error> {
        self.admit(Action::Add, None).await?;
        let transport = self.transport(&new.transport)?;
        let remark = Remark::new(new.remark)?;
        if let Some(agent) = &new.agent {
            self.admit(Action::Assign, None).await?;
            self.known_agent(agent).await?;
        }
        new.environment = self.checked(transport, new.environment)?;
        new.login_method = self.checked_method(&new.transport, &new.login_method)?;
        let now = self.node().now();
        let session = self.node().new_session_id();
        let mut commit = SessionCommit::new(session, now, Expect::New);
        let (environment, password) = self.sealed(session, new.environment, None)?;
        commit.vault.extend(password);
        commit.record = Some(SessionRecord {
            environment,
            remark,
            agent: new.agent,
            login_method: new.login_method,
            ..SessionRecord::new(session, now, transport.name())
        });
        commit.events.push(EventBody::Added);
        commit.audit.push(self.line(Action::Add, Some(session), Outcome::Done));
        Ok(commit)
    }

    /// The card of a session.
    ///
    /// # Errors
    /// [`Error::UnknownSession`].
    pub async fn card(&self, session: SessionId) -> Result<Card, Error> {
        let (agent, stored) = self.admit_to(Action::View, session).await?;
        Ok(self.card_of(&agent, stored))
    }

    /// The cards that pass the filter, of the sessions that the agent sees, in the order they were added, as far as the clocks of
    /// the nodes that added them agree; a page never holds more than 1000.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a page of zero cards.
    pub async fn cards(&self, filter: &SessionFilter, page: Page) -> Result<Vec<Card>, Error> {
        let page = limited(page)?;
        let agent = self.admit(Action::View, None).await?;
        let Some(filter) = self.narrowed(&agent, filter) else { return Ok(Vec::new()) };
        let sessions = self.node().storage.sessions(&filter, page).await?;
        Ok(sessions.into_iter().map(|stored| self.card_of(&agent, stored)).collect())
    }

    /// Follows a session live: its card, and the login code to show, whichever node drives it. Without a
    /// [vault key](crate::SeatportBuilder::vault_key) only that node shows its codes.
    ///
    /// # Errors
    /// [`Error::UnknownSession`].
    pub async fn watch(&self, session: SessionId) -> Result<Watch, Error> {
        self.admit_to(Action::View, session).await?;
        Ok(Watch::new(self.clone(), session))
    }

    /// The login code to show now. If another node drives the session and this one has not heard of the code yet, it asks,
    /// which may take a moment.
    ///
    /// # Errors
    /// [`Error::NoLoginCode`] when there is none, or the last one has expired.
    pub async fn login_code(&self, session: SessionId) -> Result<LoginChallenge, Error> {
        let until = Instant::now() + ANSWER;
        let mut changed = self.node().hub.follow(session);
        loop {
            changed.borrow_and_update();
            let (view, missing) = self.view(session).await?;
            match view.challenge {
                Some(challenge) => return Ok(challenge),
                None if !missing || Instant::now() >= until => return Err(Error::NoLoginCode(session)),
                None => self.node().ask_for_login_code(session),
            }
            let _ = timeout_at(until.min(Instant::now() + ASK_EVERY), changed.changed()).await;
        }
    }

    /// How the session looks now; and whether there may be a login code that this node has not heard of.
    pub(crate) async fn view(&self, session: SessionId) -> Result<(View, bool), Error> {
        let (agent, stored) = self.admit_to(Action::View, session).await?;
        let challenge = self.node().login_code(&stored);
        let missing = challenge.is_none() && self.node().may_miss_login_code(&stored);
        Ok((View { card: self.card_of(&agent, stored), challenge }, missing))
    }

    /// Binds this agent instead of the one before, or nobody. At any time, running or not. Supervisors only.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownAgent`], [`Error::UnknownSession`].
    pub async fn assign(&self, session: SessionId, agent: Option<&AgentId>) -> Result<Card, Error> {
        self.admit(Action::Assign, Some(session)).await?;
        if let Some(agent) = agent {
            self.known_agent(agent).await?;
        }
        self.edit(Action::Assign, session, EventBody::AgentChanged { agent: agent.cloned() }, |record| {
            record.agent = agent.cloned();
            Ok(None)
        })
        .await
    }

    /// Replaces the remark; an empty one removes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is longer than 4 KiB or holds control characters.
    pub async fn set_remark(&self, session: SessionId, remark: impl Into<String>) -> Result<Card, Error> {
        let remark = remark.into();
        self.edit(Action::SetRemark, session, EventBody::RemarkChanged, |record| {
            record.remark = Remark::new(remark.clone())?;
            Ok(None)
        })
        .await
    }

    /// Replaces the environment. It takes effect at the next dial. If the proxy is the same and comes without a password, the
    /// one that is kept stays.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the first part that makes no sense; [`Error::Unsupported`] when the network's transport knows no
    /// proxy; [`Error::UnknownTransport`] when it is not part of this host; [`Error::Vault`] when a password is to be kept and
    /// there is no vault key.
    pub async fn set_environment(&self, session: SessionId, environment: Environment) -> Result<Card, Error> {
        self.edit(Action::SetEnvironment, session, EventBody::EnvironmentChanged, |record| {
            let environment = self.checked(self.transport(record.transport.as_str())?, environment.clone())?;
            let (sealed, password) = self.sealed(record.id, environment, Some(&record.environment))?;
            record.environment = sealed;
            Ok(password)
        })
        .await
    }

    /// Deletes a stopped session for good: credentials, contacts, messages and events go; the audit trail stays. The lead ledger
    /// still knows its people, by keyed hashes: totals add up, and who comes back is not counted as new.
    ///
    /// [`export_session`](Self::export_session) is the last chance to keep what was said.
    ///
    /// # Errors
    /// [`Error::IllegalTransition`] when it is not stopped.
    pub async fn delete(&self, session: SessionId) -> Result<(), Error> {
        self.remove(session, Action::Delete, Deletion::Delete).await
    }

    /// Like [`delete`](Self::delete), and the lead ledger forgets the session's people too: only the totals stay, and who comes
    /// back is new.
    ///
    /// # Errors
    /// [`Error::IllegalTransition`] when it is not stopped.
    pub async fn erase(&self, session: SessionId) -> Result<(), Error> {
        self.remove(session, Action::Erase, Deletion::Erase).await
    }

    async fn remove(&self, session: SessionId, action: Action, deletion: Deletion) -> Result<(), Error> {
        for _ in 0..super::TRIES {
            let (_, stored) = self.admit_to(action, session).await?;
            let delete = Input::Command(Command::Delete);
            if let Err(illegal) = transition(&stored.record.facts, &delete, |attempt| self.node().retry_at(attempt)) {
                self.node().storage.record(self.line(action, Some(session), Outcome::Illegal)).await?;
                return Err(illegal.into());
            }
            let line = self.line(action, Some(session), Outcome::Done);
            match self.node().storage.delete(session, stored.revision, deletion, line).await {
                Ok(()) => return Ok(()),
                Err(error) => match error.kind() {
                    StorageErrorKind::Stale | StorageErrorKind::NotStopped => {}
                    StorageErrorKind::NotFound => return Err(Error::UnknownSession(session)),
                    _ => return Err(error.into()),
                },
            }
        }
        Err(Error::Contended(session))
    }

    /// Edits what people set; an edit that changes nothing commits nothing.
    async fn edit(
        &self,
        action: Action,
        session: SessionId,
        event: EventBody,
        edit: impl Fn(&mut SessionRecord) -> Result<Option<VaultWrite>, Error>,
    ) -> Result<Card, Error> {
        let change = |stored: &StoredSession| {
            let mut record = stored.record.clone();
            let password = edit(&mut record)?;
            if record == stored.record && password.is_none() {
                return Ok(None);
            }
            let mut commit = SessionCommit::new(session, self.node().now(), Expect::Revision(stored.revision));
            commit.record = Some(record);
            commit.vault.extend(password);
            commit.events.push(event.clone());
            Ok(Some(commit))
        };
        let (agent, stored) = self.change(action, session, change).await?;
        Ok(self.card_of(&agent, stored))
    }

    pub(super) fn transport(&self, name: &str) -> Result<&dyn Transport, Error> {
        let transports = &self.node().transports;
        transports.values().find(|transport| transport.name().as_str() == name).map(AsRef::as_ref).ok_or_else(|| {
            let known: Vec<_> = transports.keys().map(|name| name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Error::UnknownTransport { name: name.to_owned(), known }
        })
    }

    /// A login method that this transport has, put together as it should be.
    pub(super) fn checked_method(&self, transport: &str, method: &LoginMethod) -> Result<LoginMethod, Error> {
        let transport = self.transport(transport)?;
        match method {
            LoginMethod::Qr => Ok(LoginMethod::Qr),
            LoginMethod::PairingCode { .. } if !transport.capabilities().pairing_code => {
                Err(Error::Unsupported { transport: transport.name(), what: "log in by a pairing code" })
            }
            LoginMethod::PairingCode { phone } => Ok(LoginMethod::pairing_code(phone)?),
        }
    }

    fn checked(&self, transport: &dyn Transport, environment: Environment) -> Result<Environment, Error> {
        if environment.proxy.is_some() && !transport.capabilities().proxy {
            return Err(Error::Unsupported { transport: transport.name(), what: "go through a proxy" });
        }
        Ok(environment.checked()?)
    }

    pub(super) async fn known_agent(&self, agent: &AgentId) -> Result<(), Error> {
        self.node().storage.agent(agent).await?.map(drop).ok_or_else(|| Error::UnknownAgent(agent.clone()))
    }

    /// Takes the proxy's password out of the environment and into the vault. None: what the vault holds stays.
    fn sealed(
        &self,
        session: SessionId,
        mut environment: Environment,
        before: Option<&Environment>,
    ) -> Result<(Environment, Option<VaultWrite>), Error> {
        let password = environment.proxy.as_mut().and_then(|proxy| proxy.password.take());
        let proxy_before = before.and_then(|before| before.proxy.as_ref());
        let same = matches!((&environment.proxy, proxy_before), (Some(now), Some(before)) if now.same_endpoint(before));
        let sealed = match password {
            Some(password) => {
                // With whom it is for: it is never handed to another proxy.
                let endpoint = environment.proxy.as_ref().map(ToString::to_string).unwrap_or_default();
                let entry = Zeroizing::new(format!("{endpoint}\n{}", password.expose()));
                Some(self.node().sealer.seal(session, PROXY_PASSWORD, entry.as_bytes())?)
            }
            None if same || proxy_before.is_none() => return Ok((environment, None)),
            None => None,
        };
        Ok((environment, Some(VaultWrite { name: PROXY_PASSWORD.to_owned(), sealed })))
    }
}
