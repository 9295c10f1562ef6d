//! Everything a storage shows, as one value: what must not change is compared as a whole.

use std::collections::BTreeMap;
use std::fmt::Debug;

use seatport::conversation::{Chat, Contact, StoredMessage};
use seatport::leads::{LeadAdjustment, LeadTotal};
use seatport::storage::{Orphan, Storage, StorageError, StoredSession, VaultEntry};
use seatport::{
    Agent, AuditLine, ConsumerName, Cursors, Event, EventHead, Page, PortUsage, SessionFilter, SessionId, Timestamp,
};

/// The largest limit there is: a backend must take it.
pub(super) const ALL: u32 = u32::MAX;

/// From the beginning to the end of what anybody may ask for.
pub(super) const ALWAYS: (Timestamp, Timestamp) =
    (Timestamp::from_millis(-1_000_000_000_000_000), Timestamp::from_millis(1_000_000_000_000_000));

/// What a storage shows of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SessionView {
    pub(super) row: StoredSession,
    pub(super) contacts: Vec<Contact>,
    pub(super) chats: Vec<(Chat, Vec<StoredMessage>)>,
    pub(super) pending: Vec<StoredMessage>,
    pub(super) untold: Vec<StoredMessage>,
    pub(super) events: Vec<Event>,
    pub(super) vault: Vec<VaultEntry>,
}

/// What a storage shows of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) sessions: BTreeMap<SessionId, SessionView>,
    pub(super) ports: PortUsage,
    pub(super) agents: Vec<Agent>,
    pub(super) audit: Vec<AuditLine>,
    pub(super) heads: Vec<EventHead>,
    pub(super) orphans: Vec<Orphan>,
    pub(super) consumers: Vec<(ConsumerName, Cursors)>,
    pub(super) leads: Vec<LeadTotal>,
    pub(super) corrections: Vec<LeadAdjustment>,
    pub(super) key_check: Option<Vec<u8>>,
    pub(super) ledger_key: Option<Vec<u8>>,
}

impl SessionView {
    async fn of(storage: &dyn Storage, row: StoredSession) -> Result<Self, StorageError> {
        let id = row.record.id;
        let mut chats = Vec::new();
        for chat in storage.chats(id, Page::first(ALL)).await? {
            let messages = storage.messages(id, &chat.address, Page::first(ALL)).await?;
            chats.push((chat, messages));
        }
        Ok(Self {
            row,
            contacts: storage.contacts(id, Page::first(ALL)).await?,
            chats,
            pending: storage.pending(id, ALL).await?,
            untold: storage.untold_reads(id, ALL).await?,
            events: storage.events(id, 0, ALL).await?,
            vault: storage.vault_list(id, "").await?,
        })
    }
}

impl Snapshot {
    /// Reads everything.
    pub(super) async fn of(storage: &dyn Storage) -> Self {
        Self::read(storage).await.expect("everything can be read")
    }

    async fn read(storage: &dyn Storage) -> Result<Self, StorageError> {
        let mut sessions = BTreeMap::new();
        for row in storage.sessions(&SessionFilter::default(), Page::first(ALL)).await? {
            sessions.insert(row.record.id, SessionView::of(storage, row).await?);
        }
        let mut consumers = Vec::new();
        for consumer in storage.consumers().await? {
            let acknowledged = storage.acknowledged(&consumer).await?;
            consumers.push((consumer, acknowledged));
        }
        let (from, until) = ALWAYS;
        Ok(Self {
            sessions,
            ports: storage.port_usage().await?,
            agents: storage.agents().await?,
            audit: storage.audit(0, ALL).await?,
            heads: storage.event_heads(None, ALL).await?,
            orphans: storage.orphans(None, ALL).await?,
            consumers,
            leads: storage.lead_totals(from, until).await?,
            corrections: storage.lead_adjustments(from, until).await?,
            key_check: storage.key_check().await?,
            ledger_key: storage.ledger_key().await?,
        })
    }
}

/// Checks that a list read in pages of every size, forwards and backwards, is the list read at once.
pub(super) async fn check_pages<T: Clone + PartialEq + Debug, K>(
    read: impl AsyncFn(Page<K>) -> Result<Vec<T>, StorageError>,
    place: impl Fn(&T) -> K,
) {
    let start = |edge: Option<T>, limit| edge.map_or(Page::first(limit), |edge| Page::after(place(&edge), limit));
    check_pages_forwards(async |last, limit| read(start(last, limit)).await).await;

    let end = |edge: Option<T>, limit| edge.map_or(Page::last(limit), |edge| Page::before(place(&edge), limit));
    let whole = read(Page::first(ALL)).await.expect("the list can be read");
    assert_eq!(read(Page::last(ALL)).await.expect("the list can be read"), whole, "its end, and everything before");
    let reversed = async |last: Option<T>, limit| {
        let page = read(end(last, limit)).await;
        page.map(|page| page.into_iter().rev().collect::<Vec<_>>())
    };
    check_pages_forwards(reversed).await;
}

/// Checks that a list read in pages of every size is the list read at once. `read` answers the items after the one given.
pub(super) async fn check_pages_forwards<T: Clone + PartialEq + Debug>(
    read: impl AsyncFn(Option<T>, u32) -> Result<Vec<T>, StorageError>,
) {
    let whole = read(None, ALL).await.expect("the list can be read");
    assert!(whole.len() >= 3, "too short a list to say much about its pages: {whole:?}");
    assert_eq!(read(None, 0).await.expect("an empty page can be read"), [], "no items were asked for");

    for size in 1..=whole.len() + 1 {
        let limit = u32::try_from(size).expect("a short list");
        let mut paged: Vec<T> = Vec::new();
        loop {
            let page = read(paged.last().cloned(), limit).await.expect("a page can be read");
            assert!(page.len() <= size, "{} items on a page of {size}", page.len());
            assert!(paged.len() < whole.len() || page.is_empty(), "more on the pages than there is: {page:?}");
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, whole, "in pages of {size}");
    }
}
