//! The transport to the simulated network.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use seatport::conversation::ChatKind;
use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{Capabilities, ConnectContext, ConnectError, Connection, ConnectionGuard, Transport};
use seatport::{Address, TransportName};
use tokio::net::TcpStream;

use super::client::{CREDENTIALS, Client};
use super::exchange::serve;
use super::network::{Network, kind_of};
use super::wire::{Dial, Ear, FromNetwork, Mouth, ToNetwork, split};

/// How many bytes may be on their way within the process.
const PIPE_BYTES: usize = 64 * 1024;

/// The [`Transport`] to a [`Messenger`](super::Messenger), named `simulated`: in this process, or in another one over TCP.
///
/// It keeps its credentials in the vault, logs in by QR or pairing code, and tells the network which proxy it goes through.
#[derive(Clone)]
pub struct SimulatedTransport(Reach);

#[derive(Clone)]
enum Reach {
    InProcess(Arc<Network>),
    Remote(String),
}

impl SimulatedTransport {
    pub(super) fn in_process(network: Arc<Network>) -> Self {
        Self(Reach::InProcess(network))
    }

    /// The transport to a messenger in another process, which [listens](super::Messenger::listen) at this address.
    ///
    /// ```
    /// use seatport::transport::Transport;
    /// use seatport_testkit::messenger::SimulatedTransport;
    /// let transport = SimulatedTransport::remote("127.0.0.1:7000");
    /// assert_eq!(transport.name().as_str(), "simulated");
    /// ```
    #[must_use]
    pub fn remote(address: impl Into<String>) -> Self {
        Self(Reach::Remote(address.into()))
    }

    async fn reach(&self) -> Result<(Ear, Mouth), ConnectError> {
        match &self.0 {
            Reach::InProcess(network) => {
                let (near, far) = tokio::io::duplex(PIPE_BYTES);
                // It ends by itself when the near end is dropped.
                tokio::spawn(serve(network.clone(), far, None));
                Ok(split(near))
            }
            Reach::Remote(address) => {
                let stream = TcpStream::connect(address).await.map_err(|error| lost(error.to_string()))?;
                stream.set_nodelay(true).map_err(|error| lost(error.to_string()))?;
                Ok(split(stream))
            }
        }
    }
}

#[async_trait]
impl Transport for SimulatedTransport {
    fn name(&self) -> TransportName {
        TransportName::new("simulated").unwrap_or_else(|invalid| unreachable!("{invalid}"))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default().storing_credentials().with_pairing_code().with_proxy().with_media()
    }

    fn chat_kind(&self, chat: &Address) -> ChatKind {
        kind_of(chat)
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        let token = context.vault.get(CREDENTIALS).await?;
        let token = token.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let (mut ear, mut mouth) = self.reach().await?;
        let dial = Dial {
            session: context.session,
            port: context.port.0,
            proxy: context.environment.proxy.as_ref().map(ToString::to_string),
            device_name: context.environment.device_name,
            token,
            method: context.login,
        };
        mouth.say(&ToNetwork::Dial(dial)).await.map_err(|_| lost("cut"))?;
        loop {
            match ear.hear().await {
                Some(FromNetwork::Ping) => mouth.say(&ToNetwork::Pong).await.map_err(|_| lost("cut"))?,
                Some(FromNetwork::Welcome) => break,
                Some(FromNetwork::Rejected(reason)) => return Err(ConnectError::Rejected(reason)),
                _ => return Err(lost("cut")),
            }
        }
        let (client, signals, commands) = Client::new(mouth, context.vault, context.clock);
        let task = tokio::spawn(client.run(ear));
        Ok(Connection { signals, commands, guard: ConnectionGuard::abort(task.abort_handle()) })
    }
}

fn lost(code: impl Into<String>) -> ConnectError {
    ConnectError::Lost(Reason::new(ReasonKind::ConnectionLost).code(code))
}

impl fmt::Debug for SimulatedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reach::InProcess(_) => f.write_str("SimulatedTransport(in process)"),
            Reach::Remote(address) => write!(f, "SimulatedTransport({address})"),
        }
    }
}
