//! `cargo xtask …`: the one place for this repository's commands. Continuous integration calls the same ones.

mod cargo;
mod report;
mod suite;

use std::process::ExitCode;

use clap::Parser;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::cargo::Cargo;
use crate::report::Report;
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
    /// Check the dependencies: their licences, their sources, banned and doubled crates
    Deny,
}

/// Takes a suite's name; clap lists the valid ones in the help and where a name is wrong.
fn suite_by_name() -> impl TypedValueParser<Value = &'static Suite> {
    PossibleValuesParser::new(SUITES.iter().map(|suite| PossibleValue::new(suite.name).help(suite.proves)))
        .try_map(|name| SUITES.iter().find(|suite| suite.name == name).ok_or("no such suite"))
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(report) => {
            print!("\n{report}");
            if report.all_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<Report> {
    let cargo = Cargo::from_env()?;
    match command {
        Command::Test { only } => {
            let chosen = |suite: &&Suite| only.is_empty() || only.iter().any(|one| one.name == suite.name);
            cargo.run(SUITES.iter().filter(chosen))
        }
        Command::Deny => cargo.run([&DEPENDENCIES].into_iter()),
    }
}
