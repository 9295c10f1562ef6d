//! The audit trail: who did what to which session when, the refused attempts included.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{AgentId, SessionId};
use crate::policy::Action;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// It was done; the entry was written in the same commit.
    Done,
    /// The policy refused it, and nothing was changed.
    Denied,
    /// The session's state refused it, and nothing was changed.
    Illegal,
}

/// One line of the audit trail. Survives the deletion of its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub agent: AgentId,
    /// What.
    pub action: Action,
    /// On which session; none for actions on all of them.
    pub session: Option<SessionId>,
    /// How it ended.
    pub outcome: Outcome,
}

/// A line of the audit trail with its place in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// 1 for the first line ever, then one more for each.
    pub number: u64,
    /// What it says.
    pub entry: AuditEntry,
}
