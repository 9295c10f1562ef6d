//! Calls into the host, and what keeps them from doing harm: each has a limit, none is made once the host is leaving, and what the
//! host throws or a fault of the bridge comes back as an error.

mod call;
mod gate;
mod held;
#[cfg(test)]
mod tests;
mod thread;

pub(crate) use call::{call, inside};
pub(crate) use gate::leave;
pub(crate) use held::Held;
pub(crate) use thread::HostThread;

use std::time::Duration;

use crate::error::SeatportError;

/// Why a call into the host came to nothing, apart from what the host itself says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// It took too long. The host was told that nobody waits any more.
    #[error("the host did not answer {what} within {limit:?}; look for what blocks it, or raise callback_timeout")]
    TooSlow {
        /// What was called.
        what: &'static str,
        /// How long it was waited for.
        limit: Duration,
    },
    /// An earlier call has not come back, so that this one was not made.
    #[error("the host has not come back from an earlier call of {what}; look for what blocks it")]
    Busy {
        /// What was called.
        what: &'static str,
    },
    /// There is no thread to call it on.
    #[error("the operating system gave no thread to call {what} of the host on")]
    NoThread {
        /// What was to be called.
        what: &'static str,
    },
    /// What the host gave cannot be read.
    #[error("what the host answered to {what} cannot be read; does its package fit this library?")]
    Unreadable {
        /// What was called.
        what: &'static str,
    },
    /// The host is leaving: it is not called any more.
    #[error("the host is leaving")]
    Left,
}

impl From<Trouble> for SeatportError {
    fn from(trouble: Trouble) -> Self {
        Self::Host { detail: trouble.to_string() }
    }
}
