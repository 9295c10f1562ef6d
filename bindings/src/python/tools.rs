//! Python itself, and the tools that build and check the package.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::program;

/// What helps where there is no Python.
const MISSING: &str =
    "no Python 3.10 or newer with venv on this machine; on Debian: apt-get install -y python3 python3-venv";
/// Which one will do: it is asked whether it can make environments with pip in them, for Debian packs that apart.
const ASK: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
/// Which programs it may be.
const NAMES: [&str; 7] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

/// Python, and an environment with the tools.
#[derive(Debug)]
pub(super) struct Tools {
    /// The one that environments are made with.
    python: OsString,
    place: PathBuf,
}

impl Tools {
    /// Finds Python, or installs it where that may be done without asking anybody, and makes the environment of the tools unless
    /// it is there with these very requirements.
    pub(super) fn prepare(place: &Path, requirements: &Path) -> anyhow::Result<Self> {
        let python = find().map_or_else(install, Ok)?;
        let tools = Self { python, place: place.to_owned() };
        let wanted =
            fs::read_to_string(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
        // Written last: a half-made environment has none.
        let done = place.join("requirements.txt");
        let works = || program::succeeds(Command::new(python_of(place)).args(["-c", ASK]));
        if fs::read_to_string(&done).is_ok_and(|had| had == wanted) && works() {
            return Ok(tools);
        }
        tools.environment(place)?;
        program::run(tools.pip(place).args(["install", "--quiet", "--requirement"]).arg(requirements))?;
        fs::write(done, wanted)?;
        Ok(tools)
    }

    /// Where the tools are.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// The path with the tools in front.
    pub(super) fn path(&self) -> anyhow::Result<OsString> {
        let mut path = vec![programs_of(&self.place)];
        path.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
        Ok(env::join_paths(path)?)
    }

    /// Makes a clean environment.
    pub(super) fn environment(&self, place: &Path) -> anyhow::Result<()> {
        program::run(clean(Command::new(&self.python)).args(["-m", "venv", "--clear"]).arg(place))
    }

    /// pip, for this environment.
    pub(super) fn pip(&self, environment: &Path) -> Command {
        let mut pip = self.python(environment);
        pip.args(["-m", "pip", "--disable-pip-version-check"]);
        pip
    }

    /// The Python of this environment.
    pub(super) fn python(&self, environment: &Path) -> Command {
        clean(Command::new(python_of(environment)))
    }

    /// A program that is installed in this environment.
    pub(super) fn program(&self, environment: &Path, name: &str) -> Command {
        clean(Command::new(programs_of(environment).join(name)))
    }
}

/// The Python of an environment.
pub(super) fn python_of(environment: &Path) -> PathBuf {
    programs_of(environment).join(if cfg!(windows) { "python.exe" } else { "python" })
}

fn programs_of(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

/// Without what would have Python look elsewhere than in its environment.
fn clean(mut command: Command) -> Command {
    for name in ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_USER"] {
        command.env_remove(name);
    }
    // What describes this package to us would make build scripts that watch it run again under maturin.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

fn find() -> Option<OsString> {
    let named = env::var_os("SEATPORT_PYTHON").into_iter();
    named.chain(NAMES.map(OsString::from)).find(|name| program::succeeds(Command::new(name).args(["-c", ASK])))
}

fn install() -> anyhow::Result<OsString> {
    ensure!(program::may_install(), MISSING);
    println!("\n== no Python on this machine: installing one");
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends", "python3", "python3-venv"]] {
        program::apt(arguments).context(MISSING)?;
    }
    find().context(MISSING)
}
