//! The runtime: what makes the world agree with what is stored.
//!
//! [`Seatport`] is one node. It drives each running session by one task ([`actor`]), adopts the sessions that nobody drives
//! ([`adoption`]), and lets people in through their [`Desk`] only. A desk never talks to an actor: it commits, and the owner
//! is woken by the storage's hint and reads again. One path serves one process and many.
//!
//! Which node drives which session, each computes for itself from what all of them report ([`placement`], [`neighbours`]). A
//! node that is [drained](drain) or drives more than its share ([`balance`]) gives sessions to others ([`handover`]): it closes the
//! connection, releases the session, and the hint of that brings it to the node whose it is to be. None dials without a lease that
//! holds by its own clock ([`heartbeat`]).

mod actor;
mod adoption;
mod balance;
mod builder;
mod consumer;
mod desk;
mod dispatch;
mod drain;
mod events;
mod handover;
mod heartbeat;
mod hub;
mod link;
mod login_codes;
mod neighbours;
mod node;
mod people;
mod placement;
mod port_queue;
mod seatport;
mod step;
mod timing;
mod token_bucket;
mod trimming;
mod watch;

pub use builder::SeatportBuilder;
pub use consumer::{Consumer, ConsumerState};
pub use desk::{
    Desk, EXPORT_FORMAT, EXPORT_VERSION, Export, ExportEnd, ExportHeader, ExportLine, NewAccount, SendOptions,
    WhenStopped,
};
pub use drain::Drained;
pub use events::EventStream;
pub use port_queue::WhenFull;
pub use seatport::{Agents, Ports, Seatport};
pub use timing::Timing;
pub use watch::{View, Watch};
