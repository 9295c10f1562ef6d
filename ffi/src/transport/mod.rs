//! Messenger networks that the host brings.
//!
//! A host implements [`Transport`] and [`Connection`] and gives them to [`Network::hosted`](crate::Network::hosted). What they say is
//! what core's traits say; the difference is in the form: signals are methods of [`Signals`], commands are methods of
//! [`Connection`].

mod dial;
mod driver;
mod error;
mod hosted;
mod signals;
#[cfg(test)]
mod tests;
mod vault;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use dial::{Capabilities, Dial, OutboundMessage, ReadMessage};
pub use error::TransportError;
pub(crate) use hosted::HostedTransport;
pub use signals::Signals;
pub use vault::Vault;

/// The way to a messenger network, written by the host.
///
/// Seatport calls `connect` for each session and each try, from threads of its own, for several sessions at once. Every call into
/// a transport has the time that `Options.callback_timeout` sets; one that takes longer counts as failed and is cancelled.
#[uniffi::export(rust, foreign)]
#[async_trait]
pub trait Transport: Send + Sync {
    /// Dials for one session.
    ///
    /// - With credentials in `dial.vault` it logs in with them; without, it issues login codes as `dial.login` says.
    /// - Keeps `dial.signals` as long as the connection lives: letting go of it counts as lost.
    /// - Answers as soon as it can be spoken to; what follows is told to `dial.signals`, by a task of its own. Nothing of it is
    ///   taken up before `connect` has answered, so `connect` itself tells little and does not wait for `messages`.
    /// - If the environment names a proxy, everything goes through it or nothing goes at all.
    /// - When the call is cancelled (the session was stopped, or it took too long), it ends everything it started.
    /// - While online it gives a sign of life at least every 60 s: `dial.signals.alive()` if there is nothing else to tell.
    /// - Never reconnects by itself: it tells `dial.signals.lost(…)` and ends.
    ///
    /// # Errors
    /// `Lost` if dialling again may help, `Rejected` if only a person can. Anything else that is thrown counts as lost.
    async fn connect(&self, dial: Dial) -> Result<AnyConnection, TransportError>;
}

/// A connection of any kind. In the languages of hosts it is another name for [`Connection`].
// Written out as `Arc<dyn Connection>` the answer of an asynchronous call cannot be proved to be `Send`: rustc forgets that it
// borrows nothing (rust-lang/rust issue 110338).
#[derive(Clone)]
pub struct AnyConnection(pub Arc<dyn Connection>);

uniffi::custom_newtype!(AnyConnection, Arc<dyn Connection>);

impl fmt::Debug for AnyConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyConnection")
    }
}

/// A connection that a transport of the host made: what Seatport tells it to do.
#[uniffi::export(rust, foreign)]
#[async_trait]
pub trait Connection: Send + Sync {
    /// Sends a message. Answers when the network has taken it. Called for one message after the other.
    ///
    /// # Errors
    /// `Refused` if the network will never take this one, `Later` if it may. `Lost` and `Rejected` end the connection, and the message
    /// waits for the next one. Anything else that is thrown counts as `Later`: the message is tried again under the same id.
    async fn send(&self, message: OutboundMessage) -> Result<(), TransportError>;

    /// Tells the network that these messages of a chat were read. Telling it again does no harm.
    ///
    /// # Errors
    /// As for `send`.
    async fn mark_read(&self, chat: String, messages: Vec<ReadMessage>) -> Result<(), TransportError>;

    /// Unlinks this device from the account. `close` follows.
    ///
    /// # Errors
    /// They are logged and change nothing: the session is logged out in any case.
    async fn log_out(&self) -> Result<(), TransportError>;

    /// Ends everything that belongs to this connection. Called once for each connection that `connect` answered, whoever ended it,
    /// unless the whole process ends. What is told to its signals from now on is not heard.
    ///
    /// # Errors
    /// They are logged and change nothing: the connection is over in any case.
    async fn close(&self) -> Result<(), TransportError>;
}
