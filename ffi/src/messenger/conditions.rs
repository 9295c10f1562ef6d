//! What is wrong with the simulated network.

use std::time::Duration;

use seatport::Invalid;

/// What is wrong with the simulated network just now; by default, nothing. Of one account it concerns the connections that are
/// logged in to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Conditions {
    /// Connections are cut and dials come to nothing.
    #[uniffi(default = false)]
    pub down: bool,
    /// Nothing is answered: no dial, no close, no sign of life. What was said is not lost.
    #[uniffi(default = false)]
    pub hang: bool,
    /// Dials are refused: the client is too old.
    #[uniffi(default = false)]
    pub outdated: bool,
    /// The network takes this much longer to answer. No longer, if left out.
    #[uniffi(default = None)]
    pub slow: Option<Duration>,
    /// Each message is delayed by a random time up to this, so that later ones overtake earlier ones. Not at all, if left out.
    #[uniffi(default = None)]
    pub jitter: Option<Duration>,
    /// How many of 100 deliveries arrive twice.
    #[uniffi(default = 0)]
    pub duplicates: u8,
    /// How many of 100 acknowledgements are lost, so that the message is delivered again.
    #[uniffi(default = 0)]
    pub lost_acks: u8,
    /// What waits is delivered in the wrong order, the newest first.
    #[uniffi(default = false)]
    pub newest_first: bool,
    /// How many of 100 messages from an account are put off: it may say so later.
    #[uniffi(default = 0)]
    pub put_off: u8,
    /// How many of 100 messages from an account are taken, but the answer is lost.
    #[uniffi(default = 0)]
    pub lost_answers: u8,
    /// Messages from an account are refused in these words.
    #[uniffi(default = None)]
    pub refusing: Option<String>,
}

impl Conditions {
    /// Whether every percentage is one.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        match [self.duplicates, self.lost_acks, self.put_off, self.lost_answers].into_iter().max() {
            Some(most) if most > 100 => {
                Err(Invalid::new("conditions", format!("{most} of 100"), "give percentages from 0 to 100"))
            }
            _ => Ok(()),
        }
    }
}
