//! A PostgreSQL server for the suites that need one: found, or installed where that may be done without asking anybody.

// The same search as in the tests, which panic where it finds nothing.
#[path = "../../testkit/src/postgres/programs.rs"]
mod programs;

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

/// Debian's package makes a cluster and starts it, unless this file says otherwise.
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// Makes sure that there is a server to start.
///
/// # Errors
/// There is none, and it cannot be installed from here; the message names the command that installs it.
pub(crate) fn require() -> anyhow::Result<()> {
    if programs::find().is_some() {
        return Ok(());
    }
    ensure!(is_root() && has_apt(), programs::MISSING);
    install().context(programs::MISSING)?;
    ensure!(programs::find().is_some(), programs::MISSING);
    Ok(())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn has_apt() -> bool {
    let mut apt = Command::new("apt-get");
    apt.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn install() -> anyhow::Result<()> {
    println!("\n== no PostgreSQL server on this machine: installing one");
    no_cluster().with_context(|| format!("cannot write {CLUSTERS}"))?;
    apt(&["update"])?;
    // The file above is as it is to be.
    apt(&["install", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "postgresql"])
}

/// Says that the package shall make no cluster. Who has said something about it already keeps it.
fn no_cluster() -> std::io::Result<()> {
    std::fs::create_dir_all("/etc/postgresql-common")?;
    match File::create_new(CLUSTERS) {
        Ok(mut file) => file.write_all(b"# Written by `cargo xtask test` of Seatport.\ncreate_main_cluster = false\n"),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn apt(args: &[&str]) -> anyhow::Result<()> {
    let mut apt = Command::new("apt-get");
    let status = apt.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).status();
    let status = status.context("cannot start apt-get")?;
    if !status.success() {
        bail!("`apt-get {}` failed: {status}", args.join(" "));
    }
    Ok(())
}
