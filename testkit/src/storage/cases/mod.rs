//! The cases, by the concept whose promises they check.

#![expect(clippy::unwrap_used, reason = "a case fails by panicking, with the error and the line")]

pub(super) mod agent;
pub(super) mod amendment;
pub(super) mod audit;
pub(super) mod changes;
pub(super) mod chat;
pub(super) mod close;
pub(super) mod commit;
pub(super) mod concurrent;
pub(super) mod consumer;
pub(super) mod contact;
pub(super) mod contact_search;
pub(super) mod conversation;
pub(super) mod delete;
pub(super) mod event;
pub(super) mod history;
pub(super) mod identity;
pub(super) mod lead;
pub(super) mod lease;
pub(super) mod ledger;
pub(super) mod message_search;
pub(super) mod notices;
pub(super) mod port;
pub(super) mod port_queue;
pub(super) mod search;
pub(super) mod sending;
pub(super) mod session;
pub(super) mod status;
pub(super) mod trim;
pub(super) mod unread;
pub(super) mod vault;
