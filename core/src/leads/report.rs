//! The figures, in rows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::query::Calendar;
use super::tally::Tally;
use super::{Day, Dimension, EntryClass, LeadAdjustment, LeadEntry, LeadQuery, LeadTotal, Replier};
use crate::clock::Timestamp;
use crate::ids::{AgentId, SessionId};
use crate::leads::AdjustmentReason;

/// How long after its end a day is sealed.
const SEAL: Duration = Duration::from_secs(48 * 60 * 60);

/// What visits count as in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LeadClass {
    /// A new person (新粉).
    New,
    /// A person who was counted as new already, for the first time in this session (重粉).
    Duplicate,
    /// The same person in the same session, after 24 hours or more (回访).
    Returning,
    /// The first visit of somebody we had written to first.
    OutreachReply,
}

/// Whose a row of a report by agent is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Attribution {
    /// The leads bound to this agent, and the replies the agent wrote.
    Agent(AgentId),
    /// The leads that came while nobody was bound.
    Unassigned,
    /// The replies from the phone or another device of the account.
    Device,
}

/// How long it took to answer leads, in whole seconds. Leads without an answer have no part in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responses {
    /// How many there are.
    pub count: u64,
    /// The mean, rounded; `None` when there are none, as the others.
    pub mean: Option<u32>,
    /// The median: the smallest time that half of them do not exceed.
    pub p50: Option<u32>,
    /// The smallest time that nine tenths of them do not exceed.
    pub p90: Option<u32>,
}

/// The figures of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// One row: what it is about, as far as the query told rows apart by it, and its figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadRow {
    /// The day on which the visits began.
    pub day: Option<Day>,
    /// Whether the day is sealed: it ended 48 hours ago or more, and what changes in it is told as an adjustment.
    pub sealed: Option<bool>,
    /// The session.
    pub session: Option<SessionId>,
    /// The agent.
    pub agent: Option<Attribution>,
    /// What the visits count as.
    pub class: Option<LeadClass>,
    /// The figures.
    pub figures: Figures,
}

/// The figures of a number of days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadPeriod {
    /// When the first day begins.
    pub from: Timestamp,
    /// When the last day ends.
    pub until: Timestamp,
    /// Whether all its days are sealed.
    pub sealed: bool,
    /// The rows, sorted by the dimensions in the order the query named them: sessions and agents by their ids, days by date,
    /// classes as in [`LeadClass`]. There is one for whatever has figures; in a report by day alone for every day, and in one
    /// without dimensions a single one.
    pub rows: Vec<LeadRow>,
    /// Everything together: the sum of the rows.
    pub total: Figures,
}

/// A lead report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadReport {
    /// The days asked for.
    pub current: LeadPeriod,
    /// As many days before those, if they were asked for.
    pub before: Option<LeadPeriod>,
}

impl LeadReport {
    /// The report a query asks for, from the totals of its [`range`](LeadQuery::range) and those of the
    /// [range before](LeadQuery::range_before) (none, if that is not asked for), at the time `now`.
    ///
    /// ```
    /// use seatport::leads::{LeadQuery, LeadReport, Tables};
    /// use seatport::Timestamp;
    ///
    /// let tables = Tables::default();
    /// let query = LeadQuery::new("2026-03-29".parse()?, 7, "Asia/Shanghai")?;
    /// let (from, until) = query.range();
    /// let report = LeadReport::new(&query, &tables.totals(from, until), &[], from);
    /// assert_eq!((report.current.total.new, report.current.sealed), (0, false));
    /// # Ok::<(), seatport::Invalid>(())
    /// ```
    #[must_use]
    pub fn new(query: &LeadQuery, totals: &[LeadTotal], totals_before: &[LeadTotal], now: Timestamp) -> Self {
        let before = query.range_before().map(|_| LeadPeriod::new(query, &query.calendar(true), totals_before, now));
        Self { current: LeadPeriod::new(query, &query.calendar(false), totals, now), before }
    }
}

/// What a row is about in one dimension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Day(Day),
    Session(SessionId),
    Agent(Attribution),
    Class(LeadClass),
}

impl LeadPeriod {
    fn new(query: &LeadQuery, calendar: &Calendar<'_>, totals: &[LeadTotal], now: Timestamp) -> Self {
        let mut rows: BTreeMap<Vec<Place>, Tally> = match query.dimensions() {
            [] => BTreeMap::from([(Vec::new(), Tally::default())]),
            [Dimension::Day] => calendar.days().map(|(day, _)| (vec![Place::Day(day)], Tally::default())).collect(),
            _ => BTreeMap::new(),
        };
        let mut total = Tally::default();
        for LeadTotal { entry, count } in totals {
            let Some((day, _)) = calendar.find(entry.quarter).filter(|_| query.has_session(entry.session)) else {
                continue;
            };
            let class = class(query, entry);
            let row = |agent: Attribution| -> Vec<Place> {
                let place = |dimension: &Dimension| match dimension {
                    Dimension::Day => Place::Day(day),
                    Dimension::Session => Place::Session(entry.session),
                    Dimension::Agent => Place::Agent(agent.clone()),
                    Dimension::Class => Place::Class(class),
                };
                query.dimensions().iter().map(place).collect()
            };

            let bound = query.has_agent(entry.agent.as_ref());
            let attribution = entry.agent.clone().map_or(Attribution::Unassigned, Attribution::Agent);
            if bound {
                let tally = rows.entry(row(attribution.clone())).or_default();
                [tally, &mut total].into_iter().for_each(|tally| tally.visits(class, entry, *count));
            }
            let Some(reply) = &entry.reply else { continue };
            let by_agent = query.dimensions().contains(&Dimension::Agent);
            let (asked, attribution) = match (by_agent, &reply.by) {
                (false, _) => (bound, attribution),
                (true, Replier::Agent(agent)) => (query.has_replier(&reply.by), Attribution::Agent(agent.clone())),
                (true, Replier::Device) => (query.has_replier(&reply.by), Attribution::Device),
            };
            if asked {
                let tally = rows.entry(row(attribution)).or_default();
                [tally, &mut total].into_iter().for_each(|tally| tally.responses(reply.seconds, *count));
            }
        }

        let ends: BTreeMap<Day, Timestamp> = calendar.days().collect();
        let sealed = |day: &Day| ends.get(day).is_some_and(|end| is_sealed(*end, now));
        let (from, until) = calendar.range();
        Self {
            from,
            until,
            sealed: is_sealed(until, now),
            rows: rows.into_iter().map(|(places, tally)| LeadRow::new(places, sealed, tally.figures())).collect(),
            total: total.figures(),
        }
    }
}

impl LeadRow {
    fn new(places: Vec<Place>, sealed: impl Fn(&Day) -> bool, figures: Figures) -> Self {
        let mut row = Self { day: None, sealed: None, session: None, agent: None, class: None, figures };
        for place in places {
            match place {
                Place::Day(day) => (row.day, row.sealed) = (Some(day), Some(sealed(&day))),
                Place::Session(session) => row.session = Some(session),
                Place::Agent(agent) => row.agent = Some(agent),
                Place::Class(class) => row.class = Some(class),
            }
        }
        row
    }
}

fn class(query: &LeadQuery, entry: &LeadEntry) -> LeadClass {
    match entry.class {
        EntryClass::Lead { new_in } if new_in.contains(query.counts_as_new_in()) => LeadClass::New,
        EntryClass::Lead { .. } => LeadClass::Duplicate,
        EntryClass::OutreachReply => LeadClass::OutreachReply,
        EntryClass::Returning => LeadClass::Returning,
    }
}

/// Whether a day that ends then is sealed now.
fn is_sealed(end: Timestamp, now: Timestamp) -> bool {
    now >= end + SEAL
}

/// A correction that people have to be shown, with the day whose figures it changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisibleAdjustment {
    /// The day, as the query counts days.
    pub day: Day,
    /// The correction.
    pub adjustment: LeadAdjustment,
}

/// Those of the corrections that people have to be shown beside the report of a query, in the order given: whatever a merge
/// changed, and what changed after its day was sealed. A sealed day's figures less what was corrected since are the figures it
/// was sealed with.
#[must_use]
pub fn visible(query: &LeadQuery, adjustments: &[LeadAdjustment]) -> Vec<VisibleAdjustment> {
    let calendar = query.calendar(false);
    let shown = adjustments.iter().filter(|made| query.concerns(&made.entry)).filter_map(|made| {
        let (day, end) = calendar.find(made.entry.quarter)?;
        let show = made.reason == AdjustmentReason::Merged || is_sealed(end, made.posted_at);
        show.then(|| VisibleAdjustment { day, adjustment: made.clone() })
    });
    shown.collect()
}
