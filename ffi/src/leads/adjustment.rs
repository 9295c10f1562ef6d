//! What changed in figures that people may have seen already.

use std::time::SystemTime;

use seatport::leads;

use crate::leads::LeadWindow;
use crate::mirror::mirror;
use crate::time::told;

mirror! {
    /// Why figures changed that people may have seen already.
    AdjustmentReason = leads::AdjustmentReason {
        /// Two ids turned out to be one person.
        Merged,
        /// Something was learnt 48 hours or more after the quarter of an hour it belongs to.
        Late,
    }
}

/// What a visit counts as.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum EntryClass {
    /// The person's first visit to this session, and we had not written before: new (新粉) in these windows, and a duplicate
    /// (重粉) in the others.
    Lead {
        /// In which windows it is new.
        new_in: Vec<LeadWindow>,
    },
    /// The person's first visit, after we had written first.
    OutreachReply,
    /// A later visit, after 24 hours or more of silence (回访).
    Returning,
}

impl From<leads::EntryClass> for EntryClass {
    fn from(class: leads::EntryClass) -> Self {
        match class {
            leads::EntryClass::Lead { new_in } => {
                let windows = leads::LeadWindow::ALL.into_iter().filter(|window| new_in.contains(*window));
                Self::Lead { new_in: windows.map(Into::into).collect() }
            }
            leads::EntryClass::OutreachReply => Self::OutreachReply,
            leads::EntryClass::Returning => Self::Returning,
        }
    }
}

/// Who gave the first answer to a lead.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Replier {
    /// This agent.
    Agent {
        /// The id of the agent.
        agent: String,
    },
    /// The owner of the account, on the phone or another device.
    Device,
}

impl From<leads::Replier> for Replier {
    fn from(replier: leads::Replier) -> Self {
        match replier {
            leads::Replier::Agent(agent) => Self::Agent { agent: agent.into() },
            leads::Replier::Device => Self::Device,
        }
    }
}

/// The first answer to a lead.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Reply {
    /// Who gave it.
    pub by: Replier,
    /// How long after the lead, in whole seconds.
    pub seconds: u32,
}

impl From<leads::Reply> for Reply {
    fn from(reply: leads::Reply) -> Self {
        Self { by: reply.by.into(), seconds: reply.seconds }
    }
}

/// What one visit counts as: what matters of it to any report, and nothing that names a person.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LeadEntry {
    /// The start of the quarter of an hour in which it came.
    pub quarter: SystemTime,
    /// The id of the session it came to.
    pub session: String,
    /// The id of the agent who was bound to the session when it came.
    pub agent: Option<String>,
    /// What it counts as.
    pub entry_class: EntryClass,
    /// Whether it came while the session was stopped.
    pub late: bool,
    /// The first answer to it. Only a lead has one.
    pub reply: Option<Reply>,
}

impl From<leads::LeadEntry> for LeadEntry {
    fn from(entry: leads::LeadEntry) -> Self {
        Self {
            quarter: told(entry.quarter),
            session: entry.session.to_string(),
            agent: entry.agent.map(Into::into),
            entry_class: entry.class.into(),
            late: entry.late,
            reply: entry.reply.map(Into::into),
        }
    }
}

/// A correction: so many more, or fewer, visits count as this entry. The figures hold it already.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LeadAdjustment {
    /// When it was made.
    pub posted_at: SystemTime,
    /// Why.
    pub reason: AdjustmentReason,
    /// Of which entry.
    pub entry: LeadEntry,
    /// By how many; never 0.
    pub change: i64,
}

impl From<leads::LeadAdjustment> for LeadAdjustment {
    fn from(adjustment: leads::LeadAdjustment) -> Self {
        Self {
            posted_at: told(adjustment.posted_at),
            reason: adjustment.reason.into(),
            entry: adjustment.entry.into(),
            change: adjustment.change,
        }
    }
}

/// A correction that people have to be shown, with the day whose figures it changed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct VisibleAdjustment {
    /// The day, as the query counts days, written as in ISO 8601.
    pub day: String,
    /// The correction.
    pub adjustment: LeadAdjustment,
}

impl From<leads::VisibleAdjustment> for VisibleAdjustment {
    fn from(visible: leads::VisibleAdjustment) -> Self {
        Self { day: visible.day.into(), adjustment: visible.adjustment.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_tells_the_windows_in_which_it_is_new() {
        let new_in = leads::Windows::default().with(leads::LeadWindow::Days90).with(leads::LeadWindow::Days7);
        let class = EntryClass::from(leads::EntryClass::Lead { new_in });
        assert_eq!(class, EntryClass::Lead { new_in: vec![LeadWindow::Days7, LeadWindow::Days90] });
    }
}
