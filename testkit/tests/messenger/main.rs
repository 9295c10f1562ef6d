//! The simulated messenger, driven through the `Transport` trait alone.

mod delivery;
mod faults;
mod login;
mod seat;
mod talk;
mod tcp;
