//! What must not be found in any file: what was deleted, and passwords that were handed in with an environment.

use std::fs;
use std::path::Path;

use crate::sample::{NOW, add, audit, inbound, place, session_id};
use rusqlite::Connection;
use seatport::conversation::{Amendment, AmendmentChange, Content, SearchQuery};
use seatport::storage::{
    AuditStore, ConversationStore, Deletion, Expect, SessionCommit, SessionStore, Storage, StorageErrorKind, VaultWrite,
};
use seatport::{Action, Environment};
use seatport_sqlite::SqliteStorage;

/// Whether any file of the database holds these bytes.
fn on_disk(file: &Path, bytes: &[u8]) -> bool {
    let files = fs::read_dir(file.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| fs::read(file).unwrap()).any(|found| found.windows(bytes.len()).any(|window| window == bytes))
}

/// How many texts an index knows with this piece in it. It is asked for what it holds, not for what it would find.
fn grams(connection: &Connection, index: &str, gram: &str) -> u64 {
    let vocabulary =
        format!("CREATE VIRTUAL TABLE IF NOT EXISTS temp.{index}_all USING fts5vocab ('main', '{index}', 'row')");
    connection.execute_batch(&vocabulary).unwrap();
    let sql = format!("SELECT coalesce(sum(doc), 0) FROM temp.{index}_all WHERE term = ?1");
    connection.query_row(&sql, [gram], |row| row.get(0)).unwrap()
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
    let error = storage.delete(id, 2, Deletion::Delete, audit(id, Action::Delete)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Stale);
    assert!(on_disk(&file, b"doomed secret"));
    storage.delete(id, 1, Deletion::Delete, audit(id, Action::Delete)).await.unwrap();

    assert!(!on_disk(&file, b"doomed"));
    assert!(on_disk(&file, b"spared secret"));
    assert_eq!(storage.audit(0, 10).await.unwrap().len(), 3);
    storage.close().await.unwrap();

    let connection = Connection::open(&file).unwrap();
    assert_eq!(grams(&connection, "message_text", "doo"), 0, "nor a piece of a text");
    assert_eq!(grams(&connection, "contact_text", "doo"), 0);
    assert_eq!(grams(&connection, "message_text", "spa"), 1);
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
async fn what_a_message_said_is_gone_once_it_was_edited_or_taken_back() {
    let (_directory, file) = place();
    let storage = SqliteStorage::open(&file).await.unwrap();
    let id = session_id(1);
    let mut commit = add(id, "");
    commit.messages =
        vec![inbound("c@net", "1", "quondam"), inbound("c@net", "2", "verboten"), inbound("c@net", "3", "quiet")];
    storage.commit(commit).await.unwrap();
    assert!(on_disk(&file, b"quondam") && on_disk(&file, b"verboten"));

    let change = |target: &str, change| {
        let [target, number] = [target, "x"].map(|id| id.parse().unwrap());
        let [chat, sender] = ["c@net"; 2].map(|address| address.parse().unwrap());
        Amendment { chat, target, id: number, sender, at: NOW, change }
    };
    let mut commit = SessionCommit::new(id, NOW, Expect::Present);
    commit.amendments = vec![
        change("1", AmendmentChange::Edit(Content::Text("since then".into()))),
        change("2", AmendmentChange::React(Some("gefragt".into()))),
        change("2", AmendmentChange::Edit(Content::Text("verbessert".into()))),
        change("2", AmendmentChange::Delete),
        // It was taken back before it came.
        change("4", AmendmentChange::Edit(Content::Text("vorher".into()))),
        change("4", AmendmentChange::Delete),
    ];
    storage.commit(commit).await.unwrap();
    let mut commit = SessionCommit::new(id, NOW, Expect::Present);
    commit.messages = vec![inbound("c@net", "4", "nachher")];
    storage.commit(commit).await.unwrap();
    for gone in ["quondam", "verboten", "verbessert", "gefragt", "vorher", "nachher"] {
        assert!(!on_disk(&file, gone.as_bytes()), "{gone}");
        assert_eq!(storage.search_messages(&SearchQuery::new(gone), None, 10).await.unwrap(), []);
    }
    assert_eq!(storage.search_messages(&SearchQuery::new("since"), None, 10).await.unwrap().len(), 1);
    storage.close().await.unwrap();

    let connection = Connection::open(&file).unwrap();
    for (gram, texts) in [("quo", 0), ("ver", 0), ("bot", 0), ("bes", 0), ("nac", 0), ("q", 1), ("qui", 1), ("sin", 1)]
    {
        assert_eq!(grams(&connection, "message_text", gram), texts, "{gram}");
    }
    for index in ["message_text", "contact_text"] {
        let check = format!("INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 0)");
        connection.execute_batch(&check).unwrap();
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
    storage.delete(id, 1, Deletion::Delete, audit(id, Action::Delete)).await.unwrap();
    assert!(on_disk(&file, b"doomed"), "the reader may still ask for it");

    drop(reading);
    reader.close().unwrap();
    storage.close().await.unwrap();
    assert!(!on_disk(&file, b"doomed"), "it is gone in the end");
}
