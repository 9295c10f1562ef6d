//! Closing.

use std::fmt::Debug;

use seatport::conversation::SearchQuery;
use seatport::storage::{Deletion, Fence, Notice, SessionCommit, StorageError, StorageErrorKind, VaultEntry};
use seatport::{Action, Agent, ConsumerName, Cursors, Page, PortRange, Retention, Role, SendKey, SessionFilter};

use crate::storage::Backend;
use crate::storage::sample::{
    MINUTE, REPORT, add, address, agent_id, at, audit, commit, everything, id, message_id, node, profile,
};
use crate::storage::snapshot::Snapshot;

#[track_caller]
fn closed<T: Debug>(method: &str, result: Result<T, StorageError>) {
    match result {
        Err(error) if error.kind() == StorageErrorKind::Closed => {}
        other => panic!("{method} on a closed storage answered {other:?}"),
    }
}

pub(crate) async fn later_calls_answer_closed(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    storage.close().await.unwrap();

    let s = &*storage;
    let (session, node, agent, ann, a) = (id(1), node(1), agent_id("mei"), address("ann@net"), message_id("a"));
    let fence = Fence { node, epoch: 1 };
    let (key, crm): (SendKey, ConsumerName) = ("k".parse().expect("valid"), "crm".parse().expect("valid"));
    let query = SearchQuery::new("hello");
    let entry = VaultEntry { session, name: "net/key".into(), sealed: vec![] };
    closed("session", s.session(session).await);
    closed("sessions", s.sessions(&SessionFilter::default(), Page::first(1)).await);
    closed("commit", s.commit(commit(1)).await);
    closed("delete", s.delete(session, 1, Deletion::Delete, audit(1, Action::Delete)).await);
    closed("port_usage", s.port_usage().await);
    closed("resize_ports", s.resize_ports(PortRange::default()).await);
    closed("join_port_queue", s.join_port_queue(node).await);
    closed("leave_port_queue", s.leave_port_queue(1).await);
    closed("port_queue", s.port_queue().await);
    closed("notify", s.notify(Notice { session, sealed: vec![] }).await);
    closed("join", s.join(&profile(1), MINUTE).await);
    closed("renew", s.renew(node, MINUTE, REPORT).await);
    closed("leave", s.leave(node).await);
    closed("claim", s.claim(session, node).await);
    closed("release", s.release(session, fence).await);
    closed("nodes", s.nodes().await);
    closed("orphans", s.orphans(None, 1).await);
    closed("put_agent", s.put_agent(Agent::new("mei", "Mei", Role::Agent).expect("a valid agent")).await);
    closed("agent", s.agent(&agent).await);
    closed("agents", s.agents().await);
    closed("remove_agent", s.remove_agent(&agent).await);
    closed("contact", s.contact(session, &ann).await);
    closed("contacts", s.contacts(session, Page::first(1)).await);
    closed("chats", s.chats(session, Page::first(1)).await);
    closed("chat", s.chat(session, &ann).await);
    closed("messages", s.messages(session, &ann, Page::first(1)).await);
    closed("message", s.message(session, &ann, &a).await);
    closed("keyed", s.keyed(session, &key).await);
    closed("untold_reads", s.untold_reads(session, 1).await);
    closed("search_messages", s.search_messages(&query, None, 1).await);
    closed("search_contacts", s.search_contacts(&query, None, 1).await);
    closed("lead_totals", s.lead_totals(at(0), at(1)).await);
    closed("lead_adjustments", s.lead_adjustments(at(0), at(1)).await);
    closed("rebuild_leads", s.rebuild_leads().await);
    closed("ledger_key", s.ledger_key().await);
    closed("replace_ledger_key", s.replace_ledger_key(None, b"key").await);
    closed("pending", s.pending(session, 1).await);
    closed("events", s.events(session, 0, 1).await);
    closed("event_heads", s.event_heads(None, 1).await);
    closed("trim_events", s.trim_events(session, &Retention::default(), at(1), 1).await);
    closed("register_consumer", s.register_consumer(&crm).await);
    closed("remove_consumer", s.remove_consumer(&crm).await);
    closed("consumers", s.consumers().await);
    closed("acknowledge", s.acknowledge(&crm, &Cursors::default()).await);
    closed("acknowledged", s.acknowledged(&crm).await);
    closed("vault_get", s.vault_get(session, "net/key").await);
    closed("vault_list", s.vault_list(session, "").await);
    closed("vault_write", s.vault_write(session, fence, vec![]).await);
    closed("vault_scan", s.vault_scan(None, 1).await);
    closed("vault_replace", s.vault_replace(&entry, vec![]).await);
    closed("key_check", s.key_check().await);
    closed("set_key_check", s.set_key_check(vec![]).await);
    closed("record", s.record(audit(1, Action::View)).await);
    closed("audit", s.audit(0, 1).await);
}

pub(crate) async fn may_be_called_twice(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    storage.close().await.unwrap();
    storage.close().await.unwrap();
}

pub(crate) async fn loses_nothing(backend: &mut dyn Backend) {
    let storage = backend.open().await;
    add(&*storage, [1]).await;
    let commits: Vec<_> = (0..20)
        .map(|_| {
            let storage = storage.clone();
            tokio::spawn(async move {
                let all = SessionCommit { port: seatport::lifecycle::PortChange::Keep, ..everything(1) };
                storage.commit(all).await.map(|committed| committed.revision)
            })
        })
        .collect();
    tokio::task::yield_now().await;
    storage.close().await.unwrap();

    // Each was answered: it landed, or the storage was closed by then.
    let mut landed = 0;
    for commit in commits {
        match commit.await.expect("a commit answers") {
            Ok(_) => landed += 1,
            Err(error) => assert_eq!(error.kind(), StorageErrorKind::Closed),
        }
    }
    drop(storage);
    let view = Snapshot::of(&*backend.open().await).await;
    assert_eq!((view.sessions[&id(1)].row.revision, view.audit.len()), (1 + landed, 2 * landed as usize));
}
