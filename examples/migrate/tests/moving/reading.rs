//! Everything that a storage shows.

use seatport::conversation::SearchQuery;
use seatport::storage::{Page, Storage};
use seatport::{SessionFilter, Timestamp};

const ALL: u32 = 1_000_000;

/// All answers, each with what was asked.
pub(crate) async fn everything(storage: &dyn Storage) -> Vec<String> {
    let mut seen = Vec::new();
    let mut see = |what: &str, answer: &dyn std::fmt::Debug| seen.push(format!("{what}: {answer:?}"));
    for stored in storage.sessions(&SessionFilter::default(), Page::first(ALL)).await.unwrap() {
        let id = stored.record.id;
        see("session", &stored);
        see("same session", &storage.session(id).await.unwrap());
        for contact in storage.contacts(id, Page::first(ALL)).await.unwrap() {
            see("contact", &contact);
        }
        for chat in storage.chats(id, Page::first(ALL)).await.unwrap() {
            see("messages", &storage.messages(id, &chat.address, Page::first(ALL)).await.unwrap());
            see("chat", &chat);
        }
        for old in ["old@net", "c@net"] {
            let old = super::sample::address(old);
            see("by another address", &storage.chat(id, &old).await.unwrap());
        }
        see("pending", &storage.pending(id, ALL).await.unwrap());
        see("untold", &storage.untold_reads(id, ALL).await.unwrap());
        see("keyed", &storage.keyed(id, &"out".parse().unwrap()).await.unwrap());
        see("events", &storage.events(id, 0, ALL).await);
        see("vault", &storage.vault_list(id, "").await.unwrap());
    }
    for query in ["hello", "条", "第7", "by the OLD", "message 2", "Boss", "80013"] {
        let query = SearchQuery::new(query);
        see("messages found", &storage.search_messages(&query, None, ALL).await.unwrap());
        see("contacts found", &storage.search_contacts(&query, None, ALL).await.unwrap());
    }
    for consumer in storage.consumers().await.unwrap() {
        see("acknowledged", &(&consumer, storage.acknowledged(&consumer).await.unwrap()));
    }
    let (from, until) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    see("totals", &storage.lead_totals(from, until).await.unwrap());
    see("adjustments", &storage.lead_adjustments(from, until).await.unwrap());
    see("ports", &storage.port_usage().await.unwrap());
    see("agents", &storage.agents().await.unwrap());
    see("audit", &storage.audit(0, ALL).await.unwrap());
    see("heads", &storage.event_heads(None, ALL).await.unwrap());
    see("orphans", &storage.orphans(None, ALL).await.unwrap());
    see("key check", &storage.key_check().await.unwrap());
    see("ledger key", &storage.ledger_key().await.unwrap());
    seen
}
