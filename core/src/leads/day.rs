//! Days of the calendar.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{Span, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::Invalid;

/// A day of the calendar, written as in ISO 8601.
///
/// ```
/// use seatport::leads::Day;
/// let day: Day = "2026-03-29".parse()?;
/// assert_eq!(day.to_string(), "2026-03-29");
/// assert!("29.3.2026".parse::<Day>().is_err());
/// # Ok::<(), seatport::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

impl Day {
    /// The day on the calendar of this zone.
    pub(super) fn of(at: Timestamp, zone: &TimeZone) -> Option<Self> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        Some(Self(at.to_zoned(zone.clone()).date()))
    }

    /// So many days later, or earlier; `None` beyond the years the calendar knows.
    #[must_use]
    pub(super) fn plus(self, days: i32) -> Option<Self> {
        self.0.checked_add(Span::new().try_days(days).ok()?).ok().map(Self)
    }

    /// When the clocks of the zone show this many minutes after midnight. If they skip that time, as much later as they skip;
    /// if they show it twice, the first.
    pub(super) fn start(self, minutes: i16, zone: &TimeZone) -> Option<Timestamp> {
        let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
        let start = zone.to_timestamp(self.0.at(hour, minute, 0, 0)).ok()?;
        Some(Timestamp::from_millis(start.as_millisecond()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // The parser would also take other ways to write a day, and a time of day after it.
        match text.parse::<Date>() {
            Ok(date) if date.to_string() == text => Ok(Self(date)),
            _ => Err(Invalid::new("day", format!("{text:?} is no day of the calendar"), "write it like 2026-03-29")),
        }
    }
}

impl TryFrom<String> for Day {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}
