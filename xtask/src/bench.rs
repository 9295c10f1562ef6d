//! The benchmarks: one table of what is measured, and the figures that come of it.

use std::env;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use crate::cargo::Cargo;

/// A program that measures one thing.
#[derive(Debug)]
pub(crate) struct Benchmark {
    pub(crate) name: &'static str,
    pub(crate) shows: &'static str,
    /// The package it belongs to.
    package: Package,
}

/// Where benchmarks live.
#[derive(Clone, Copy, Debug)]
enum Package {
    /// `seatport-benches`: Rust.
    Benches,
    /// `seatport-bindings`: a host in the language that the benchmark is named by.
    Bindings,
}

impl Benchmark {
    /// The call of cargo that runs it.
    fn args(&self, quick: bool) -> String {
        let quick = if quick { " --quick" } else { "" };
        match self.package {
            Package::Benches => format!("bench --locked -p seatport-benches --bench {} --{quick}", self.name),
            Package::Bindings => format!("run --locked -p seatport-bindings -- bench {}{quick}", self.name),
        }
    }
}

/// A benchmark of the Rust side.
const fn rust(name: &'static str, shows: &'static str) -> Benchmark {
    Benchmark { name, shows, package: Package::Benches }
}

/// The benchmarks of a host in this language.
const fn host(name: &'static str, shows: &'static str) -> Benchmark {
    Benchmark { name, shows, package: Package::Bindings }
}

/// The benchmarks of `cargo xtask bench`, in the order in which they run.
pub(crate) const BENCHMARKS: &[Benchmark] = &[
    rust(
        "ingest",
        "messages of 50 sessions, stored and acknowledged, beside bare SQLite and beside one commit for each message",
    ),
    rust("reads", "what a desk reads, with 10,000 and with 5,000,000 messages stored, beside the bare statement"),
    rust("desk", "what a call at a desk costs, and how fast events are read"),
    rust(
        "postgres",
        "messages of 50 sessions in Postgres, beside bare tokio-postgres; four nodes that want the same ports",
    ),
    rust("cluster", "10,000 sessions over three nodes: boot, spread, rest, the death of a node"),
    rust("memory", "what an idle session takes of the memory"),
    host("python", "calls from Python beside empty ones; 10,000 cards and 100,000 events; whether memory grows"),
    host("kotlin", "calls from Kotlin beside empty ones; whether memory grows"),
    host("swift", "calls from Swift beside empty ones; whether memory grows"),
];

/// One line that a benchmark wrote: what was measured, how much, in what, and what it must keep to.
#[derive(Clone, Debug, PartialEq)]
struct Figure {
    of: String,
    value: f64,
    unit: String,
    bound: Option<Bound>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn is_kept_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, ">= {bound}"),
            Self::AtMost(bound) => write!(f, "<= {bound}"),
        }
    }
}

impl Figure {
    fn read(line: &str) -> anyhow::Result<Self> {
        let wrong = || format!("`{line}` is no figure");
        let fields: Vec<&str> = line.split('\t').collect();
        let [of, value, unit, bound] = fields[..] else { anyhow::bail!(wrong()) };
        let bound = match bound.split_once(' ') {
            None if bound.is_empty() => None,
            Some((">=", least)) => Some(Bound::AtLeast(least.parse().with_context(wrong)?)),
            Some(("<=", most)) => Some(Bound::AtMost(most.parse().with_context(wrong)?)),
            _ => anyhow::bail!(wrong()),
        };
        Ok(Self { of: of.to_owned(), value: value.parse().with_context(wrong)?, unit: unit.to_owned(), bound })
    }
}

/// What came of all benchmarks that were run.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    figures: Vec<(&'static str, Figure)>,
    /// Those that did not get to their end.
    broken: Vec<&'static str>,
}

impl Measured {
    pub(crate) fn all_kept(&self) -> bool {
        self.broken.is_empty() && self.bounds().all(|(figure, bound)| bound.is_kept_by(figure.value))
    }

    fn bounds(&self) -> impl Iterator<Item = (&Figure, Bound)> {
        self.figures.iter().filter_map(|(_, figure)| Some((figure, figure.bound?)))
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.figures.iter().map(|(_, figure)| figure.of.chars().count()).max().unwrap_or(0);
        for (benchmark, Figure { of, value, unit, bound }) in &self.figures {
            let digits = if value.abs() < 100.0 { 2 } else { 0 };
            let bound = bound.map(|bound| {
                let word = if bound.is_kept_by(*value) { "passed" } else { "failed" };
                format!("{:<8} {word}", bound.to_string())
            });
            let line =
                format!("{benchmark:<8} {of:<width$} {value:>10.digits$} {unit:<10} {}", bound.unwrap_or_default());
            writeln!(f, "{}", line.trim_end())?;
        }
        for benchmark in &self.broken {
            writeln!(f, "{benchmark:<8} failed before it had measured everything")?;
        }
        let (kept, bounds) = self
            .bounds()
            .fold((0, 0), |(kept, all), (figure, bound)| (kept + usize::from(bound.is_kept_by(figure.value)), all + 1));
        writeln!(f, "{kept} of {bounds} bounds kept")
    }
}

/// Runs benchmarks one after the other, also after one has failed.
///
/// # Errors
/// Cargo cannot be started, or a benchmark wrote something that is no figure.
pub(crate) fn run(
    cargo: &Cargo,
    benchmarks: impl Iterator<Item = &'static Benchmark>,
    quick: bool,
) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    for benchmark in benchmarks {
        let name = benchmark.name;
        let file = figures_of(cargo, name)?;
        let args = benchmark.args(quick);
        println!("\n== {name}: cargo {args}");
        if !cargo.succeeds(cargo.command(&args).env("SEATPORT_FIGURES", &file))? {
            measured.broken.push(name);
        }
        let lines = fs::read_to_string(&file).unwrap_or_default();
        for line in lines.lines() {
            measured.figures.push((name, Figure::read(line)?));
        }
    }
    Ok(measured)
}

/// The file that a benchmark writes its figures to; what an earlier run left there is gone.
fn figures_of(cargo: &Cargo, benchmark: &str) -> anyhow::Result<PathBuf> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| cargo.root().join("target"), PathBuf::from);
    let directory = cargo.root().join(target).join("seatport-benches/figures");
    fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    let file = directory.join(format!("{benchmark}.tsv"));
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(line: &str) -> Figure {
        Figure::read(line).unwrap()
    }

    #[test]
    fn the_table_says_which_bounds_are_kept() {
        let measured = Measured {
            figures: vec![
                ("ingest", figure("ingest / bare SQLite\t0.75\tx\t>= 0.6")),
                ("ingest", figure("ingest\t12345.6\tmessages/s\t")),
                ("reads", figure("cards: large / small\t1.31\tx\t<= 1.3")),
            ],
            broken: vec!["memory"],
        };
        assert!(!measured.all_kept());
        assert_eq!(
            measured.to_string(),
            "ingest   ingest / bare SQLite       0.75 x          >= 0.6   passed\n\
             ingest   ingest                    12346 messages/s\n\
             reads    cards: large / small       1.31 x          <= 1.3   failed\n\
             memory   failed before it had measured everything\n\
             1 of 2 bounds kept\n"
        );
    }

    #[test]
    fn a_bound_is_kept_by_the_value_itself() {
        assert!(Bound::AtLeast(0.6).is_kept_by(0.6) && !Bound::AtLeast(0.6).is_kept_by(0.599));
        assert!(Bound::AtMost(1.3).is_kept_by(1.3) && !Bound::AtMost(1.3).is_kept_by(1.301));
        assert!(!Bound::AtMost(1.3).is_kept_by(f64::NAN));
    }

    #[test]
    fn what_is_no_figure_is_refused() {
        for line in ["", "ingest", "ingest\tfast\tx\t", "ingest\t1\tx\t= 1", "ingest\t1\tx\t>= much"] {
            assert!(Figure::read(line).is_err(), "{line:?}");
        }
    }
}
