//! A rate for a whole node.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Lets `rate` callers a second pass, evenly spaced once a burst of one second's worth is used up. First come, first served.
///
/// Crates for this measure real time; this one follows tokio's clock, so that simulations can.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    interval: Duration,
    burst: Duration,
    /// When the bucket would be full again: the further ahead of now, the emptier it is.
    full_at: Mutex<Instant>,
}

impl TokenBucket {
    pub(crate) fn per_second(rate: f64) -> Self {
        let interval = Duration::from_secs_f64(1.0 / rate.max(0.001));
        Self { interval, burst: Duration::from_secs(1), full_at: Mutex::new(Instant::now()) }
    }

    /// Takes a token and waits until it is due. A caller that gives up while waiting leaves its token unused.
    pub(crate) async fn take(&self) {
        let due = {
            let mut full_at = self.full_at.lock();
            *full_at = (*full_at).max(Instant::now()) + self.interval;
            *full_at - self.burst.max(self.interval)
        };
        tokio::time::sleep_until(due).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lets_one_second_s_worth_pass_at_once_and_then_keeps_the_rate() {
        let bucket = TokenBucket::per_second(20.0);
        let begin = Instant::now();
        for _ in 0..20 {
            bucket.take().await;
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        for _ in 0..100 {
            bucket.take().await;
        }
        assert_eq!(begin.elapsed().as_secs(), 5);
    }
}
