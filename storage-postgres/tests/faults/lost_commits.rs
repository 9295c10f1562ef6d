//! Connections that break while a transaction is being committed.

use seatport::storage::{ConversationStore, Expect, LeaseStore, SessionCommit, SessionStore, VaultStore, VaultWrite};
use seatport::{Page, SendKey};

use crate::on_a_cable;
use crate::sample::{ANN, LONG, add, address, inbound, online, outbound, owner, patiently};

const TIMES: u64 = 10;

/// When the answer is lost the caller hears the truth all the same, and nothing is done twice: a second try would find
/// the revision another one, and the key used.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_lands_once_and_is_answered_truly() {
    let (cable, storage, _) = on_a_cable(|options| options).await;
    let session = add(&storage).await;
    for number in 0..TIMES {
        let before = storage.session(session).await.unwrap().unwrap();
        match number % 2 {
            0 => cable.cut_after("COMMIT"),
            _ => cable.cut_before("COMMIT"),
        }
        let mut commit = SessionCommit::new(session, before.record.since, Expect::Revision(before.revision));
        commit.record = Some(online(session));
        let mut message = outbound(&format!("once-{number}"));
        message.key = Some(SendKey::new(format!("key-{number}")).unwrap());
        commit.messages = vec![message];
        let committed = storage.commit(commit).await.unwrap();
        assert!(!cable.is_set(), "the connection did not break");
        let after = storage.session(session).await.unwrap().unwrap();
        assert_eq!((committed.revision, after.revision), (before.revision + 1, before.revision + 1));
        assert_eq!((committed.last_event, after.last_event), (before.last_event + 1, before.last_event + 1));
    }
    let messages = storage.messages(session, &address(ANN), Page::first(100)).await.unwrap();
    assert_eq!(messages.iter().filter(|stored| stored.message.id.as_str().starts_with("once")).count() as u64, TIMES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_a_refusal_however_often_the_connection_breaks() {
    let (cable, storage, _) = on_a_cable(|options| options).await;
    let session = add(&storage).await;
    let revision = storage.session(session).await.unwrap().unwrap().revision;
    for number in 0..4 {
        match number % 2 {
            0 => cable.cut_after("session"),
            _ => cable.cut_before("session"),
        }
        let mut commit = SessionCommit::new(session, crate::sample::now(), Expect::Revision(revision + 7));
        commit.messages = vec![inbound("never")];
        let refused = storage.commit(commit).await.unwrap_err();
        assert_eq!(refused.kind(), seatport::storage::StorageErrorKind::Stale);
    }
}

/// The same for what is written beside commits.
#[tokio::test(flavor = "multi_thread")]
async fn other_writes_are_done_once_too_when_their_answer_is_lost() {
    let (cable, storage, schema) = on_a_cable(|options| options).await;
    let session = add(&storage).await;
    let fence = owner(&storage, session, LONG).await;
    for number in 0..4_u8 {
        let set = || match number % 2 {
            0 => cable.cut_after("COMMIT"),
            _ => cable.cut_before("COMMIT"),
        };
        set();
        let write = VaultWrite { name: format!("net/{number}"), sealed: Some(vec![number]) };
        storage.vault_write(session, fence, vec![write]).await.unwrap();
        assert_eq!(storage.vault_get(session, &format!("net/{number}")).await.unwrap(), Some(vec![number]));
    }
    // A claim whose answer is lost may be made again: then the epoch is one higher, and only the last one is held.
    cable.cut_after("COMMIT");
    let again = patiently(|| storage.claim(session, fence.node)).await.unwrap();
    assert!(again.epoch > fence.epoch);
    let write = VaultWrite { name: "net/last".into(), sealed: Some(vec![1]) };
    storage.vault_write(session, again, vec![write]).await.unwrap();
    drop((cable, schema));
}
