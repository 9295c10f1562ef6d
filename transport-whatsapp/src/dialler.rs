//! The only place that opens sockets.

use std::fmt;
use std::time::Duration;

use seatport::lifecycle::{Reason, ReasonKind};
use seatport::{Proxy, ProxyScheme};
use tokio::net::TcpStream;
use tokio_websockets::MaybeTlsStream;
use whatsapp_rust::transport::{Connector, default_tls_connector};

use crate::fate::Ending;
use crate::proxy;

/// How long each step of dialling may take: reaching the next host, the proxy's answer, the TLS handshake.
const STEP: Duration = Duration::from_secs(15);

/// Why a dial failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialError {
    /// The proxy answered no: its credentials or its rules are against it.
    #[error("the proxy refused: {0}")]
    ProxySaidNo(String),
    /// The proxy does not answer, or cannot reach the network.
    #[error("the proxy failed: {0}")]
    ProxyFailed(String),
    /// There is no proxy, and the network could not be reached.
    #[error("the network could not be reached: {0}")]
    Unreachable(String),
}

impl From<&DialError> for Ending {
    /// A proxy that says no needs a person. One that is away may come back, as may the network: dialling again is worth while,
    /// and is all that happens, for nothing ever goes around the proxy.
    fn from(error: &DialError) -> Self {
        match error {
            DialError::ProxySaidNo(code) => Self::Rejected(Reason::new(ReasonKind::ProxyRefused).code(code)),
            DialError::ProxyFailed(code) => Self::Lost(Reason::new(ReasonKind::ProxyRefused).code(code)),
            DialError::Unreachable(code) => Self::Lost(Reason::new(ReasonKind::ConnectionLost).code(code)),
        }
    }
}

/// Opens the connections of one session: all of them through its proxy, if it has one. Names are then resolved by the proxy.
pub(crate) struct Dialler {
    proxy: Option<Proxy>,
    /// Checks certificates against the roots of the web.
    tls: Connector,
}

impl Dialler {
    pub(crate) fn new(proxy: Option<Proxy>) -> Self {
        Self { proxy, tls: default_tls_connector() }
    }

    /// A stream to this host, by TLS with its certificate checked against the roots of the web, or as it is.
    pub(crate) async fn dial(&self, host: &str, port: u16, tls: bool) -> Result<MaybeTlsStream<TcpStream>, DialError> {
        let stream = match &self.proxy {
            None => reach(host, port).await.map_err(DialError::Unreachable)?,
            Some(proxy) => {
                let mut stream = reach(&proxy.host, proxy.port).await.map_err(DialError::ProxyFailed)?;
                let asked = async {
                    match proxy.scheme {
                        ProxyScheme::Http => proxy::http(&mut stream, proxy, host, port).await,
                        ProxyScheme::Socks5 => proxy::socks5(&mut stream, proxy, host, port).await,
                    }
                };
                tokio::time::timeout(STEP, asked)
                    .await
                    .unwrap_or_else(|_| Err(DialError::ProxyFailed("no answer".to_owned())))?;
                stream
            }
        };
        let connector = if tls { &self.tls } else { &Connector::Plain };
        let wrapped = tokio::time::timeout(STEP, connector.wrap(host, stream)).await;
        match wrapped {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(DialError::Unreachable(format!("TLS: {error}"))),
            Err(_) => Err(DialError::Unreachable("TLS: no answer".to_owned())),
        }
    }
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialler").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

async fn reach(host: &str, port: u16) -> Result<TcpStream, String> {
    let stream = match tokio::time::timeout(STEP, TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(error.kind().to_string()),
        Err(_) => return Err("no answer".to_owned()),
    };
    // Small messages that wait for nobody; without it they only come later.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
    use tokio_rustls::{TlsAcceptor, TlsConnector, rustls};

    use super::*;

    #[tokio::test]
    async fn a_proxy_that_is_away_is_not_gone_around() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        // A port that nobody listens on: bound once, and let go of.
        let away = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let dialler = Dialler::new(Some(format!("http://{away}").parse().unwrap()));
        let error = dialler.dial("127.0.0.1", target.port(), false).await.unwrap_err();
        assert_eq!(error, DialError::ProxyFailed("connection refused".to_owned()));
        let came = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(came.is_err(), "nobody came to the target");
        assert_eq!(
            Ending::from(&error),
            Ending::Lost(Reason::new(ReasonKind::ProxyRefused).code("connection refused"))
        );
    }

    /// A certificate for `localhost` that is signed by nobody else.
    fn self_signed() -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
    }

    /// A server for one TLS connection; answers what it was told.
    async fn tls_server(
        identity: &rcgen::CertifiedKey<rcgen::KeyPair>,
    ) -> (u16, tokio::task::JoinHandle<std::io::Result<String>>) {
        let certificate = identity.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key.into())
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await?;
            let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await?;
            let mut told = String::new();
            stream.read_to_string(&mut told).await?;
            Ok(told)
        });
        (port, server)
    }

    #[tokio::test]
    async fn a_certificate_that_no_root_of_the_web_signed_is_refused() {
        let (port, server) = tls_server(&self_signed()).await;
        let error = Dialler::new(None).dial("localhost", port, true).await.unwrap_err();
        assert!(matches!(&error, DialError::Unreachable(code) if code.contains("certificate")), "{error}");
        assert!(server.await.unwrap().is_err(), "the server was told nothing");
    }

    #[tokio::test]
    async fn a_certificate_for_another_name_is_refused_and_the_right_one_is_spoken_to() {
        let identity = self_signed();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(identity.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tls = Connector::Rustls(TlsConnector::from(Arc::new(config)));
        let dialler = Dialler { proxy: None, tls };

        let (port, _server) = tls_server(&identity).await;
        assert!(dialler.dial("127.0.0.1", port, true).await.is_err(), "another name");
        let (port, server) = tls_server(&identity).await;
        let mut stream = dialler.dial("localhost", port, true).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(server.await.unwrap().unwrap(), "hello");
    }
}
