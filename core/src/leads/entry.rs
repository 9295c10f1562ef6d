//! What is counted: entries, their totals, and later corrections.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{AgentId, SessionId};

/// How long somebody who was counted as new is remembered as such.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LeadWindow {
    /// For ever.
    #[default]
    Lifetime,
    /// For 7 days.
    Days7,
    /// For 30 days.
    Days30,
    /// For 90 days.
    Days90,
}

impl LeadWindow {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lifetime, Self::Days7, Self::Days30, Self::Days90];
}

/// A set of windows.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Windows(u8);

impl Windows {
    /// Whether this window is in the set.
    #[must_use]
    pub fn contains(self, window: LeadWindow) -> bool {
        self.0 & (1 << window as u8) != 0
    }

    /// The set with this window in it.
    #[must_use]
    pub fn with(self, window: LeadWindow) -> Self {
        Self(self.0 | 1 << window as u8)
    }

    /// The set as a number below 16, for storages.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The set with this number.
    #[must_use]
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 0x0f)
    }
}

impl fmt::Debug for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(LeadWindow::ALL.iter().filter(|window| self.contains(**window))).finish()
    }
}

/// What a visit counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntryClass {
    /// The person's first visit to this session, and we had not written before: new (新粉) in these windows, and a duplicate
    /// (重粉) in the others.
    Lead {
        /// In which windows it is new.
        new_in: Windows,
    },
    /// The person's first visit, after we had written first.
    OutreachReply,
    /// A later visit, after 24 hours or more of silence (回访).
    Returning,
}

/// Who gave the first answer to a lead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Replier {
    /// This agent.
    Agent(AgentId),
    /// The owner of the account, on the phone or another device.
    Device,
}

/// The first answer to a lead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reply {
    /// Who gave it.
    pub by: Replier,
    /// How long after the lead, in whole seconds.
    pub seconds: u32,
}

/// What one visit counts as: what matters of it to any report, and nothing that names a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeadEntry {
    /// The start of the quarter of an hour in which it came. Every time zone's days begin with one.
    pub quarter: Timestamp,
    /// To which session.
    pub session: SessionId,
    /// The agent bound to the session when it came.
    pub agent: Option<AgentId>,
    /// What it counts as.
    pub class: EntryClass,
    /// Whether it came while the session was stopped.
    pub late: bool,
    /// The first answer to it. Only a [lead](EntryClass::Lead) has one.
    pub reply: Option<Reply>,
}

/// How many visits count as the same entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LeadTotal {
    /// What they count as.
    pub entry: LeadEntry,
    /// How many; never 0.
    pub count: u64,
}

/// Why figures changed that people may have seen already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AdjustmentReason {
    /// Two ids turned out to be one person.
    Merged,
    /// Something was learnt 48 hours or more after the quarter of an hour it belongs to.
    Late,
}

/// A correction: so many more, or fewer, visits count as this entry. The totals hold it already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadAdjustment {
    /// When it was made.
    pub posted_at: Timestamp,
    /// Why.
    pub reason: AdjustmentReason,
    /// Of which entry.
    pub entry: LeadEntry,
    /// By how many; never 0.
    pub change: i64,
}
