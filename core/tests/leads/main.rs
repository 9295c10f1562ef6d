//! The lead ledger and its reports: each rule as a sentence, and ten thousand generated logs against a slow model.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod corrections;
mod erasing;
mod flat;
mod generated;
mod log;
mod model;
mod model_report;
mod office;
mod reports;
mod rules;
mod spreadsheets;
