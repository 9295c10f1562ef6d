//! Running other programs.

use std::process::{Command, ExitStatus};

use anyhow::{Context, ensure};

/// A command as somebody would type it, without what is set or taken out of its environment.
fn said(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Runs a program with its output shown, and fails where it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let said = said(command);
    println!("\n== {said}");
    let status: ExitStatus = command.status().with_context(|| format!("cannot start {said}"))?;
    ensure!(status.success(), "{said}: {status}");
    Ok(())
}

/// Runs a program and answers what it wrote.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let said = said(command);
    let output = command.output().with_context(|| format!("cannot start {said}"))?;
    ensure!(output.status.success(), "{said}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
