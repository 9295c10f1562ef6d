//! How long sessions are offline when they change hands, as the network saw it.

use std::time::Duration;

use seatport::{SessionId, Timestamp};
use seatport_testkit::messenger::Journal;

/// How long a session was offline that lost its connection after this moment: from the end of the connection to the
/// next login. None if it was not connected then, or has not come back.
pub(crate) fn offline(journal: &Journal, session: SessionId, at: Timestamp) -> Option<Duration> {
    let mut logins = journal.dials(session).filter(|connection| connection.login.is_some());
    let lost = logins.find(|connection| connection.end.is_some_and(|(_, end)| end >= at))?;
    let since = lost.end.filter(|_| lost.dialled_at <= at)?.1;
    let again = logins.next()?;
    Some(again.login.as_ref()?.1.since(since))
}

/// So many of 100 took no longer than this.
pub(crate) fn at_percent(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(place).copied().unwrap_or_default()
}

/// The median, the 99th of 100 and the longest.
pub(crate) fn percentiles(mut times: Vec<Duration>) -> String {
    let count = times.len();
    let [median, most, longest] = [50, 99, 100].map(|percent| at_percent(&mut times, percent));
    format!("{count} times, p50 {median:.2?}, p99 {most:.2?}, at most {longest:.2?}")
}
