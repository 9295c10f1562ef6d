//! How long things may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Invalid;
use crate::random::Random;

/// Longer than anything here may take.
const DAY: Duration = Duration::from_secs(86_400);

/// The moment when `wait` from now is over. What a caller or a network names may be too long for the clock; then it is far off.
pub(crate) fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(10_000 * DAY)
}

/// Deadlines and rates. The defaults suit production; tests and simulations set their own.
///
/// ```
/// use std::time::Duration;
/// use seatport::Timing;
/// let timing = Timing { retry_first: Duration::from_millis(100), ..Timing::default() };
/// assert_eq!(timing.proof_of_life, Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// How long each half of dialling may take: until the transport answers, and from then until there is a login code or the
    /// account is online. Messages that come in between begin the second half anew. 45 s.
    pub dial: Duration,
    /// How long an online connection may be silent before it counts as lost. 60 s.
    pub proof_of_life: Duration,
    /// How long a transport may take to close before it is abandoned. 4 s, so that stop answers within 5 s.
    pub stop: Duration,
    /// How long after its expiry the next login code may follow before the round counts as over. 5 s.
    pub challenge_grace: Duration,
    /// The longest wait before the first retry; it doubles with every attempt that fails. 2 s.
    pub retry_first: Duration,
    /// The longest wait before any retry. 5 min.
    pub retry_most: Duration,
    /// How many reconnects a node begins per second, over all its sessions; after a quiet time one second's worth at once. 20.
    pub reconnects_per_second: f64,
    /// How many sessions a node takes over per second, at boot and when another node died; after a quiet time one second's
    /// worth at once. 50.
    pub adoptions_per_second: f64,
    /// How many sessions a node hands over to others per second, when it is [drained](crate::Seatport::drain) or drives more than
    /// its share; after a quiet time one second's worth at once. No more than one second's worth are on the way at any time. 20.
    pub handovers_per_second: f64,
    /// How long a node's ownership outlives its last sign of life. 15 s.
    pub lease: Duration,
    /// How often a node looks for sessions that nobody drives. 1 s, so that those of a node that died resume within its lease
    /// and 2 s.
    pub scan: Duration,
    /// How much time passes from one message of a session to the next when several wait to be sent: between half of this and
    /// one and a half, at random. Zero sends them one right after the other. 1 s.
    pub send_every: Duration,
    /// How often a node removes the events that are older than the host [keeps](crate::SeatportBuilder::retention). 1 h.
    pub trim: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            dial: Duration::from_secs(45),
            proof_of_life: Duration::from_secs(60),
            stop: Duration::from_secs(4),
            challenge_grace: Duration::from_secs(5),
            retry_first: Duration::from_secs(2),
            retry_most: Duration::from_secs(300),
            reconnects_per_second: 20.0,
            adoptions_per_second: 50.0,
            handovers_per_second: 20.0,
            lease: Duration::from_secs(15),
            scan: Duration::from_secs(1),
            send_every: Duration::from_secs(1),
            trim: Duration::from_secs(3600),
        }
    }
}

impl Timing {
    /// Refuses what no node could live by.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let durations = [
            ("dial", self.dial),
            ("proof_of_life", self.proof_of_life),
            ("stop", self.stop),
            ("challenge_grace", self.challenge_grace),
            ("retry_first", self.retry_first),
            ("retry_most", self.retry_most),
            ("lease", self.lease),
            ("scan", self.scan),
            ("trim", self.trim),
        ];
        if let Some((name, _)) = durations.iter().find(|(_, duration)| duration.is_zero() || *duration > DAY) {
            return Err(Invalid::new(
                format!("timing {name}"),
                "zero, or longer than a day",
                "give it something between",
            ));
        }
        if self.send_every > DAY {
            return Err(Invalid::new("timing send_every", "longer than a day", "shorten it; zero is no limit"));
        }
        let rates = [
            ("reconnects_per_second", self.reconnects_per_second),
            ("adoptions_per_second", self.adoptions_per_second),
            ("handovers_per_second", self.handovers_per_second),
        ];
        match rates.iter().find(|(_, rate)| !rate.is_finite() || *rate < 0.01) {
            Some((name, _)) => Err(Invalid::new(format!("timing {name}"), "below 0.01, or no number", "raise it")),
            None => Ok(()),
        }
    }

    /// How long to wait after one message before the next one is sent.
    pub(crate) fn send_pause(&self, random: &Random) -> Duration {
        self.send_every / 2 + random.up_to(self.send_every)
    }

    /// How long to wait before the next dial when `attempt` dials have failed: exponential back-off with full jitter
    /// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
    pub(crate) fn retry_delay(&self, attempt: u32, random: &Random) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let most = self.retry_first.saturating_mul(1 << doublings).min(self.retry_most);
        random.up_to(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_limit_and_is_jittered_in_full() {
        let (timing, random) = (Timing::default(), Random::seeded(3));
        for (attempt, most) in [(1, 2), (2, 4), (3, 8), (9, 300), (u32::MAX, 300)] {
            let delays: Vec<_> = (0..500).map(|_| timing.retry_delay(attempt, &random)).collect();
            let most = Duration::from_secs(most);
            assert!(delays.iter().all(|delay| *delay <= most), "attempt {attempt}");
            assert!(delays.iter().any(|delay| *delay < most / 10), "attempt {attempt}: jitter reaches down");
            assert!(delays.iter().any(|delay| *delay > most / 10 * 9), "attempt {attempt}: jitter reaches up");
        }
    }

    #[test]
    fn the_pause_between_two_messages_lies_between_half_and_one_and_a_half_of_what_was_set() {
        let random = Random::seeded(3);
        let timing = Timing { send_every: Duration::from_secs(2), ..Timing::default() };
        let pauses: Vec<_> = (0..500).map(|_| timing.send_pause(&random).as_millis()).collect();
        assert!(pauses.iter().all(|pause| (1000..=3000).contains(pause)));
        assert!(pauses.iter().any(|pause| *pause < 1100) && pauses.iter().any(|pause| *pause > 2900));
        let unlimited = Timing { send_every: Duration::ZERO, ..Timing::default() };
        assert_eq!(unlimited.send_pause(&random), Duration::ZERO);
        assert!(unlimited.check().is_ok());
    }
}
