//! Several nodes on one storage: which one drives which session, and how a session gets from one to another. Over the simulated
//! messenger, whose journal tells if ever two connections of one account met, on virtual time.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod balance;
mod deaths;
mod drain;
mod fence;
mod place;
#[path = "../reconcile/mod.rs"]
mod reconcile;
mod region;
mod simulation;
