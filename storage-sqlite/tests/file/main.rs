//! What is SQLite's own: the file, the processes that want it, what is in it and what is no longer in it. What every storage
//! promises is in `suite.rs`.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod format;
mod open;
mod process;
mod sample;
mod search;
mod traces;
