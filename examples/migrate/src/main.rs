//! Moves everything from a SQLite file of Seatport into a schema of a PostgreSQL database: see README.md.

mod arguments;
mod copy;
mod failure;
mod report;
mod search;
mod source;
mod table;
mod target;
mod value;
mod verify;

use std::process::ExitCode;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::report::{Progress, Report};
use crate::source::Source;
use crate::table::plans;
use crate::target::Target;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::read()).await {
        Ok(report) => {
            print!("\n{report}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            let mut cause = std::error::Error::source(&failure);
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Report, Failure> {
    let source = Source::open(&arguments.from)?;
    let mut target = Target::open(&arguments.to, arguments.verify).await?;
    let plans = plans(&source.columns()?, &target.columns().await?)?;
    let progress = Progress::default();
    if !arguments.verify {
        target.begin(&source, &plans).await?;
        copy::everything(&source, &mut target, &plans, arguments.rows as usize, &progress).await?;
    }
    let report = verify::everything(&source, &target, &plans, &progress).await?;
    if !arguments.verify {
        target.finish(&source, &plans).await?;
    }
    Ok(report)
}
