//! What the cases store.

use std::fmt::Debug;
use std::sync::Arc;

use seatport::conversation::{Author, Content, Direction, Message, MessageStatus};
use seatport::lifecycle::{Account, Desired, Facts, Lifecycle, Login, PortChange};
use seatport::storage::{
    Expect, Fence, Incoming, ReadMark, SessionCommit, Storage, StorageError, StorageErrorKind, VaultWrite,
};
use seatport::{
    Action, Address, AgentId, AuditEntry, EventBody, MessageId, NodeId, Outcome, SessionId, SessionRecord, Timestamp,
    TransportName,
};
use std::time::Duration;

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// Session ids in the order of their numbers.
pub(super) fn id(number: u64) -> SessionId {
    SessionId::from_bytes((u128::from(number) << 64 | 0x5E55).to_be_bytes())
}

pub(super) fn node(number: u64) -> NodeId {
    NodeId::from_bytes((u128::from(number) << 64 | 0x0DE).to_be_bytes())
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + second * 1000)
}

pub(super) fn address(text: &str) -> Address {
    Address::new(text).expect("a valid address")
}

pub(super) fn message_id(text: &str) -> MessageId {
    MessageId::new(text).expect("a valid message id")
}

pub(super) fn agent_id(text: &str) -> AgentId {
    AgentId::new(text).expect("a valid agent id")
}

pub(super) fn record(number: u64) -> SessionRecord {
    let transport = TransportName::new("simulated").expect("a valid name");
    SessionRecord::new(id(number), at(0), transport)
}

/// The record of a session that ought to run and is in this state.
pub(super) fn running(number: u64, lifecycle: Lifecycle) -> SessionRecord {
    SessionRecord { facts: Facts { desired: Desired::Started, lifecycle, ..Facts::default() }, ..record(number) }
}

pub(super) fn online(number: u64) -> SessionRecord {
    let mut record = running(number, Lifecycle::Online);
    record.facts.login = Login::LoggedIn;
    record.facts.account =
        Some(Account { address: address("me@net"), phone: Some("8613800138000".into()), name: None });
    record
}

/// A commit that changes nothing yet, of a session that is there.
pub(super) fn commit(number: u64) -> SessionCommit {
    SessionCommit::new(id(number), at(1), Expect::Present)
}

/// A commit that adds a session.
pub(super) fn adding(record: SessionRecord) -> SessionCommit {
    let mut commit = SessionCommit::new(record.id, at(0), Expect::New);
    commit.record = Some(record);
    commit
}

/// A commit that claims or releases a port.
pub(super) fn port(number: u64, port: PortChange) -> SessionCommit {
    SessionCommit { port, ..commit(number) }
}

pub(super) fn inbound(chat: &str, id: &str, second: i64) -> Incoming {
    let message = Message {
        chat: address(chat),
        id: message_id(id),
        direction: Direction::Inbound,
        sender: address(chat),
        author: None,
        content: Content::Text(format!("{id} from {chat}")),
        at: at(second),
        status: MessageStatus::Delivered,
    };
    Incoming { message, sender_name: None }
}

pub(super) fn outbound(chat: &str, id: &str, second: i64) -> Incoming {
    let mut incoming = inbound(chat, id, second);
    incoming.message.direction = Direction::Outbound;
    incoming.message.sender = address("me@net");
    incoming.message.author = Some(Author::Agent(agent_id("mei")));
    incoming.message.status = MessageStatus::Pending;
    incoming
}

/// A commit that stores these messages.
pub(super) fn storing(number: u64, messages: impl IntoIterator<Item = Incoming>) -> SessionCommit {
    SessionCommit { messages: messages.into_iter().collect(), ..commit(number) }
}

/// A commit that marks a chat as read.
pub(super) fn reading(number: u64, chat: &str, up_to: Option<&str>) -> SessionCommit {
    SessionCommit { read: vec![ReadMark { chat: address(chat), up_to: up_to.map(message_id) }], ..commit(number) }
}

pub(super) fn sealing(name: &str, sealed: &[u8]) -> VaultWrite {
    VaultWrite { name: name.to_owned(), sealed: Some(sealed.to_vec()) }
}

pub(super) fn audit(number: u64, action: Action) -> AuditEntry {
    AuditEntry { at: at(1), agent: agent_id("mei"), action, session: Some(id(number)), outcome: Outcome::Done }
}

/// A commit of every kind of write that needs no message to be there.
pub(super) fn everything(number: u64) -> SessionCommit {
    let mut commit = storing(number, [inbound("ann@net", "a", 1), outbound("ann@net", "b", 2)]);
    commit.record = Some(online(number));
    commit.port = PortChange::Claim;
    commit.vault = vec![sealing("net/key", b"sealed"), sealing("proxy/password", b"sealed too")];
    commit.events = vec![EventBody::Added, EventBody::RemarkChanged];
    commit.audit = vec![audit(number, Action::Add), audit(number, Action::Start)];
    commit
}

/// Adds sessions at rest.
pub(super) async fn add(storage: &dyn Storage, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        storage.commit(adding(record(number))).await.expect("a new session is added");
    }
}

/// A node that has joined and owns the session.
pub(super) async fn own(storage: &dyn Storage, session: u64, owner: u64) -> Fence {
    storage.join(node(owner), MINUTE).await.expect("a node joins");
    let fence = storage.claim(id(session), node(owner)).await.expect("a live node may claim");
    fence.expect("nobody else owns it")
}

/// The kind of the error that a call was expected to answer.
#[track_caller]
pub(super) fn refused<T: Debug>(result: Result<T, StorageError>) -> StorageErrorKind {
    result.expect_err("the call is refused").kind()
}

/// Runs on four threads whatever `work` spawns, so that calls really happen at once.
pub(super) async fn on_many_threads<T, W>(storage: &Arc<dyn Storage>, work: impl FnOnce(Arc<dyn Storage>) -> W) -> T
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let work = work(storage.clone());
    let threads = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
        runtime.expect("the operating system gives what a runtime needs").block_on(work)
    });
    threads.await.expect("the work does not panic")
}
