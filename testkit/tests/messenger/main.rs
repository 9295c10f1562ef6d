//! The simulated messenger, driven through the `Transport` trait alone.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod delivery;
mod faults;
mod history;
mod login;
mod people;
mod seat;
mod silence;
mod talk;
mod tcp;
