//! The server's side of the Noise handshake.
//!
//! A client that meets the server for the first time runs XX and learns the server's static key from it. A client that
//! remembers the key opens with IK, which saves a round trip; that the second login is IK shows that the client kept its
//! state.

use anyhow::{Context, Result, anyhow};
use tokio::io::{AsyncRead, AsyncWrite};
use whatsapp_rust::buffa::{Message as _, MessageField};
use whatsapp_rust::wacore::handshake::{NoiseCipher, NoiseHandshake};
use whatsapp_rust::wacore::libsignal::protocol::KeyPair;
use whatsapp_rust::wacore_binary::consts::{NOISE_PATTERN_IK, NOISE_PATTERN_XX, WA_CONN_HEADER};
use whatsapp_rust::waproto::whatsapp as wa;

use crate::party::{key_pair, public_bytes};
use crate::wire::Wire;

/// The first and last second at which the server's certificates are valid.
pub const CERTIFICATE_VALIDITY: (i64, i64) = (1_700_000_000, 4_000_000_000);

/// Which handshake a client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// The client did not know the server's static key.
    Xx,
    /// The client knew the server's static key from an earlier connection.
    Ik,
}

/// The key that the server proves to own, and the certificates that come with it.
pub(crate) struct ServerIdentity {
    static_key: KeyPair,
    chain: Vec<u8>,
}

/// What the handshake leaves behind: who calls, and the two ciphers.
pub(crate) struct Handshake {
    pub(crate) pattern: Pattern,
    pub(crate) payload: wa::ClientPayload,
    pub(crate) inbound: NoiseCipher,
    pub(crate) outbound: NoiseCipher,
}

impl ServerIdentity {
    /// The key of the intermediate certificate. Nobody owns it: the chain is not signed.
    pub(crate) const INTERMEDIATE_KEY: [u8; 32] = [0xCC; 32];

    pub(crate) fn generate() -> Self {
        let static_key = key_pair();
        let chain = certificate_chain(&public_bytes(&static_key));
        Self { static_key, chain }
    }

    pub(crate) fn public_key(&self) -> [u8; 32] {
        public_bytes(&self.static_key)
    }

    /// Answers the client's hello and reads its payload.
    pub(crate) async fn accept<S>(&self, wire: &mut Wire<S>) -> Result<Handshake>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let hello = read_handshake(wire).await?.client_hello.into_option().context("no client hello")?;
        let ephemeral = array(hello.ephemeral.clone())?;
        match (hello.r#static, hello.payload) {
            (Some(sealed_static), Some(sealed_payload)) => {
                self.accept_ik(wire, &ephemeral, &sealed_static, &sealed_payload).await
            }
            _ => self.accept_xx(wire, &ephemeral).await,
        }
    }

    async fn accept_xx<S>(&self, wire: &mut Wire<S>, client_ephemeral: &[u8; 32]) -> Result<Handshake>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let ephemeral = key_pair();
        let mut noise = NoiseHandshake::new(NOISE_PATTERN_XX, &WA_CONN_HEADER)?;
        noise.authenticate(client_ephemeral);
        noise.authenticate(&public_bytes(&ephemeral));
        noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
        let sealed_static = noise.encrypt(&self.public_key())?;
        noise.mix_shared_secret(self.static_key.private_key.serialize(), client_ephemeral)?;
        let sealed_chain = noise.encrypt(&self.chain)?;
        wire.send_frame(&server_hello(&ephemeral, Some(sealed_static), sealed_chain)).await?;

        let finish = read_handshake(wire).await?.client_finish.into_option().context("no client finish")?;
        let client_static = array(Some(noise.decrypt(&finish.r#static.context("no client static")?)?))?;
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_static)?;
        let payload = noise.decrypt(&finish.payload.context("no client payload")?)?;
        finish_handshake(Pattern::Xx, noise, &payload)
    }

    async fn accept_ik<S>(
        &self,
        wire: &mut Wire<S>,
        client_ephemeral: &[u8; 32],
        sealed_static: &[u8],
        sealed_payload: &[u8],
    ) -> Result<Handshake>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut noise = NoiseHandshake::new(NOISE_PATTERN_IK, &WA_CONN_HEADER)?;
        noise.authenticate(&self.public_key());
        noise.authenticate(client_ephemeral);
        noise.mix_shared_secret(self.static_key.private_key.serialize(), client_ephemeral)?;
        let client_static = array(Some(noise.decrypt(sealed_static)?))?;
        noise.mix_shared_secret(self.static_key.private_key.serialize(), &client_static)?;
        let payload = noise.decrypt(sealed_payload)?;

        let ephemeral = key_pair();
        noise.authenticate(&public_bytes(&ephemeral));
        noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_static)?;
        let sealed_chain = noise.encrypt(&self.chain)?;
        wire.send_frame(&server_hello(&ephemeral, None, sealed_chain)).await?;
        finish_handshake(Pattern::Ik, noise, &payload)
    }
}

fn finish_handshake(pattern: Pattern, noise: NoiseHandshake, payload: &[u8]) -> Result<Handshake> {
    let payload = wa::ClientPayload::decode_from_slice(payload)?;
    // `finish` speaks as the initiator: the key it writes with is the one we read with.
    let (inbound, outbound) = noise.finish()?;
    Ok(Handshake { pattern, payload, inbound, outbound })
}

async fn read_handshake<S>(wire: &mut Wire<S>) -> Result<wa::HandshakeMessage>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = wire.next_frame().await?.ok_or_else(|| anyhow!("closed during the handshake"))?;
    Ok(wa::HandshakeMessage::decode_from_slice(&frame)?)
}

fn server_hello(ephemeral: &KeyPair, sealed_static: Option<Vec<u8>>, sealed_chain: Vec<u8>) -> Vec<u8> {
    let hello = wa::handshake_message::ServerHello {
        ephemeral: Some(public_bytes(ephemeral).to_vec()),
        r#static: sealed_static,
        payload: Some(sealed_chain),
        ..Default::default()
    };
    wa::HandshakeMessage { server_hello: MessageField::some(hello), ..Default::default() }.encode_to_vec()
}

/// A chain in the right shape with empty signatures: only a client built with `danger-skip-cert-chain-verify` takes it.
fn certificate_chain(server_key: &[u8; 32]) -> Vec<u8> {
    use wa::cert_chain::{NoiseCertificate, noise_certificate::Details};
    let (not_before, not_after) = CERTIFICATE_VALIDITY;
    let certificate = |serial: u32, issuer: u32, key: &[u8; 32]| NoiseCertificate {
        details: Some(
            Details {
                serial: Some(serial),
                issuer_serial: Some(issuer),
                key: Some(key.to_vec()),
                not_before: Some(not_before.unsigned_abs()),
                not_after: Some(not_after.unsigned_abs()),
            }
            .encode_to_vec(),
        ),
        signature: Some(vec![0; 64]),
    };
    wa::CertChain {
        leaf: MessageField::some(certificate(2, 1, server_key)),
        intermediate: MessageField::some(certificate(1, 0, &ServerIdentity::INTERMEDIATE_KEY)),
    }
    .encode_to_vec()
}

fn array(bytes: Option<Vec<u8>>) -> Result<[u8; 32]> {
    let bytes = bytes.context("key missing from the handshake")?;
    bytes.try_into().map_err(|bytes: Vec<u8>| anyhow!("a key of {} bytes", bytes.len()))
}
