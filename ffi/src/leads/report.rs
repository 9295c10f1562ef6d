//! The figures, in rows.

use std::time::SystemTime;

use seatport::leads;

use crate::mirror::mirror;
use crate::time::told;

mirror! {
    /// What visits count as.
    LeadClass = leads::LeadClass {
        /// A new person (新粉).
        New,
        /// A person who was counted as new already, for the first time in this session (重粉).
        Duplicate,
        /// The same person in the same session, after 24 hours or more (回访).
        Returning,
        /// The first visit of somebody we had written to first.
        OutreachReply,
    }
}

/// Whose a row of a report by agent is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Attribution {
    /// The leads bound to this agent, and the replies the agent wrote.
    Agent {
        /// The id of the agent.
        agent: String,
    },
    /// The leads that came while nobody was bound.
    Unassigned,
    /// The replies from the phone or another device of the account.
    Device,
}

impl From<leads::Attribution> for Attribution {
    fn from(attribution: leads::Attribution) -> Self {
        match attribution {
            leads::Attribution::Agent(agent) => Self::Agent { agent: agent.into() },
            leads::Attribution::Unassigned => Self::Unassigned,
            leads::Attribution::Device => Self::Device,
        }
    }
}

/// How long it took to answer leads, in whole seconds. Leads without an answer have no part in it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Responses {
    /// How many there are.
    pub count: u64,
    /// The mean, rounded, in seconds; none when there are no answers, as the others.
    pub mean: Option<u32>,
    /// The median in seconds: the smallest time that half of them do not exceed.
    pub p50: Option<u32>,
    /// The smallest time, in seconds, that nine tenths of them do not exceed.
    pub p90: Option<u32>,
}

impl From<leads::Responses> for Responses {
    fn from(responses: leads::Responses) -> Self {
        Self { count: responses.count, mean: responses.mean, p50: responses.p50, p90: responses.p90 }
    }
}

/// The figures of one row.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Figures {
    /// New people (新粉).
    pub new: u64,
    /// Duplicates (重粉). Together with the new ones: all leads.
    pub duplicate: u64,
    /// Returning visits (回访).
    pub returning: u64,
    /// First visits of people we had written to first.
    pub outreach_replies: u64,
    /// How many of all these came while the session was stopped.
    pub late: u64,
    /// How many of the leads were answered.
    pub replied: u64,
    /// How many were not, so far.
    pub unanswered: u64,
    /// How long the answers took: those to this row's leads, or, in a row of an agent, those that the agent wrote.
    pub responses: Responses,
}

impl From<leads::Figures> for Figures {
    fn from(figures: leads::Figures) -> Self {
        Self {
            new: figures.new,
            duplicate: figures.duplicate,
            returning: figures.returning,
            outreach_replies: figures.outreach_replies,
            late: figures.late,
            replied: figures.replied,
            unanswered: figures.unanswered,
            responses: figures.responses.into(),
        }
    }
}

/// One row: what it is about, as far as the query told rows apart by it, and its figures.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LeadRow {
    /// The day on which the visits began, written as in ISO 8601.
    pub day: Option<String>,
    /// Whether the day is sealed: it ended 48 hours ago or more, and what changes in it is told as an adjustment.
    pub sealed: Option<bool>,
    /// The id of the session.
    pub session: Option<String>,
    /// The agent.
    pub agent: Option<Attribution>,
    /// What the visits count as.
    pub lead_class: Option<LeadClass>,
    /// The figures.
    pub figures: Figures,
}

impl From<leads::LeadRow> for LeadRow {
    fn from(row: leads::LeadRow) -> Self {
        Self {
            day: row.day.map(Into::into),
            sealed: row.sealed,
            session: row.session.map(|session| session.to_string()),
            agent: row.agent.map(Into::into),
            lead_class: row.class.map(Into::into),
            figures: row.figures.into(),
        }
    }
}

/// The figures of a number of days.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LeadPeriod {
    /// When the first day begins.
    pub begins: SystemTime,
    /// When the last day ends.
    pub ends: SystemTime,
    /// Whether all its days are sealed.
    pub sealed: bool,
    /// The rows, sorted by the dimensions in the order the query named them: sessions and agents by their ids, days by date,
    /// classes as in `LeadClass`. There is one for whatever has figures; in a report by day alone for every day, and in one
    /// without dimensions a single one.
    pub rows: Vec<LeadRow>,
    /// Everything together: the sum of the rows.
    pub total: Figures,
}

impl From<leads::LeadPeriod> for LeadPeriod {
    fn from(period: leads::LeadPeriod) -> Self {
        Self {
            begins: told(period.from),
            ends: told(period.until),
            sealed: period.sealed,
            rows: period.rows.into_iter().map(Into::into).collect(),
            total: period.total.into(),
        }
    }
}

/// A lead report.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LeadReport {
    /// The days asked for.
    pub current: LeadPeriod,
    /// As many days before those, if they were asked for.
    pub before: Option<LeadPeriod>,
}

impl From<leads::LeadReport> for LeadReport {
    fn from(report: leads::LeadReport) -> Self {
        Self { current: report.current.into(), before: report.before.map(Into::into) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_stands_in_its_own_place() {
        let responses = leads::Responses { count: 8, mean: Some(9), p50: Some(10), p90: Some(11) };
        let figures = leads::Figures {
            new: 1,
            duplicate: 2,
            returning: 3,
            outreach_replies: 4,
            late: 5,
            replied: 6,
            unanswered: 7,
            responses,
        };
        let told = Figures::from(figures);
        assert_eq!((told.new, told.duplicate, told.returning, told.outreach_replies), (1, 2, 3, 4));
        assert_eq!((told.late, told.replied, told.unanswered), (5, 6, 7));
        assert_eq!(told.responses, Responses { count: 8, mean: Some(9), p50: Some(10), p90: Some(11) });
    }
}
