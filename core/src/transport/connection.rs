//! Dialling, and what comes of it.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::ids::{PortNumber, SessionId};
use crate::lifecycle::{Account, Reason, ReasonKind};
use crate::random::Random;
use crate::session::{Environment, LoginMethod};
use crate::transport::{Signal, TransportCommand};
use crate::vault::{Vault, VaultError};

/// All that a transport is told when it dials.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectContext {
    /// For which session.
    pub session: SessionId,
    /// The number of the licence port it occupies.
    pub port: PortNumber,
    /// What the account runs in, the proxy's password included.
    pub environment: Environment,
    /// The account that belongs to the session, once one has logged in.
    pub account: Option<Account>,
    /// How a login is to be made, if one is needed.
    pub login: LoginMethod,
    /// Where the transport keeps what it must remember.
    pub vault: Vault,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub random: Random,
}

impl ConnectContext {
    /// A dial by QR code in an empty environment. Seatport makes its own; this is for those who test a transport.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use seatport::memory::MemoryStorage;
    /// use seatport::transport::ConnectContext;
    /// use seatport::vault::{Vault, VaultKey};
    /// use seatport::{Clock, PortNumber, Random, SessionId, SessionRecord, SystemClock, TransportName};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (clock, random) = (Arc::new(SystemClock), Random::from_os()?);
    /// let session = SessionId::generate(clock.now(), &random);
    /// let record = SessionRecord::new(session, clock.now(), TransportName::new("whatsapp")?);
    /// let vault = Vault::detached(Arc::new(MemoryStorage::new()), record, &VaultKey::generate(&random), &random).await?;
    /// let context = ConnectContext::new(session, PortNumber(1), vault, clock, random);
    /// assert!(context.account.is_none());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn new(session: SessionId, port: PortNumber, vault: Vault, clock: Arc<dyn Clock>, random: Random) -> Self {
        let (environment, account, login) = (Environment::new(), None, LoginMethod::Qr);
        Self { session, port, environment, account, login, vault, clock, random }
    }

    /// The same in this environment.
    #[must_use]
    pub fn environment(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    /// The same for a session that this account belongs to.
    #[must_use]
    pub fn account(self, account: Account) -> Self {
        Self { account: Some(account), ..self }
    }

    /// The same with another way to log in.
    #[must_use]
    pub fn login(self, login: LoginMethod) -> Self {
        Self { login, ..self }
    }
}

/// A connection: signals come out, commands go in. Dropping it closes it and ends everything the transport started for it, whoever
/// still holds a sender of commands; what was under way is dropped unanswered.
#[derive(Debug)]
pub struct Connection {
    /// What happens. Bounded: a transport waits when Seatport is behind, and loses nothing.
    pub signals: mpsc::Receiver<Signal>,
    /// What is to be done.
    pub commands: mpsc::Sender<TransportCommand>,
    /// Ends the transport's tasks when it is dropped.
    pub guard: ConnectionGuard,
}

/// Runs once when the connection is dropped: aborts the transport's tasks.
pub struct ConnectionGuard(Option<Box<dyn FnOnce() + Send + Sync>>);

impl ConnectionGuard {
    /// A guard that runs this. It must not block.
    pub fn new(on_drop: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(on_drop)))
    }

    /// A guard that aborts this task.
    #[must_use]
    pub fn abort(task: tokio::task::AbortHandle) -> Self {
        Self::new(move || task.abort())
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        if let Some(on_drop) = self.0.take() {
            on_drop();
        }
    }
}

impl std::fmt::Debug for ConnectionGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionGuard")
    }
}

/// Why dialling failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Dialling again may help.
    #[error("{0}")]
    Lost(Reason),
    /// Only a person can help.
    #[error("{0}")]
    Rejected(Reason),
}

impl From<VaultError> for ConnectError {
    /// A vault that cannot be opened needs a person; a storage that is away does not.
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::WrongKey { .. }
            | VaultError::Sealed { .. }
            | VaultError::Plaintext { .. }
            | VaultError::KeyMissing => Self::Rejected(Reason::new(ReasonKind::VaultUnreadable)),
            VaultError::Revoked | VaultError::Storage(_) => {
                Self::Lost(Reason::new(ReasonKind::ConnectionLost).code("vault"))
            }
        }
    }
}
