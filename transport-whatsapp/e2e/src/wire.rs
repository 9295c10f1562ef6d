//! From a socket to stanzas: WebSocket messages, length-prefixed frames, Noise, binary XML.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::{Message, ServerBuilder, WebSocketStream};
use whatsapp_rust::bytes::BytesMut;
use whatsapp_rust::wacore::framing::{FrameDecoder, encode_frame};
use whatsapp_rust::wacore::handshake::NoiseCipher;
use whatsapp_rust::wacore_binary::consts::WA_CONN_HEADER;
use whatsapp_rust::wacore_binary::{self as binary, Node};

/// Frames over a WebSocket, before the handshake.
pub(crate) struct Wire<S> {
    socket: WebSocketStream<S>,
    frames: FrameDecoder,
    introduced: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Accepts the WebSocket upgrade.
    pub(crate) async fn accept(stream: S) -> Result<Self> {
        let (_request, socket) = ServerBuilder::new().accept(stream).await?;
        Ok(Self { socket, frames: FrameDecoder::new(), introduced: false })
    }

    /// The next frame, or `None` when the client closed. May be dropped half-way without losing anything.
    pub(crate) async fn next_frame(&mut self) -> Result<Option<BytesMut>> {
        loop {
            if let Some(frame) = self.frames.decode_frame() {
                return Ok(Some(frame));
            }
            let Some(message) = self.socket.next().await else { return Ok(None) };
            let message = message?;
            if message.is_close() {
                return Ok(None);
            }
            if message.is_binary() {
                let payload = message.into_payload();
                let mut bytes: &[u8] = &payload;
                if !self.introduced {
                    bytes = skip_introduction(bytes)?;
                    self.introduced = true;
                }
                self.frames.feed(bytes);
            }
        }
    }

    pub(crate) async fn send_frame(&mut self, payload: &[u8]) -> Result<()> {
        self.socket.send(Message::binary(encode_frame(payload, None)?)).await?;
        Ok(())
    }

    /// Says goodbye with a close frame.
    pub(crate) async fn close(&mut self) {
        // The client may be gone already, which is as good as closed.
        let _ = self.socket.close().await;
    }

    /// Goes on in cipher.
    pub(crate) fn secure(self, inbound: NoiseCipher, outbound: NoiseCipher) -> SecureWire<S> {
        SecureWire { wire: self, inbound, outbound, received: 0, sent: 0 }
    }
}

/// The first bytes are `WA` and a version, after an optional edge-routing block.
fn skip_introduction(mut bytes: &[u8]) -> Result<&[u8]> {
    if bytes.starts_with(b"ED") {
        let length = bytes.get(4..7).context("edge routing cut short")?;
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        bytes = bytes.get(7 + length..).context("edge routing cut short")?;
    }
    match bytes.strip_prefix(&WA_CONN_HEADER[..]) {
        Some(rest) => Ok(rest),
        None => bail!("the connection does not open with the protocol's header"),
    }
}

/// Stanzas over an encrypted wire.
pub(crate) struct SecureWire<S> {
    wire: Wire<S>,
    inbound: NoiseCipher,
    outbound: NoiseCipher,
    received: u32,
    sent: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> SecureWire<S> {
    /// The next stanza, or `None` when the client closed. May be dropped half-way without losing anything.
    pub(crate) async fn next_stanza(&mut self) -> Result<Option<Node>> {
        let Some(mut frame) = self.wire.next_frame().await? else { return Ok(None) };
        self.inbound.decrypt_in_place_with_counter(self.received, &mut frame)?;
        self.received += 1;
        let plain = binary::util::unpack(&frame)?;
        Ok(Some(binary::marshal::unmarshal_ref(&plain)?.to_owned()))
    }

    pub(crate) async fn send_stanza(&mut self, stanza: &Node) -> Result<()> {
        let sealed = self.outbound.encrypt_with_counter(self.sent, &binary::marshal(stanza)?)?;
        self.sent += 1;
        self.wire.send_frame(&sealed).await
    }

    pub(crate) async fn close(&mut self) {
        self.wire.close().await;
    }
}
