//! The lead ledger in SQL. What its rows mean, and what becomes of them, is decided in `seatport::leads::ledger`.

pub(crate) mod entry;
mod rows;
pub(crate) mod shift;

pub(crate) use rows::Ledger;
