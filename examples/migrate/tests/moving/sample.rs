//! A SQLite database with something of everything in it.

use std::path::Path;
use std::time::Duration;

use seatport::conversation::{
    Amendment, AmendmentChange, Author, ChatKind, ChatUpdate, ContactUpdate, Content, Coverage, Direction, Message,
    MessageStatus,
};
use seatport::leads::PersonKey;
use seatport::lifecycle::{Desired, Lifecycle, PortChange};
use seatport::storage::{
    AgentStore, AuditStore, ChatNews, Deletion, EventStore, Expect, Identity, Incoming, LeadStore, LeaseStore,
    MessageUpdate, NodeProfile, PersonIs, PortStore, ReadMark, SessionCommit, SessionStore, Storage, VaultStore,
    VaultWrite,
};
use seatport::{
    Action, Address, Agent, AgentId, AuditEntry, ConsumerName, Cursors, EventBody, MessageId, NodeId, Outcome,
    PortRange, Random, Remark, Retention, Role, SendKey, SessionId, SessionRecord, Timestamp, TransportName,
};
use seatport_sqlite::SqliteStorage;

const NOON: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn ada() -> AgentId {
    AgentId::new("ada").unwrap()
}

fn person(number: u64) -> PersonKey {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.to_be_bytes());
    PersonKey::from_bytes(key)
}

fn later(minutes: i64) -> Timestamp {
    Timestamp::from_millis(NOON.as_millis() + minutes * 60_000)
}

pub(crate) fn session(number: u64) -> SessionId {
    SessionId::generate(NOON, &Random::seeded(number))
}

pub(crate) fn adding(number: u64) -> SessionCommit {
    let id = session(number);
    let mut record = SessionRecord::new(id, NOON, TransportName::new("sim").unwrap());
    record.remark = Remark::new(format!("number {number} 美")).unwrap();
    record.agent = Some(ada());
    record.first_login_at = Some(NOON);
    record.facts.desired = Desired::Started;
    record.facts.lifecycle = Lifecycle::Stopped;
    if number == 2 {
        record.environment.runs_on = [("egress".to_owned(), "berlin".to_owned())].into();
    }
    SessionCommit { record: Some(record), ..SessionCommit::new(id, NOON, Expect::New) }
}

pub(crate) fn inbound(chat: &str, name: &str, minutes: i64, content: Content) -> Incoming {
    let message = Message {
        chat: address(chat),
        id: id(name),
        direction: Direction::Inbound,
        sender: address(chat),
        author: None,
        content,
        at: later(minutes),
        status: MessageStatus::Delivered,
        quoted: None,
    };
    Incoming { sender_name: Some("Li\0Na \u{1a}0".into()), ..Incoming::new(message) }
}

fn outbound(chat: &str, name: &str, status: MessageStatus) -> Incoming {
    let mut incoming = inbound(chat, name, 1, Content::Text("to you".into()));
    incoming.message.direction = Direction::Outbound;
    incoming.message.author = Some(Author::Agent(ada()));
    incoming.message.quoted = Some(id("1"));
    incoming.message.status = status;
    incoming.key = Some(SendKey::new(name).unwrap());
    incoming
}

fn text(text: &str) -> Content {
    Content::Text(text.into())
}

fn amendment(target: &str, number: &str, change: AmendmentChange) -> Amendment {
    Amendment {
        chat: address("a@net"),
        target: id(target),
        id: id(number),
        sender: address("b@net"),
        at: later(3),
        change,
    }
}

fn audit(of: SessionId) -> AuditEntry {
    AuditEntry { at: NOON, agent: ada(), action: Action::Add, session: Some(of), outcome: Outcome::Done }
}

/// Makes it, with so many messages beside the special ones.
pub(crate) async fn fill(path: &Path, messages: u64) {
    let storage = SqliteStorage::open(path).await.unwrap();
    organisation(&storage).await;
    for number in 1..=4 {
        storage.commit(adding(number)).await.unwrap();
    }
    converse(&storage).await;
    identities(&storage).await;
    many(&storage, messages).await;
    forget(&storage).await;
    storage.close().await.unwrap();
}

async fn organisation(storage: &SqliteStorage) {
    storage.put_agent(Agent::new("ada", "Ada Lovelace", Role::Agent).unwrap()).await.unwrap();
    storage.put_agent(Agent::new("mei", "梅", Role::Supervisor).unwrap()).await.unwrap();
    storage.resize_ports(PortRange::new(7, 3).unwrap()).await.unwrap();
    storage.set_key_check(vec![1, 0, 255]).await.unwrap();
    storage.replace_ledger_key(None, &[0, 1, 2]).await.unwrap();
    for name in ["crm", "archive"] {
        storage.register_consumer(&ConsumerName::new(name).unwrap()).await.unwrap();
    }
}

async fn converse(storage: &SqliteStorage) {
    let node = NodeId::generate(NOON, &Random::seeded(9));
    let profile = NodeProfile { id: node, labels: Default::default(), capacity: 9 };
    storage.join(&profile, Duration::from_secs(60)).await.unwrap();
    let fence = storage.claim(session(1), node).await.unwrap().unwrap();
    let mut commit = SessionCommit::new(session(1), later(1), Expect::Present);
    commit.fence = Some(fence);
    commit.port = PortChange::Claim;
    commit.vault = ["net/a", "net/b", "proxy"]
        .map(|name| VaultWrite { name: name.into(), sealed: Some(name.bytes().rev().chain([0]).collect()) })
        .into();
    let mut contact = ContactUpdate::new(address("a@net"));
    (contact.phone, contact.saved_name) = (Some("8613800138000".into()), Some("Boss \0".into()));
    contact.avatar = Some(Some("https://pictures.example/1".into()));
    commit.contacts = vec![contact];
    let mut update = ChatUpdate::new(address("old@net"), ChatKind::Person);
    update.active_at = Some(NOON);
    update.coverage = Some(Coverage { oldest: NOON, complete: false });
    commit.chats = vec![ChatNews { update, person: Some(person(2)) }];
    commit.amendments = vec![amendment("5", "z", AmendmentChange::Edit(text("waits")))];
    commit.messages = vec![
        inbound("a@net", "1", 1, text("hello \0 there")),
        inbound("a@net", "2", 3_000, text("再见")),
        inbound("a@net", "3", 1_500, Content::Undecryptable),
        inbound("old@net", "1", 3_600, text("hello")),
        outbound("a@net", "out", MessageStatus::Pending),
        outbound("a@net", "sent", MessageStatus::Pending),
    ];
    storage.commit(commit).await.unwrap();

    let mut commit = SessionCommit::new(session(1), later(6_000), Expect::Present);
    commit.amendments = vec![
        amendment("1", "x", AmendmentChange::Edit(text("edited"))),
        amendment("1", "y", AmendmentChange::React(Some("👍".into()))),
        amendment("2", "x", AmendmentChange::Delete),
        amendment("6", "y", AmendmentChange::Delete),
    ];
    let update = MessageUpdate {
        chat: address("a@net"),
        id: id("sent"),
        status: MessageStatus::Failed,
        failure: Some(seatport::conversation::SendFailure::Refused("no\0route".into())),
    };
    commit.updates = vec![update];
    commit.read = vec![ReadMark { chat: address("a@net"), up_to: Some(id("1")), tell: true }];
    commit.events = vec![EventBody::RemarkChanged];
    commit.audit = vec![audit(session(1))];
    storage.commit(commit).await.unwrap();
}

async fn identities(storage: &SqliteStorage) {
    let mut commit = SessionCommit::new(session(1), later(6_000), Expect::Present);
    let persons = Some(PersonIs { alias: person(1), person: person(2) });
    commit.identities = vec![
        Identity { address: address("old@net"), canonical: address("a@net"), persons },
        Identity { address: address("c@net"), canonical: address("d@net"), persons: None },
    ];
    commit.messages = vec![inbound("old@net", "7", 9, text("by the old name"))];
    storage.commit(commit).await.unwrap();
    let consumer = ConsumerName::new("crm").unwrap();
    storage.acknowledge(&consumer, &Cursors([(session(1), 3)].into())).await.unwrap();
}

/// Many people write to the sessions, some of them to several, and some come back.
async fn many(storage: &SqliteStorage, messages: u64) {
    for first in (0..messages).step_by(250) {
        for number in 2..=4 {
            let from = (first..messages.min(first + 250)).filter(|message| message % 3 == number - 2);
            let messages = from.map(|message| {
                let who = message % 700;
                let words = text(&format!("message {message} 第{who}条 from number {who}"));
                let minutes = i64::try_from(message).unwrap();
                let incoming = inbound(&format!("p{who}@net"), &format!("m{message}"), minutes, words);
                Incoming { person: Some(person(who)), ..incoming }
            });
            let mut commit = SessionCommit::new(session(number), later(i64::try_from(first).unwrap()), Expect::Present);
            commit.messages = messages.collect();
            storage.commit(commit).await.unwrap();
        }
    }
}

async fn forget(storage: &SqliteStorage) {
    // Days after it was counted it turns out that somebody wrote.
    let mut late = SessionCommit::new(session(2), later(9_000), Expect::Present);
    late.messages = vec![Incoming { person: Some(person(9_999)), ..inbound("late@net", "late", 2, text("late")) }];
    storage.commit(late).await.unwrap();
    storage.record(audit(session(3))).await.unwrap();
    for (number, deletion) in [(3, Deletion::Delete), (4, Deletion::Erase)] {
        let mut record = adding(number).record.unwrap();
        record.facts.desired = Desired::Stopped;
        let at_rest = SessionCommit {
            record: Some(record),
            ..SessionCommit::new(session(number), later(9_000), Expect::Present)
        };
        let revision = storage.commit(at_rest).await.unwrap().revision;
        storage.delete(session(number), revision, deletion, audit(session(number))).await.unwrap();
    }
    let keep = Retention { age: None, count: Some(5_000) };
    storage.trim_events(session(2), &keep, later(9_000), 1_000).await.unwrap();
}
