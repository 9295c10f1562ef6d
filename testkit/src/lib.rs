//! What tests of Seatport, its storages and its transports are built from.

mod cable;
mod clock;
pub mod messenger;
#[cfg(unix)]
pub mod postgres;
pub mod storage;
pub mod transport;

pub use cable::Cable;
pub use clock::VirtualClock;

/// The example in the README, compiled and run with the other ones.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
