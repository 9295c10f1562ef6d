//! What the domain says a report holds, worked out the slow way: each row by going through all visits.

use jiff::tz::TimeZone;
use seatport::leads::{
    Attribution, Day, Dimension, EntryClass, Figures, LeadClass, LeadPeriod, LeadReport, LeadRow, LeadWindow, Replier,
    Responses,
};
use seatport::{AgentId, SessionId, Timestamp};

use crate::log::{DAY, SECOND};
use crate::model::Visit;

/// What is asked for, in plain values.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Days since 1970-01-01.
    pub(crate) from: i64,
    pub(crate) days: i64,
    pub(crate) zone: &'static str,
    /// Minutes after midnight.
    pub(crate) reset: i64,
    pub(crate) window: LeadWindow,
    pub(crate) by: Vec<Dimension>,
    pub(crate) sessions: Option<Vec<SessionId>>,
    pub(crate) agents: Option<Vec<AgentId>>,
    pub(crate) compare: bool,
}

/// When a day of the calendar begins.
pub(crate) fn day_start(asked: &Asked, day: i64) -> i64 {
    let zone = TimeZone::get(asked.zone).unwrap();
    let offset = |utc: i64| i64::from(zone.to_offset(jiff::Timestamp::from_second(utc).unwrap()).seconds());
    // No clock is ahead of UTC by 15 hours, or behind it by 13.
    let shown = day * DAY / SECOND + asked.reset * 60;
    let (before, after) = (offset(shown - 15 * 3600), offset(shown + 13 * 3600));
    let moments = [shown - before, shown - after];
    let right = moments.into_iter().filter(|moment| moment + offset(*moment) == shown).min();
    right.unwrap_or(shown - before) * SECOND
}

/// `2026-03-29` for the day so many days after 1970-01-01.
pub(crate) fn day_text(mut day: i64) -> String {
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let mut year = 1970;
    while day >= 365 + i64::from(leap(year)) {
        day -= 365 + i64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let february = 28 + i64::from(leap(year));
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, day + 1)
}

/// One visit, or one answer, where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    day: i64,
    session: SessionId,
    agent: Attribution,
    class: LeadClass,
}

pub(crate) fn report(visits: &[Visit], asked: &Asked, now: Timestamp) -> LeadReport {
    let before = Asked { from: asked.from - asked.days, ..asked.clone() };
    LeadReport { current: period(visits, asked, now), before: asked.compare.then(|| period(visits, &before, now)) }
}

fn period(visits: &[Visit], asked: &Asked, now: Timestamp) -> LeadPeriod {
    let days: Vec<(i64, i64, i64)> = (asked.from..asked.from + asked.days)
        .map(|day| (day, day_start(asked, day), day_start(asked, day + 1)))
        .collect();
    let sealed = |end: i64| now.as_millis() >= end + 2 * DAY;

    let mut came: Vec<(Place, &Visit)> = Vec::new();
    let mut answers: Vec<(Place, u32)> = Vec::new();
    for visit in visits {
        let day = days.iter().find(|(_, start, end)| (*start..*end).contains(&visit.at));
        let asked_session = asked.sessions.as_ref().is_none_or(|sessions| sessions.contains(&visit.session));
        let Some((day, ..)) = day.filter(|_| asked_session) else { continue };
        let asked_agent = |agent: Option<&AgentId>| {
            asked.agents.as_ref().is_none_or(|agents| agent.is_some_and(|agent| agents.contains(agent)))
        };
        let agent = visit.agent.clone().map_or(Attribution::Unassigned, Attribution::Agent);
        let class = match visit.class {
            EntryClass::Lead { new_in } if new_in.contains(asked.window) => LeadClass::New,
            EntryClass::Lead { .. } => LeadClass::Duplicate,
            EntryClass::OutreachReply => LeadClass::OutreachReply,
            EntryClass::Returning => LeadClass::Returning,
        };
        let place = Place { day: *day, session: visit.session, agent, class };
        if asked_agent(visit.agent.as_ref()) {
            came.push((place.clone(), visit));
        }
        if let Some(reply) = &visit.reply {
            if asked.by.contains(&Dimension::Agent) {
                let (writer, attribution) = match &reply.by {
                    Replier::Agent(agent) => (Some(agent), Attribution::Agent(agent.clone())),
                    Replier::Device => (None, Attribution::Device),
                };
                if asked_agent(writer) {
                    answers.push((Place { agent: attribution, ..place }, reply.seconds));
                }
            } else if asked_agent(visit.agent.as_ref()) {
                answers.push((place, reply.seconds));
            }
        }
    }

    let row = |place: &Place| -> LeadRow {
        let by = |dimension| asked.by.contains(&dimension);
        let end = days.iter().find(|(day, ..)| *day == place.day).unwrap().2;
        LeadRow {
            day: by(Dimension::Day).then(|| day_text(place.day).parse::<Day>().unwrap()),
            sealed: by(Dimension::Day).then(|| sealed(end)),
            session: by(Dimension::Session).then_some(place.session),
            agent: by(Dimension::Agent).then(|| place.agent.clone()),
            class: by(Dimension::Class).then_some(place.class),
            figures: Figures::default(),
        }
    };
    let mut rows: Vec<LeadRow> = Vec::new();
    let filled = came.iter().map(|(place, _)| place).chain(answers.iter().map(|(place, _)| place)).map(row);
    let anywhere = |day: i64| Place {
        day,
        session: SessionId::from_bytes([0; 16]),
        agent: Attribution::Device,
        class: LeadClass::New,
    };
    let padding: Vec<LeadRow> = match asked.by.as_slice() {
        [] => vec![row(&anywhere(asked.from))],
        [Dimension::Day] => days.iter().map(|(day, ..)| row(&anywhere(*day))).collect(),
        _ => Vec::new(),
    };
    for row in filled.chain(padding) {
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows.sort_by(|a, b| {
        let orders = asked.by.iter().map(|dimension| match dimension {
            Dimension::Day => a.day.cmp(&b.day),
            Dimension::Session => a.session.cmp(&b.session),
            Dimension::Agent => a.agent.cmp(&b.agent),
            Dimension::Class => a.class.cmp(&b.class),
        });
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    let in_row = |place: &Place, wanted: &LeadRow| row(place) == *wanted;
    for filled in &mut rows {
        let wanted = filled.clone();
        filled.figures = figures(
            came.iter().filter(|(place, _)| in_row(place, &wanted)).map(|(place, visit)| (place.class, *visit)),
            answers.iter().filter(|(place, _)| in_row(place, &wanted)).map(|(_, seconds)| *seconds),
        );
    }
    let end = day_start(asked, asked.from + asked.days);
    LeadPeriod {
        from: Timestamp::from_millis(day_start(asked, asked.from)),
        until: Timestamp::from_millis(end),
        sealed: sealed(end),
        rows,
        total: figures(
            came.iter().map(|(place, visit)| (place.class, *visit)),
            answers.iter().map(|(_, seconds)| *seconds),
        ),
    }
}

fn figures<'a>(
    visits: impl Iterator<Item = (LeadClass, &'a Visit)> + Clone,
    answers: impl Iterator<Item = u32>,
) -> Figures {
    let number = |counts: &dyn Fn(LeadClass, &Visit) -> bool| {
        visits.clone().filter(|(class, visit)| counts(*class, visit)).count() as u64
    };
    let lead = |class| class == LeadClass::New || class == LeadClass::Duplicate;
    let mut seconds: Vec<u32> = answers.collect();
    seconds.sort_unstable();
    let rank = |percent: usize| {
        let rank = (1..=seconds.len()).find(|rank| rank * 100 >= seconds.len() * percent)?;
        Some(seconds[rank - 1])
    };
    let sum: u64 = seconds.iter().map(|seconds| u64::from(*seconds)).sum();
    let count = seconds.len() as u64;
    Figures {
        new: number(&|class, _| class == LeadClass::New),
        duplicate: number(&|class, _| class == LeadClass::Duplicate),
        returning: number(&|class, _| class == LeadClass::Returning),
        outreach_replies: number(&|class, _| class == LeadClass::OutreachReply),
        late: number(&|_, visit| visit.late),
        replied: number(&|class, visit| lead(class) && visit.reply.is_some()),
        unanswered: number(&|class, visit| lead(class) && visit.reply.is_none()),
        responses: Responses {
            count,
            mean: (count > 0).then(|| ((2 * sum + count) / (2 * count)).try_into().unwrap()),
            p50: rank(50),
            p90: rank(90),
        },
    }
}
