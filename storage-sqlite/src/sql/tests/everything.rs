//! Every method of the storage, in every way that asks for a statement of its own.

use std::time::Duration;

use seatport::conversation::{
    Amendment, AmendmentChange, ChatCursor, ChatKind, ChatUpdate, ContactUpdate, Content, Coverage, Direction, Message,
    MessageStatus, SearchQuery,
};
use seatport::leads::PersonKey;
use seatport::lifecycle::{Desired, PortChange};
use seatport::storage::{
    AgentStore, AuditStore, ChatNews, ConversationStore, Deletion, EventStore, Expect, Fence, Identity, Incoming,
    LeadStore, LeaseStore, MessageUpdate, NodeProfile, Page, PersonIs, PortStore, ReadMark, SessionCommit,
    SessionStore, VaultEntry, VaultStore, VaultWrite,
};
use seatport::{
    Action, Address, Agent, AgentId, AuditEntry, CardStatus, ConsumerName, Cursors, Edge, EventBody, MessageId, NodeId,
    Outcome, PortRange, Random, Retention, Role, SendKey, SessionFilter, SessionId, SessionRecord, Timestamp,
    TransportName,
};

use crate::SqliteStorage;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn ada() -> AgentId {
    AgentId::new("ada").unwrap()
}

fn key(byte: u8) -> PersonKey {
    PersonKey::from_bytes([byte; 16])
}

fn later(hours: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + hours * 3_600_000)
}

fn session(seed: u64) -> SessionId {
    SessionId::generate(NOW, &Random::seeded(seed))
}

fn record(of: SessionId) -> SessionRecord {
    SessionRecord::new(of, NOW, TransportName::new("sim").unwrap())
}

fn inbound(chat: &str, name: &str, at: Timestamp, content: Content) -> Incoming {
    let message = Message {
        chat: address(chat),
        id: id(name),
        direction: Direction::Inbound,
        sender: address(chat),
        author: None,
        content,
        at,
        status: MessageStatus::Delivered,
        quoted: None,
    };
    Incoming { sender_name: Some("Li Na".into()), person: Some(key(1)), ..Incoming::new(message) }
}

fn outbound(chat: &str, name: &str) -> Incoming {
    let mut incoming = inbound(chat, name, NOW, Content::Text("to you".into()));
    incoming.message.direction = Direction::Outbound;
    incoming.message.author = Some(seatport::conversation::Author::Agent(ada()));
    incoming.message.status = MessageStatus::Pending;
    incoming.key = Some(SendKey::new(name).unwrap());
    incoming
}

fn amendment(target: &str, number: &str, change: AmendmentChange) -> Amendment {
    Amendment { chat: address("a@net"), target: id(target), id: id(number), sender: address("b@net"), at: NOW, change }
}

fn audit(of: SessionId) -> AuditEntry {
    AuditEntry { at: NOW, agent: ada(), action: Action::Add, session: Some(of), outcome: Outcome::Done }
}

fn edges<K: Clone>(place: &K) -> [Page<K>; 4] {
    let edges = [Edge::First, Edge::After(place.clone()), Edge::Before(place.clone()), Edge::Last];
    edges.map(|edge| Page { edge, limit: 10 })
}

pub(super) async fn use_it(storage: &SqliteStorage) {
    let (one, other) = (session(1), session(2));
    let fence = begin(storage, one).await;
    let undoing = storage.writer.write(move |step| {
        step.connection.execute("UPDATE session SET indexed_place = 0, indexed_address = 'a'", [])?;
        crate::delete::undo(step.connection, one, step.texts)
    });
    undoing.await.unwrap();
    converse(storage, one, fence).await;
    for added in [other, session(3)] {
        let mut commit = SessionCommit::new(added, NOW, Expect::New);
        commit.record = Some(record(added));
        commit.messages = vec![inbound("a@net", "1", later(1), Content::Text("hello".into()))];
        storage.commit(commit).await.unwrap();
    }
    read_conversations(storage, one).await;
    rest(storage, one, fence).await;
    storage.delete(one, 2, Deletion::Delete, audit(one)).await.unwrap();
    storage.delete(other, 1, Deletion::Erase, audit(other)).await.unwrap();
    storage.rebuild_leads().await.unwrap();
    storage.remove_agent(&ada()).await.unwrap();
}

async fn begin(storage: &SqliteStorage, one: SessionId) -> Fence {
    let node = NodeId::generate(NOW, &Random::seeded(9));
    storage.put_agent(Agent::new("ada", "Ada", Role::Agent).unwrap()).await.unwrap();
    storage.agent(&ada()).await.unwrap();
    storage.agents().await.unwrap();
    storage.resize_ports(PortRange::new(1, 3).unwrap()).await.unwrap();
    storage.set_key_check(vec![1]).await.unwrap();
    storage.key_check().await.unwrap();
    storage.replace_ledger_key(None, &[1]).await.unwrap();
    storage.ledger_key().await.unwrap();
    storage
        .join(&NodeProfile { id: node, labels: Default::default(), capacity: 9 }, Duration::from_secs(60))
        .await
        .unwrap();

    let mut commit = SessionCommit::new(one, NOW, Expect::New);
    commit.record = Some(record(one));
    storage.commit(commit).await.unwrap();
    storage.claim(one, node).await.unwrap().unwrap()
}

async fn converse(storage: &SqliteStorage, one: SessionId, fence: Fence) {
    let mut commit = SessionCommit::new(one, later(1), Expect::Revision(1));
    commit.fence = Some(fence);
    commit.record = Some(record(one));
    commit.record.as_mut().unwrap().facts.desired = Desired::Started;
    commit.port = PortChange::Claim;
    commit.forget_credentials = true;
    commit.vault = vec![
        VaultWrite { name: "net/a".into(), sealed: Some(vec![1]) },
        VaultWrite { name: "net/b".into(), sealed: None },
    ];
    let mut contact = ContactUpdate::new(address("a@net"));
    contact.name = Some("Ann".into());
    commit.contacts = vec![contact.clone(), ContactUpdate { saved_name: Some("Boss".into()), ..contact }];
    let mut update = ChatUpdate::new(address("old@net"), ChatKind::Person);
    update.active_at = Some(NOW);
    update.coverage = Some(Coverage { oldest: NOW, complete: false });
    commit.chats = vec![ChatNews { update: update.clone(), person: Some(key(2)) }];
    let text = |text: &str| Content::Text(text.into());
    commit.amendments = vec![amendment("5", "z", AmendmentChange::Edit(text("waits")))];
    commit.messages = vec![
        inbound("a@net", "1", later(1), Content::Undecryptable),
        inbound("a@net", "1", later(1), text("hello")),
        inbound("a@net", "2", later(50), text("again")),
        inbound("a@net", "3", later(26), text("between")),
        inbound("old@net", "1", later(60), text("hello")),
        inbound("old@net", "4", later(60), text("yes")),
        outbound("a@net", "out"),
    ];
    storage.commit(commit).await.unwrap();

    let mut commit = SessionCommit::new(one, later(100), Expect::Present);
    commit.messages = vec![inbound("a@net", "5", later(2), text("it has come"))];
    commit.messages[0].message.sender = address("c@net");
    commit.amendments = vec![
        amendment("1", "x", AmendmentChange::Edit(text("edited"))),
        amendment("1", "y", AmendmentChange::React(Some("👍".into()))),
        amendment("2", "x", AmendmentChange::Delete),
        amendment("6", "x", AmendmentChange::React(None)),
        amendment("6", "y", AmendmentChange::Delete),
    ];
    let chat = address("a@net");
    let status = |status| MessageUpdate { chat: chat.clone(), id: id("out"), status, failure: None };
    commit.updates = vec![status(MessageStatus::Sent), status(MessageStatus::Read)];
    commit.read = vec![
        ReadMark { chat: chat.clone(), up_to: Some(id("2")), tell: true },
        ReadMark { chat: chat.clone(), up_to: None, tell: false },
    ];
    commit.told = vec![(chat.clone(), id("1"))];
    commit.events = vec![EventBody::RemarkChanged];
    commit.audit = vec![audit(one)];
    storage.commit(commit).await.unwrap();

    let mut commit = SessionCommit::new(one, later(100), Expect::Present);
    let persons = Some(PersonIs { alias: key(1), person: key(2) });
    let waits = AmendmentChange::Edit(Content::Text("waits".into()));
    commit.identities = vec![
        Identity { address: address("old@net"), canonical: chat.clone(), persons },
        Identity { address: address("c@net"), canonical: address("d@net"), persons: None },
    ];
    commit.amendments = vec![amendment("7", "x", waits)];
    commit.messages = vec![inbound("old@net", "7", later(3), Content::Text("by the old name".into()))];
    commit.messages[0].person = Some(key(3));
    storage.commit(commit).await.unwrap();
}

async fn read_conversations(storage: &SqliteStorage, one: SessionId) {
    let chat = address("a@net");
    for page in edges(&chat) {
        storage.contacts(one, page).await.unwrap();
    }
    for page in edges(&ChatCursor { at: Some(NOW), address: chat.clone() }) {
        storage.chats(one, page).await.unwrap();
    }
    for page in edges(&1) {
        assert!(storage.messages(one, &chat, page).await.is_ok());
    }
    storage.contact(one, &chat).await.unwrap().unwrap();
    storage.chat(one, &chat).await.unwrap().unwrap();
    storage.message(one, &chat, &id("1")).await.unwrap().unwrap();
    storage.keyed(one, &SendKey::new("out").unwrap()).await.unwrap().unwrap();
    storage.pending(one, 10).await.unwrap();
    storage.untold_reads(one, 10).await.unwrap();
    for (within, bound_to) in [(None, None), (Some(one), None), (None, Some(ada())), (Some(one), Some(ada()))] {
        let query = SearchQuery { session: within, bound_to, ..SearchQuery::new("hello") };
        storage.search_messages(&query, Some((one, 100)), 10).await.unwrap();
        storage.search_contacts(&query, Some(&(one, chat.clone())), 10).await.unwrap();
    }
    let hits = storage.search_messages(&SearchQuery::new("hello"), None, 10).await.unwrap();
    assert_eq!(hits.len(), 2, "in the other two sessions: here it was edited");
}

async fn rest(storage: &SqliteStorage, one: SessionId, fence: Fence) {
    storage.session(one).await.unwrap().unwrap();
    let narrow =
        SessionFilter { statuses: vec![CardStatus::Online], agent: Some(Some(ada())), text: Some("vip".into()) };
    for filter in [SessionFilter::default(), narrow] {
        for page in edges(&one) {
            storage.sessions(&filter, page).await.unwrap();
        }
    }
    storage.port_usage().await.unwrap();
    storage.orphans(None, 10).await.unwrap();
    storage.vault_write(one, fence, vec![]).await.unwrap();
    storage.vault_get(one, "net/a").await.unwrap();
    storage.vault_list(one, "net/").await.unwrap();
    storage.vault_scan(None, 10).await.unwrap();
    let entry = VaultEntry { session: one, name: "net/a".into(), sealed: vec![1] };
    storage.vault_replace(&entry, vec![2]).await.unwrap();

    let consumer = ConsumerName::new("crm").unwrap();
    storage.events(one, 0, 10).await.unwrap();
    storage.event_heads(None, 10).await.unwrap();
    storage.register_consumer(&consumer).await.unwrap();
    storage.consumers().await.unwrap();
    storage.acknowledge(&consumer, &Cursors([(one, 3)].into())).await.unwrap();
    storage.acknowledged(&consumer).await.unwrap();
    let keep = Retention { age: Some(Duration::ZERO), count: Some(100) };
    storage.trim_events(one, &keep, later(1_000), 10).await.unwrap();
    storage.remove_consumer(&consumer).await.unwrap();

    storage.lead_totals(NOW, later(100)).await.unwrap();
    storage.lead_adjustments(NOW, later(100)).await.unwrap();
    storage.record(audit(one)).await.unwrap();
    storage.audit(0, 10).await.unwrap();
    storage.release(one, fence).await.unwrap();
}
