//! Builds, packs, tests and measures what hosts install: `cargo run -p seatport-bindings -- test python`.

mod fresh;
mod kotlin;
mod library;
mod program;
mod python;
mod swift;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::library::Library;

/// The packages for hosts.
#[derive(Debug, Parser)]
#[command(bin_name = "seatport-bindings")]
struct Arguments {
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Build the package, install it into a clean environment, and run the language's own test runner there
    Test {
        /// For which language
        language: Language,
    },
    /// Measure calls beside empty ones, and look whether memory grows
    Bench {
        /// In which language
        language: Language,
        /// For figures that are less exact
        #[arg(long)]
        quick: bool,
    },
    /// Build the package that hosts install
    Package {
        /// For which language
        language: Language,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    Python,
    Kotlin,
    Swift,
}

fn main() -> ExitCode {
    match run(Arguments::parse().work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(work: Work) -> anyhow::Result<()> {
    match work {
        Work::Test { language } => {
            let library = Library::build(library::Profile::Test)?;
            match language {
                Language::Python => python::test(&library),
                Language::Kotlin => kotlin::test(&library),
                Language::Swift => swift::test(&library),
            }
        }
        Work::Bench { language, quick } => {
            let library = Library::build(library::Profile::Bench)?;
            match language {
                Language::Python => python::bench(&library, quick),
                Language::Kotlin => kotlin::bench(&library, quick),
                Language::Swift => swift::bench(&library, quick),
            }
        }
        Work::Package { language } => {
            let library = Library::build(library::Profile::Package)?;
            match language {
                Language::Python => python::package(&library),
                Language::Kotlin => kotlin::package(&library),
                Language::Swift => swift::package(&library),
            }
        }
    }
}
