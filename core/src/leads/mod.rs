//! Leads (进粉): people who write to one of the organisation's accounts for the first time, and everything counted about them.
//!
//! The chain has four links, each with a file of its own. What happened is a [`Fact`]. The ledger turns facts into
//! *visits*, one entry for each time a person came to write, in the same transaction as the message itself. Each visit counts
//! as one [`LeadEntry`], and equal entries are summed up in totals. A report reads totals and nothing else.
//!
//! All of it is a function of the *set* of facts: neither their order nor how often they came changes a figure.

mod entry;
mod fact;

pub use entry::{AdjustmentReason, EntryClass, LeadAdjustment, LeadEntry, LeadTotal, LeadWindow, Replier, Reply, Windows};
pub use fact::{Fact, PersonKey};
