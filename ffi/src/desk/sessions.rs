//! Adding, listing, editing and deleting sessions.

use super::Desk;
use crate::card::{Card, LoginChallenge, LoginMethod, SessionFilter};
use crate::environment::Environment;
use crate::error::SeatportError;
use crate::instance::all;
use crate::page::Page;
use crate::port::WhenFull;

/// A new account: its network, and what the environment dialog asks.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NewAccount {
    /// The name of its network, `whatsapp` for instance.
    pub transport: String,
    /// What it runs in. Left out, the network chooses.
    #[uniffi(default = None)]
    pub environment: Option<Environment>,
    /// The agent to bind right away. Supervisors only.
    #[uniffi(default = None)]
    pub agent: Option<String>,
    /// A note on it.
    #[uniffi(default = "")]
    pub remark: String,
    /// How its first login is made. By QR code, if left out.
    #[uniffi(default = None)]
    pub login: Option<LoginMethod>,
}

impl TryFrom<NewAccount> for seatport::NewAccount {
    type Error = SeatportError;

    fn try_from(new: NewAccount) -> Result<Self, SeatportError> {
        let mut account = Self::on(new.transport).remark(new.remark);
        if let Some(environment) = new.environment {
            account = account.environment(environment.try_into()?);
        }
        if let Some(agent) = new.agent {
            account = account.bind(agent.parse()?);
        }
        if let Some(method) = new.login {
            account = account.login(method.try_into()?);
        }
        Ok(account)
    }
}

#[uniffi::export]
impl Desk {
    /// Adds an account, to be started later. Answers the id of its session.
    ///
    /// # Errors
    /// `UnknownTransport`, `UnknownAgent` for the agent to bind, `Invalid` (remark or environment), `Unsupported` (a proxy or a
    /// login method that the network has not), `Denied` when the agent may not add or not bind, and `Vault` when a proxy's
    /// password is to be kept and there is no vault key.
    pub async fn add_account(&self, account: NewAccount) -> Result<String, SeatportError> {
        let account = account.try_into()?;
        self.run(|desk| async move { Ok(desk.add_account(account).await?.to_string()) }).await
    }

    /// Adds an account and starts it, in one step: either it is there and holds a port, or nothing was added. Answers the id of its
    /// session.
    ///
    /// # Errors
    /// Those of `add_account`, and `PoolFull` or `PortWaitTimedOut`.
    pub async fn add_and_start(&self, account: NewAccount, when_full: WhenFull) -> Result<String, SeatportError> {
        let account = account.try_into()?;
        self.run(move |desk| async move { Ok(desk.add_and_start(account, when_full.into()).await?.to_string()) }).await
    }

    /// The card of a session.
    ///
    /// # Errors
    /// `UnknownSession`.
    pub async fn card(&self, session: String) -> Result<Card, SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.card(session).await?.into()) }).await
    }

    /// The cards that pass the filter, of the sessions that the agent sees, in the order they were added; a page never holds more
    /// than 1000. The place of a card is its session's id.
    ///
    /// # Errors
    /// `Invalid` for a page of zero cards.
    pub async fn cards(&self, filter: SessionFilter, page: Page) -> Result<Vec<Card>, SeatportError> {
        let (filter, page) = (filter.try_into()?, page.of_sessions()?);
        self.run(move |desk| async move { Ok(all(desk.cards(&filter, page).await?)) }).await
    }

    /// The login code to show now. If another node drives the session, it is asked, which may take a moment.
    ///
    /// # Errors
    /// `NoLoginCode` when there is none, or the last one has expired.
    pub async fn login_code(&self, session: String) -> Result<LoginChallenge, SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.login_code(session).await?.into()) }).await
    }

    /// Binds this agent instead of the one before, or nobody. At any time, running or not. Supervisors only.
    ///
    /// # Errors
    /// `Denied`, `UnknownAgent`.
    pub async fn assign(&self, session: String, agent: Option<String>) -> Result<Card, SeatportError> {
        let (session, agent) = (session.parse()?, agent.map(|agent| agent.parse()).transpose()?);
        self.run(move |desk| async move { Ok(desk.assign(session, agent.as_ref()).await?.into()) }).await
    }

    /// Replaces the remark; an empty one removes it.
    ///
    /// # Errors
    /// `Invalid` when it is longer than 4 KiB or holds control characters.
    pub async fn set_remark(&self, session: String, remark: String) -> Result<Card, SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.set_remark(session, remark).await?.into()) }).await
    }

    /// Replaces the environment. It takes effect at the next dial. If the proxy is the same and comes without a password, the one
    /// that is kept stays.
    ///
    /// # Errors
    /// `Invalid` names the first part that makes no sense; `Unsupported` when the network knows no proxy; `UnknownTransport` when
    /// it is not part of this host; `Vault` when a password is to be kept and there is no vault key.
    pub async fn set_environment(&self, session: String, environment: Environment) -> Result<Card, SeatportError> {
        let (session, environment) = (session.parse()?, environment.try_into()?);
        self.run(move |desk| async move { Ok(desk.set_environment(session, environment).await?.into()) }).await
    }

    /// Deletes a stopped session for good: credentials, contacts, messages and events go; the audit trail stays. The lead ledger
    /// still knows its people, by keyed hashes.
    ///
    /// # Errors
    /// `IllegalTransition` when it is not stopped.
    pub async fn delete(&self, session: String) -> Result<(), SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.delete(session).await?) }).await
    }

    /// Like `delete`, and the lead ledger forgets the session's people too: only the totals stay, and who comes back is new.
    ///
    /// # Errors
    /// `IllegalTransition` when it is not stopped.
    pub async fn erase(&self, session: String) -> Result<(), SeatportError> {
        let session = session.parse()?;
        self.run(move |desk| async move { Ok(desk.erase(session).await?) }).await
    }
}
