//! A JDK and Maven: found, or installed where that may be done without asking anybody.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::program;

/// What is needed, and the command that brings it.
const MISSING: &str = "the Kotlin package needs a JDK (17 or later) and Maven; \
     on Debian or Ubuntu: apt-get install maven openjdk-17-jdk-headless";

/// The oldest JDK that the package is built for.
const OLDEST: u32 = 17;

/// A JDK and Maven.
#[derive(Debug)]
pub(super) struct Tools {
    /// Of another JDK than `mvn` would take by itself.
    java_home: Option<PathBuf>,
}

impl Tools {
    /// Makes sure that they are there.
    ///
    /// # Errors
    /// They are not, and cannot be installed from here; the message names the command that installs them.
    pub(super) fn find() -> anyhow::Result<Self> {
        if let Some(tools) = Self::installed() {
            return Ok(tools);
        }
        ensure!(program::may_install(), MISSING);
        println!("\n== no JDK and Maven on this machine: installing them");
        program::apt(&["update"])?;
        program::apt(&["install", "-y", "--no-install-recommends", "maven", "openjdk-17-jdk-headless"])
            .context(MISSING)?;
        let Some(tools) = Self::installed() else { bail!(MISSING) };
        Ok(tools)
    }

    fn installed() -> Option<Self> {
        let named = env::var_os("JAVA_HOME").map(PathBuf::from).filter(|home| is_jdk(home));
        let java_home = match named {
            Some(home) => Some(home),
            None if version(Path::new("javac")).is_some_and(|version| version >= OLDEST) => None,
            // Debian keeps them side by side.
            None => Some(jdks().into_iter().find(|home| is_jdk(home))?),
        };
        program::succeeds(Command::new("mvn").arg("--version").envs(java_home.as_ref().map(|home| ("JAVA_HOME", home))))
            .then_some(Self { java_home })
    }

    /// Maven, at work for a program and not for a person.
    pub(super) fn maven(&self) -> Command {
        let mut maven = Command::new("mvn");
        maven.args(["--batch-mode", "--no-transfer-progress"]).stdin(Stdio::null());
        maven.envs(self.java_home.as_ref().map(|home| ("JAVA_HOME", home)));
        maven
    }
}

/// The JDKs that Debian has installed, newest first.
fn jdks() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let mut homes: Vec<_> = entries.map(|entry| entry.path()).filter(|path| !path.is_symlink()).collect();
    homes.sort_by_key(|home| std::cmp::Reverse(version(&home.join("bin/javac"))));
    homes
}

fn is_jdk(home: &Path) -> bool {
    version(&home.join("bin/javac")).is_some_and(|version| version >= OLDEST)
}

/// The version of a `javac`: `javac 17.0.15`.
fn version(javac: &Path) -> Option<u32> {
    let said = Command::new(javac).arg("-version").output().ok().filter(|output| output.status.success())?;
    let said = String::from_utf8(said.stdout).ok()?;
    let number = said.trim().strip_prefix("javac ")?;
    number.split(['.', '-', '+']).next()?.parse().ok()
}
