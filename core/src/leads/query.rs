//! What a lead report is asked for.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Day, LeadEntry, LeadWindow, Replier};
use crate::clock::Timestamp;
use crate::error::Invalid;
use crate::ids::{AgentId, SessionId};

/// The most days of one report.
pub const MAX_DAYS: u16 = 366;

/// What the rows of a report are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dimension {
    /// The day.
    Day,
    /// The session.
    Session,
    /// The agent: of a lead the one bound to the session, of a reply the one who wrote it.
    Agent,
    /// What visits count as.
    Class,
}

/// What a lead report is asked for: which days, in which zone, counted how, and in which rows.
///
/// A day begins when the clocks of the zone show the reset time and lasts until the next day begins: 23 or 25 hours when they
/// are put forward or back.
///
/// ```
/// use std::time::Duration;
/// use seatport::leads::{Dimension, LeadQuery, LeadWindow};
///
/// let query = LeadQuery::new("2026-03-29".parse()?, 1, "Europe/Berlin")?
///     .reset("04:00")?
///     .window(LeadWindow::Days30)
///     .by([Dimension::Session])?;
/// let (from, until) = query.range();
/// assert_eq!((from.to_string(), until.since(from)), ("2026-03-29T02:00:00Z".into(), Duration::from_secs(24 * 3600)));
///
/// let error = LeadQuery::new("2026-03-29".parse()?, 1, "Berlin").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "invalid time zone: \"Berlin\" is not in the IANA database; write it like Asia/Shanghai",
/// );
/// # Ok::<(), seatport::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadQuery {
    from: Day,
    days: u16,
    zone: TimeZone,
    /// Minutes after midnight.
    reset: i16,
    window: LeadWindow,
    by: Vec<Dimension>,
    sessions: Option<BTreeSet<SessionId>>,
    agents: Option<BTreeSet<AgentId>>,
    compare: bool,
    /// The starts of the days asked for, and of the day after them.
    starts: Vec<Timestamp>,
    /// The same of as many days before those.
    starts_before: Vec<Timestamp>,
}

/// The zone of this name.
fn known_zone(name: &str) -> Result<TimeZone, Invalid> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown()).ok_or_else(|| {
        Invalid::new("time zone", format!("{name:?} is not in the IANA database"), "write it like Asia/Shanghai")
    })
}

impl LeadQuery {
    /// Asks for this many days, 1 to [`MAX_DAYS`], from this one on, in an IANA time zone: all sessions and agents, one row,
    /// days that begin at midnight, everybody new once.
    ///
    /// # Errors
    /// [`Invalid`] for an unknown zone, too few or too many days, and days beyond the years the calendar knows.
    pub fn new(from: Day, days: u16, zone: &str) -> Result<Self, Invalid> {
        if !(1..=MAX_DAYS).contains(&days) {
            let way_out = format!("ask for 1 to {MAX_DAYS} days at a time");
            return Err(Invalid::new("number of days", days.to_string(), way_out));
        }
        let zone = known_zone(zone)?;
        let query = Self {
            from,
            days,
            zone,
            reset: 0,
            window: LeadWindow::default(),
            by: Vec::new(),
            sessions: None,
            agents: None,
            compare: false,
            starts: Vec::new(),
            starts_before: Vec::new(),
        };
        query.with_starts()
    }

    /// Asks for the last so many days on the calendar of the zone, the present one included.
    ///
    /// ```
    /// use seatport::Timestamp;
    /// use seatport::leads::LeadQuery;
    /// let now = Timestamp::from_millis(1_774_800_000_000); // 2026-03-29, 16:00 UTC: the next day in Shanghai
    /// let this_week = LeadQuery::last(7, "Asia/Shanghai", now)?;
    /// assert_eq!(this_week, LeadQuery::new("2026-03-24".parse()?, 7, "Asia/Shanghai")?);
    /// # Ok::<(), seatport::Invalid>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn last(days: u16, zone: &str, now: Timestamp) -> Result<Self, Invalid> {
        let today = Day::of(now, &known_zone(zone)?);
        let first = today.and_then(|today| today.plus(1 - i32::from(days)));
        let first = first.ok_or_else(|| Invalid::new("time", format!("{now} is on no calendar"), "check the clock"))?;
        Self::new(first, days, zone)
    }

    /// Days begin at this time of day, `HH:MM`, a multiple of 15 minutes. If the clocks skip it, the day begins as much later
    /// as they skip; if they show it twice, at the first.
    ///
    /// # Errors
    /// [`Invalid`] if it is no such time.
    pub fn reset(self, time: &str) -> Result<Self, Invalid> {
        let minutes = match time.as_bytes() {
            [a, b, b':', c, d] if [a, b, c, d].into_iter().all(u8::is_ascii_digit) => {
                let number = |tens: &u8, ones: &u8| i16::from(tens - b'0') * 10 + i16::from(ones - b'0');
                Some((number(a, b), number(c, d))).filter(|(hours, minutes)| *hours < 24 && *minutes < 60)
            }
            _ => None,
        };
        match minutes.map(|(hours, minutes)| hours * 60 + minutes) {
            Some(reset) if reset % 15 == 0 => Self { reset, ..self }.with_starts(),
            Some(_) => Err(Invalid::new("reset time", format!("{time} is not on a quarter of an hour"), WRITE_RESET)),
            None => Err(Invalid::new("reset time", format!("{time:?} is no time of day"), WRITE_RESET)),
        }
    }

    /// Counts a person as new again this long after the last time.
    #[must_use]
    pub fn window(self, window: LeadWindow) -> Self {
        Self { window, ..self }
    }

    /// Tells rows apart by these, and sorts them in this order.
    ///
    /// # Errors
    /// [`Invalid`] if one is named twice.
    pub fn by(self, dimensions: impl IntoIterator<Item = Dimension>) -> Result<Self, Invalid> {
        let by: Vec<Dimension> = dimensions.into_iter().collect();
        match by.iter().enumerate().find(|(index, dimension)| by[..*index].contains(dimension)) {
            Some((_, twice)) => Err(Invalid::new("dimensions", format!("{twice:?} is named twice"), "name it once")),
            None => Ok(Self { by, ..self }),
        }
    }

    /// Only these sessions.
    #[must_use]
    pub fn sessions(self, sessions: impl IntoIterator<Item = SessionId>) -> Self {
        Self { sessions: Some(sessions.into_iter().collect()), ..self }
    }

    /// Only these agents: the leads bound to them, and, in rows by agent, the replies they wrote.
    #[must_use]
    pub fn agents(self, agents: impl IntoIterator<Item = AgentId>) -> Self {
        Self { agents: Some(agents.into_iter().collect()), ..self }
    }

    /// Puts as many days before these beside them.
    #[must_use]
    pub fn compare(self) -> Self {
        Self { compare: true, ..self }
    }

    /// From the start of the first day until the end of the last: the totals of these quarters of an hour are what
    /// [`LeadReport::new`](super::LeadReport::new) needs.
    #[must_use]
    pub fn range(&self) -> (Timestamp, Timestamp) {
        ends(&self.starts)
    }

    /// The same of the period to compare with, if there is to be one.
    #[must_use]
    pub fn range_before(&self) -> Option<(Timestamp, Timestamp)> {
        self.compare.then(|| ends(&self.starts_before))
    }

    /// The dimensions, in their order.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.by
    }

    pub(super) fn counts_as_new_in(&self) -> LeadWindow {
        self.window
    }

    /// The days of the period, or of the one before.
    pub(super) fn calendar(&self, before: bool) -> Calendar<'_> {
        let days = i32::from(self.days);
        let first = if before { self.from.plus(-days).unwrap_or(self.from) } else { self.from };
        Calendar { first, starts: if before { &self.starts_before } else { &self.starts } }
    }

    pub(super) fn has_session(&self, session: SessionId) -> bool {
        self.sessions.as_ref().is_none_or(|sessions| sessions.contains(&session))
    }

    /// Whether leads that came to this agent, or to nobody, are asked for.
    pub(super) fn has_agent(&self, agent: Option<&AgentId>) -> bool {
        self.agents.as_ref().is_none_or(|agents| agent.is_some_and(|agent| agents.contains(agent)))
    }

    /// Whether replies from there are asked for, where they count for whoever wrote them.
    pub(super) fn has_replier(&self, replier: &Replier) -> bool {
        match replier {
            Replier::Agent(agent) => self.has_agent(Some(agent)),
            Replier::Device => self.agents.is_none(),
        }
    }

    /// Whether an entry has a part in the report.
    pub(super) fn concerns(&self, entry: &LeadEntry) -> bool {
        let replied = entry.reply.as_ref().is_some_and(|reply| self.has_replier(&reply.by));
        self.has_session(entry.session)
            && (self.has_agent(entry.agent.as_ref()) || (replied && self.by.contains(&Dimension::Agent)))
    }

    fn with_starts(self) -> Result<Self, Invalid> {
        let days = i32::from(self.days);
        let starts = |from: i32| -> Option<Vec<Timestamp>> {
            (from..=from + days).map(|day| self.from.plus(day)?.start(self.reset, &self.zone)).collect()
        };
        match (starts(0), starts(-days)) {
            (Some(starts), Some(starts_before)) => Ok(Self { starts, starts_before, ..self }),
            _ => Err(Invalid::new("day", format!("{} is too far away", self.from), "ask for a day of our time")),
        }
    }
}

const WRITE_RESET: &str = "write it like 04:15, in steps of 15 minutes";

fn ends(starts: &[Timestamp]) -> (Timestamp, Timestamp) {
    let never = Timestamp::from_millis(0);
    (starts.first().copied().unwrap_or(never), starts.last().copied().unwrap_or(never))
}

/// The days of a period.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar<'a> {
    first: Day,
    /// The starts of all days, and of the day after them.
    starts: &'a [Timestamp],
}

impl Calendar<'_> {
    /// All days with their ends.
    pub(super) fn days(&self) -> impl Iterator<Item = (Day, Timestamp)> {
        let ends = self.starts.iter().skip(1).enumerate();
        ends.filter_map(|(index, end)| Some((self.day(index)?, *end)))
    }

    /// The day of a quarter of an hour, and when it ends.
    pub(super) fn find(&self, quarter: Timestamp) -> Option<(Day, Timestamp)> {
        let index = self.starts.partition_point(|start| *start <= quarter).checked_sub(1)?;
        Some((self.day(index)?, *self.starts.get(index + 1)?))
    }

    /// From when until when.
    pub(super) fn range(&self) -> (Timestamp, Timestamp) {
        ends(self.starts)
    }

    fn day(&self, index: usize) -> Option<Day> {
        self.first.plus(i32::try_from(index).ok()?)
    }
}
