//! Several processes on one database: opening it, hearing from one another, and what may go wrong on the way.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod faults;
mod hints;
mod office;
mod open;
mod tls;
