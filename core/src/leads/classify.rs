//! What a person's visits count as: a pure function of what is stored of the person.

use std::time::Duration;

use super::ledger::{Moment, Pair, PairFacts, Trace, Visit, tie};
use super::{EntryClass, LeadEntry, LeadWindow, Replier, Reply, Windows};
use crate::clock::Timestamp;
use crate::conversation::Author;
use crate::ids::SessionId;

const QUARTER: i64 = 15 * 60 * 1000;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a pair counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairClass {
    /// Nothing, returning visits included: the person was there before the account's first login (存量), or never wrote.
    Nothing,
    /// We wrote first.
    Outreach,
    /// The person wrote first.
    Lead,
}

impl PairClass {
    /// What a pair with these facts and this first visit counts as.
    ///
    /// Networks tell the time of a message in whole seconds, so what happened in the very second of the first login is taken
    /// to have happened after it.
    pub(super) fn of(facts: &PairFacts, first: Option<&Visit>) -> Self {
        let Some(first) = first else { return Self::Nothing };
        let login = facts.first_login.map(|login| Timestamp::from_millis(floor(login, 1_000)));
        let baseline = facts.first_activity.zip(login).is_some_and(|(activity, login)| activity < login);
        let outreach = facts.first_outbound.as_ref().is_some_and(|outbound| outbound.moment < first.start);
        match (baseline, outreach) {
            (true, _) => Self::Nothing,
            (false, true) => Self::Outreach,
            (false, false) => Self::Lead,
        }
    }

    /// Whether its visits count.
    pub(super) fn counts(self) -> bool {
        self != Self::Nothing
    }
}

/// A pair and its first visit: what decides the class of every visit of its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) pair: Pair,
    pub(super) first: Option<Visit>,
}

impl Standing {
    pub(super) fn class(&self) -> PairClass {
        PairClass::of(&self.pair.facts, self.first.as_ref())
    }

    /// The entry of the first visit, if it counts; of a lead as if it were new nowhere.
    pub(super) fn entry(&self) -> Option<LeadEntry> {
        let first = self.first.as_ref()?;
        let (class, reply) = match self.class() {
            PairClass::Nothing => return None,
            PairClass::Outreach => (EntryClass::OutreachReply, None),
            PairClass::Lead => (EntryClass::Lead { new_in: Windows::default() }, reply(&self.pair.facts, first)),
        };
        Some(LeadEntry { class, reply, ..returning(self.pair.session, first) })
    }
}

/// The first answer to a lead. Nobody wrote to the person before the lead, so it is the first message to the person.
fn reply(facts: &PairFacts, first: &Visit) -> Option<Reply> {
    facts.first_outbound.as_ref().map(|outbound| Reply {
        by: match &outbound.by {
            Author::Agent(agent) => Replier::Agent(agent.clone()),
            Author::Device => Replier::Device,
        },
        seconds: u32::try_from(outbound.moment.at.since(first.start.at).as_secs()).unwrap_or(u32::MAX),
    })
}

/// The entry of a visit that is not its pair's first.
pub(super) fn returning(session: SessionId, visit: &Visit) -> LeadEntry {
    LeadEntry {
        quarter: Timestamp::from_millis(floor(visit.start.at, QUARTER)),
        session,
        agent: visit.agent.clone(),
        class: EntryClass::Returning,
        late: visit.late,
        reply: None,
    }
}

/// The entries of the first visits of one person: of each standing its own, in the given order.
pub(super) fn first_entries(standings: &[Standing], traces: &[Trace]) -> Vec<Option<LeadEntry>> {
    let mut entries: Vec<Option<LeadEntry>> = standings.iter().map(Standing::entry).collect();
    let mut leads: Vec<(&Moment, i64, Option<usize>)> =
        traces.iter().map(|trace| (&trace.start, trace.tie, None)).collect();
    for (index, standing) in standings.iter().enumerate() {
        if let (PairClass::Lead, Some(first)) = (standing.class(), &standing.first) {
            leads.push((&first.start, tie(standing.pair.session), Some(index)));
        }
    }
    leads.sort_unstable();

    let times: Vec<Timestamp> = leads.iter().map(|(start, ..)| start.at).collect();
    for ((_, _, index), windows) in leads.into_iter().zip(new_in(&times)) {
        if let Some(LeadEntry { class: EntryClass::Lead { new_in }, .. }) =
            index.and_then(|index| entries[index].as_mut())
        {
            *new_in = windows;
        }
    }
    entries
}

/// In which windows each of one person's leads is new, given the times at which they start, ascending.
///
/// A lead is new in a window when none was counted new before it, or the last that was is the window's length ago or more. A
/// duplicate does not prolong the window.
fn new_in(starts: &[Timestamp]) -> Vec<Windows> {
    let mut last_new = LeadWindow::ALL.map(|window| (window, None::<Timestamp>));
    let lead = |start: &Timestamp| {
        last_new.iter_mut().fold(Windows::default(), |windows, (window, last)| {
            let open = last.is_none_or(|last| length(*window).is_some_and(|length| start.since(last) >= length));
            if !open {
                return windows;
            }
            *last = Some(*start);
            windows.with(*window)
        })
    };
    starts.iter().map(lead).collect()
}

fn length(window: LeadWindow) -> Option<Duration> {
    match window {
        LeadWindow::Lifetime => None,
        LeadWindow::Days7 => Some(7 * DAY),
        LeadWindow::Days30 => Some(30 * DAY),
        LeadWindow::Days90 => Some(90 * DAY),
    }
}

/// The greatest multiple of `step` milliseconds that is not after the time.
fn floor(at: Timestamp, step: i64) -> i64 {
    at.as_millis().saturating_sub(at.as_millis().rem_euclid(step))
}
