//! Notices: they reach whoever listens, and stay nowhere.

use std::time::Duration;

use seatport::storage::{MAX_NOTICE_BYTES, Notice, StorageErrorKind};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use crate::storage::Backend;
use crate::storage::sample::{add, id, refused};
use crate::storage::snapshot::Snapshot;

/// How long a notice may take; a storage that keeps its promise takes no time worth mentioning.
const SOON: Duration = Duration::from_secs(5);

fn notice(session: u64, sealed: &[u8]) -> Notice {
    Notice { session: id(session), sealed: sealed.to_vec() }
}

/// The next notice.
async fn heard(notices: &mut Receiver<Notice>) -> Notice {
    let next = timeout(SOON, notices.recv()).await.expect("a notice comes soon");
    next.expect("the storage is open and few notices came")
}

pub(crate) async fn reach_everybody_who_listens_once(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let (mut one, mut two) = (storage.notices(), storage.notices());
    let said: Vec<_> = (1..=3).map(|number| notice(number, &[u8::try_from(number).expect("small"); 3])).collect();
    for notice in &said {
        storage.notify(notice.clone()).await.unwrap();
    }
    for notice in &said {
        assert_eq!(heard(&mut one).await, *notice);
        assert_eq!(heard(&mut two).await, *notice);
    }
    // Whether one came twice shows when the next one comes.
    storage.notify(notice(4, b"last")).await.unwrap();
    assert_eq!(heard(&mut one).await, notice(4, b"last"));
    assert_eq!(heard(&mut two).await, notice(4, b"last"));
}

pub(crate) async fn come_as_they_were_said(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let mut notices = storage.notices();
    let any_bytes: Vec<_> = (0..=u8::MAX).cycle().take(MAX_NOTICE_BYTES).collect();
    // About no session in particular: it need not be there.
    for sealed in [&b""[..], b"\0", b"'\"\\\r\n{}", &any_bytes] {
        storage.notify(notice(7, sealed)).await.unwrap();
        assert_eq!(heard(&mut notices).await, notice(7, sealed));
    }
}

pub(crate) async fn one_that_is_too_long_is_refused(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let mut notices = storage.notices();
    let long = notice(1, &[7; MAX_NOTICE_BYTES + 1]);
    assert_eq!(refused(storage.notify(long).await), StorageErrorKind::Other);
    storage.notify(notice(1, b"short")).await.unwrap();
    assert_eq!(heard(&mut notices).await, notice(1, b"short"), "nobody heard the one that was refused");
}

pub(crate) async fn are_kept_nowhere(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let mut before = storage.notices();
    let snapshot = Snapshot::of(&*storage).await;
    storage.notify(notice(1, b"from my lips to your ear")).await.unwrap();
    heard(&mut before).await;
    assert_eq!(Snapshot::of(&*storage).await, snapshot, "nothing was written");
    let mut after = storage.notices();
    storage.notify(notice(1, b"another one")).await.unwrap();
    assert_eq!(heard(&mut after).await, notice(1, b"another one"), "who comes later has missed what was said");
    drop(storage);

    let storage = backend.open().await;
    let mut later = storage.notices();
    storage.notify(notice(1, b"a third one")).await.unwrap();
    assert_eq!(heard(&mut later).await, notice(1, b"a third one"));
    assert_eq!(Snapshot::of(&*storage).await.sessions[&id(1)].vault, []);
}

pub(crate) async fn are_not_shown(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    let mut notices = storage.notices();
    storage.notify(notice(1, b"from my lips to your ear")).await.unwrap();
    let heard = heard(&mut notices).await;
    let too_long = storage.notify(notice(1, &b"lips".repeat(MAX_NOTICE_BYTES))).await.expect_err("it is too long");
    let shown = format!("{heard:?} {storage:?} {too_long} {too_long:?}");
    // As text, and as the numbers of the bytes.
    assert!(!shown.contains("lips") && !shown.contains("108, 105, 112, 115"), "{shown}");
}
