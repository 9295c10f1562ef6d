//! What several processes write into the same rows, and what is left of what they delete.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod backend;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use seatport::conversation::{Message, SearchQuery};
use seatport::storage::{
    AgentStore, AuditStore, ConversationStore, Deletion, EventStore, Expect, Incoming, SessionCommit, SessionStore,
    Storage, StorageErrorKind, VaultStore, VaultWrite,
};
use seatport::{
    Action, Agent, AgentId, AuditEntry, AuditHead, ConsumerName, Cursors, EventBody, Outcome, Random, Retention, Role,
    SessionId, SessionRecord, Timestamp, TransportName,
};
use seatport_postgres::PostgresStorage;
use seatport_testkit::storage::text_from;

use backend::Postgres;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// The tables in which rows hang on the key of a session.
const HANGING: [&str; 10] = [
    "vault",
    "alias",
    "contact",
    "chat",
    "message",
    "send_key",
    "event",
    "acknowledged",
    "message_text",
    "contact_text",
];

fn id(number: u64) -> SessionId {
    SessionId::generate(NOW, &Random::seeded(number))
}

fn audit(action: Action) -> AuditEntry {
    let agent = AgentId::new("mei").unwrap();
    AuditEntry { at: NOW, agent, action, session: None, outcome: Outcome::Done }
}

/// Each person wrote two of them.
fn message(number: usize) -> Incoming {
    text_from(&format!("person{}@net", number / 2), &number.to_string(), format!("hello {number}"), NOW)
}

/// Adds a session with so many messages.
async fn add(storage: &PostgresStorage, session: SessionId, messages: usize) {
    let mut commit = SessionCommit::new(session, NOW, Expect::New);
    commit.record = Some(SessionRecord::new(session, NOW, TransportName::new("sim").unwrap()));
    commit.vault = vec![VaultWrite { name: "net/key".to_owned(), sealed: Some(vec![1]) }];
    commit.messages = (0..messages).map(message).collect();
    storage.commit(commit).await.unwrap();
}

/// How many rows there are that hang on any session.
fn hanging(database: &Postgres) -> u64 {
    let counts = HANGING.map(|table| format!("(SELECT count(*) FROM {{}}.{table})"));
    database.sql(&format!("SELECT {}", counts.join(" + "))).parse().unwrap()
}

async fn until(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// As many processes that share the database.
async fn processes(database: &Postgres, count: usize) -> Vec<PostgresStorage> {
    join_all((0..count).map(|_| database.join())).await
}

async fn close(processes: Vec<PostgresStorage>) {
    join_all(processes.iter().map(Storage::close)).await.into_iter().for_each(Result::unwrap);
}

#[tokio::test]
async fn a_session_with_more_than_one_transaction_removes_leaves_nothing() {
    let database = Postgres::new(2);
    let storage = database.join().await;
    add(&storage, id(1), 12_000).await;
    assert!(hanging(&database) > 36_000);
    storage.delete(id(1), 1, Deletion::Delete, audit(Action::Delete)).await.unwrap();
    assert_eq!(hanging(&database), 0);
    assert_eq!(database.sql("SELECT count(*) FROM {}.leftover"), "0");
    close(vec![storage]).await;
}

#[tokio::test]
async fn what_is_left_of_a_deleted_session_is_not_seen_and_removed_at_the_next_opening() {
    let database = Postgres::new(2);
    let storage = database.join().await;
    for number in [1, 2] {
        add(&storage, id(number), 10).await;
    }
    let each = hanging(&database) / 2;
    // As it is after the first transaction of a deletion.
    let gone = format!("DELETE FROM {{}}.session WHERE id = '{}' RETURNING key", id(1));
    database.sql(&format!("WITH gone AS ({gone}) INSERT INTO {{}}.leftover SELECT key FROM gone"));
    database.sql("DELETE FROM {}.vault WHERE session IN (SELECT session FROM {}.leftover)");

    let messages = storage.search_messages(&SearchQuery::new("hello"), None, 100).await.unwrap();
    assert_eq!(messages.len(), 10);
    assert!(messages.iter().all(|hit| hit.session == id(2)));
    let contacts = storage.search_contacts(&SearchQuery::new("person"), None, 100).await.unwrap();
    assert_eq!(contacts.len(), 5);
    assert!(contacts.iter().all(|hit| hit.session == id(2)));
    add(&storage, id(1), 0).await;
    let Message { chat, id: known, .. } = message(0).message;
    assert_eq!(storage.message(id(1), &chat, &known).await.unwrap(), None);
    close(vec![storage]).await;

    let storage = database.join().await;
    let of_the_new_one = 1;
    until("the rest is removed", || hanging(&database) == each + of_the_new_one).await;
    until("and forgotten", || database.sql("SELECT count(*) FROM {}.leftover") == "0").await;
    close(vec![storage]).await;
}

#[tokio::test]
async fn lines_that_many_processes_add_at_once_are_one_chain() {
    let database = Postgres::new(2);
    let processes = processes(&database, 4).await;
    let adding = (0..80).map(|number| processes[number % 4].record(audit(Action::View)));
    join_all(adding).await.into_iter().for_each(Result::unwrap);
    let lines = processes[0].audit(0, 1000).await.unwrap();
    let chained = lines.iter().try_fold(AuditHead::default(), |head, line| head.followed_by(line)).unwrap();
    assert_eq!(chained.lines, 80);
    close(processes).await;
}

#[tokio::test]
async fn a_consumer_that_goes_while_others_acknowledge_for_it_leaves_nothing() {
    let database = Postgres::new(2);
    let processes = processes(&database, 4).await;
    let sessions = [1, 2, 3].map(id);
    for session in sessions {
        add(&processes[0], session, 0).await;
    }
    let name = ConsumerName::new("crm").unwrap();
    for round in 1..=10 {
        processes[0].register_consumer(&name).await.unwrap();
        let handled = Cursors(sessions.map(|session| (session, round)).into());
        let acknowledging = join_all(processes[1..].iter().map(|process| process.acknowledge(&name, &handled)));
        let (removed, acknowledged) = tokio::join!(processes[0].remove_consumer(&name), acknowledging);
        removed.unwrap();
        for error in acknowledged.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), StorageErrorKind::NotFound);
        }
        assert_eq!(database.sql("SELECT count(*) FROM {}.acknowledged"), "0", "in round {round}");
    }
    close(processes).await;
}

#[tokio::test]
async fn what_a_consumer_finds_when_it_registers_stays_until_it_was_acknowledged() {
    let database = Postgres::new(2);
    let processes = processes(&database, 4).await;
    let keep = Retention { age: None, count: Some(0) };
    for round in 1..=20 {
        add(&processes[0], id(round), 0).await;
        let mut commit = SessionCommit::new(id(round), NOW, Expect::Present);
        commit.events = vec![EventBody::RemarkChanged; 100];
        processes[0].commit(commit).await.unwrap();
        let name = ConsumerName::new(format!("consumer {round}")).unwrap();
        let registering = async {
            processes[0].register_consumer(&name).await.unwrap();
            processes[0].event_heads(None, 100).await.unwrap()
        };
        let trims = processes[1..].iter().map(|process| process.trim_events(id(round), &keep, NOW, 10));
        let (found, trims) = tokio::join!(registering, join_all(trims));
        trims.into_iter().for_each(|trimmed| assert!(trimmed.unwrap() <= 10));
        assert_eq!(processes[0].event_heads(None, 100).await.unwrap(), found, "in round {round}");
        processes[0].remove_consumer(&name).await.unwrap();
    }
    close(processes).await;
}

#[tokio::test]
async fn an_entry_is_replaced_by_one_of_those_who_try() {
    let database = Postgres::new(2);
    let processes = processes(&database, 4).await;
    add(&processes[0], id(1), 0).await;
    let old = processes[0].vault_list(id(1), "").await.unwrap().remove(0);
    let replacing = (2..).zip(&processes).map(|(byte, process)| process.vault_replace(&old, vec![byte]));
    let replaced = join_all(replacing).await.into_iter().map(Result::unwrap);
    assert_eq!(replaced.filter(|replaced| *replaced).count(), 1);
    close(processes).await;
}

#[tokio::test]
async fn texts_with_the_character_that_postgres_refuses_come_back() {
    let database = Postgres::new(2);
    let storage = database.join().await;
    let agent = Agent { id: AgentId::new("mei").unwrap(), name: "M\0ei\u{1a}".to_owned(), role: Role::Agent };
    storage.put_agent(agent.clone()).await.unwrap();
    assert_eq!(storage.agents().await.unwrap(), [agent]);

    add(&storage, id(1), 0).await;
    let mut commit = SessionCommit::new(id(1), NOW, Expect::Present);
    let name = "net/\0\u{1a}key";
    commit.vault = vec![VaultWrite { name: name.to_owned(), sealed: Some(vec![0]) }];
    storage.commit(commit).await.unwrap();
    assert_eq!(storage.vault_get(id(1), name).await.unwrap(), Some(vec![0]));
    let listed = storage.vault_list(id(1), "net/\0").await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), [name]);
    close(vec![storage]).await;
}
