//! The network over TCP, for sessions in other processes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::task::{JoinHandle, JoinSet};

use super::exchange::serve;
use super::network::Network;

/// Where a messenger listens. Dropping it closes the address and cuts the connections that came through it.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) async fn bind(network: Arc<Network>, address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let silence = network.state().settings.silence;
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        // Without it small frames wait; that is all that can go wrong.
                        let _ = stream.set_nodelay(true);
                        connections.spawn(serve(network.clone(), stream, Some(silence)));
                    }
                    Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
                }
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }

    /// The address to hand to [`SimulatedTransport::remote`](super::SimulatedTransport::remote).
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}
