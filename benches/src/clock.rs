//! The time.

use std::time::Duration;

use seatport::{Clock, SystemClock, Timestamp};

/// A clock that is so much behind: for what is meant to have happened a while ago.
#[derive(Clone, Copy, Debug)]
pub struct Behind(pub Duration);

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        earlier(SystemClock.now(), self.0)
    }
}

/// So long before a time.
#[must_use]
pub fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(time.as_millis() - i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}

/// So many days.
#[must_use]
pub fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}
