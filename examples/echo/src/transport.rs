//! The transport: it dials, and leaves the rest to a task of each connection.

use async_trait::async_trait;
use seatport::TransportName;
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, Transport};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::connection::{CREDENTIALS, Echoing};
use crate::network::EchoNetwork;

/// How many signals, and how many commands, may wait for the other side.
const AHEAD: usize = 16;

/// The transport to an [`EchoNetwork`], named `echo`.
#[derive(Clone, Debug)]
pub struct EchoTransport(EchoNetwork);

impl EchoTransport {
    /// The transport to this network.
    #[must_use]
    pub fn new(network: EchoNetwork) -> Self {
        Self(network)
    }
}

#[async_trait]
impl Transport for EchoTransport {
    fn name(&self) -> TransportName {
        TransportName::new("echo").unwrap_or_else(|invalid| unreachable!("{invalid}"))
    }

    fn capabilities(&self) -> Capabilities {
        // No proxy, no media, no pairing code. Seatport asks for none of them then, but for media, which is refused.
        Capabilities::default().storing_credentials()
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        // A vault that does not open is an error of its own kind: `?` knows which.
        let token = context.vault.get(CREDENTIALS).await?;
        let token = token.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let (line, news) = self.0.dial();
        if let Some(token) = &token
            && !self.0.log_in(line, token)
        {
            return Err(ConnectError::Rejected(Reason::new(ReasonKind::LoggedOut)));
        }
        let (signals, heard) = mpsc::channel(AHEAD);
        let (tell, commands) = mpsc::channel(AHEAD);
        let (network, storing) = (self.0.clone(), JoinSet::new());
        let connection = Echoing { network, line, context, token, news, signals, commands, storing, showing: None };
        let task = tokio::spawn(connection.run());
        // The connection must not outlive the one who asked for it.
        Ok(Connection { signals: heard, commands: tell, guard: ConnectionGuard::abort(task.abort_handle()) })
    }
}
