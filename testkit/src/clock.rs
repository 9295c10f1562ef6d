//! A clock that follows tokio's time, paused or not.

use seatport::{Clock, Timestamp};
use tokio::time::Instant;

/// The time of day as tokio's clock tells it: a start plus what has passed since. With paused time, hours pass in milliseconds.
///
/// ```
/// use std::time::Duration;
/// use seatport::{Clock, Timestamp};
/// use seatport_testkit::VirtualClock;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let clock = VirtualClock::starting_at(Timestamp::from_millis(1_700_000_000_000));
/// tokio::time::sleep(Duration::from_secs(3600)).await;
/// assert_eq!(clock.now(), Timestamp::from_millis(1_700_003_600_000));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    start: Timestamp,
    started: Instant,
}

impl VirtualClock {
    /// A clock that shows `start` now. Call it inside the runtime whose time it is to follow.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, started: Instant::now() }
    }
}

impl Default for VirtualClock {
    /// Starts on 2023-11-14 at 22:13:20 UTC.
    fn default() -> Self {
        Self::starting_at(Timestamp::from_millis(1_700_000_000_000))
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.start + self.started.elapsed()
    }
}
