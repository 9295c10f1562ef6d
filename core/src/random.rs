//! The source of randomness: injected, so that a seed repeats a run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, RngExt, SeedableRng};

/// A cryptographically secure random source, shared by its clones.
///
/// ```
/// use seatport::Random;
/// let (a, b) = (Random::seeded(7), Random::seeded(7));
/// assert_eq!(a.below(1_000_000), b.below(1_000_000));
/// ```
#[derive(Clone)]
pub struct Random(Arc<Mutex<StdRng>>);

impl Random {
    /// Seeded by the operating system: what production uses.
    ///
    /// # Errors
    /// The operating system gave no entropy.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system for randomness")]
    pub fn from_os() -> Result<Self, std::io::Error> {
        StdRng::try_from_rng(&mut SysRng).map(Self::from_rng).map_err(std::io::Error::other)
    }

    /// Gives the same sequence for the same seed: for tests and simulations only.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::from_rng(StdRng::seed_from_u64(seed))
    }

    fn from_rng(rng: StdRng) -> Self {
        Self(Arc::new(Mutex::new(rng)))
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().fill_bytes(bytes);
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.lock().random_range(0..bound) }
    }

    /// A duration from zero up to and including `most`, in whole milliseconds: full jitter.
    #[must_use]
    pub fn up_to(&self, most: Duration) -> Duration {
        Duration::from_millis(self.below(u64::try_from(most.as_millis()).unwrap_or(u64::MAX).saturating_add(1)))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
