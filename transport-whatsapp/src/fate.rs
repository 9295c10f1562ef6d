//! How a connection ends.

use std::sync::Arc;

use seatport::lifecycle::{Account, Reason};
use seatport::transport::{ConnectError, Signal};
use tokio::sync::watch;

/// How a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Seatport closed it, or dropped it.
    Closed,
    /// Dialling again may help.
    Lost(Reason),
    /// Only a person can help.
    Rejected(Reason),
    /// The round of login codes ran out.
    LoginExpired,
    /// The device was linked to this account, and has to log in now.
    Linked(Account),
}

impl Ending {
    /// What Seatport is told; nothing if it asked for it.
    pub(crate) fn signal(self) -> Option<Signal> {
        match self {
            Self::Closed => None,
            Self::Lost(reason) => Some(Signal::Lost(reason)),
            Self::Rejected(reason) => Some(Signal::Rejected(reason)),
            Self::LoginExpired => Some(Signal::LoginExpired),
            Self::Linked(account) => Some(Signal::Paired { account, redial: true }),
        }
    }
}

impl From<ConnectError> for Ending {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Lost(reason) => Self::Lost(reason),
            ConnectError::Rejected(reason) => Self::Rejected(reason),
        }
    }
}

/// What becomes of a connection: any of its parts may decide it, and the first word stands. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Fate(Arc<watch::Sender<Option<Ending>>>);

impl Fate {
    pub(crate) fn undecided() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Ends the connection like this, unless its end is decided already.
    pub(crate) fn decide(&self, ending: Ending) {
        self.0.send_if_modified(|fate| {
            let open = fate.is_none();
            if open {
                *fate = Some(ending);
            }
            open
        });
    }

    /// How the connection ends, if that is decided.
    pub(crate) fn get(&self) -> Option<Ending> {
        self.0.borrow().clone()
    }

    /// Waits until the end is decided.
    pub(crate) async fn decided(&self) -> Ending {
        let mut fate = self.0.subscribe();
        match fate.wait_for(Option::is_some).await {
            Ok(ending) => ending.clone().unwrap_or(Ending::Closed),
            // The sender lives in `self`.
            Err(_) => Ending::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use seatport::lifecycle::ReasonKind;

    use super::*;

    #[tokio::test]
    async fn the_first_word_stands() {
        let fate = Fate::undecided();
        assert_eq!(fate.get(), None);
        let replaced = Ending::Rejected(Reason::new(ReasonKind::Replaced));
        fate.decide(replaced.clone());
        fate.decide(Ending::Lost(Reason::new(ReasonKind::ConnectionLost)));
        assert_eq!(fate.decided().await, replaced);
        assert!(Ending::Closed.signal().is_none());
    }
}
