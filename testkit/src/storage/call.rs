//! The calls of a storage as values, so that one layer can see and change them all.

use std::time::Duration;

use seatport::conversation::{Chat, Contact, StoredMessage};
use seatport::storage::{
    Committed, Fence, MessagePage, SessionCommit, Storage, StorageError, StoredSession, VaultEntry, VaultWrite,
};
use seatport::{
    Address, Agent, AgentId, AuditEntry, AuditLine, Event, MessageId, NodeId, Page, PortRange, PortUsage,
    SessionFilter, SessionId,
};

/// A call of a storage: each variant is the method of that name, with its arguments.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the methods of the storage traits are documented there")]
pub enum Call<'a> {
    Session(SessionId),
    Sessions(&'a SessionFilter, Page),
    Commit(Box<SessionCommit>),
    Delete(SessionId, u64, AuditEntry),
    PortUsage,
    ResizePorts(PortRange),
    Join(NodeId, Duration),
    Renew(NodeId, Duration),
    Leave(NodeId),
    Claim(SessionId, NodeId),
    Release(SessionId, Fence),
    Orphans(Option<SessionId>, u32),
    PutAgent(Agent),
    Agent(&'a AgentId),
    Agents,
    RemoveAgent(&'a AgentId),
    Contacts(SessionId, Option<&'a Address>, u32),
    Chats(SessionId, Option<&'a Address>, u32),
    Chat(SessionId, &'a Address),
    Messages(SessionId, &'a Address, MessagePage),
    Message(SessionId, &'a Address, &'a MessageId),
    Pending(SessionId, u32),
    Events(SessionId, u64, u32),
    EventHeads(Option<SessionId>, u32),
    VaultGet(SessionId, &'a str),
    VaultList(SessionId, &'a str),
    VaultWrite(SessionId, Fence, Vec<VaultWrite>),
    VaultScan(Option<(SessionId, String)>, u32),
    VaultReplace(&'a VaultEntry, Vec<u8>),
    KeyCheck,
    SetKeyCheck(Vec<u8>),
    Record(AuditEntry),
    Audit(u64, u32),
    Close,
}

impl Call<'_> {
    /// Makes the call.
    pub async fn send(self, storage: &dyn Storage) -> Result<Answer, StorageError> {
        Ok(match self {
            Self::Session(id) => storage.session(id).await?.into(),
            Self::Sessions(filter, page) => storage.sessions(filter, page).await?.into(),
            Self::Commit(commit) => storage.commit(*commit).await?.into(),
            Self::Delete(id, revision, audit) => storage.delete(id, revision, audit).await?.into(),
            Self::PortUsage => storage.port_usage().await?.into(),
            Self::ResizePorts(range) => storage.resize_ports(range).await?.into(),
            Self::Join(node, ttl) => storage.join(node, ttl).await?.into(),
            Self::Renew(node, ttl) => storage.renew(node, ttl).await?.into(),
            Self::Leave(node) => storage.leave(node).await?.into(),
            Self::Claim(session, node) => storage.claim(session, node).await?.into(),
            Self::Release(session, fence) => storage.release(session, fence).await?.into(),
            Self::Orphans(after, limit) => storage.orphans(after, limit).await?.into(),
            Self::PutAgent(agent) => storage.put_agent(agent).await?.into(),
            Self::Agent(id) => storage.agent(id).await?.into(),
            Self::Agents => storage.agents().await?.into(),
            Self::RemoveAgent(id) => storage.remove_agent(id).await?.into(),
            Self::Contacts(session, after, limit) => storage.contacts(session, after, limit).await?.into(),
            Self::Chats(session, after, limit) => storage.chats(session, after, limit).await?.into(),
            Self::Chat(session, address) => storage.chat(session, address).await?.into(),
            Self::Messages(session, chat, page) => storage.messages(session, chat, page).await?.into(),
            Self::Message(session, chat, id) => storage.message(session, chat, id).await?.into(),
            Self::Pending(session, limit) => storage.pending(session, limit).await?.into(),
            Self::Events(session, after, limit) => storage.events(session, after, limit).await?.into(),
            Self::EventHeads(after, limit) => storage.event_heads(after, limit).await?.into(),
            Self::VaultGet(session, name) => storage.vault_get(session, name).await?.into(),
            Self::VaultList(session, prefix) => storage.vault_list(session, prefix).await?.into(),
            Self::VaultWrite(session, fence, writes) => storage.vault_write(session, fence, writes).await?.into(),
            Self::VaultScan(after, limit) => storage.vault_scan(after, limit).await?.into(),
            Self::VaultReplace(old, sealed) => storage.vault_replace(old, sealed).await?.into(),
            Self::KeyCheck => storage.key_check().await?.into(),
            Self::SetKeyCheck(sealed) => storage.set_key_check(sealed).await?.into(),
            Self::Record(entry) => storage.record(entry).await?.into(),
            Self::Audit(after, limit) => storage.audit(after, limit).await?.into(),
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
            | Self::Orphans(..)
            | Self::Agent(..)
            | Self::Agents
            | Self::Contacts(..)
            | Self::Chats(..)
            | Self::Chat(..)
            | Self::Messages(..)
            | Self::Message(..)
            | Self::Pending(..)
            | Self::Events(..)
            | Self::EventHeads(..)
            | Self::VaultGet(..)
            | Self::VaultList(..)
            | Self::VaultScan(..)
            | Self::KeyCheck
            | Self::Audit(..) => true,
            Self::Commit(..)
            | Self::Delete(..)
            | Self::ResizePorts(..)
            | Self::Join(..)
            | Self::Renew(..)
            | Self::Leave(..)
            | Self::Claim(..)
            | Self::Release(..)
            | Self::PutAgent(..)
            | Self::RemoveAgent(..)
            | Self::VaultWrite(..)
            | Self::VaultReplace(..)
            | Self::SetKeyCheck(..)
            | Self::Record(..)
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
        #[expect(clippy::large_enum_variant, reason = "lives for one call, and a layer matches on it without unboxing")]
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
    Orphans(Vec<SessionId>),
    Agent(Option<Agent>),
    Agents(Vec<Agent>),
    Contacts(Vec<Contact>),
    Chats(Vec<Chat>),
    Chat(Option<Chat>),
    Messages(Vec<StoredMessage>),
    Message(Option<StoredMessage>),
    Events(Vec<Event>),
    Heads(Vec<(SessionId, u64)>),
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
