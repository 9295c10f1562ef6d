//! The library that all packages carry, and what is generated from it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::program;

/// What the library is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Test,
    /// Optimised, with the empty functions that calls are measured beside.
    Bench,
    /// Optimised, as hosts get it.
    Package,
}

/// The built library.
#[derive(Debug)]
pub(crate) struct Library {
    /// Where the repository is.
    pub(crate) root: PathBuf,
    /// Where everything that is built goes.
    pub(crate) target: PathBuf,
    /// The shared library.
    pub(crate) shared: PathBuf,
}

impl Library {
    /// Builds it with the cargo that called us.
    pub(crate) fn build(profile: Profile) -> anyhow::Result<Self> {
        let package =
            PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").context("run it with `cargo run -p seatport-bindings`")?);
        let root = package.parent().context("the repository's root")?.to_owned();
        let metadata =
            program::output(cargo(&root).args(["metadata", "--locked", "--no-deps", "--format-version", "1"]))?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let target = PathBuf::from(metadata["target_directory"].as_str().context("cargo names no target directory")?);
        let mut build = cargo(&root);
        build.args(["build", "--locked", "-p", "seatport-ffi"]);
        let directory = match profile {
            Profile::Test => "debug",
            Profile::Bench | Profile::Package => {
                build.arg("--release");
                "release"
            }
        };
        if profile == Profile::Bench {
            build.args(["--features", "probes"]);
        }
        program::run(&mut build)?;
        let name = format!("{}seatport_ffi{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
        let shared = target.join(directory).join(name);
        Ok(Self { root, target, shared })
    }

    /// Writes the side of a language (`python`, `kotlin`, `swift`) into a directory.
    pub(crate) fn generate(&self, language: &str, out: &Path) -> anyhow::Result<()> {
        let mut generate = cargo(&self.root);
        generate.args(["run", "--locked", "-q", "-p", "seatport-bindings", "--bin", "uniffi-bindgen", "--"]);
        generate.args(["generate", "--no-format", "--language", language, "--out-dir"]).arg(out).arg(&self.shared);
        program::run(&mut generate)
    }
}

/// The cargo that called us, at the root of the repository.
fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(root);
    // What describes this package to us would make build scripts that watch it run again.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    cargo
}
