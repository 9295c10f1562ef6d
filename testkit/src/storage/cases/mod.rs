//! The cases, by the concept whose promises they check.

#![expect(clippy::unwrap_used, reason = "a case fails by panicking, with the error and the line")]

pub(super) mod agent;
pub(super) mod audit;
pub(super) mod changes;
pub(super) mod close;
pub(super) mod commit;
pub(super) mod concurrent;
pub(super) mod conversation;
pub(super) mod delete;
pub(super) mod event;
pub(super) mod lease;
pub(super) mod port;
pub(super) mod search;
pub(super) mod session;
pub(super) mod status;
pub(super) mod unread;
pub(super) mod vault;
