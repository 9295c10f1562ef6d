use rusqlite::Connection;
use seatport::conversation::SearchQuery;
use seatport::storage::{ConversationStore, Expect, Incoming, SessionCommit, SessionStore, Storage};
use seatport::{Action, AgentId, Outcome, Random, SessionRecord, Timestamp, TransportName};
use seatport_testkit::storage::text_from;

use super::*;
use crate::SqliteStorage;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// As many as take three pieces; each person wrote two of them.
const MESSAGES: usize = 2 * PIECE + PIECE / 2;

fn id() -> SessionId {
    SessionId::generate(NOW, &Random::seeded(1))
}

fn record() -> SessionRecord {
    SessionRecord::new(id(), NOW, TransportName::new("sim").unwrap())
}

fn message(number: usize) -> Incoming {
    text_from(&format!("person{}@net", number / 2), &number.to_string(), format!("hello {number}"), NOW)
}

async fn filled(file: &std::path::Path) -> SqliteStorage {
    let storage = SqliteStorage::open(file).await.unwrap();
    let mut commit = SessionCommit::new(id(), NOW, Expect::New);
    commit.record = Some(record());
    commit.messages = (0..MESSAGES).map(message).collect();
    storage.commit(commit).await.unwrap();
    storage
}

fn doomed() -> Doomed {
    let agent = AgentId::new("mei").unwrap();
    let audit = AuditEntry { at: NOW, agent, action: Action::Delete, session: Some(id()), outcome: Outcome::Done };
    Doomed { id: id(), revision: 1, deletion: Deletion::Delete, audit }
}

/// How many messages and contacts are found.
async fn found(storage: &SqliteStorage) -> (usize, usize) {
    let messages = storage.search_messages(&SearchQuery::new("hello"), None, 10_000).await.unwrap();
    let contacts = storage.search_contacts(&SearchQuery::new("person"), None, 10_000).await.unwrap();
    (messages.len(), contacts.len())
}

#[tokio::test]
async fn a_session_with_many_texts_is_deleted_in_pieces_and_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("seatport.db");
    let storage = filled(&file).await;
    assert_eq!(found(&storage).await, (MESSAGES, MESSAGES / 2));
    storage.delete(id(), 1, Deletion::Delete, doomed().audit).await.unwrap();
    assert!(storage.session(id()).await.unwrap().is_none());
    storage.close().await.unwrap();

    let connection = Connection::open(&file).unwrap();
    for index in ["message_text", "contact_text"] {
        let all = format!("CREATE VIRTUAL TABLE temp.{index}_all USING fts5vocab ('main', '{index}', 'row')");
        connection.execute_batch(&all).unwrap();
        let grams = format!("SELECT count(*) FROM temp.{index}_all");
        assert_eq!(connection.query_row(&grams, [], |row| row.get(0)), Ok(0), "{index}");
    }
}

#[tokio::test]
async fn a_deletion_that_the_death_of_the_process_interrupts_is_undone() {
    for pieces in 1..=3 {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("seatport.db");
        let storage = filled(&file).await;
        for _ in 0..pieces {
            assert!(!go_on(&storage.writer, &doomed()).await.unwrap(), "there is more to do");
        }
        assert!(found(&storage).await.0 < MESSAGES);
        storage.close().await.unwrap();

        let storage = SqliteStorage::open(&file).await.unwrap();
        assert_eq!(found(&storage).await, (MESSAGES, MESSAGES / 2), "after {pieces} pieces");
        storage.delete(id(), 1, Deletion::Delete, doomed().audit).await.unwrap();
        storage.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_deletion_that_is_refused_half_way_is_undone() {
    let directory = tempfile::tempdir().unwrap();
    let storage = filled(&directory.path().join("seatport.db")).await;
    assert!(!go_on(&storage.writer, &doomed()).await.unwrap());
    // Meanwhile the session changes, and somebody writes.
    let mut commit = SessionCommit::new(id(), NOW, Expect::Revision(1));
    commit.record = Some(record());
    commit.messages = vec![message(MESSAGES)];
    storage.commit(commit).await.unwrap();

    let error = finish(storage.writer.clone(), doomed()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Stale);
    assert_eq!(found(&storage).await, (MESSAGES + 1, MESSAGES / 2 + 1));
    let check = storage.writer.write(|step| {
        for index in ["message_text", "contact_text"] {
            let check = format!("INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 0)");
            step.connection.execute_batch(&check)?;
        }
        Ok(())
    });
    check.await.unwrap();
    storage.close().await.unwrap();
}
