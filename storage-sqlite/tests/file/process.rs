//! Two processes and one file, and what is left when one of them is killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::sample::{self, add, inbound, place, record, session_id};
use seatport::lifecycle::{Desired, Lifecycle};
use seatport::storage::{
    ConversationStore, Expect, LeaseStore, NodeProfile, Page, SessionCommit, SessionStore, Storage, StorageErrorKind,
};
use seatport::{Address, CardStatus, NodeId, Random};
use seatport_sqlite::SqliteStorage;

const FILE: &str = "SEATPORT_TEST_FILE";
const CHAT: &str = "person@net";

/// Runs [`the_other_process`] in a process of its own, up to the first message it has stored.
fn start_another(file: &Path) -> (Child, impl Iterator<Item = u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::the_other_process", "--ignored", "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let stored = lines.filter_map(|line| line.strip_prefix("stored ").and_then(|number| number.parse().ok()));
    (child, stored)
}

/// Owns a session and stores messages until it is killed; says so after each one.
#[tokio::test]
#[ignore = "the second process of the tests in this file, which start it themselves"]
async fn the_other_process() {
    let file = std::env::var_os(FILE).expect("started by one of the tests in this file");
    let storage = SqliteStorage::open(file).await.unwrap();
    let (session, node) = (session_id(1), NodeId::generate(sample::NOW, &Random::seeded(7)));
    let mut commit = add(session, "driven");
    commit.record = Some(online());
    storage.commit(commit).await.unwrap();
    storage
        .join(&NodeProfile { id: node, labels: Default::default(), capacity: 9 }, Duration::from_secs(3600))
        .await
        .unwrap();
    let fence = storage.claim(session, node).await.unwrap().unwrap();
    for number in 1_u64.. {
        let mut commit = SessionCommit::new(session, sample::NOW, Expect::Present);
        commit.fence = Some(fence);
        commit.messages = vec![inbound(CHAT, number.to_string(), "hello")];
        storage.commit(commit).await.unwrap();
        println!("stored {number}");
        std::io::stdout().flush().unwrap();
    }
}

fn online() -> seatport::SessionRecord {
    let mut record = record(session_id(1), "driven");
    record.facts.desired = Desired::Started;
    record.facts.lifecycle = Lifecycle::Online;
    record
}

#[tokio::test]
async fn a_second_process_is_refused_and_told_by_whom() {
    let (_directory, file) = place();
    let (mut other, mut stored) = start_another(&file);
    assert_eq!(stored.next(), Some(1));

    let error = SqliteStorage::open(&file).await.unwrap_err();
    let (kind, pid) = (error.kind(), other.id());
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(kind, StorageErrorKind::InUse);
    let expected = format!("seatport.db is in use by process {pid}; end that first, or name another file");
    assert!(error.to_string().ends_with(&expected), "{error}");
}

#[tokio::test]
async fn a_killed_process_leaves_what_it_acknowledged_and_owns_nothing_any_more() {
    let (_directory, file) = place();
    let (mut other, mut stored) = start_another(&file);
    assert!(stored.by_ref().take(20).count() == 20, "the other process stores messages");
    other.kill().unwrap();
    let acknowledged = stored.last().unwrap_or(20);
    other.wait().unwrap();

    let storage = SqliteStorage::open(&file).await.unwrap();
    let session = storage.session(session_id(1)).await.unwrap().unwrap();
    // The last one may have landed without being acknowledged any more.
    assert!(session.unread == acknowledged || session.unread == acknowledged + 1);
    let chat = Address::new(CHAT).unwrap();
    let messages = storage.messages(session_id(1), &chat, Page::first(u32::MAX)).await.unwrap();
    let places: Vec<_> = messages.iter().map(|message| message.seq).collect();
    assert_eq!(places, (1..=session.unread).rev().collect::<Vec<_>>());

    // Its lease would have lasted for an hour.
    assert_eq!((session.owner, session.status()), (None, CardStatus::Connecting));
    assert_eq!(storage.orphans(None, 10).await.unwrap()[0].session, session_id(1));
    let node = NodeId::generate(sample::NOW, &Random::seeded(8));
    storage
        .join(&NodeProfile { id: node, labels: Default::default(), capacity: 9 }, Duration::from_secs(10))
        .await
        .unwrap();
    let fence = storage.claim(session_id(1), node).await.unwrap().unwrap();
    assert_eq!(fence.epoch, 2, "the epoch goes on from where it was");
    storage.close().await.unwrap();
}
