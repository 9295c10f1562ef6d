//! What the dialog for a new account asks.

use crate::ids::AgentId;
use crate::session::{Environment, LoginMethod};

/// A new account: its network, and what the environment dialog asks. Nothing is checked before it is added.
///
/// ```
/// use seatport::{AgentId, Environment, NewAccount};
/// let new = NewAccount::on("whatsapp")
///     .environment(Environment::new().time_zone("Asia/Shanghai")?)
///     .bind(AgentId::new("li")?)
///     .remark("spring campaign");
/// # Ok::<(), seatport::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub(super) transport: String,
    pub(super) environment: Environment,
    pub(super) agent: Option<AgentId>,
    pub(super) remark: String,
    pub(super) login_method: LoginMethod,
}

impl NewAccount {
    /// An account on the network of this transport.
    pub fn on(transport: impl Into<String>) -> Self {
        Self {
            transport: transport.into(),
            environment: Environment::new(),
            agent: None,
            remark: String::new(),
            login_method: LoginMethod::Qr,
        }
    }

    /// What it runs in.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Binds an agent right away. Supervisors only.
    #[must_use]
    pub fn bind(mut self, agent: AgentId) -> Self {
        self.agent = Some(agent);
        self
    }

    /// Notes something on it.
    #[must_use]
    pub fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }

    /// How its first login is made: by QR code, if left out.
    #[must_use]
    pub fn login(mut self, method: LoginMethod) -> Self {
        self.login_method = method;
        self
    }
}
