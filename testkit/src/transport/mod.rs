//! The transport suite: named cases that state what [`Transport`](seatport::transport::Transport) promises, run against any
//! messenger network.
//!
//! A case drives the transport as Seatport does, and has the other side played by a [`Peer`]: who scans codes, writes, cuts
//! connections. What a peer can play it declares in its [`Abilities`]; a case that needs more is left out, and the report says so
//! and why. What a transport itself declares is in its
//! [`Capabilities`](seatport::transport::Capabilities).
//!
//! The test file of a transport is a function that makes a [`Subject`], and the list of the cases it knows to be left out:
//!
//! ```
//! use std::sync::Arc;
//! use seatport_testkit::VirtualClock;
//! use seatport_testkit::messenger::Messenger;
//! use seatport_testkit::transport::{SimulatedPeer, Subject};
//!
//! async fn simulated() -> Subject {
//!     // Nothing here waits for real time, so hours may pass in milliseconds.
//!     tokio::time::pause();
//!     let messenger = Messenger::new(7, Arc::new(VirtualClock::default()));
//!     Subject::new(messenger.transport(), SimulatedPeer::new(messenger))
//! }
//!
//! seatport_testkit::transport_suite! { subject: simulated(), left_out: ["outbound::what_it_cannot_send_is_refused"] }
//! ```
//!
//! Every case becomes a `#[test]` of its own, with a network of its own. A host that cannot make one afresh for each case, or has no
//! `#[test]`, calls [`run_all`], which runs the cases one after the other.

mod abilities;
mod cases;
mod line;
mod list;
mod peer;
mod seat;
mod simulated;
mod suite;
mod trial;

pub use abilities::Abilities;
pub use peer::{Peer, PeerError, Received};
pub use simulated::SimulatedPeer;
pub use suite::{CASES, Case, Outcome, Report, Subject, Verdict, case, run_all};
