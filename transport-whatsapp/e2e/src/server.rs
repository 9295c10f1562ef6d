//! The server as a test sees it.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::connection;
use crate::journal::{Journal, Seen};
use crate::network::{Network, Reach};
use crate::noise::ServerIdentity;
use crate::person::Person;
use crate::phone::Phone;
use crate::refusal::Refusal;

/// A WhatsApp server on this machine, with as many phones and people as a test asks for. Ends when it is dropped.
#[derive(Debug)]
pub struct FakeServer {
    network: Arc<Network>,
    address: SocketAddr,
    listener: JoinHandle<()>,
}

/// The keys of the certificates that the server presents, for a client that is to know them beforehand.
#[derive(Debug, Clone, Copy)]
pub struct CertificateKeys {
    /// The server's own.
    pub leaf: [u8; 32],
    /// The one that vouches for it.
    pub intermediate: [u8; 32],
}

impl FakeServer {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When the machine has no free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let network = Arc::new(Network::new());
        let listener = tokio::spawn(accept(network.clone(), listener));
        Ok(Self { network, address, listener })
    }

    /// Where clients connect: `ws://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("ws://{}/ws/chat", self.address)
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The keys that a client may be given so that it connects with IK from the beginning.
    pub fn certificate_keys(&self) -> CertificateKeys {
        CertificateKeys { leaf: self.network.identity.public_key(), intermediate: ServerIdentity::INTERMEDIATE_KEY }
    }

    /// What the server has seen.
    pub fn journal(&self) -> &Journal {
        &self.network.journal
    }

    /// The phone with this number, digits only, and the account on it.
    pub fn phone(&self, number: &str) -> Phone {
        Phone::new(self.network.clone(), number)
    }

    /// The person with this number, digits only. Not one that a [`phone`](Self::phone) was asked for.
    pub fn person(&self, number: &str) -> Person {
        Person::new(self.network.clone(), number)
    }

    /// Lets clients through, or not.
    pub fn set_reach(&self, reach: Reach) {
        self.network.reach.send_replace(reach);
    }

    /// Turns away everybody who connects from now on, or nobody any more.
    pub fn refuse_everyone(&self, refusal: Option<Refusal>) {
        *self.network.refusal.lock() = refusal;
    }

    /// How many QR codes a device gets from now on. Six, unless changed: the first lasts 60 s, the others 20 s each.
    pub fn set_qr_codes(&self, count: usize) {
        *self.network.qr_codes.lock() = count;
    }

    /// How many connections are logged in now, over all accounts.
    pub fn live_connections(&self) -> usize {
        self.network.total_load()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.listener.abort();
        // Ends the connections, which outlive the listener.
        self.network.reach.send_replace(Reach::Down);
    }
}

async fn accept(network: Arc<Network>, listener: TcpListener) {
    while let Ok((stream, from)) = listener.accept().await {
        let number = network.next();
        network.journal.record(Seen::Opened { connection: number, from });
        tokio::spawn(connection::serve(network.clone(), stream, number));
    }
}
