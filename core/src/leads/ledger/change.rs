//! What a call changes of the figures.

use std::collections::BTreeMap;
use std::time::Duration;

use super::row::{Trace, Visit};
use super::rows::LedgerRows;
use crate::clock::Timestamp;
use crate::leads::classify::{Standing, first_entries, returning};
use crate::leads::{AdjustmentReason, LeadAdjustment, LeadEntry};

/// How long after its quarter of an hour a figure may change without a word.
const QUIET: Duration = Duration::from_secs(48 * 60 * 60);

/// So many more, or fewer, visits of each entry.
#[derive(Debug, Default)]
pub(super) struct Change(BTreeMap<LeadEntry, i64>);

impl Change {
    pub(super) fn add(&mut self, entry: LeadEntry, change: i64) {
        *self.0.entry(entry).or_default() += change;
    }

    /// The first visits of a person's pairs. All pairs have to be there, for each has a say in whether the others are new.
    pub(super) fn firsts(&mut self, standings: &[Standing], traces: &[Trace], change: i64) {
        for entry in first_entries(standings, traces).into_iter().flatten() {
            self.add(entry, change);
        }
    }

    /// These visits of one pair, but for its first.
    pub(super) fn returning(&mut self, standing: &Standing, visits: &[Visit], change: i64) {
        if standing.class().counts() {
            for visit in visits.iter().filter(|visit| standing.first.as_ref() != Some(visit)) {
                self.add(returning(standing.pair.session, visit), change);
            }
        }
    }

    /// The entries and how many more, or fewer, there are of each; none of them 0.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (LeadEntry, i64)> {
        self.0.into_iter().filter(|(_, change)| *change != 0)
    }

    /// Brings the totals up to date, and posts an adjustment for what people may have seen otherwise: everything a merge
    /// changes, and whatever changes 48 hours or more after its quarter of an hour.
    pub(super) fn post<R: LedgerRows>(self, rows: &mut R, posted_at: Timestamp, merged: bool) -> Result<(), R::Error> {
        for (entry, change) in self.into_entries() {
            rows.add(&entry, change)?;
            let reason = match merged {
                true => AdjustmentReason::Merged,
                false if posted_at >= entry.quarter + QUIET => AdjustmentReason::Late,
                false => continue,
            };
            rows.adjust(&LeadAdjustment { posted_at, reason, entry, change })?;
        }
        Ok(())
    }
}
