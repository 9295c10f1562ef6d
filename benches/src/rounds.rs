//! Measuring in turns.
//!
//! What is compared is run in turns, again and again, and the ratio is that of each turn: a machine that is slower for some
//! seconds, because somebody else uses it or its disk, is slower for both. Criterion measures one thing after the other, so
//! that a ratio of two of its figures would hold that difference too; it is used where a single figure is wanted.

use std::time::Duration;

use anyhow::Result;

/// One of those who are compared: measures itself once.
pub type Contestant<'a> = Box<dyn FnMut() -> Result<Duration> + 'a>;

/// What came of measuring some contestants in turns: for each its times, turn by turn.
#[derive(Clone, Debug)]
pub struct Rounds(Vec<Vec<Duration>>);

impl Rounds {
    /// Runs all contestants once without counting, and then `count` times in turns. Every second turn goes the other way round,
    /// so that nobody is always the one who comes after the same other.
    ///
    /// # Errors
    /// That of a contestant.
    pub fn run(count: usize, mut contestants: Vec<Contestant<'_>>) -> Result<Self> {
        let mut times = vec![Vec::with_capacity(count); contestants.len()];
        for turn in 0..=count {
            let mut order: Vec<usize> = (0..contestants.len()).collect();
            if turn % 2 == 1 {
                order.reverse();
            }
            for contestant in order {
                let time = contestants[contestant]()?;
                if turn > 0 {
                    times[contestant].push(time);
                }
            }
        }
        Ok(Self(times))
    }

    /// The median time of a contestant, in seconds.
    #[must_use]
    pub fn seconds(&self, contestant: usize) -> f64 {
        median(self.0[contestant].iter().map(Duration::as_secs_f64).collect())
    }

    /// How much longer `one` takes than `other`: the median over the turns of the ratio of their times.
    #[must_use]
    pub fn ratio(&self, one: usize, other: usize) -> f64 {
        let pairs = self.0[one].iter().zip(&self.0[other]);
        median(pairs.map(|(one, other)| one.as_secs_f64() / other.as_secs_f64()).collect())
    }

    /// The smallest and the largest ratio of a turn.
    #[must_use]
    pub fn spread(&self, one: usize, other: usize) -> (f64, f64) {
        let pairs = self.0[one].iter().zip(&self.0[other]);
        let ratios = pairs.map(|(one, other)| one.as_secs_f64() / other.as_secs_f64());
        ratios.fold((f64::INFINITY, 0.0), |(least, most), ratio| (least.min(ratio), most.max(ratio)))
    }
}

/// The one in the middle, or the mean of the two in the middle; not a number without any.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_that_of_each_turn() {
        let ones = [9, 1, 2, 300].map(Duration::from_secs);
        let others = [9, 2, 4, 600].map(Duration::from_secs);
        let (mut one, mut other) = (ones.iter(), others.iter());
        let contestants: Vec<Contestant<'_>> =
            vec![Box::new(|| Ok(*one.next().unwrap())), Box::new(|| Ok(*other.next().unwrap()))];
        let rounds = Rounds::run(3, contestants).unwrap();
        assert!((rounds.ratio(0, 1) - 0.5).abs() < 1e-9, "the first turn does not count: {rounds:?}");
        assert!((rounds.seconds(1) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(vec![]).is_nan());
    }
}
