//! The WebSocket that a client speaks through.
//!
//! The one that comes with the client starts its reader outside the client's runtime, where nothing ends it before the network
//! speaks again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{HeaderValue, ORIGIN};
use seatport::transport::Signal;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};
use whatsapp_rust::anyhow::{self, Context, Result};
use whatsapp_rust::async_channel::{self, Receiver, Sender};
use whatsapp_rust::bytes::Bytes;
use whatsapp_rust::futures::stream::{SplitSink, SplitStream};
use whatsapp_rust::futures::{SinkExt, StreamExt};
use whatsapp_rust::transport::{DisconnectReason, Transport, TransportEvent, TransportFactory};
use whatsapp_rust::wacore::net::WHATSAPP_WEB_ORIGIN;

use crate::dialler::{DialError, Dialler};
use crate::fate::{Ending, Fate};
use crate::scope::Scope;

/// How many received frames wait for the client before the network has to.
const FRAMES_AHEAD: usize = 64;
/// At most so often a sign of life is passed on.
const ALIVE_EVERY: Duration = Duration::from_secs(10);
/// How long the last word may take when the network is stuck.
const GOOD_BYE: Duration = Duration::from_millis(500);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens the sockets of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    pub(crate) server: http::Uri,
    pub(crate) dialler: Arc<Dialler>,
    pub(crate) scope: Scope,
    pub(crate) fate: Fate,
    pub(crate) signals: mpsc::Sender<Signal>,
}

impl Sockets {
    async fn open(&self) -> Result<Socket, DialError> {
        let unreachable = |why: String| DialError::Unreachable(why);
        let tls = self.server.scheme_str() == Some("wss");
        let host = self.server.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = self.server.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let stream = self.dialler.dial(host, port, tls).await?;
        let builder = ClientBuilder::from_uri(self.server.clone())
            .add_header(ORIGIN, HeaderValue::from_static(WHATSAPP_WEB_ORIGIN))
            .map_err(|error| unreachable(error.to_string()))?;
        let (socket, _) =
            builder.connect_on(stream).await.map_err(|error| unreachable(format!("WebSocket: {error}")))?;
        Ok(socket)
    }
}

#[async_trait]
impl TransportFactory for Sockets {
    async fn create_transport(&self) -> Result<(Arc<dyn Transport>, Receiver<TransportEvent>)> {
        let socket = match self.open().await {
            Ok(socket) => socket,
            Err(error) => {
                // The client reports no failed dial: its reason would be lost.
                self.fate.decide(Ending::from(&error));
                return Err(error.into());
            }
        };
        let (sink, stream) = socket.split();
        let (events, receiver) = async_channel::bounded(FRAMES_AHEAD);
        events.try_send(TransportEvent::Connected)?;
        let reader = self.scope.start(read(stream, events, self.clone())).context("the connection is closed")?;
        Ok((Arc::new(Line { sink: Mutex::new(Some(sink)), reader }), receiver))
    }
}

/// Passes on what the network sends, and that it sends.
async fn read(mut stream: SplitStream<Socket>, events: Sender<TransportEvent>, sockets: Sockets) {
    let mut told: Option<Instant> = None;
    let reason = loop {
        match stream.next().await {
            Some(Ok(message)) if message.is_binary() => {
                if told.is_none_or(|told| told.elapsed() >= sockets.scope.real(ALIVE_EVERY)) {
                    // Where there is no room, something else is waiting that says as much.
                    let _ = sockets.signals.try_send(Signal::Alive);
                    told = Some(Instant::now());
                }
                if events.send(TransportEvent::DataReceived(Bytes::from(message.into_payload()))).await.is_err() {
                    return;
                }
            }
            Some(Ok(message)) if message.is_close() => {
                break match message.as_close() {
                    Some((code, text)) => {
                        DisconnectReason::ServerClose { code: Some(code.into()), reason: text.to_owned() }
                    }
                    None => DisconnectReason::ServerClose { code: None, reason: String::new() },
                };
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => break DisconnectReason::ReadError(error.to_string()),
            None => break DisconnectReason::StreamEnded,
        }
    };
    // An error means that the client has left.
    let _ = events.send(TransportEvent::Disconnected(reason)).await;
}

/// An open socket.
struct Line {
    sink: Mutex<Option<SplitSink<Socket, Message>>>,
    reader: tokio::task::AbortHandle,
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, data: Bytes) -> Result<(), anyhow::Error> {
        let mut sink = self.sink.lock().await;
        Ok(sink.as_mut().context("the socket is closed")?.send(Message::binary(data)).await?)
    }

    async fn disconnect(&self) {
        let good_bye = async {
            if let Some(mut sink) = self.sink.lock().await.take() {
                // The socket is dropped either way.
                let _ = sink.close().await;
            }
        };
        let _ = tokio::time::timeout(GOOD_BYE, good_bye).await;
        self.reader.abort();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}
