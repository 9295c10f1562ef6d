//! What the tests write.

use std::path::PathBuf;

use seatport::storage::{Expect, Incoming, SessionCommit};
use seatport::{
    Action, AgentId, AuditEntry, Outcome, Random, Remark, SessionId, SessionRecord, Timestamp, TransportName,
};
use seatport_testkit::storage::text_from;
use tempfile::TempDir;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A directory that is removed at the end, and the path of a database in it.
pub(crate) fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("seatport.db");
    (directory, file)
}

pub(crate) fn session_id(seed: u64) -> SessionId {
    SessionId::generate(NOW, &Random::seeded(seed))
}

pub(crate) fn record(id: SessionId, remark: &str) -> SessionRecord {
    let mut record = SessionRecord::new(id, NOW, TransportName::new("sim").unwrap());
    record.remark = Remark::new(remark).unwrap();
    record
}

/// Adds a stopped session.
pub(crate) fn add(id: SessionId, remark: &str) -> SessionCommit {
    let mut commit = SessionCommit::new(id, NOW, Expect::New);
    commit.record = Some(record(id, remark));
    commit
}

pub(crate) fn inbound(chat: &str, id: impl Into<String>, text: &str) -> Incoming {
    Incoming { sender_name: Some("Li Na".to_owned()), ..text_from(chat, &id.into(), text, NOW) }
}

pub(crate) fn audit(session: SessionId, action: Action) -> AuditEntry {
    let agent = AgentId::new("mei").unwrap();
    AuditEntry { at: NOW, agent, action, session: Some(session), outcome: Outcome::Done }
}
