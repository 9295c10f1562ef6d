//! Commits that are written in one transaction, and those that wait behind it.

use std::time::Duration;

use futures_util::future::join_all;
use seatport::conversation::{Content, Direction, Message, MessageStatus};
use seatport::storage::{Expect, Fence, Incoming, SessionCommit, SessionStore, StorageErrorKind};
use seatport::{Address, MessageId, SendKey};
use tokio::time::{sleep, timeout};

use crate::office::{LONG, NOW, Office, adding, committing, hold, id, noting, profile, record, waiting};

#[tokio::test]
async fn a_refused_commit_does_not_disturb_the_others_of_its_batch() {
    let office = Office::new();
    let storage = office.open().await;
    for session in 1..=9 {
        storage.commit(adding(record(session))).await.unwrap();
    }
    // While this one waits, the others gather behind it.
    let holder = hold(&office, &[1]).await;
    let first = committing(&storage, noting(1));
    waiting(&office, 1).await;
    let stale = SessionCommit { expect: Expect::Revision(7), ..noting(2) };
    let fence = Some(Fence { node: profile(1).id, epoch: 3 });
    let fenced = SessionCommit { fence, ..noting(3) };
    let batch = [noting(4), stale, noting(5), fenced, adding(record(6)), noting(7), noting(99), noting(4)];
    let batch: Vec<_> = batch.into_iter().map(|commit| committing(&storage, commit)).collect();
    sleep(Duration::from_millis(50)).await;
    holder.batch_execute("ROLLBACK").await.unwrap();

    assert_eq!(first.await.unwrap().unwrap().last_event, 1);
    let outcomes = join_all(batch)
        .await
        .into_iter()
        .map(|outcome| outcome.unwrap().map(|committed| committed.last_event).map_err(|error| error.kind()));
    use StorageErrorKind::{Exists, Fenced, NotFound, Stale};
    let expected = [Ok(1), Err(Stale), Ok(1), Err(Fenced), Err(Exists), Ok(1), Err(NotFound), Ok(2)];
    assert_eq!(outcomes.collect::<Vec<_>>(), expected);
    // All of them, but for the first one, were one transaction.
    assert_eq!(office.sql("SELECT count(DISTINCT xmin::text) FROM {}.event WHERE session <> 1"), "1");
}

#[tokio::test]
async fn a_commit_that_the_database_refuses_does_not_disturb_the_others_of_its_batch() {
    let office = Office::new();
    let storage = office.open().await;
    for session in 1..=4 {
        storage.commit(adding(record(session))).await.unwrap();
    }
    office.sql("ALTER TABLE {}.event ADD CONSTRAINT odd CHECK (session <> 3)");
    let holder = hold(&office, &[1]).await;
    let first = committing(&storage, noting(1));
    waiting(&office, 1).await;
    let batch: Vec<_> = (2..=4).map(|session| committing(&storage, noting(session))).collect();
    sleep(Duration::from_millis(50)).await;
    holder.batch_execute("ROLLBACK").await.unwrap();

    first.await.unwrap().unwrap();
    let outcomes: Vec<_> = join_all(batch).await.into_iter().map(|outcome| outcome.unwrap()).collect();
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert_eq!(outcomes[1].as_ref().unwrap_err().kind(), StorageErrorKind::Other);
    assert!(!format!("{:?}", outcomes[1]).contains("Failing row"), "{outcomes:?}");
    assert_eq!(storage.session(id(3)).await.unwrap().unwrap().last_event, 0);
}

/// A commit with a message that is sent under an idempotency key.
fn sending(session: u64, message: &str, key: &str) -> SessionCommit {
    let chat = Address::new("ann@net").unwrap();
    let message = Message {
        sender: chat.clone(),
        chat,
        id: MessageId::new(message).unwrap(),
        direction: Direction::Outbound,
        author: None,
        content: Content::Text("hello".to_owned()),
        at: NOW,
        status: MessageStatus::Pending,
        quoted: None,
    };
    let incoming = Incoming { key: Some(SendKey::new(key).unwrap()), ..Incoming::new(message) };
    SessionCommit { messages: vec![incoming], events: Vec::new(), ..noting(session) }
}

#[tokio::test]
async fn only_a_message_that_is_stored_uses_its_key_up() {
    let office = Office::new();
    let storage = office.open().await;
    for session in 1..=2 {
        storage.commit(adding(record(session))).await.unwrap();
    }
    let holder = hold(&office, &[1]).await;
    let first = committing(&storage, noting(1));
    waiting(&office, 1).await;
    // The second one is there already when it comes, so its key is free for the third.
    let batch = [sending(2, "1", "a"), sending(2, "1", "b"), sending(2, "2", "b"), sending(2, "3", "b")];
    let batch: Vec<_> = batch.into_iter().map(|commit| committing(&storage, commit)).collect();
    sleep(Duration::from_millis(50)).await;
    holder.batch_execute("ROLLBACK").await.unwrap();

    first.await.unwrap().unwrap();
    let outcomes = join_all(batch).await.into_iter().map(|outcome| outcome.unwrap().map_err(|error| error.kind()));
    let outcomes: Vec<_> = outcomes.map(|outcome| outcome.map(|committed| committed.last_event)).collect();
    assert_eq!(outcomes, [Ok(1), Ok(1), Ok(2), Err(StorageErrorKind::Exists)]);
}

#[tokio::test]
async fn a_commit_behind_one_that_is_stuck_is_given_up_in_time_and_never_lands() {
    let office = Office::new();
    let moment = Duration::from_millis(200);
    let options = office.options().lock_timeout(LONG).statement_timeout(LONG).wait(moment).retry_for(moment);
    let storage = office.open_with(options).await;
    for session in 1..=2 {
        storage.commit(adding(record(session))).await.unwrap();
    }
    let holder = hold(&office, &[1]).await;
    let stuck = committing(&storage, noting(1));
    waiting(&office, 1).await;
    let refused = timeout(LONG / 2, storage.commit(noting(2))).await.expect("it waits for the one before").unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::Busy, "{refused}");
    assert!(!stuck.is_finished());
    holder.batch_execute("ROLLBACK").await.unwrap();

    assert_eq!(stuck.await.unwrap().unwrap().last_event, 1);
    assert_eq!(storage.commit(noting(2)).await.unwrap().last_event, 1, "what was given up has landed");
}
