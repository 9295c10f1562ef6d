//! The calls of a storage as values, so that one layer can see and change them all.

use std::time::Duration;

use seatport::conversation::{Chat, ChatCursor, Contact, ContactHit, MessageHit, SearchQuery, StoredMessage};
use seatport::leads::{LeadAdjustment, LeadTotal};
use seatport::storage::{
    Committed, Deletion, Fence, LiveNode, NodeProfile, NodeReport, Notice, Orphan, SessionCommit, Storage,
    StorageError, StoredSession, VaultEntry, VaultWrite,
};
use seatport::{
    Address, Agent, AgentId, AuditEntry, AuditLine, ConsumerName, Cursors, Event, EventHead, MessageId, NodeId, Page,
    PortRange, PortUsage, Retention, SendKey, SessionFilter, SessionId, Timestamp,
};

/// A call of a storage: each variant is the method of that name, with its arguments.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the methods of the storage traits are documented there")]
pub enum Call<'a> {
    Session(SessionId),
    Sessions(&'a SessionFilter, Page),
    Commit(Box<SessionCommit>),
    Delete(SessionId, u64, Deletion, AuditEntry),
    PortUsage,
    ResizePorts(PortRange),
    JoinPortQueue(NodeId),
    LeavePortQueue(u64),
    PortQueue,
    Join(&'a NodeProfile, Duration),
    Renew(NodeId, Duration, NodeReport),
    Nodes,
    Leave(NodeId),
    Claim(SessionId, NodeId),
    Release(SessionId, Fence),
    Orphans(Option<SessionId>, u32),
    PutAgent(Agent),
    Agent(&'a AgentId),
    Agents,
    RemoveAgent(&'a AgentId),
    Contacts(SessionId, Page<Address>),
    Contact(SessionId, &'a Address),
    Chats(SessionId, Page<ChatCursor>),
    Chat(SessionId, &'a Address),
    Messages(SessionId, &'a Address, Page<u64>),
    Message(SessionId, &'a Address, &'a MessageId),
    Keyed(SessionId, &'a SendKey),
    Pending(SessionId, u32),
    UntoldReads(SessionId, u32),
    SearchMessages(&'a SearchQuery, Option<(SessionId, u64)>, u32),
    SearchContacts(&'a SearchQuery, Option<&'a (SessionId, Address)>, u32),
    LeadTotals(Timestamp, Timestamp),
    LeadAdjustments(Timestamp, Timestamp),
    RebuildLeads,
    LedgerKey,
    ReplaceLedgerKey(Option<&'a [u8]>, &'a [u8]),
    Events(SessionId, u64, u32),
    EventHeads(Option<SessionId>, u32),
    TrimEvents(SessionId, &'a Retention, Timestamp, u32),
    RegisterConsumer(&'a ConsumerName),
    RemoveConsumer(&'a ConsumerName),
    Consumers,
    Acknowledge(&'a ConsumerName, &'a Cursors),
    Acknowledged(&'a ConsumerName),
    VaultGet(SessionId, &'a str),
    VaultList(SessionId, &'a str),
    VaultWrite(SessionId, Fence, Vec<VaultWrite>),
    VaultScan(Option<(SessionId, String)>, u32),
    VaultReplace(&'a VaultEntry, Vec<u8>),
    KeyCheck,
    SetKeyCheck(Vec<u8>),
    Record(AuditEntry),
    Audit(u64, u32),
    Notify(Notice),
    Close,
}

impl Call<'_> {
    /// Makes the call.
    pub async fn send(self, storage: &dyn Storage) -> Result<Answer, StorageError> {
        Ok(match self {
            Self::Session(id) => storage.session(id).await?.into(),
            Self::Sessions(filter, page) => storage.sessions(filter, page).await?.into(),
            Self::Commit(commit) => storage.commit(*commit).await?.into(),
            Self::Delete(id, revision, deletion, audit) => storage.delete(id, revision, deletion, audit).await?.into(),
            Self::PortUsage => storage.port_usage().await?.into(),
            Self::ResizePorts(range) => storage.resize_ports(range).await?.into(),
            Self::JoinPortQueue(node) => storage.join_port_queue(node).await?.into(),
            Self::LeavePortQueue(ticket) => storage.leave_port_queue(ticket).await?.into(),
            Self::PortQueue => storage.port_queue().await?.into(),
            Self::Join(node, ttl) => storage.join(node, ttl).await?.into(),
            Self::Renew(node, ttl, report) => storage.renew(node, ttl, report).await?.into(),
            Self::Nodes => storage.nodes().await?.into(),
            Self::Leave(node) => storage.leave(node).await?.into(),
            Self::Claim(session, node) => storage.claim(session, node).await?.into(),
            Self::Release(session, fence) => storage.release(session, fence).await?.into(),
            Self::Orphans(after, limit) => storage.orphans(after, limit).await?.into(),
            Self::PutAgent(agent) => storage.put_agent(agent).await?.into(),
            Self::Agent(id) => storage.agent(id).await?.into(),
            Self::Agents => storage.agents().await?.into(),
            Self::RemoveAgent(id) => storage.remove_agent(id).await?.into(),
            Self::Contacts(session, page) => storage.contacts(session, page).await?.into(),
            Self::Contact(session, address) => storage.contact(session, address).await?.into(),
            Self::Chats(session, page) => storage.chats(session, page).await?.into(),
            Self::Chat(session, address) => storage.chat(session, address).await?.into(),
            Self::Messages(session, chat, page) => storage.messages(session, chat, page).await?.into(),
            Self::Message(session, chat, id) => storage.message(session, chat, id).await?.into(),
            Self::Keyed(session, key) => storage.keyed(session, key).await?.into(),
            Self::Pending(session, limit) => storage.pending(session, limit).await?.into(),
            Self::UntoldReads(session, limit) => storage.untold_reads(session, limit).await?.into(),
            Self::SearchMessages(query, after, limit) => storage.search_messages(query, after, limit).await?.into(),
            Self::SearchContacts(query, after, limit) => storage.search_contacts(query, after, limit).await?.into(),
            Self::LeadTotals(from, until) => storage.lead_totals(from, until).await?.into(),
            Self::LeadAdjustments(from, until) => storage.lead_adjustments(from, until).await?.into(),
            Self::RebuildLeads => storage.rebuild_leads().await?.into(),
            Self::LedgerKey => storage.ledger_key().await?.into(),
            Self::ReplaceLedgerKey(old, sealed) => storage.replace_ledger_key(old, sealed).await?.into(),
            Self::Events(session, after, limit) => storage.events(session, after, limit).await?.into(),
            Self::EventHeads(after, limit) => storage.event_heads(after, limit).await?.into(),
            Self::TrimEvents(session, keep, now, limit) => storage.trim_events(session, keep, now, limit).await?.into(),
            Self::RegisterConsumer(consumer) => storage.register_consumer(consumer).await?.into(),
            Self::RemoveConsumer(consumer) => storage.remove_consumer(consumer).await?.into(),
            Self::Consumers => storage.consumers().await?.into(),
            Self::Acknowledge(consumer, handled) => storage.acknowledge(consumer, handled).await?.into(),
            Self::Acknowledged(consumer) => storage.acknowledged(consumer).await?.into(),
            Self::VaultGet(session, name) => storage.vault_get(session, name).await?.into(),
            Self::VaultList(session, prefix) => storage.vault_list(session, prefix).await?.into(),
            Self::VaultWrite(session, fence, writes) => storage.vault_write(session, fence, writes).await?.into(),
            Self::VaultScan(after, limit) => storage.vault_scan(after, limit).await?.into(),
            Self::VaultReplace(old, sealed) => storage.vault_replace(old, sealed).await?.into(),
            Self::KeyCheck => storage.key_check().await?.into(),
            Self::SetKeyCheck(sealed) => storage.set_key_check(sealed).await?.into(),
            Self::Record(entry) => storage.record(entry).await?.into(),
            Self::Audit(after, limit) => storage.audit(after, limit).await?.into(),
            Self::Notify(notice) => storage.notify(notice).await?.into(),
            Self::Close => storage.close().await?.into(),
        })
    }

    /// Whether the call asks only, and changes nothing.
    #[must_use]
    pub fn reads_only(&self) -> bool {
        match self {
            Self::Session(..)
            | Self::Sessions(..)
            | Self::PortUsage
            | Self::PortQueue
            | Self::Nodes
            | Self::Orphans(..)
            | Self::Agent(..)
            | Self::Agents
            | Self::Contacts(..)
            | Self::Contact(..)
            | Self::Chats(..)
            | Self::Chat(..)
            | Self::Messages(..)
            | Self::Message(..)
            | Self::Keyed(..)
            | Self::Pending(..)
            | Self::UntoldReads(..)
            | Self::SearchMessages(..)
            | Self::SearchContacts(..)
            | Self::LeadTotals(..)
            | Self::LeadAdjustments(..)
            | Self::LedgerKey
            | Self::Events(..)
            | Self::EventHeads(..)
            | Self::Consumers
            | Self::Acknowledged(..)
            | Self::VaultGet(..)
            | Self::VaultList(..)
            | Self::VaultScan(..)
            | Self::KeyCheck
            | Self::Audit(..) => true,
            Self::Commit(..)
            | Self::Delete(..)
            | Self::ResizePorts(..)
            | Self::JoinPortQueue(..)
            | Self::LeavePortQueue(..)
            | Self::Join(..)
            | Self::Renew(..)
            | Self::Leave(..)
            | Self::Claim(..)
            | Self::Release(..)
            | Self::PutAgent(..)
            | Self::RemoveAgent(..)
            | Self::RebuildLeads
            | Self::ReplaceLedgerKey(..)
            | Self::TrimEvents(..)
            | Self::RegisterConsumer(..)
            | Self::RemoveConsumer(..)
            | Self::Acknowledge(..)
            | Self::VaultWrite(..)
            | Self::VaultReplace(..)
            | Self::SetKeyCheck(..)
            | Self::Record(..)
            | Self::Notify(..)
            | Self::Close => false,
        }
    }
}

/// Writes the variants of [`Answer`] with the conversions to and from what the methods answer.
macro_rules! answers {
    ($($variant:ident($type:ty)),* $(,)?) => {
        /// What a storage answered: a variant for each type that a method answers with.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "the types say what they are")]
        pub enum Answer {
            $($variant($type)),*
        }

        $(impl From<$type> for Answer {
            fn from(answer: $type) -> Self {
                Self::$variant(answer)
            }
        }

        impl TryFrom<Answer> for $type {
            type Error = StorageError;

            /// An [`Intercept`](super::Intercept) that answers one call with the answer to another is broken: an error says so.
            fn try_from(answer: Answer) -> Result<Self, StorageError> {
                match answer {
                    Answer::$variant(answer) => Ok(answer),
                    other => Err(other.instead_of(stringify!($type))),
                }
            }
        })*
    };
}

answers! {
    Done(()),
    Session(Option<StoredSession>),
    Sessions(Vec<StoredSession>),
    Committed(Committed),
    Ports(PortUsage),
    Claimed(Option<Fence>),
    Number(u64),
    Tickets(Vec<u64>),
    Nodes(Vec<LiveNode>),
    Orphans(Vec<Orphan>),
    Agent(Option<Agent>),
    Agents(Vec<Agent>),
    Contacts(Vec<Contact>),
    Contact(Option<Contact>),
    Chats(Vec<Chat>),
    Chat(Option<Chat>),
    Messages(Vec<StoredMessage>),
    Message(Option<StoredMessage>),
    FoundMessages(Vec<MessageHit>),
    FoundContacts(Vec<ContactHit>),
    Totals(Vec<LeadTotal>),
    Adjustments(Vec<LeadAdjustment>),
    Events(Vec<Event>),
    Heads(Vec<EventHead>),
    Consumers(Vec<ConsumerName>),
    Acknowledged(Cursors),
    Sealed(Option<Vec<u8>>),
    Entries(Vec<VaultEntry>),
    Replaced(bool),
    Lines(Vec<AuditLine>),
}

impl Answer {
    fn instead_of(self, expected: &str) -> StorageError {
        let message = format!("a layer answered {self:?} where {expected} was asked for; mend the layer");
        StorageError::new(seatport::storage::StorageErrorKind::Other, message)
    }
}
