//! The lifecycle of a session: one pure function over one visible table.
//!
//! [`transition`] takes the [`Facts`] and an [`Input`] and answers the next facts, what happens to the port, and whether the
//! credentials are forgotten. It does no I/O, knows no clock and is not async; the runtime commits what it answers and then
//! makes the world agree: [`Facts::connection`] says which connection ought to exist, so a crash after the commit leaves
//! nothing to be repeated.

mod facts;
mod input;
mod machine;
#[cfg(test)]
mod tests;

pub use facts::{Account, Desired, Facts, Lifecycle, Login, Reason, ReasonKind, Then};
pub use input::{Command, IllegalTransition, Input};
pub use machine::{PortChange, Step, transition};
