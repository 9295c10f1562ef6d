//! A proxy in front of the server: HTTP CONNECT or SOCKS5, with or without credentials.
//!
//! Whatever name a client asks for, the tunnel ends at the server. So a test can give a client a name that does not
//! exist, and see that the client neither resolved it by itself nor went around the proxy.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Which protocol a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// `CONNECT` of HTTP/1.1, with basic authentication.
    Http,
    /// SOCKS version 5, with user name and password.
    Socks5,
}

/// What a proxy does with a request that is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyAnswer {
    /// Opens a tunnel to the server.
    Tunnel,
    /// Refuses.
    Deny,
    /// Says nothing.
    Hang,
}

/// A running proxy. Ends, with its tunnels, when it is dropped.
#[derive(Debug)]
pub struct FakeProxy {
    address: SocketAddr,
    state: Arc<State>,
    listener: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    kind: ProxyKind,
    credentials: Option<(String, String)>,
    server: SocketAddr,
    answer: Mutex<ProxyAnswer>,
    targets: Mutex<Vec<String>>,
    refused: Mutex<usize>,
    /// Grows whenever all tunnels are to end.
    cuts: watch::Sender<usize>,
}

impl FakeProxy {
    /// Starts a proxy on a free port of 127.0.0.1, with tunnels to `server`.
    ///
    /// # Errors
    /// When the machine has no free port.
    pub async fn start(kind: ProxyKind, credentials: Option<(&str, &str)>, server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            kind,
            credentials: credentials.map(|(user, password)| (user.to_owned(), password.to_owned())),
            server,
            answer: Mutex::new(ProxyAnswer::Tunnel),
            targets: Mutex::default(),
            refused: Mutex::default(),
            cuts: watch::Sender::new(0),
        });
        let listener = tokio::spawn(accept(state.clone(), listener));
        Ok(Self { address, state, listener })
    }

    /// Where the proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the proxy does from now on.
    pub fn set_answer(&self, answer: ProxyAnswer) {
        *self.state.answer.lock() = answer;
    }

    /// The `host:port` of every tunnel that was opened, oldest first.
    pub fn targets(&self) -> Vec<String> {
        self.state.targets.lock().clone()
    }

    /// How many requests were turned down, for wrong credentials or because the proxy was told to.
    pub fn refused(&self) -> usize {
        *self.state.refused.lock()
    }

    /// Breaks all tunnels.
    pub fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.listener.abort();
        self.cut();
    }
}

async fn accept(state: Arc<State>, listener: TcpListener) {
    while let Ok((client, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            let mut cuts = state.cuts.subscribe();
            tokio::select! {
                _ = cuts.changed() => {}
                ended = state.serve(client) => {
                    if let Err(error) = ended {
                        tracing::debug!("proxy connection ended: {error:#}");
                    }
                }
            }
        });
    }
}

impl State {
    async fn serve(&self, mut client: TcpStream) -> Result<()> {
        let request = match self.kind {
            ProxyKind::Http => self.read_http(&mut client).await?,
            ProxyKind::Socks5 => self.read_socks5(&mut client).await?,
        };
        let Some(target) = request else {
            *self.refused.lock() += 1;
            return Ok(());
        };
        let answer = *self.answer.lock();
        match answer {
            ProxyAnswer::Hang => std::future::pending().await,
            ProxyAnswer::Deny => {
                *self.refused.lock() += 1;
                let reply: &[u8] = match self.kind {
                    ProxyKind::Http => b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
                    ProxyKind::Socks5 => &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0],
                };
                client.write_all(reply).await?;
            }
            ProxyAnswer::Tunnel => {
                let mut server = TcpStream::connect(self.server).await?;
                self.targets.lock().push(target);
                let reply: &[u8] = match self.kind {
                    ProxyKind::Http => b"HTTP/1.1 200 Connection established\r\n\r\n",
                    ProxyKind::Socks5 => &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
                };
                client.write_all(reply).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await?;
            }
        }
        Ok(())
    }

    /// The target, or `None` after refusing the credentials.
    async fn read_http(&self, client: &mut TcpStream) -> Result<Option<String>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            ensure!(head.len() < 8192, "a request without an end");
            head.push(client.read_u8().await?);
        }
        let head = String::from_utf8(head)?;
        let mut lines = head.lines();
        let mut request = lines.next().unwrap_or_default().split(' ');
        ensure!(request.next() == Some("CONNECT"), "not a CONNECT: {head}");
        let target = request.next().context("no target")?.to_owned();
        if let Some((user, password)) = &self.credentials {
            let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            let given = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
                name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim().to_owned())
            });
            if given != Some(expected) {
                let reply = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n";
                client.write_all(reply.as_bytes()).await?;
                return Ok(None);
            }
        }
        Ok(Some(target))
    }

    /// The target, or `None` after refusing the credentials.
    async fn read_socks5(&self, client: &mut TcpStream) -> Result<Option<String>> {
        const NO_CREDENTIALS: u8 = 0;
        const USER_AND_PASSWORD: u8 = 2;
        const NONE_OF_THESE: u8 = 0xFF;
        ensure!(client.read_u8().await? == 5, "not SOCKS5");
        let offered = read_block(client).await?;
        let wanted = if self.credentials.is_some() { USER_AND_PASSWORD } else { NO_CREDENTIALS };
        if !offered.contains(&wanted) {
            client.write_all(&[5, NONE_OF_THESE]).await?;
            return Ok(None);
        }
        client.write_all(&[5, wanted]).await?;
        if let Some((user, password)) = &self.credentials {
            ensure!(client.read_u8().await? == 1, "not the first version of authentication");
            let given = (read_block(client).await?, read_block(client).await?);
            if given != (user.clone().into_bytes(), password.clone().into_bytes()) {
                client.write_all(&[1, 1]).await?;
                return Ok(None);
            }
            client.write_all(&[1, 0]).await?;
        }
        let mut request = [0; 4];
        client.read_exact(&mut request).await?;
        ensure!(request[..2] == [5, 1], "not a request for a connection");
        let host = match request[3] {
            1 => std::net::Ipv4Addr::from_bits(client.read_u32().await?).to_string(),
            3 => String::from_utf8(read_block(client).await?)?,
            4 => format!("[{}]", std::net::Ipv6Addr::from_bits(client.read_u128().await?)),
            other => anyhow::bail!("an address of kind {other}"),
        };
        Ok(Some(format!("{host}:{}", client.read_u16().await?)))
    }
}

/// A block of bytes after its length in one byte.
async fn read_block(client: &mut TcpStream) -> Result<Vec<u8>> {
    let mut block = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut block).await?;
    Ok(block)
}
