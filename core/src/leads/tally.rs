//! Adding up a row.

use std::collections::BTreeMap;

use super::{Figures, LeadClass, LeadEntry, Responses};

/// The figures of a row while it is added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    figures: Figures,
    /// How many answers took so many seconds.
    seconds: BTreeMap<u32, u64>,
}

impl Tally {
    /// Adds `count` visits of this class.
    pub(super) fn visits(&mut self, class: LeadClass, entry: &LeadEntry, count: u64) {
        let figures = &mut self.figures;
        let lead = matches!(class, LeadClass::New | LeadClass::Duplicate);
        *match class {
            LeadClass::New => &mut figures.new,
            LeadClass::Duplicate => &mut figures.duplicate,
            LeadClass::Returning => &mut figures.returning,
            LeadClass::OutreachReply => &mut figures.outreach_replies,
        } += count;
        if entry.late {
            figures.late += count;
        }
        match (lead, &entry.reply) {
            (true, Some(_)) => figures.replied += count,
            (true, None) => figures.unanswered += count,
            (false, _) => {}
        }
    }

    /// Adds `count` answers that took so long.
    pub(super) fn responses(&mut self, seconds: u32, count: u64) {
        *self.seconds.entry(seconds).or_default() += count;
    }

    pub(super) fn figures(&self) -> Figures {
        let count: u64 = self.seconds.values().sum();
        let sum: u128 = self.seconds.iter().map(|(seconds, count)| u128::from(*seconds) * u128::from(*count)).sum();
        let mean = (sum + u128::from(count) / 2).checked_div(u128::from(count));
        Figures {
            responses: Responses {
                count,
                mean: mean.and_then(|mean| u32::try_from(mean).ok()),
                p50: self.percentile(count, 50),
                p90: self.percentile(count, 90),
            },
            ..self.figures
        }
    }

    /// The nearest rank: the smallest time that at least so many of a hundred do not exceed.
    fn percentile(&self, count: u64, percent: u64) -> Option<u32> {
        let rank = (u128::from(count) * u128::from(percent)).div_ceil(100);
        let mut seen = 0;
        self.seconds.iter().find_map(|(seconds, count)| {
            seen += u128::from(*count);
            (seen >= rank).then_some(*seconds)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn responses(seconds: impl IntoIterator<Item = u32>) -> Responses {
        let mut tally = Tally::default();
        seconds.into_iter().for_each(|seconds| tally.responses(seconds, 1));
        tally.figures().responses
    }

    #[test]
    fn without_answers_there_are_no_times() {
        assert_eq!(responses([]), Responses::default());
    }

    #[test]
    fn percentiles_are_times_that_occurred() {
        assert_eq!(responses([7]), Responses { count: 1, mean: Some(7), p50: Some(7), p90: Some(7) });
        assert_eq!(responses([1, 2]), Responses { count: 2, mean: Some(2), p50: Some(1), p90: Some(2) });
        assert_eq!(responses(1..=10), Responses { count: 10, mean: Some(6), p50: Some(5), p90: Some(9) });
        assert_eq!(responses(1..=11), Responses { count: 11, mean: Some(6), p50: Some(6), p90: Some(10) });
    }

    #[test]
    fn equal_times_count_each() {
        let mut tally = Tally::default();
        tally.responses(10, 89);
        tally.responses(1000, 11);
        assert_eq!(
            tally.figures().responses,
            Responses { count: 100, mean: Some(119), p50: Some(10), p90: Some(1000) }
        );
    }

    #[test]
    fn the_longest_times_do_not_overflow() {
        assert_eq!(responses([u32::MAX; 3]).mean, Some(u32::MAX));
    }
}
