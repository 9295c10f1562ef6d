//! Login codes.

use crate::clock::Timestamp;
use crate::secret::Secret;

/// How a login code is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChallengeKind {
    /// Drawn as a QR code and scanned with the phone.
    Qr,
    /// Typed on the phone.
    PairingCode,
}

/// A login code. It lives in memory only: never in the database, in an event or in a log.
///
/// ```
/// use seatport::{Secret, Timestamp};
/// use seatport::transport::{ChallengeKind, LoginChallenge};
/// let code = LoginChallenge {
///     kind: ChallengeKind::Qr,
///     code: Secret::new("2@abc"),
///     sequence: 1,
///     expires_at: Timestamp::from_millis(60_000),
/// };
/// assert!(!code.is_valid(Timestamp::from_millis(60_000)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginChallenge {
    /// How it is used.
    pub kind: ChallengeKind,
    /// The code itself.
    pub code: Secret,
    /// 1 for the first of a round, then one more for each.
    pub sequence: u32,
    /// From this moment on it is worthless.
    pub expires_at: Timestamp,
}

impl LoginChallenge {
    /// Whether it can still be used.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}
