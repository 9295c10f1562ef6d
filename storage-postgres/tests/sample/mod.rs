//! Sessions to work on, and what is in the database about them.

#![allow(dead_code, reason = "every test that works on the storage uses a part of this")]

use std::collections::BTreeMap;
use std::time::Duration;

use seatport::conversation::{Author, Direction, MessageStatus};
use seatport::lifecycle::{Account, Desired, Lifecycle, Login, PortChange};
use seatport::storage::{Expect, Fence, Incoming, NodeProfile, SessionCommit, Storage, StorageError, VaultWrite};
use seatport::{Address, AgentId, Clock, NodeId, Random, SessionId, SessionRecord, SystemClock, Timestamp};
use seatport_testkit::postgres::Cluster;
use seatport_testkit::storage::text_from;

/// How long anything may take that has to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// A lease that does not run out by itself.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

pub(crate) const ANN: &str = "ann@net";
/// A message from Ann that is there from the beginning, and one to her that has not gone out.
pub(crate) const FROM_ANN: &str = "from-ann";
pub(crate) const TO_ANN: &str = "to-ann";

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

pub(crate) fn node() -> NodeId {
    NodeId::generate(now(), &Random::from_os().unwrap())
}

pub(crate) fn profile(id: NodeId) -> NodeProfile {
    NodeProfile { id, labels: BTreeMap::new(), capacity: u32::MAX }
}

pub(crate) fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

pub(crate) fn commit(session: SessionId) -> SessionCommit {
    SessionCommit::new(session, now(), Expect::Present)
}

pub(crate) fn inbound(id: &str) -> Incoming {
    text_from(ANN, id, format!("this is {id}"), now())
}

pub(crate) fn outbound(id: &str) -> Incoming {
    let mut incoming = inbound(id);
    incoming.message.direction = Direction::Outbound;
    incoming.message.sender = address("me@net");
    incoming.message.author = Some(Author::Agent(AgentId::new("mei").unwrap()));
    incoming.message.status = MessageStatus::Pending;
    incoming
}

pub(crate) fn online(session: SessionId) -> SessionRecord {
    let mut record = SessionRecord::new(session, now(), "simulated".parse().unwrap());
    (record.facts.desired, record.facts.lifecycle, record.facts.login) =
        (Desired::Started, Lifecycle::Online, Login::LoggedIn);
    record.facts.account = Some(Account { address: address("me@net"), phone: None, name: None });
    record.first_login_at = Some(record.since);
    record
}

/// A session that is online, with a port, credentials, and a chat.
pub(crate) async fn add(storage: &dyn Storage) -> SessionId {
    let id = SessionId::generate(now(), &Random::from_os().unwrap());
    let mut commit = SessionCommit::new(id, now(), Expect::New);
    (commit.record, commit.port) = (Some(online(id)), PortChange::Claim);
    commit.messages = vec![inbound(FROM_ANN), outbound(TO_ANN)];
    commit.vault = vec![VaultWrite { name: "net/credentials".into(), sealed: Some(b"sealed".to_vec()) }];
    storage.commit(commit).await.unwrap();
    id
}

/// A new node that has joined for so long, and owns the session.
pub(crate) async fn owner(storage: &dyn Storage, session: SessionId, ttl: Duration) -> Fence {
    let node = node();
    storage.join(&profile(node), ttl).await.unwrap();
    storage.claim(session, node).await.unwrap().expect("nobody else owns it")
}

/// Asks until the storage is not busy any more.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, StorageError>>>(ask: impl Fn() -> F) -> T {
    let begin = std::time::Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => {
                assert_eq!(error.retry(), seatport::Retry::Later, "{error:?}");
                assert!(begin.elapsed() < PATIENCE, "{error:?}");
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until this is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, is: impl Fn() -> F) {
    let begin = std::time::Instant::now();
    while !is().await {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every table of the schema, each with a hash of all its rows: all but the register of nodes, the queue that hangs on
/// it, and the marks of transactions.
pub(crate) fn dump(cluster: &Cluster, schema: &str) -> BTreeMap<String, String> {
    let tables = cluster.sql(&format!(
        "SELECT table_name FROM information_schema.tables \
         WHERE table_schema = '{schema}' AND table_name NOT IN ('node', 'port_queue', 'landed')"
    ));
    let hashes = tables.lines().map(|table| {
        format!(
            "SELECT '{table}', count(*), md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) \
             FROM \"{schema}\".\"{table}\" t"
        )
    });
    let rows = cluster.sql(&hashes.collect::<Vec<_>>().join(" UNION ALL "));
    let rows = rows.lines().map(|line| line.split_once('|').unwrap());
    rows.map(|(table, rest)| (table.to_owned(), rest.to_owned())).collect()
}
