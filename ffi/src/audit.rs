//! The audit trail: who did what to which session when, the refused attempts included.

use std::time::SystemTime;

use seatport::Invalid;

use crate::card::Action;
use crate::mirror::mirror;
use crate::time::told;

mirror! {
    /// How an attempt ended.
    Outcome = seatport::Outcome {
        /// It was done.
        Done,
        /// The agent's role does not allow it, and nothing was changed.
        Denied,
        /// The session's state did not allow it, and nothing was changed.
        Illegal,
    }
}

mirror! {
    /// What is wrong with a line of the audit trail.
    AuditFault = seatport::AuditFault, or Other "audit fault" {
        /// It is not there.
        Missing,
        /// It does not say what was written, or what is before it does not.
        Changed,
        /// It follows from those before it, but it is another one than the one that was known: all of them were written anew.
        Rewritten,
    }
}

/// What a line of the audit trail says. It survives the deletion of its session.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AuditEntry {
    /// When.
    pub at: SystemTime,
    /// The id of the agent.
    pub agent: String,
    /// What the agent asked for.
    pub action: Action,
    /// On which session; none for actions on all of them.
    pub session: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

impl From<seatport::AuditEntry> for AuditEntry {
    fn from(entry: seatport::AuditEntry) -> Self {
        Self {
            at: told(entry.at),
            agent: entry.agent.into(),
            action: entry.action.into(),
            session: entry.session.map(|session| session.to_string()),
            outcome: entry.outcome.into(),
        }
    }
}

/// A line of the audit trail with its place in it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AuditLine {
    /// 1 for the first line ever, then one more for each.
    pub number: u64,
    /// What it says.
    pub entry: AuditEntry,
    /// The hash of it and of all lines before, in 64 hexadecimal digits.
    pub hash: String,
}

impl From<seatport::AuditLine> for AuditLine {
    fn from(line: seatport::AuditLine) -> Self {
        Self { number: line.number, entry: line.entry.into(), hash: line.hash.into() }
    }
}

/// How far the audit trail goes: how many lines it has, and the hash of the last one, and so of all of them. Whoever keeps it
/// elsewhere can tell later whether the trail still begins with those lines.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AuditHead {
    /// How many lines there are.
    pub lines: u64,
    /// The hash of the last one, in 64 hexadecimal digits.
    pub hash: String,
}

impl From<seatport::AuditHead> for AuditHead {
    fn from(head: seatport::AuditHead) -> Self {
        Self { lines: head.lines, hash: head.hash.into() }
    }
}

impl TryFrom<AuditHead> for seatport::AuditHead {
    type Error = Invalid;

    fn try_from(head: AuditHead) -> Result<Self, Invalid> {
        Ok(Self { lines: head.lines, hash: head.hash.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_was_kept_elsewhere_is_the_same_when_it_comes_back() {
        let head = seatport::AuditHead { lines: 3, hash: seatport::AuditHash::from_bytes([0xa7; 32]) };
        let kept = AuditHead::from(head);
        assert_eq!(kept.hash, "a7".repeat(32));
        assert_eq!(seatport::AuditHead::try_from(kept).unwrap(), head);
        let garbled = AuditHead { lines: 3, hash: "a7".into() };
        assert_eq!(seatport::AuditHead::try_from(garbled).unwrap_err().field, "audit hash");
    }

    #[test]
    fn every_fault_of_today_has_a_word() {
        use seatport::AuditFault::{Changed, Missing, Rewritten};
        let words = [Missing, Changed, Rewritten].map(AuditFault::from);
        assert_eq!(words, [AuditFault::Missing, AuditFault::Changed, AuditFault::Rewritten]);
    }
}
