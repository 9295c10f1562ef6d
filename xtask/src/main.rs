//! `cargo xtask …`: the one place for this repository's commands. Continuous integration calls the same ones.

mod bench;
mod cargo;
mod postgres;
mod report;
mod suite;

use std::process::ExitCode;

use clap::Parser;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::bench::{BENCHMARKS, Benchmark};
use crate::cargo::Cargo;
use crate::suite::{DEPENDENCIES, SUITES, Suite};

/// The repository's commands.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Run every suite, or only those named, and say which passed
    Test {
        /// Run only this suite; may be given several times
        #[arg(long, value_name = "SUITE", value_parser = suite_by_name())]
        only: Vec<&'static Suite>,
    },
    /// Measure: every benchmark, or only those named, and say which bounds are kept
    Bench {
        /// Run only these
        #[arg(value_name = "BENCHMARK", value_parser = benchmark_by_name())]
        names: Vec<&'static Benchmark>,
        /// Take less than two minutes, for figures that are less exact
        #[arg(long)]
        quick: bool,
    },
    /// Check the dependencies: their licences, their sources, banned and doubled crates
    Deny,
}

/// Takes a suite's name; clap lists the valid ones in the help and where a name is wrong.
fn suite_by_name() -> impl TypedValueParser<Value = &'static Suite> {
    PossibleValuesParser::new(SUITES.iter().map(|suite| PossibleValue::new(suite.name).help(suite.proves)))
        .try_map(|name| SUITES.iter().find(|suite| suite.name == name).ok_or("no such suite"))
}

/// The same for a benchmark.
fn benchmark_by_name() -> impl TypedValueParser<Value = &'static Benchmark> {
    PossibleValuesParser::new(BENCHMARKS.iter().map(|one| PossibleValue::new(one.name).help(one.shows)))
        .try_map(|name| BENCHMARKS.iter().find(|one| one.name == name).ok_or("no such benchmark"))
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok((report, success)) => {
            print!("\n{report}");
            if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command; answers what to say at the end, and whether all is well.
fn run(command: Command) -> anyhow::Result<(String, bool)> {
    let cargo = Cargo::from_env()?;
    let report = match command {
        Command::Test { only } => {
            let chosen = |suite: &&Suite| only.is_empty() || only.iter().any(|one| one.name == suite.name);
            cargo.run(SUITES.iter().filter(chosen))?
        }
        Command::Bench { names, quick } => {
            let chosen = |one: &&Benchmark| names.is_empty() || names.iter().any(|name| name.name == one.name);
            let measured = bench::run(&cargo, BENCHMARKS.iter().filter(chosen), quick)?;
            return Ok((measured.to_string(), measured.all_kept()));
        }
        Command::Deny => cargo.run([&DEPENDENCIES].into_iter())?,
    };
    Ok((report.to_string(), report.all_passed()))
}
