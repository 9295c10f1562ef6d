//! Trying again: what may be tried again, and for how long.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::Failure;

/// How long to wait before the second attempt; each time after that twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How often a row that somebody else added first is worth another attempt: then it is there to be read.
const COLLISIONS: u32 = 5;

/// How much longer one call is tried again.
#[derive(Debug)]
pub(crate) struct Patience {
    until: Instant,
    pause: Duration,
    collisions: u32,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        Self::until(Instant::now() + limit)
    }

    /// Until that time.
    pub(crate) fn until(until: Instant) -> Self {
        Self { until, pause: FIRST_PAUSE, collisions: 0 }
    }

    /// Waits a little if another attempt may help and there is time for one; else gives the failure back.
    pub(crate) async fn again(&mut self, failure: Failure) -> Result<(), Failure> {
        self.collisions += u32::from(failure.is_collision());
        let due = Instant::now() + self.pause;
        if !failure.is_transient() || self.collisions > COLLISIONS || due > self.until {
            return Err(failure);
        }
        tracing::debug!(?failure, "trying again");
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}
