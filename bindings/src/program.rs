//! Running other programs.

use std::env;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, ensure};

/// A command as somebody would type it, without what is set or taken out of its environment.
fn said(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Takes out of the search path for libraries what cargo put there for us: a package has to find the library that it carries, and
/// must not find the one that happens to have been built beside us.
fn finding_its_own_library(command: &mut Command) -> &mut Command {
    let built = env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
    for name in ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"] {
        if let (Some(paths), Some(built)) = (env::var_os(name), &built) {
            let others = env::split_paths(&paths).filter(|path| !path.starts_with(built));
            match env::join_paths(others) {
                Ok(others) if !others.is_empty() => command.env(name, others),
                _ => command.env_remove(name),
            };
        }
    }
    command
}

/// Runs a program with its output shown, and fails where it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let said = said(command);
    println!("\n== {said}");
    let status: ExitStatus =
        finding_its_own_library(command).status().with_context(|| format!("cannot start {said}"))?;
    ensure!(status.success(), "{said}: {status}");
    Ok(())
}

/// Runs a program and answers what it wrote.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let said = said(command);
    let output = finding_its_own_library(command).output().with_context(|| format!("cannot start {said}"))?;
    ensure!(output.status.success(), "{said}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether a program can be started and succeeds; what it says is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// Whether packages can be installed here without asking anybody: as root, on Debian or one of its kin.
pub(crate) fn may_install() -> bool {
    is_root() && succeeds(Command::new("apt-get").arg("--version"))
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Runs `apt-get`, which asks nothing.
pub(crate) fn apt(args: &[&str]) -> anyhow::Result<()> {
    run(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()))
}
