//! The desk: the one door for people.

mod audit;
mod conversations;
mod export;
mod feed;
mod leads;
mod lifecycle;
mod search;
mod sending;
mod sessions;
mod watch;

use std::sync::Arc;

pub use export::{Export, LineBatch};
pub use feed::{Consumer, EventBatch, EventFeed};
pub use sessions::NewAccount;
pub use watch::{ViewUpdate, Watch};

use crate::agent::Agent;
use crate::card::Action;
use crate::engine::Engine;
use crate::error::SeatportError;

/// What one agent sees and may do. Every call looks the agent's role up: who is demoted or removed loses the desk at once. A
/// refused call changes nothing and is written to the audit trail.
///
/// Every call may answer `UnknownAgent` once the agent was removed, `ShutDown` once the instance ends and `Storage` when the
/// storage fails. One on a session may answer `UnknownSession`, `Denied` when the agent may not do this or does not see the
/// session, `Invalid` for an id that is none, and, if it changes the session, `Contended`. The errors listed with each call
/// come on top of these.
///
/// A call that the host gives up is dropped; if its change was already on its way to the storage, it lands as a whole.
#[derive(Debug, uniffi::Object)]
pub struct Desk {
    inner: seatport::Desk,
    engine: Arc<Engine>,
}

impl Desk {
    pub(crate) fn new(inner: seatport::Desk, engine: Arc<Engine>) -> Self {
        Self { inner, engine }
    }

    /// The engine and core's desk, for those who measure the way there.
    #[cfg(feature = "probes")]
    pub(crate) fn parts(&self) -> (Arc<Engine>, seatport::Desk) {
        (self.engine.clone(), self.inner.clone())
    }

    /// Runs a call on the engine.
    async fn run<T, C>(&self, call: impl FnOnce(seatport::Desk) -> C) -> Result<T, SeatportError>
    where
        T: Send + 'static,
        C: Future<Output = Result<T, SeatportError>> + Send + 'static,
    {
        self.engine.run(call(self.inner.clone())).await
    }
}

#[uniffi::export]
impl Desk {
    /// Whose desk this is, as registered now.
    ///
    /// # Errors
    /// `UnknownAgent` when the agent was removed.
    pub async fn agent(&self) -> Result<Agent, SeatportError> {
        self.run(|desk| async move { Ok(desk.agent().await?.into()) }).await
    }

    /// Whether this agent may do this at all; whether a session's state allows it, the card's `actions` say.
    ///
    /// # Errors
    /// `UnknownAgent` when the agent was removed.
    pub async fn may(&self, action: Action) -> Result<bool, SeatportError> {
        let action = action.try_into()?;
        self.run(move |desk| async move { Ok(desk.may(action).await?) }).await
    }
}
