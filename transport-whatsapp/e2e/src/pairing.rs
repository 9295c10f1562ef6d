//! How a phone takes on a device: by the QR code that it shows, or by a code that a person types.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::oneshot;
use whatsapp_rust::buffa::Message as _;
use whatsapp_rust::wacore::crypto::hkdf_sha256;
use whatsapp_rust::wacore::libsignal::crypto::{aes_256_gcm_decrypt, hmac_sha256};
use whatsapp_rust::wacore::libsignal::protocol::{IdentityKeyPair, KeyPair, PublicKey};
use whatsapp_rust::wacore::pair_code::PairCodeUtils;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::account::Account;
use crate::journal::Seen;
use crate::network::{Applicant, KeyBundle, Network};
use crate::party::{key_pair, public_bytes, rng};
use crate::refusal::StreamEnd;
use crate::stanza::{self, SERVER, now};

/// How long a phone waits for a device to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long after linking the server sends the device away to connect again. At once would be before the device has
/// written down what it was told.
const RESTART_AFTER: Duration = Duration::from_millis(100);

/// Signature prefixes of ordinary and of hosted accounts.
const ACCOUNT_SIGNATURE: [u8; 2] = [6, 0];
const HOSTED_ACCOUNT_SIGNATURE: [u8; 2] = [6, 5];

/// Links the device that shows `qr`.
pub(crate) async fn scan(network: &Network, number: &str, qr: &str) -> Result<()> {
    // After `#` come: ref, noise key, identity key, secret, kind of client.
    let fields: Vec<&str> = qr.rsplit('#').next().unwrap_or(qr).split(',').collect();
    ensure!(fields.len() >= 4, "not a code for linking a device");
    let identity = STANDARD.decode(fields[2])?;
    let identity: [u8; 32] = identity.try_into().map_err(|_| anyhow!("identity key of a wrong length"))?;
    let secret = STANDARD.decode(fields[3])?;
    let applicant = network.applicants.lock().get(&identity).cloned();
    adopt(network, number, applicant.context("the device that showed this code has left")?, &secret).await
}

/// Links the device that announced a code for `number`, if `typed` is that code.
pub(crate) async fn enter_code(network: &Network, number: &str, typed: &str) -> Result<()> {
    let typed = typed.replace('-', "").to_uppercase();
    let ephemeral = key_pair();
    let (answer, answered) = oneshot::channel();
    let (reference, wrapped, applicant) = {
        let mut codes = network.link_codes.lock();
        let code = codes.get_mut(number).with_context(|| format!("no device has asked to be linked to {number}"))?;
        code.finish = Some(answer);
        (code.reference.clone(), code.wrapped_ephemeral.clone(), code.applicant.clone())
    };
    let own_public = public_bytes(&ephemeral);
    // Stretching a code takes a while on purpose: not on the runtime's threads.
    let (device_ephemeral, wrapped_own) = tokio::task::spawn_blocking(move || {
        let device = PairCodeUtils::decrypt_primary_ephemeral_pub(&wrapped, &typed)?;
        anyhow::Ok((device, PairCodeUtils::encrypt_ephemeral_pub(&own_public, &typed)))
    })
    .await??;
    let account = network.account(number);
    let own_identity = account.lock().await.phone.identity_public();
    let id = format!("hello-{}", network.next());
    applicant.line.say(stanza::primary_hello(&id, &reference, &wrapped_own, &own_identity));

    let bundle = tokio::time::timeout(PATIENCE, answered).await.context("the device does not answer")??;
    let identity = account.lock().await.phone.identity().clone();
    let secret = open_bundle(&bundle, &ephemeral, &device_ephemeral, &identity)
        .context("the code that was typed is not the one on the device")?;
    network.link_codes.lock().remove(number);
    adopt(network, number, applicant, &secret).await
}

/// Opens what the device sent, and derives the secret that both now share.
fn open_bundle(
    bundle: &KeyBundle,
    own_ephemeral: &KeyPair,
    device_ephemeral: &[u8; 32],
    own_identity: &IdentityKeyPair,
) -> Result<Vec<u8>> {
    let device_ephemeral = PublicKey::from_djb_public_key_bytes(device_ephemeral)?;
    let device_identity = PublicKey::from_djb_public_key_bytes(&bundle.identity)?;
    let shared = own_ephemeral.private_key.calculate_agreement(&device_ephemeral)?;
    let (salt, rest) = bundle.wrapped.split_at_checked(32).context("key bundle cut short")?;
    let (nonce, sealed) = rest.split_at_checked(12).context("key bundle cut short")?;
    let key = hkdf_sha256(&shared, 32, Some(salt), b"link_code_pairing_key_bundle_encryption_key")?;
    let mut opened = Vec::new();
    let key: &[u8; 32] = key.as_slice().try_into()?;
    aes_256_gcm_decrypt(key, nonce.try_into()?, b"", sealed, &mut opened).map_err(|error| anyhow!("{error}"))?;
    ensure!(opened.len() == 96, "a key bundle of {} bytes", opened.len());
    ensure!(opened[..32] == bundle.identity[..], "the key bundle names another device");
    let shared_identity = own_identity.private_key().calculate_agreement(&device_identity)?;
    let secret = [&shared[..], &shared_identity[..], &opened[64..]].concat();
    Ok(hkdf_sha256(&secret, 32, None, b"adv_secret")?)
}

/// Signs the device, tells it, waits for its word, and sends it away to log in.
async fn adopt(network: &Network, number: &str, applicant: Applicant, secret: &[u8]) -> Result<()> {
    let account = network.account(number);
    let id = format!("pair-success-{}", network.next());
    let (word, given) = oneshot::channel();
    network.adoptions.lock().insert(id.clone(), word);
    {
        let account = account.lock().await;
        let device = account.next_device();
        let identity = signed_identity(&account, device, &applicant.keys.identity, secret)?;
        let jid = format!("{number}:{device}@{SERVER}");
        let lid = format!("{}:{device}@lid", account.lid);
        applicant.line.say(stanza::pair_success(&id, &jid, &lid, identity));
    }
    match tokio::time::timeout(PATIENCE, given).await {
        Err(_) => bail!("the device does not answer"),
        Ok(Err(_)) => bail!("the device has left"),
        Ok(Ok(Err(error))) => bail!("the device refuses to be linked: {error}"),
        Ok(Ok(Ok(()))) => {}
    }
    account.lock().await.link(applicant.keys);
    network.journal.record(Seen::Linked { account: number.to_owned() });
    tokio::time::sleep(RESTART_AFTER).await;
    applicant.line.end(StreamEnd::Restart);
    Ok(())
}

/// The device's certificate: signed by the account, and sealed with the secret of the code.
fn signed_identity(account: &Account, device: u16, device_identity: &[u8; 32], secret: &[u8]) -> Result<Vec<u8>> {
    let details = wa::ADVDeviceIdentity {
        raw_id: Some(7),
        timestamp: Some(now()),
        key_index: Some(device.into()),
        ..Default::default()
    }
    .encode_to_vec();
    // In 0.7.0 a client expects the hosted prefix here too, while real hosted accounts sign with the ordinary one.
    let signed = [&ACCOUNT_SIGNATURE[..], &details, device_identity].concat();
    let signature = account.phone.identity().private_key().calculate_signature(&signed, &mut rng())?;
    let identity = wa::ADVSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(account.phone.identity_public().to_vec()),
        account_signature: Some(signature.to_vec()),
        device_signature: None,
    }
    .encode_to_vec();
    let prefix: &[u8] = if account.hosted { &HOSTED_ACCOUNT_SIGNATURE } else { &[] };
    let seal = hmac_sha256(secret, &[prefix, &identity].concat());
    let container = wa::ADVSignedDeviceIdentityHMAC {
        details: Some(identity),
        hmac: Some(seal.to_vec()),
        account_type: account.hosted.then_some(wa::ADVEncryptionType::HOSTED),
    };
    Ok(container.encode_to_vec())
}
