//! What came of a run: a line for each suite, and the count.

use std::fmt;
use std::time::Duration;

/// What came of one suite.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) suite: &'static str,
    /// The arguments of the cargo calls that failed.
    pub(crate) failed: Vec<&'static str>,
    pub(crate) took: Duration,
}

/// What came of all suites, in the order in which they ran.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) outcomes: Vec<Outcome>,
}

impl Report {
    pub(crate) fn all_passed(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.failed.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Outcome { suite, failed, took } in &self.outcomes {
            let word = if failed.is_empty() { "passed" } else { "failed" };
            writeln!(f, "{suite:<12} {word} {:>8.1} s", took.as_secs_f64())?;
            for args in failed {
                writeln!(f, "{:<12} cargo {args}", "")?;
            }
        }
        let failed = self.outcomes.iter().filter(|outcome| !outcome.failed.is_empty()).count();
        writeln!(f, "{} passed, {failed} failed", self.outcomes.len() - failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_failed_and_counts() {
        let report = Report {
            outcomes: vec![
                Outcome { suite: "lint", failed: vec!["fmt --all --check"], took: Duration::from_millis(1250) },
                Outcome { suite: "quickstart", failed: vec![], took: Duration::from_secs(100) },
            ],
        };
        assert!(!report.all_passed());
        assert_eq!(
            report.to_string(),
            "lint         failed      1.2 s\n             cargo fmt --all --check\nquickstart   passed    100.0 s\n\
             1 passed, 1 failed\n"
        );
    }

    #[test]
    fn all_passed() {
        let report = Report { outcomes: vec![Outcome { suite: "core", failed: vec![], took: Duration::from_secs(2) }] };
        assert!(report.all_passed());
        assert!(report.to_string().ends_with("1 passed, 0 failed\n"));
    }
}
