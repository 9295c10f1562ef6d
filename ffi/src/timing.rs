//! How long things may take.

use std::time::Duration;

/// Deadlines and rates. What is left out is as usual, and the usual suits production; tests and simulations set their own.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct Timing {
    /// How long each half of dialling may take: until the transport answers, and from then until there is a login code or the
    /// account is online. Messages that come in between begin the second half anew. Usually 45 s.
    #[uniffi(default = None)]
    pub dial: Option<Duration>,
    /// How long an online connection may be silent before it counts as lost. Usually 60 s.
    #[uniffi(default = None)]
    pub proof_of_life: Option<Duration>,
    /// How long a transport may take to close before it is abandoned. Usually 4 s, so that stop answers within 5 s.
    #[uniffi(default = None)]
    pub stop: Option<Duration>,
    /// How long after its expiry the next login code may follow before the round counts as over. Usually 5 s.
    #[uniffi(default = None)]
    pub challenge_grace: Option<Duration>,
    /// The longest wait before the first retry; it doubles with every attempt that fails. Usually 2 s.
    #[uniffi(default = None)]
    pub retry_first: Option<Duration>,
    /// The longest wait before any retry. Usually 5 min.
    #[uniffi(default = None)]
    pub retry_most: Option<Duration>,
    /// How many reconnects a node begins per second, over all its sessions; after a quiet time one second's worth at once.
    /// Usually 20.
    #[uniffi(default = None)]
    pub reconnects_per_second: Option<f64>,
    /// How many sessions a node takes over per second, at boot and when another node died; after a quiet time one second's
    /// worth at once. Usually 50.
    #[uniffi(default = None)]
    pub adoptions_per_second: Option<f64>,
    /// How many sessions a node hands over to others per second, when it is drained or drives more than its share; after a quiet
    /// time one second's worth at once. No more than one second's worth are on the way at any time. Usually 20.
    #[uniffi(default = None)]
    pub handovers_per_second: Option<f64>,
    /// How long a node's ownership outlives its last sign of life. Usually 15 s.
    #[uniffi(default = None)]
    pub lease: Option<Duration>,
    /// How often a node looks for sessions that nobody drives. Usually 1 s, so that those of a node that died resume within its
    /// lease and 2 s.
    #[uniffi(default = None)]
    pub scan: Option<Duration>,
    /// How much time passes from one message of a session to the next when several wait to be sent: between half of this and
    /// one and a half, at random. Zero sends them one right after the other. Usually 1 s.
    #[uniffi(default = None)]
    pub send_every: Option<Duration>,
    /// How often a node removes the events that are older than the host keeps. Usually 1 h.
    #[uniffi(default = None)]
    pub trim: Option<Duration>,
}

impl From<Timing> for seatport::Timing {
    /// What no node could live by, the builder refuses.
    fn from(timing: Timing) -> Self {
        let usual = Self::default();
        Self {
            dial: timing.dial.unwrap_or(usual.dial),
            proof_of_life: timing.proof_of_life.unwrap_or(usual.proof_of_life),
            stop: timing.stop.unwrap_or(usual.stop),
            challenge_grace: timing.challenge_grace.unwrap_or(usual.challenge_grace),
            retry_first: timing.retry_first.unwrap_or(usual.retry_first),
            retry_most: timing.retry_most.unwrap_or(usual.retry_most),
            reconnects_per_second: timing.reconnects_per_second.unwrap_or(usual.reconnects_per_second),
            adoptions_per_second: timing.adoptions_per_second.unwrap_or(usual.adoptions_per_second),
            handovers_per_second: timing.handovers_per_second.unwrap_or(usual.handovers_per_second),
            lease: timing.lease.unwrap_or(usual.lease),
            scan: timing.scan.unwrap_or(usual.scan),
            send_every: timing.send_every.unwrap_or(usual.send_every),
            trim: timing.trim.unwrap_or(usual.trim),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_usual_and_the_rest_as_said() {
        assert_eq!(seatport::Timing::from(Timing::default()), seatport::Timing::default());
        let said = Duration::from_millis(7);
        let timing = Timing { send_every: Some(said), lease: Some(said), ..Timing::default() };
        let usual = seatport::Timing::default();
        assert_eq!(seatport::Timing::from(timing), seatport::Timing { send_every: said, lease: said, ..usual });
    }
}
