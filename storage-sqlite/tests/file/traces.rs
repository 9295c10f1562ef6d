//! What must not be found in any file: what was deleted, and passwords that were handed in with an environment.

use std::fs;
use std::path::Path;

use crate::sample::{add, audit, inbound, place, session_id};
use rusqlite::Connection;
use seatport::storage::{AuditStore, SessionStore, Storage, StorageErrorKind, VaultWrite};
use seatport::{Action, Environment};
use seatport_sqlite::SqliteStorage;

/// Whether any file of the database holds these bytes.
fn on_disk(file: &Path, bytes: &[u8]) -> bool {
    let files = fs::read_dir(file.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| fs::read(file).unwrap()).any(|found| found.windows(bytes.len()).any(|window| window == bytes))
}

#[tokio::test]
async fn the_password_of_a_proxy_gets_into_no_file() {
    let (_directory, file) = place();
    let storage = SqliteStorage::open(&file).await.unwrap();
    let mut commit = add(session_id(1), "");
    let record = commit.record.as_mut().unwrap();
    record.environment = Environment::new().proxy("socks5://mei:hunter2@proxy.example:1080").unwrap();
    storage.commit(commit).await.unwrap();
    assert!(on_disk(&file, b"proxy.example"));
    assert!(!on_disk(&file, b"hunter2"));
}

#[tokio::test]
async fn nothing_of_a_deleted_session_is_left_in_any_file() {
    let (_directory, file) = place();
    let storage = SqliteStorage::open(&file).await.unwrap();
    for (seed, word) in [(1, "doomed"), (2, "spared")] {
        let id = session_id(seed);
        let mut commit = add(id, &format!("{word} remark"));
        let long = format!("{word} word ").repeat(2000);
        commit.messages = vec![inbound(&format!("{word}@net"), "1", "hello"), inbound("c@net", "2", &long)];
        commit.vault = vec![VaultWrite { name: "net/key".into(), sealed: Some(format!("{word} secret").into()) }];
        commit.audit = vec![audit(id, Action::Add)];
        storage.commit(commit).await.unwrap();
    }
    assert!(on_disk(&file, b"doomed"));

    let id = session_id(1);
    let error = storage.delete(id, 2, audit(id, Action::Delete)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Stale);
    assert!(on_disk(&file, b"doomed secret"));
    storage.delete(id, 1, audit(id, Action::Delete)).await.unwrap();

    assert!(!on_disk(&file, b"doomed"));
    assert!(on_disk(&file, b"spared secret"));
    assert_eq!(storage.audit(0, 10).await.unwrap().len(), 3);
    storage.close().await.unwrap();

    let connection = Connection::open(&file).unwrap();
    for table in ["session", "vault", "contact", "chat", "message", "event"] {
        let sessions = match table {
            "session" => "count(DISTINCT key)",
            _ => "count(DISTINCT session)",
        };
        let sql = format!("SELECT {sessions} FROM {table}");
        assert_eq!(connection.query_row(&sql, [], |row| row.get(0)), Ok(1), "{table}");
    }
}

#[tokio::test]
async fn what_a_reader_keeps_in_the_log_is_gone_once_it_has_ended() {
    let (_directory, file) = place();
    let storage = SqliteStorage::open(&file).await.unwrap();
    let id = session_id(1);
    storage.commit(add(id, "doomed remark")).await.unwrap();
    // A backup, say, that reads what was there before.
    let reader = Connection::open(&file).unwrap();
    let reading = reader.unchecked_transaction().unwrap();
    let sessions: u64 = reading.query_row("SELECT count(*) FROM session", [], |row| row.get(0)).unwrap();
    assert_eq!(sessions, 1);
    storage.delete(id, 1, audit(id, Action::Delete)).await.unwrap();
    assert!(on_disk(&file, b"doomed"), "the reader may still ask for it");

    drop(reading);
    reader.close().unwrap();
    storage.close().await.unwrap();
    assert!(!on_disk(&file, b"doomed"), "it is gone in the end");
}
