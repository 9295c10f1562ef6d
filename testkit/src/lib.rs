//! What tests of Seatport, its storages and its transports are built from.

mod clock;
pub mod messenger;
pub mod storage;

pub use clock::VirtualClock;
