//! What the cases store.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use seatport::conversation::{
    Amendment, AmendmentChange, Author, ChatKind, ChatUpdate, ContactUpdate, Content, Direction, Message,
    MessageStatus, StoredMessage,
};
use seatport::leads::PersonKey;
use seatport::lifecycle::{Account, Desired, Facts, Lifecycle, Login, PortChange};
use seatport::storage::{
    ChatNews, Expect, Fence, Identity, Incoming, MessageUpdate, NodeProfile, NodeReport, ReadMark, SessionCommit,
    Storage, StorageError, StorageErrorKind, VaultWrite,
};
use seatport::{
    Action, Address, AgentId, AuditEntry, EventBody, MessageId, NodeId, Outcome, Page, SessionId, SessionRecord,
    Timestamp, TransportName,
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

/// What this node says of itself when it joins.
pub(super) fn profile(number: u64) -> NodeProfile {
    NodeProfile { id: node(number), labels: BTreeMap::new(), capacity: u32::MAX }
}

/// What a node says of itself that takes sessions and has none.
pub(super) const REPORT: NodeReport = NodeReport { sessions: 0, accepting: true };

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
    record.first_login_at = Some(at(0));
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

/// A text that somebody wrote to us, as a commit brings it.
///
/// # Panics
///
/// If there is no such address, or no such message id.
///
/// ```
/// use seatport::Timestamp;
/// use seatport_testkit::storage::text_from;
///
/// let incoming = text_from("ann@net", "1", "hello", Timestamp::from_millis(0));
/// assert_eq!(incoming.message.sender, incoming.message.chat);
/// ```
#[must_use]
pub fn text_from(chat: &str, id: &str, text: impl Into<String>, at: Timestamp) -> Incoming {
    Incoming::new(Message {
        chat: address(chat),
        id: message_id(id),
        direction: Direction::Inbound,
        sender: address(chat),
        author: None,
        content: Content::Text(text.into()),
        at,
        status: MessageStatus::Delivered,
        quoted: None,
    })
}

pub(super) fn inbound(chat: &str, id: &str, second: i64) -> Incoming {
    text_from(chat, id, format!("{id} from {chat}"), at(second))
}

pub(super) fn outbound(chat: &str, id: &str, second: i64) -> Incoming {
    let mut incoming = inbound(chat, id, second);
    incoming.message.direction = Direction::Outbound;
    incoming.message.sender = address("me@net");
    incoming.message.author = Some(Author::Agent(agent_id("mei")));
    incoming.message.status = MessageStatus::Pending;
    incoming
}

/// The message as it is stored at this place, with nothing changed since.
pub(super) fn stored(seq: u64, message: Message) -> StoredMessage {
    StoredMessage { seq, message, edited_at: None, reactions: vec![], failure: None }
}

/// The same message, of a chat with the person of this number.
pub(super) fn about(incoming: Incoming, number: u8) -> Incoming {
    Incoming { person: Some(person(number)), ..incoming }
}

/// The same message with another text.
pub(super) fn saying(mut incoming: Incoming, text: &str) -> Incoming {
    incoming.message.content = Content::Text(text.to_owned());
    incoming
}

/// The same message from somebody else, as in a group.
pub(super) fn sent_by(mut incoming: Incoming, sender: &str) -> Incoming {
    incoming.message.sender = address(sender);
    incoming
}

/// The same message with the sender's own name.
pub(super) fn named(incoming: Incoming, name: &str) -> Incoming {
    Incoming { sender_name: Some(name.to_owned()), ..incoming }
}

/// A person as the ledger knows them.
pub(super) fn person(number: u8) -> PersonKey {
    PersonKey::from_bytes([number; 16])
}

/// The first address turns out to be the second.
pub(super) fn identity(address_: &str, canonical: &str) -> Identity {
    Identity { address: address(address_), canonical: address(canonical), persons: None }
}

/// The other side changes a message of a chat with one person.
pub(super) fn amendment(chat: &str, target: &str, id: &str, second: i64, change: AmendmentChange) -> Amendment {
    Amendment {
        chat: address(chat),
        target: message_id(target),
        id: message_id(id),
        sender: address(chat),
        at: at(second),
        change,
    }
}

pub(super) fn edit(chat: &str, target: &str, id: &str, second: i64, text: &str) -> Amendment {
    amendment(chat, target, id, second, AmendmentChange::Edit(Content::Text(text.to_owned())))
}

pub(super) fn reaction(chat: &str, target: &str, id: &str, second: i64, emoji: Option<&str>) -> Amendment {
    amendment(chat, target, id, second, AmendmentChange::React(emoji.map(str::to_owned)))
}

pub(super) fn deletion(chat: &str, target: &str, id: &str, second: i64) -> Amendment {
    amendment(chat, target, id, second, AmendmentChange::Delete)
}

/// A commit that changes messages.
pub(super) fn amending(number: u64, amendments: impl IntoIterator<Item = Amendment>) -> SessionCommit {
    SessionCommit { amendments: amendments.into_iter().collect(), ..commit(number) }
}

/// A commit that merges addresses.
pub(super) fn identifying(number: u64, identities: impl IntoIterator<Item = Identity>) -> SessionCommit {
    SessionCommit { identities: identities.into_iter().collect(), ..commit(number) }
}

/// A commit that stores these messages.
pub(super) fn storing(number: u64, messages: impl IntoIterator<Item = Incoming>) -> SessionCommit {
    SessionCommit { messages: messages.into_iter().collect(), ..commit(number) }
}

/// The news that a message of ours has come so far.
pub(super) fn update(chat: &str, id: &str, status: MessageStatus) -> MessageUpdate {
    MessageUpdate { chat: address(chat), id: message_id(id), status, failure: None }
}

/// The news that a chat was read somewhere else, so that the network knows.
pub(super) fn mark(chat: &str, up_to: Option<&str>) -> ReadMark {
    ReadMark { chat: address(chat), up_to: up_to.map(message_id), tell: false }
}

/// A commit that marks a chat as read.
pub(super) fn reading(number: u64, chat: &str, up_to: Option<&str>) -> SessionCommit {
    SessionCommit { read: vec![mark(chat, up_to)], ..commit(number) }
}

pub(super) fn sealing(name: &str, sealed: &[u8]) -> VaultWrite {
    VaultWrite { name: name.to_owned(), sealed: Some(sealed.to_vec()) }
}

pub(super) fn audit(number: u64, action: Action) -> AuditEntry {
    AuditEntry { at: at(1), agent: agent_id("mei"), action, session: Some(id(number)), outcome: Outcome::Done }
}

/// A commit of every kind of write that may come more than once. The first time it adds these events of its own accord: a
/// chat was added, two messages were stored, one was amended.
pub(super) fn everything(number: u64) -> SessionCommit {
    let messages = [inbound("ann@net", "a", 1), outbound("ann@net", "b", 2)];
    let mut commit = storing(number, messages.map(|message| about(message, 1)));
    commit.record = Some(online(number));
    commit.identities = vec![identity("old-ann@net", "ann@net")];
    commit.contacts = vec![ContactUpdate { saved_name: Some("Ann".into()), ..ContactUpdate::new(address("ann@net")) }];
    commit.chats = vec![ChatNews { update: ChatUpdate::new(address("ann@net"), ChatKind::Person), person: None }];
    commit.amendments = vec![reaction("ann@net", "a", "r", 3, Some("👍"))];
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
    storage.join(&profile(owner), MINUTE).await.expect("a node joins");
    let fence = storage.claim(id(session), node(owner)).await.expect("a live node may claim");
    fence.expect("nobody else owns it")
}

/// Lands a commit; the events it added.
pub(super) async fn events_of(storage: &dyn Storage, commit: SessionCommit) -> Vec<EventBody> {
    let session = commit.session;
    let before = storage.session(session).await.expect("can be read").expect("the session is there").last_event;
    storage.commit(commit).await.expect("the commit lands");
    let events = storage.events(session, before, 1000).await.expect("events can be read");
    events.into_iter().map(|event| event.body).collect()
}

/// A message that has to be there.
pub(super) async fn message(storage: &dyn Storage, session: u64, chat: &str, id_: &str) -> StoredMessage {
    let message = storage.message(id(session), &address(chat), &message_id(id_)).await.expect("can be read");
    message.expect("the message is stored")
}

/// The ids of a chat's messages, newest first.
pub(super) async fn ids(storage: &dyn Storage, session: u64, chat: &str) -> Vec<String> {
    let messages = storage.messages(id(session), &address(chat), Page::first(100)).await.expect("can be read");
    messages.into_iter().map(|stored| stored.message.id.as_str().to_owned()).collect()
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
