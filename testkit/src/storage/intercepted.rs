//! A storage with a layer around it that sees every call.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatport::conversation::{Chat, ChatCursor, Contact, ContactHit, MessageHit, SearchQuery, StoredMessage};
use seatport::leads::{LeadAdjustment, LeadTotal};
use seatport::storage::{
    AgentStore, AuditStore, Change, Committed, ConversationStore, Deletion, EventStore, Fence, LeadStore, LeaseStore,
    LiveNode, NodeProfile, NodeReport, Notice, Orphan, PortStore, SessionCommit, SessionStore, Storage, StorageError,
    StoredSession, VaultEntry, VaultStore, VaultWrite,
};
use seatport::{
    Address, Agent, AgentId, AuditEntry, AuditLine, ConsumerName, Cursors, Event, EventHead, MessageId, NodeId, Page,
    PortRange, PortUsage, Retention, SendKey, SessionFilter, SessionId, Timestamp,
};
use tokio::sync::broadcast;

use super::{Answer, Call};

/// What happens to the calls of an [`Intercepted`] storage.
#[async_trait]
pub trait Intercept: Debug + Send + Sync + 'static {
    /// Answers a call: by [sending](Call::send) it to the storage, as it is or changed, or without.
    async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError>;

    /// Answers a subscription to hints.
    fn changes(&self, storage: &dyn Storage) -> broadcast::Receiver<Change> {
        storage.changes()
    }
}

/// A storage whose every call goes through a layer.
///
/// ```
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use parking_lot::Mutex;
/// use seatport::memory::MemoryStorage;
/// use seatport::storage::{AgentStore, Storage, StorageError};
/// use seatport_testkit::storage::{Answer, Call, Intercept, Intercepted};
///
/// /// Notes the calls that were made.
/// #[derive(Debug, Default)]
/// struct Notes(Mutex<Vec<String>>);
///
/// #[async_trait]
/// impl Intercept for Notes {
///     async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
///         self.0.lock().push(format!("{call:?}"));
///         call.send(storage).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StorageError> {
/// let storage = Intercepted::new(Arc::new(MemoryStorage::new()), Notes::default());
/// storage.agents().await?;
/// assert_eq!(*storage.layer().0.lock(), ["Agents"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Intercepted<I> {
    storage: Arc<dyn Storage>,
    layer: I,
}

impl<I: Intercept> Intercepted<I> {
    /// Puts the layer around the storage.
    pub fn new(storage: Arc<dyn Storage>, layer: I) -> Self {
        Self { storage, layer }
    }

    /// The layer.
    #[must_use]
    pub fn layer(&self) -> &I {
        &self.layer
    }

    async fn ask<T: TryFrom<Answer, Error = StorageError>>(&self, call: Call<'_>) -> Result<T, StorageError> {
        self.layer.call(&*self.storage, call).await?.try_into()
    }
}

#[async_trait]
impl<I: Intercept> SessionStore for Intercepted<I> {
    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StorageError> {
        self.ask(Call::Session(id)).await
    }

    async fn sessions(&self, filter: &SessionFilter, page: Page) -> Result<Vec<StoredSession>, StorageError> {
        self.ask(Call::Sessions(filter, page)).await
    }

    async fn commit(&self, commit: SessionCommit) -> Result<Committed, StorageError> {
        self.ask(Call::Commit(Box::new(commit))).await
    }

    async fn delete(
        &self,
        id: SessionId,
        revision: u64,
        deletion: Deletion,
        audit: AuditEntry,
    ) -> Result<(), StorageError> {
        self.ask(Call::Delete(id, revision, deletion, audit)).await
    }
}

#[async_trait]
impl<I: Intercept> PortStore for Intercepted<I> {
    async fn port_usage(&self) -> Result<PortUsage, StorageError> {
        self.ask(Call::PortUsage).await
    }

    async fn resize_ports(&self, range: PortRange) -> Result<(), StorageError> {
        self.ask(Call::ResizePorts(range)).await
    }

    async fn join_port_queue(&self, node: NodeId) -> Result<u64, StorageError> {
        self.ask(Call::JoinPortQueue(node)).await
    }

    async fn leave_port_queue(&self, ticket: u64) -> Result<(), StorageError> {
        self.ask(Call::LeavePortQueue(ticket)).await
    }

    async fn port_queue(&self) -> Result<Vec<u64>, StorageError> {
        self.ask(Call::PortQueue).await
    }
}

#[async_trait]
impl<I: Intercept> LeaseStore for Intercepted<I> {
    async fn join(&self, node: &NodeProfile, ttl: Duration) -> Result<(), StorageError> {
        self.ask(Call::Join(node, ttl)).await
    }

    async fn renew(&self, node: NodeId, ttl: Duration, report: NodeReport) -> Result<(), StorageError> {
        self.ask(Call::Renew(node, ttl, report)).await
    }

    async fn nodes(&self) -> Result<Vec<LiveNode>, StorageError> {
        self.ask(Call::Nodes).await
    }

    async fn leave(&self, node: NodeId) -> Result<(), StorageError> {
        self.ask(Call::Leave(node)).await
    }

    async fn claim(&self, session: SessionId, node: NodeId) -> Result<Option<Fence>, StorageError> {
        self.ask(Call::Claim(session, node)).await
    }

    async fn release(&self, session: SessionId, fence: Fence) -> Result<(), StorageError> {
        self.ask(Call::Release(session, fence)).await
    }

    async fn orphans(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<Orphan>, StorageError> {
        self.ask(Call::Orphans(after, limit)).await
    }
}

#[async_trait]
impl<I: Intercept> AgentStore for Intercepted<I> {
    async fn put_agent(&self, agent: Agent) -> Result<(), StorageError> {
        self.ask(Call::PutAgent(agent)).await
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<Agent>, StorageError> {
        self.ask(Call::Agent(id)).await
    }

    async fn agents(&self) -> Result<Vec<Agent>, StorageError> {
        self.ask(Call::Agents).await
    }

    async fn remove_agent(&self, id: &AgentId) -> Result<(), StorageError> {
        self.ask(Call::RemoveAgent(id)).await
    }
}

#[async_trait]
impl<I: Intercept> ConversationStore for Intercepted<I> {
    async fn contacts(&self, session: SessionId, page: Page<Address>) -> Result<Vec<Contact>, StorageError> {
        self.ask(Call::Contacts(session, page)).await
    }

    async fn contact(&self, session: SessionId, address: &Address) -> Result<Option<Contact>, StorageError> {
        self.ask(Call::Contact(session, address)).await
    }

    async fn chats(&self, session: SessionId, page: Page<ChatCursor>) -> Result<Vec<Chat>, StorageError> {
        self.ask(Call::Chats(session, page)).await
    }

    async fn chat(&self, session: SessionId, address: &Address) -> Result<Option<Chat>, StorageError> {
        self.ask(Call::Chat(session, address)).await
    }

    async fn messages(
        &self,
        session: SessionId,
        chat: &Address,
        page: Page<u64>,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        self.ask(Call::Messages(session, chat, page)).await
    }

    async fn message(
        &self,
        session: SessionId,
        chat: &Address,
        id: &MessageId,
    ) -> Result<Option<StoredMessage>, StorageError> {
        self.ask(Call::Message(session, chat, id)).await
    }

    async fn keyed(&self, session: SessionId, key: &SendKey) -> Result<Option<StoredMessage>, StorageError> {
        self.ask(Call::Keyed(session, key)).await
    }

    async fn pending(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        self.ask(Call::Pending(session, limit)).await
    }

    async fn untold_reads(&self, session: SessionId, limit: u32) -> Result<Vec<StoredMessage>, StorageError> {
        self.ask(Call::UntoldReads(session, limit)).await
    }

    async fn search_messages(
        &self,
        query: &SearchQuery,
        after: Option<(SessionId, u64)>,
        limit: u32,
    ) -> Result<Vec<MessageHit>, StorageError> {
        self.ask(Call::SearchMessages(query, after, limit)).await
    }

    async fn search_contacts(
        &self,
        query: &SearchQuery,
        after: Option<&(SessionId, Address)>,
        limit: u32,
    ) -> Result<Vec<ContactHit>, StorageError> {
        self.ask(Call::SearchContacts(query, after, limit)).await
    }
}

#[async_trait]
impl<I: Intercept> LeadStore for Intercepted<I> {
    async fn lead_totals(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadTotal>, StorageError> {
        self.ask(Call::LeadTotals(from, until)).await
    }

    async fn lead_adjustments(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LeadAdjustment>, StorageError> {
        self.ask(Call::LeadAdjustments(from, until)).await
    }

    async fn rebuild_leads(&self) -> Result<(), StorageError> {
        self.ask(Call::RebuildLeads).await
    }

    async fn ledger_key(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.ask(Call::LedgerKey).await
    }

    async fn replace_ledger_key(&self, old: Option<&[u8]>, sealed: &[u8]) -> Result<bool, StorageError> {
        self.ask(Call::ReplaceLedgerKey(old, sealed)).await
    }
}

#[async_trait]
impl<I: Intercept> EventStore for Intercepted<I> {
    async fn events(&self, session: SessionId, after: u64, limit: u32) -> Result<Vec<Event>, StorageError> {
        self.ask(Call::Events(session, after, limit)).await
    }

    async fn event_heads(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<EventHead>, StorageError> {
        self.ask(Call::EventHeads(after, limit)).await
    }

    async fn trim_events(
        &self,
        session: SessionId,
        keep: &Retention,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StorageError> {
        self.ask(Call::TrimEvents(session, keep, now, limit)).await
    }

    async fn register_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError> {
        self.ask(Call::RegisterConsumer(consumer)).await
    }

    async fn remove_consumer(&self, consumer: &ConsumerName) -> Result<(), StorageError> {
        self.ask(Call::RemoveConsumer(consumer)).await
    }

    async fn consumers(&self) -> Result<Vec<ConsumerName>, StorageError> {
        self.ask(Call::Consumers).await
    }

    async fn acknowledge(&self, consumer: &ConsumerName, handled: &Cursors) -> Result<(), StorageError> {
        self.ask(Call::Acknowledge(consumer, handled)).await
    }

    async fn acknowledged(&self, consumer: &ConsumerName) -> Result<Cursors, StorageError> {
        self.ask(Call::Acknowledged(consumer)).await
    }
}

#[async_trait]
impl<I: Intercept> VaultStore for Intercepted<I> {
    async fn vault_get(&self, session: SessionId, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.ask(Call::VaultGet(session, name)).await
    }

    async fn vault_list(&self, session: SessionId, prefix: &str) -> Result<Vec<VaultEntry>, StorageError> {
        self.ask(Call::VaultList(session, prefix)).await
    }

    async fn vault_write(&self, session: SessionId, fence: Fence, writes: Vec<VaultWrite>) -> Result<(), StorageError> {
        self.ask(Call::VaultWrite(session, fence, writes)).await
    }

    async fn vault_scan(
        &self,
        after: Option<(SessionId, String)>,
        limit: u32,
    ) -> Result<Vec<VaultEntry>, StorageError> {
        self.ask(Call::VaultScan(after, limit)).await
    }

    async fn vault_replace(&self, old: &VaultEntry, sealed: Vec<u8>) -> Result<bool, StorageError> {
        self.ask(Call::VaultReplace(old, sealed)).await
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.ask(Call::KeyCheck).await
    }

    async fn set_key_check(&self, sealed: Vec<u8>) -> Result<(), StorageError> {
        self.ask(Call::SetKeyCheck(sealed)).await
    }
}

#[async_trait]
impl<I: Intercept> AuditStore for Intercepted<I> {
    async fn record(&self, entry: AuditEntry) -> Result<(), StorageError> {
        self.ask(Call::Record(entry)).await
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditLine>, StorageError> {
        self.ask(Call::Audit(after, limit)).await
    }
}

#[async_trait]
impl<I: Intercept> Storage for Intercepted<I> {
    fn changes(&self) -> broadcast::Receiver<Change> {
        self.layer.changes(&*self.storage)
    }

    async fn notify(&self, notice: Notice) -> Result<(), StorageError> {
        self.ask(Call::Notify(notice)).await
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.storage.notices()
    }

    async fn close(&self) -> Result<(), StorageError> {
        self.ask(Call::Close).await
    }
}
