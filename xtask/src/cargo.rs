//! Running suites: cargo at the root of the repository, with its output shown as it comes.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use crate::postgres;
use crate::report::{Outcome, Report};
use crate::suite::{Step, Suite, Tool};

/// The cargo that called us, so that every step uses its toolchain.
#[derive(Debug)]
pub(crate) struct Cargo {
    program: OsString,
    root: PathBuf,
}

impl Cargo {
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        // Read when run, not when compiled: two clones that share a target directory may share this binary.
        let from_cargo = |name| env::var_os(name).with_context(|| format!("{name} is not set; run `cargo xtask …`"));
        let package = PathBuf::from(from_cargo("CARGO_MANIFEST_DIR")?);
        let root = package.parent().with_context(|| format!("{} has no parent", package.display()))?;
        Ok(Self { program: from_cargo("CARGO")?, root: root.to_owned() })
    }

    /// Runs every suite and every step of it, also after one has failed: one run shows all there is to mend.
    ///
    /// # Errors
    /// A tool that a suite needs is missing, and then nothing is run; or cargo itself cannot be started.
    pub(crate) fn run(&self, suites: impl Iterator<Item = &'static Suite> + Clone) -> anyhow::Result<Report> {
        for tool in suites.clone().flat_map(|suite| suite.needs) {
            self.require(tool)?;
        }
        let outcomes = suites.map(|suite| self.run_suite(suite)).collect::<anyhow::Result<_>>()?;
        Ok(Report { outcomes })
    }

    fn run_suite(&self, suite: &'static Suite) -> anyhow::Result<Outcome> {
        let started = Instant::now();
        let mut failed = Vec::new();
        for step in suite.steps {
            println!("\n== {}: cargo {}", suite.name, step.args);
            if !self.passes(step)? {
                failed.push(step.args);
            }
        }
        Ok(Outcome { suite: suite.name, failed, took: started.elapsed() })
    }

    fn passes(&self, step: &Step) -> anyhow::Result<bool> {
        self.succeeds(self.command(step.args).envs(step.env.iter().copied()))
    }

    /// Runs a command of this cargo; answers whether it succeeded.
    pub(crate) fn succeeds(&self, command: &mut Command) -> anyhow::Result<bool> {
        Ok(command.status().with_context(|| format!("cannot start {}", self.program.display()))?.success())
    }

    /// Where the repository is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn require(&self, tool: &Tool) -> anyhow::Result<()> {
        let Tool::Subcommand { name, install } = tool else { return postgres::require() };
        let mut version = self.command(name);
        if !self.succeeds(version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()))? {
            bail!("`cargo {name}` is missing; install it with `{install}`");
        }
        Ok(())
    }

    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args.split_whitespace()).current_dir(&self.root);
        // `cargo run` describes this package to us. A build script that watches these variables (the one of `ring` does)
        // would run again at every change between `cargo xtask test` and a plain `cargo test`.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
                command.env_remove(name);
            }
        }
        command
    }
}
