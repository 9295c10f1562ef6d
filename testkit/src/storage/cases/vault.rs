//! The vault: sealed bytes under names, written only by who drives the session.

use seatport::storage::{Fence, SessionCommit, Storage, StorageErrorKind, VaultEntry, VaultWrite};

use crate::storage::Backend;
use crate::storage::sample::{MINUTE, add, commit, id, node, own, profile, refused, sealing};
use crate::storage::snapshot::{Snapshot, check_pages_forwards};

fn entry(session: u64, name: &str, sealed: &[u8]) -> VaultEntry {
    VaultEntry { session: id(session), name: name.to_owned(), sealed: sealed.to_vec() }
}

fn removing(name: &str) -> VaultWrite {
    VaultWrite { name: name.to_owned(), sealed: None }
}

/// Writes entries to a session's vault, by a commit.
async fn seal(storage: &dyn Storage, session: u64, names: &[&str]) {
    let vault = names.iter().map(|name| sealing(name, name.as_bytes())).collect();
    storage.commit(SessionCommit { vault, ..commit(session) }).await.unwrap();
}

async fn names(storage: &dyn Storage, session: u64, prefix: &str) -> Vec<String> {
    storage.vault_list(id(session), prefix).await.unwrap().into_iter().map(|entry| entry.name).collect()
}

pub(crate) async fn entries_are_written_and_removed(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let fence = own(&*storage, 1, 1).await;
    let large: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
    let writes = vec![sealing("net/large", &large), sealing("net/empty", b""), sealing("net/钥匙'\"", b"\0\xFF")];
    storage.vault_write(id(1), fence, writes).await.unwrap();
    assert_eq!(storage.vault_get(id(1), "net/large").await.unwrap(), Some(large));
    assert_eq!(storage.vault_get(id(1), "net/empty").await.unwrap(), Some(vec![]));
    assert_eq!(storage.vault_get(id(1), "net/钥匙'\"").await.unwrap(), Some(b"\0\xFF".to_vec()));
    for (session, name) in [(1, "net"), (1, "NET/empty"), (1, "net/empty "), (2, "net/empty"), (3, "net/empty")] {
        assert_eq!(storage.vault_get(id(session), name).await.unwrap(), None, "session {session}, {name:?}");
    }

    let writes = vec![removing("net/large"), removing("never/there"), sealing("net/empty", b"no more")];
    storage.vault_write(id(1), fence, writes).await.unwrap();
    let left = [entry(1, "net/empty", b"no more"), entry(1, "net/钥匙'\"", b"\0\xFF")];
    assert_eq!(storage.vault_list(id(1), "").await.unwrap(), left);
    assert_eq!(storage.vault_list(id(3), "").await.unwrap(), [], "an unknown session has none");
}

pub(crate) async fn writes_apply_in_order(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let fence = own(&*storage, 1, 1).await;
    let writes = || vec![sealing("a", b"1"), sealing("b", b"1"), removing("b"), sealing("a", b"2"), removing("c")];
    storage.vault_write(id(1), fence, writes()).await.unwrap();
    assert_eq!(storage.vault_list(id(1), "").await.unwrap(), [entry(1, "a", b"2")]);
    let vault = [writes(), vec![removing("a"), sealing("c", b"3")]].concat();
    storage.commit(SessionCommit { vault, ..commit(1) }).await.unwrap();
    assert_eq!(storage.vault_list(id(1), "").await.unwrap(), [entry(1, "c", b"3")], "in a commit as well");
}

pub(crate) async fn a_write_needs_a_fence_that_holds(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    let fence = own(&*storage, 1, 1).await;
    storage.vault_write(id(1), fence, vec![sealing("net/key", b"old")]).await.unwrap();
    storage.join(&profile(2), 3 * MINUTE).await.unwrap();
    let before = Snapshot::of(&*storage).await;
    let write = async |session, fence| {
        let writes = vec![sealing("net/other", b"1"), removing("net/key")];
        refused(storage.vault_write(id(session), fence, writes).await)
    };
    let stale = Fence { epoch: fence.epoch - 1, ..fence };
    let foreign = Fence { node: node(2), ..fence };
    for (session, fence) in [(1, stale), (1, foreign), (2, fence), (3, fence)] {
        assert_eq!(write(session, fence).await, StorageErrorKind::Fenced, "session {session}, {fence:?}");
        assert_eq!(Snapshot::of(&*storage).await, before);
    }
    storage.claim(id(1), node(1)).await.unwrap().expect("it is the owner");
    assert_eq!(write(1, fence).await, StorageErrorKind::Fenced, "its epoch is over");
    assert_eq!(storage.vault_list(id(1), "").await.unwrap(), [entry(1, "net/key", b"old")]);
}

pub(crate) async fn a_list_takes_its_prefix_literally(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    seal(&*storage, 1, &["net/b", "net/a", "net/", "net", "netx", "Net/a", "n%t/a", "n_t/a", "é", "😀"]).await;
    seal(&*storage, 2, &["net/of 2"]).await;
    for (prefix, expected) in [
        ("net/", &["net/", "net/a", "net/b"][..]),
        ("net", &["net", "net/", "net/a", "net/b", "netx"]),
        ("n%", &["n%t/a"]),
        ("n_t/", &["n_t/a"]),
        ("", &["Net/a", "n%t/a", "n_t/a", "net", "net/", "net/a", "net/b", "netx", "é", "😀"]),
        ("*", &[]),
        ("net/a/", &[]),
    ] {
        assert_eq!(names(&*storage, 1, prefix).await, expected, "under {prefix:?}");
    }
}

pub(crate) async fn forgetting_credentials_spares_other_areas(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    seal(&*storage, 1, &["net/key", "net/", "net", "network/a", "Net/a", "proxy/password", "a/net/"]).await;
    seal(&*storage, 2, &["net/key"]).await;
    // What the same commit writes is written afterwards.
    let vault = vec![sealing("net/new", b"new")];
    storage.commit(SessionCommit { forget_credentials: true, vault, ..commit(1) }).await.unwrap();
    assert_eq!(names(&*storage, 1, "").await, ["Net/a", "a/net/", "net", "net/new", "network/a", "proxy/password"]);
    assert_eq!(names(&*storage, 2, "").await, ["net/key"]);
}

pub(crate) async fn a_scan_visits_every_entry_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2, 3]).await;
    seal(&*storage, 3, &["b", "a"]).await;
    seal(&*storage, 1, &["z", "é", "B"]).await;
    let expected = [(1, "B"), (1, "z"), (1, "é"), (3, "a"), (3, "b")];
    let expected = expected.map(|(session, name)| entry(session, name, name.as_bytes()));
    assert_eq!(storage.vault_scan(None, 100).await.unwrap(), expected);
    check_pages_forwards(async |last: Option<VaultEntry>, limit| {
        storage.vault_scan(last.map(|last| (last.session, last.name)), limit).await
    })
    .await;
    // It goes on after a place whether or not an entry is there: a rotation may outlive it.
    assert_eq!(storage.vault_scan(Some((id(2), "m".into())), 100).await.unwrap(), expected[3..]);
}

pub(crate) async fn an_entry_is_replaced_only_if_unchanged(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1, 2]).await;
    seal(&*storage, 1, &["a", "b"]).await;
    let old = entry(1, "a", b"a");
    assert!(storage.vault_replace(&old, b"new".to_vec()).await.unwrap());
    let now = [entry(1, "a", b"new"), entry(1, "b", b"b")];
    assert_eq!(storage.vault_list(id(1), "").await.unwrap(), now);

    for changed in [old, entry(1, "c", b"a"), entry(2, "a", b"new"), entry(3, "a", b"new"), entry(1, "a", b"")] {
        assert!(!storage.vault_replace(&changed, b"lost".to_vec()).await.unwrap(), "{changed:?}");
    }
    assert_eq!(storage.vault_scan(None, 100).await.unwrap(), now);
}

pub(crate) async fn the_key_check_is_the_last_one_set(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    assert_eq!(storage.key_check().await.unwrap(), None);
    storage.set_key_check(b"first".to_vec()).await.unwrap();
    storage.set_key_check(b"second\0".to_vec()).await.unwrap();
    assert_eq!(storage.key_check().await.unwrap(), Some(b"second\0".to_vec()));
    drop(storage);
    assert_eq!(backend.open().await.key_check().await.unwrap(), Some(b"second\0".to_vec()));
}

pub(crate) async fn entries_survive_a_restart(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    seal(&*storage, 1, &["net/b"]).await;
    let fence = own(&*storage, 1, 1).await;
    storage.vault_write(id(1), fence, vec![sealing("net/a", b"1"), removing("net/b")]).await.unwrap();
    storage.vault_replace(&entry(1, "net/a", b"1"), b"2".to_vec()).await.unwrap();
    drop(storage);
    assert_eq!(backend.open().await.vault_scan(None, 9).await.unwrap(), [entry(1, "net/a", b"2")]);
}
