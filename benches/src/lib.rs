//! What the benchmarks of Seatport are made of. They are run by `cargo xtask bench`; what they show is in
//! `docs/performance.md`.
//!
//! A figure of this crate is a *ratio* wherever it can be: of ours to the raw limit, of a large database to a small one, each
//! measured in turns within one run ([`rounds`]). A ratio means the same on a laptop and on a server, today and in a year; a
//! time does not.
//!
//! The raw limit of writing is a loop of bare SQLite, or of bare tokio-postgres, that writes the very rows that ours wrote, in
//! the same transactions: see [`recording`] and [`postgres`].

pub mod clock;
pub mod cpu;
pub mod figures;
pub mod history;
pub mod ingest;
pub mod network;
pub mod office;
pub mod peer;
pub mod place;
pub mod postgres;
pub mod recording;
pub mod rounds;
pub mod texts;
pub mod traffic;
