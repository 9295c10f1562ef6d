//! Leads (进粉): people who write to one of the organisation's accounts for the first time, and everything counted about them.
//!
//! The chain has four links. What happened is a [`Fact`]. The [ledger] turns facts into *visits*, one for each time a person
//! came to write, in the same transaction as the message itself. Each visit counts as one [`LeadEntry`], and equal entries are
//! summed up in [totals](LeadTotal). A [`LeadReport`] reads totals and nothing else: it answers a [`LeadQuery`], on a page or
//! [as CSV](LeadReport::to_csv).
//!
//! All of it is a function of the *set* of facts: neither their order nor how often they came changes a figure. Figures are
//! always the truth as it is known now. A day is *sealed* 48 hours after it ends; what changes in it afterwards, and what
//! changes because two ids turn out to be one person, is told as a [`VisibleAdjustment`] beside the report.

mod classify;
mod csv;
mod day;
mod entry;
mod fact;
mod key;
pub mod ledger;
mod query;
mod report;
mod tables;
mod tally;

pub use csv::CsvOptions;
pub use day::Day;
pub use entry::{
    AdjustmentReason, EntryClass, LeadAdjustment, LeadEntry, LeadTotal, LeadWindow, Replier, Reply, Windows,
};
pub use fact::{Fact, PersonKey};
pub use key::PersonKeyer;
pub use query::{Dimension, LeadQuery, MAX_DAYS};
pub use report::{
    Attribution, Figures, LeadClass, LeadPeriod, LeadReport, LeadRow, Responses, VisibleAdjustment, visible,
};
pub use tables::Tables;
