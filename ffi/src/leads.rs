//! Leads (进粉): people who write to one of the organisation's accounts for the first time, and everything counted about them.

mod adjustment;
mod query;
mod report;

pub use adjustment::{AdjustmentReason, EntryClass, LeadAdjustment, LeadEntry, Replier, Reply, VisibleAdjustment};
pub use query::{CsvOptions, LeadDimension, LeadQuery, LeadWindow};
pub use report::{Attribution, Figures, LeadClass, LeadPeriod, LeadReport, LeadRow, Responses};
