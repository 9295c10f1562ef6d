//! Seatport for Python, Kotlin and Swift.
//!
//! One file for each concept; every method converts, delegates and maps the error. The packages that hosts install are in
//! `bindings/`; what they show is what is documented here.

uniffi::setup_scaffolding!("seatport");

pub mod agent;
pub mod audit;
pub mod card;
mod clock;
mod conformance;
pub mod conversation;
mod desk;
mod engine;
pub mod environment;
mod error;
pub mod event;
mod host;
mod instance;
pub mod leads;
mod log;
pub mod messenger;
mod mirror;
mod network;
pub mod node;
mod options;
pub mod page;
pub mod port;
#[cfg(feature = "probes")]
mod probe;
mod reader;
mod secret;
mod time;
pub mod timing;
pub mod transport;
mod vault_key;

pub use clock::Clock;
pub use conformance::{CaseOutcome, CaseVerdict, PeerProfile, ReceivedText, TransportPeer, check_transport};
pub use desk::{Consumer, Desk, EventBatch, EventFeed, Export, LineBatch, NewAccount, ViewUpdate, Watch};
pub use engine::end_all;
pub use error::SeatportError;
pub use instance::Seatport;
pub use log::{LogLevel, LogRecord, LogSink, set_log_sink};
pub use network::Network;
pub use options::{Options, Storage};
#[cfg(feature = "probes")]
pub use probe::{Probe, ProbedCall};
pub use secret::Secret;
pub use vault_key::{VaultKey, VaultKeyProvider};

/// The version of this library: a package refuses to work with another one than its own.
///
/// # Errors
/// None.
#[uniffi::export]
pub fn library_version() -> Result<String, SeatportError> {
    Ok(env!("CARGO_PKG_VERSION").to_owned())
}
