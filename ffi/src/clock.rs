//! The clock of the host.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use seatport::{Clock as CoreClock, SystemClock, Timestamp};

use crate::error::SeatportError;
use crate::host::{Held, HostThread};
use crate::time;

/// The time is asked for in the middle of everything: nobody waits longer than this for it, whatever else the host may take.
const MOST: Duration = Duration::from_secs(1);

/// Tells the time, instead of the operating system: for tests and simulations. It is asked often, from a thread of its own, so it
/// answers at once. If it does not within a second, or fails, time goes on from its last answer until it answers again.
///
/// Only the time of day is asked for: deadlines and pauses pass in real time.
#[uniffi::export(rust, foreign)]
pub trait Clock: Send + Sync {
    /// The time now.
    ///
    /// # Errors
    /// Whatever is thrown counts as no answer.
    fn now(&self) -> Result<SystemTime, SeatportError>;
}

/// A clock of the host, as core sees it.
pub(crate) struct HostClock {
    clock: Held<dyn Clock>,
    limit: Duration,
    thread: HostThread,
    /// Its last answer, and when that came.
    last: Mutex<Option<(Timestamp, Instant)>>,
    failing: AtomicBool,
}

impl HostClock {
    /// Asks this clock, which has `limit` for an answer, and never more than a second.
    pub(crate) fn new(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        let (clock, thread) = (Held::new(clock), HostThread::new("clock"));
        Self { clock, limit: limit.min(MOST), thread, last: Mutex::default(), failing: AtomicBool::new(false) }
    }

    fn ask(&self) -> Result<Timestamp, SeatportError> {
        let clock = self.clock.clone();
        Ok(time::given(self.thread.ask(self.limit, move || clock.now())??)?)
    }
}

impl CoreClock for HostClock {
    fn now(&self) -> Timestamp {
        match self.ask() {
            Ok(now) => {
                self.failing.store(false, Ordering::Relaxed);
                *self.last.lock() = Some((now, Instant::now()));
                now
            }
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the host's clock failed; time goes on from its last answer");
                }
                match *self.last.lock() {
                    Some((last, when)) => last + when.elapsed(),
                    None => SystemClock.now(),
                }
            }
        }
    }
}

impl fmt::Debug for HostClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostClock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::told;

    const LIMIT: Duration = Duration::from_millis(20);

    /// A clock of the host that shows this time, or hangs while there is none.
    #[derive(Default)]
    struct Dial(Mutex<Option<Result<i64, SeatportError>>>);

    impl Clock for Arc<Dial> {
        fn now(&self) -> Result<SystemTime, SeatportError> {
            loop {
                if let Some(shown) = self.0.lock().clone() {
                    return shown.map(|millis| told(Timestamp::from_millis(millis)));
                }
                std::thread::yield_now();
            }
        }
    }

    fn hosted() -> (Arc<Dial>, HostClock) {
        let dial = Arc::new(Dial::default());
        let clock: Arc<dyn Clock> = Arc::new(dial.clone());
        (dial, HostClock::new(clock, LIMIT))
    }

    /// The system's clock serves when the machine is too slow for the limit; the test tries again until the host is asked.
    fn shows(clock: &HostClock, millis: i64) {
        while clock.now() != Timestamp::from_millis(millis) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_time_is_what_the_host_says() {
        let (dial, clock) = hosted();
        for millis in [1_000, 500, 9_000_000] {
            *dial.0.lock() = Some(Ok(millis));
            shows(&clock, millis);
        }
    }

    #[test]
    fn while_the_host_hangs_time_goes_on_from_its_last_answer() {
        let (dial, clock) = hosted();
        *dial.0.lock() = Some(Ok(5_000));
        shows(&clock, 5_000);
        *dial.0.lock() = None;
        let first = clock.now();
        let second = clock.now();
        assert!(first > Timestamp::from_millis(5_000) && second >= first);
        assert!(second < SystemClock.now() - Duration::from_secs(1_000_000), "not the system's");
        *dial.0.lock() = Some(Ok(7_000_000));
        shows(&clock, 7_000_000);
    }

    #[test]
    fn while_the_host_fails_time_goes_on_from_its_last_answer_and_at_first_from_the_systems() {
        let (dial, clock) = hosted();
        *dial.0.lock() = Some(Err(SeatportError::Host { detail: "broken".to_owned() }));
        assert!(SystemClock.now().since(clock.now()) < Duration::from_secs(60));
        *dial.0.lock() = Some(Ok(5_000));
        shows(&clock, 5_000);
        *dial.0.lock() = Some(Err(SeatportError::Host { detail: "broken".to_owned() }));
        let now = clock.now();
        assert!(now >= Timestamp::from_millis(5_000) && now < Timestamp::from_millis(600_000_000), "{now}");
    }
}
