//! What a statement costs must not grow with history: none walks through a table that does, nor through all that such a table
//! holds of one session. Deleting a session does, of course; and its vault has few entries.

use std::collections::BTreeSet;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use seatport::conversation::{Content, Direction, Message, MessageStatus};
use seatport::lifecycle::PortChange;
use seatport::storage::{
    AgentStore, AuditStore, ConversationStore, EventStore, Expect, Incoming, LeaseStore, MessagePage, MessageUpdate,
    PortStore, ReadMark, SessionCommit, SessionStore, Storage, VaultEntry, VaultStore, VaultWrite,
};
use seatport::{
    Action, Address, Agent, AgentId, AuditEntry, CardStatus, EventBody, MessageId, NodeId, Outcome, Page, PortRange,
    Random, Role, SessionFilter, SessionId, SessionRecord, Timestamp, TransportName,
};

use crate::SqliteStorage;
use crate::error::Failure;

/// The tables that hold history. `audit` is one of them, `session` is not: a list of cards may look at every card.
const HISTORY: [&str; 9] = ["message", "m", "event", "contact", "k", "chat", "c", "vault", "audit"];

static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn note(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(statement, _) = event {
        SEEN.lock().insert(statement.sql().into_owned());
    }
}

fn trace(connection: &Connection) -> Result<(), Failure> {
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note));
    Ok(())
}

/// How SQLite would go about a statement.
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    // Only the plan is wanted: parameters may stay unbound.
    explain.raw_query().mapped(|row| row.get("detail")).collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn no_statement_walks_through_history() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("seatport.db");
    let storage = SqliteStorage::options().readers(1).open(&file).await.unwrap();
    storage.writer.write(|step| trace(step.connection)).await.unwrap();
    storage.readers.read(trace).await.unwrap();

    use_everything(&storage).await;
    storage.close().await.unwrap();

    let connection = Connection::open(&file).unwrap();
    let mut statements = 0;
    for sql in SEEN.lock().iter().filter(|sql| !sql.starts_with("--")) {
        let first_word = sql.split_whitespace().next().unwrap_or_default();
        if !["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&first_word) {
            continue;
        }
        statements += 1;
        for step in plan(&connection, sql) {
            let walks = HISTORY.iter().any(|table| {
                let of_the_session = format!("SEARCH {table} USING PRIMARY KEY (session=?)");
                step == format!("SCAN {table}")
                    || step.starts_with(&format!("SCAN {table} "))
                    || (step == of_the_session && !["DELETE", "vault"].iter().any(|all| sql.contains(all)))
            });
            assert!(!walks && !step.contains("TEMP B-TREE"), "{step}\n  in {sql}");
        }
    }
    assert!(statements > 45, "only {statements} statements were seen");
}

async fn use_everything(storage: &SqliteStorage) {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let random = Random::seeded(1);
    let (id, node) = (SessionId::generate(now, &random), NodeId::generate(now, &random));
    let ada = AgentId::new("ada").unwrap();
    let address = Address::new("person@net").unwrap();
    let message_id = MessageId::new("1").unwrap();
    let audit =
        AuditEntry { at: now, agent: ada.clone(), action: Action::Add, session: Some(id), outcome: Outcome::Done };

    storage.put_agent(Agent::new("ada", "Ada", Role::Agent).unwrap()).await.unwrap();
    storage.agent(&ada).await.unwrap();
    storage.agents().await.unwrap();
    storage.resize_ports(PortRange::new(1, 3).unwrap()).await.unwrap();
    storage.set_key_check(vec![1]).await.unwrap();
    storage.key_check().await.unwrap();
    storage.join(node, Duration::from_secs(60)).await.unwrap();

    let mut commit = SessionCommit::new(id, now, Expect::New);
    commit.record = Some(SessionRecord::new(id, now, TransportName::new("sim").unwrap()));
    storage.commit(commit).await.unwrap();
    let fence = storage.claim(id, node).await.unwrap().unwrap();

    let mut commit = SessionCommit::new(id, now, Expect::Revision(1));
    commit.fence = Some(fence);
    commit.record = Some(SessionRecord::new(id, now, TransportName::new("sim").unwrap()));
    commit.port = PortChange::Claim;
    commit.forget_credentials = true;
    commit.vault = vec![
        VaultWrite { name: "net/a".into(), sealed: Some(vec![1]) },
        VaultWrite { name: "net/b".into(), sealed: None },
    ];
    let message = |content| Incoming {
        message: Message {
            chat: address.clone(),
            id: message_id.clone(),
            direction: Direction::Inbound,
            sender: address.clone(),
            author: None,
            content,
            at: now,
            status: MessageStatus::Delivered,
        },
        sender_name: None,
    };
    commit.messages = vec![message(Content::Undecryptable), message(Content::Text("hello".into()))];
    let (chat, status) = (address.clone(), MessageStatus::Read);
    commit.updates = vec![MessageUpdate { chat: chat.clone(), id: message_id.clone(), status }];
    commit.read = vec![
        ReadMark { chat: chat.clone(), up_to: Some(message_id.clone()) },
        ReadMark { chat: chat.clone(), up_to: None },
    ];
    commit.events = vec![EventBody::RemarkChanged];
    commit.audit = vec![audit.clone()];
    storage.commit(commit).await.unwrap();

    storage.session(id).await.unwrap().unwrap();
    let narrow =
        SessionFilter { statuses: vec![CardStatus::Online], agent: Some(Some(ada.clone())), text: Some("vip".into()) };
    for filter in [SessionFilter::default(), narrow] {
        storage.sessions(&filter, Page::after(id, 10)).await.unwrap();
    }
    storage.port_usage().await.unwrap();
    storage.orphans(None, 10).await.unwrap();
    storage.contacts(id, None, 10).await.unwrap();
    storage.chats(id, None, 10).await.unwrap();
    storage.chat(id, &chat).await.unwrap().unwrap();
    storage.messages(id, &chat, MessagePage::newest(10)).await.unwrap();
    storage.messages(id, &chat, MessagePage::before(1, 10)).await.unwrap();
    storage.message(id, &chat, &message_id).await.unwrap().unwrap();
    storage.pending(id, 10).await.unwrap();
    storage.events(id, 0, 10).await.unwrap();
    storage.event_heads(None, 10).await.unwrap();
    storage.vault_write(id, fence, vec![]).await.unwrap();
    storage.vault_get(id, "net/a").await.unwrap();
    storage.vault_list(id, "net/").await.unwrap();
    storage.vault_scan(None, 10).await.unwrap();
    let entry = VaultEntry { session: id, name: "net/a".into(), sealed: vec![1] };
    storage.vault_replace(&entry, vec![2]).await.unwrap();
    storage.record(audit.clone()).await.unwrap();
    storage.audit(0, 10).await.unwrap();
    storage.release(id, fence).await.unwrap();
    storage.delete(id, 2, audit).await.unwrap();
    storage.remove_agent(&ada).await.unwrap();
}
