//! What the vault promises: nothing readable, nothing movable, nothing overwritten with a wrong key.

use std::sync::Arc;

use super::seal::Sealer;
use super::{Vault, VaultError, VaultKey};
use crate::memory::MemoryStorage;
use crate::storage::{Expect, SessionCommit, Storage, VaultEntry, VaultWrite};
use crate::{NodeId, Random, SessionId, SessionRecord, Timestamp, TransportName};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn key(byte: u8) -> VaultKey {
    VaultKey::new([byte; 32])
}

fn sealer(current: Option<u8>, previous: &[u8]) -> Sealer {
    let previous: Vec<_> = previous.iter().map(|byte| key(*byte)).collect();
    Sealer::new(current.map(key).as_ref(), &previous, false, Random::seeded(9))
}

fn plaintext(current: Option<u8>) -> Sealer {
    Sealer::new(current.map(key).as_ref(), &[], true, Random::seeded(9))
}

/// A session whose vault writes with this sealer.
async fn vault(storage: &Arc<dyn Storage>, sealer: Sealer, seed: u64) -> Vault {
    let random = Random::seeded(seed);
    let (session, node) = (SessionId::generate(NOW, &random), NodeId::generate(NOW, &random));
    let mut commit = SessionCommit::new(session, NOW, Expect::New);
    commit.record = Some(SessionRecord::new(session, NOW, TransportName::new("t").unwrap()));
    storage.commit(commit).await.unwrap();
    let profile = crate::storage::NodeProfile { id: node, labels: Default::default(), capacity: 1 };
    storage.join(&profile, std::time::Duration::from_secs(60)).await.unwrap();
    let fence = storage.claim(session, node).await.unwrap().unwrap();
    Vault::new(storage.clone(), Arc::new(sealer), session, fence)
}

fn memory() -> Arc<dyn Storage> {
    Arc::new(MemoryStorage::new())
}

async fn entries(storage: &Arc<dyn Storage>) -> Vec<VaultEntry> {
    storage.vault_scan(None, 100).await.unwrap()
}

#[tokio::test]
async fn what_is_stored_is_sealed_afresh_each_time_and_opens_again() {
    let storage = memory();
    let vault = vault(&storage, sealer(Some(1), &[]), 1).await;
    vault.put("identity", b"secret bytes").await.unwrap();
    let first = entries(&storage).await;
    vault.put("identity", b"secret bytes").await.unwrap();
    let second = entries(&storage).await;
    assert_eq!(first[0].name, "net/identity");
    assert_ne!(first[0].sealed, second[0].sealed, "a fresh nonce each time");
    assert!(!second[0].sealed.windows(6).any(|window| window == b"secret"));
    assert_eq!(vault.get("identity").await.unwrap().unwrap().as_slice(), b"secret bytes");
    assert_eq!(vault.list("id").await.unwrap().len(), 1);
    assert!(vault.list("other").await.unwrap().is_empty());
    vault.remove("identity").await.unwrap();
    assert!(vault.get("identity").await.unwrap().is_none());
}

#[tokio::test]
async fn an_entry_cannot_be_altered_or_moved_unseen() {
    let storage = memory();
    let vault = vault(&storage, sealer(Some(1), &[]), 1).await;
    vault.write([("a", Some(&b"one"[..])), ("b", Some(&b"two"[..]))]).await.unwrap();
    let sealed = entries(&storage).await;
    let moved = VaultWrite { name: "net/b".to_owned(), sealed: Some(sealed[0].sealed.clone()) };
    storage.vault_write(vault.session, vault.fence, vec![moved]).await.unwrap();
    assert!(matches!(vault.get("b").await, Err(VaultError::WrongKey { entry }) if entry == "net/b"));
    for byte in 0..sealed[0].sealed.len() {
        let mut altered = sealed[0].sealed.clone();
        altered[byte] ^= 1;
        let write = VaultWrite { name: "net/a".to_owned(), sealed: Some(altered) };
        storage.vault_write(vault.session, vault.fence, vec![write]).await.unwrap();
        assert!(vault.get("a").await.is_err(), "byte {byte}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_overwrites_nothing() {
    let storage = memory();
    let right = sealer(Some(1), &[]);
    right.check(storage.as_ref()).await.unwrap();
    vault(&storage, right, 1).await.put("identity", b"secret").await.unwrap();
    let before = (entries(&storage).await, storage.key_check().await.unwrap());
    for wrong in [sealer(Some(2), &[]), sealer(Some(2), &[3]), plaintext(None)] {
        assert!(wrong.check(storage.as_ref()).await.is_err());
    }
    assert_eq!((entries(&storage).await, storage.key_check().await.unwrap()), before);
    sealer(Some(1), &[]).check(storage.as_ref()).await.unwrap();
}

#[tokio::test]
async fn rotation_seals_everything_anew_and_goes_on_where_it_was_cut_short() {
    let storage = memory();
    let old = sealer(Some(1), &[]);
    old.check(storage.as_ref()).await.unwrap();
    let vault = vault(&storage, old, 1).await;
    for number in 0..600 {
        vault.put(&format!("key/{number:03}"), b"secret").await.unwrap();
    }
    let both = sealer(Some(2), &[1]);
    both.check(storage.as_ref()).await.unwrap();
    // Cut short: one entry is already sealed with the new key.
    let entry = &entries(&storage).await[7];
    assert!(storage.vault_replace(entry, both.seal(entry.session, &entry.name, b"secret").unwrap()).await.unwrap());
    assert!(sealer(Some(2), &[]).check(storage.as_ref()).await.is_err(), "the earlier key is still needed");
    assert_eq!(both.rotate(storage.as_ref()).await.unwrap(), 599);
    assert_eq!(both.rotate(storage.as_ref()).await.unwrap(), 0);
    let new = sealer(Some(2), &[]);
    new.check(storage.as_ref()).await.unwrap();
    for entry in storage.vault_scan(None, 1000).await.unwrap() {
        assert_eq!(new.open(entry.session, &entry.name, &entry.sealed).unwrap().as_slice(), b"secret");
    }
    assert!(sealer(Some(1), &[]).check(storage.as_ref()).await.is_err(), "the old key is of no use any more");
}

#[tokio::test]
async fn without_a_key_nothing_is_kept_unless_the_host_says_so() {
    let storage = memory();
    let none = vault(&storage, sealer(None, &[]), 1).await;
    assert!(matches!(none.put("identity", b"secret").await, Err(VaultError::KeyMissing)));
    let open = vault(&storage, plaintext(None), 2).await;
    open.put("identity", b"plain").await.unwrap();
    assert_eq!(open.get("identity").await.unwrap().unwrap().as_slice(), b"plain");
    // With a key, what lies there in the clear is not believed, unless the host says so: anybody could have put it there.
    let strict = sealer(Some(1), &[]);
    let entry = &entries(&storage).await[0];
    assert!(strict.open(entry.session, &entry.name, &entry.sealed).is_err());
    assert_eq!(plaintext(Some(1)).rotate(storage.as_ref()).await.unwrap(), 1, "moving from the clear to a key");
    let entry = &entries(&storage).await[0];
    assert_eq!(strict.open(entry.session, &entry.name, &entry.sealed).unwrap().as_slice(), b"plain");
}

#[tokio::test]
async fn a_closed_connection_writes_nothing_any_more() {
    let storage = memory();
    let vault = vault(&storage, sealer(Some(1), &[]), 1).await;
    let kept = vault.clone();
    vault.revoke();
    assert!(matches!(kept.put("identity", b"late").await, Err(VaultError::Revoked)));
    // And one whose session was taken over is fenced by the storage, whatever it believes.
    let other = self::vault(&storage, sealer(Some(1), &[]), 2).await;
    storage.claim(other.session, other.fence.node).await.unwrap().unwrap();
    assert!(matches!(other.put("identity", b"late").await, Err(VaultError::Revoked)));
    assert!(entries(&storage).await.is_empty());
}

#[tokio::test]
async fn the_ledger_s_key_is_made_once_and_kept_sealed() {
    let storage = memory();
    let (one, other) = (sealer(Some(1), &[]), sealer(Some(1), &[]));
    let (first, second) = tokio::join!(one.ledger_key(storage.as_ref()), other.ledger_key(storage.as_ref()));
    let key_made = first.unwrap();
    assert_eq!(key_made, second.unwrap());
    assert_ne!(*key_made, [0; 32]);
    let kept = storage.ledger_key().await.unwrap().unwrap();
    assert!(!kept.windows(4).any(|part| key_made.windows(4).any(|clear| part == clear)));
    assert!(matches!(sealer(Some(2), &[]).ledger_key(storage.as_ref()).await, Err(VaultError::WrongKey { .. })));
    assert!(matches!(sealer(None, &[]).ledger_key(storage.as_ref()).await, Err(VaultError::Sealed { .. })));
    assert_eq!(storage.ledger_key().await.unwrap().unwrap(), kept, "nothing was overwritten");
}

#[tokio::test]
async fn the_ledger_s_key_is_sealed_once_there_is_a_vault_key_and_sealed_anew_by_a_rotation() {
    let storage = memory();
    let made = sealer(None, &[]).ledger_key(storage.as_ref()).await.unwrap();
    let in_the_clear = storage.ledger_key().await.unwrap().unwrap();
    assert_eq!(in_the_clear[1..], made[..], "a host without a vault key keeps it as it is");
    assert_eq!(plaintext(None).ledger_key(storage.as_ref()).await.unwrap(), made);

    assert_eq!(sealer(Some(1), &[]).ledger_key(storage.as_ref()).await.unwrap(), made);
    let sealed = storage.ledger_key().await.unwrap().unwrap();
    assert_ne!(sealed, in_the_clear);
    assert!(sealer(None, &[]).ledger_key(storage.as_ref()).await.is_err(), "from now on it takes the key");

    let both = sealer(Some(2), &[1]);
    assert_eq!(both.ledger_key(storage.as_ref()).await.unwrap(), made);
    assert_eq!(both.rotate(storage.as_ref()).await.unwrap(), 0, "it is no entry of the vault");
    assert_eq!(sealer(Some(2), &[]).ledger_key(storage.as_ref()).await.unwrap(), made);
    let rotated = storage.ledger_key().await.unwrap();
    both.rotate(storage.as_ref()).await.unwrap();
    assert_eq!(storage.ledger_key().await.unwrap(), rotated, "once is enough");
}

#[tokio::test]
async fn a_ledger_s_key_that_is_none_is_refused() {
    for kept in [&[][..], &[0; 32], &[0; 34], &[1; 33], &[2; 33]] {
        let storage = memory();
        assert!(storage.replace_ledger_key(None, kept).await.unwrap());
        let refused = sealer(Some(1), &[]).ledger_key(storage.as_ref()).await;
        assert!(matches!(refused, Err(VaultError::WrongKey { .. })), "{kept:?}");
        assert_eq!(storage.ledger_key().await.unwrap().unwrap(), kept);
    }
}
