//! What tests of Seatport, its storages and its transports are built from.

mod clock;
pub mod messenger;

pub use clock::VirtualClock;

// storage: the storage suite, broken stores, fault injection
