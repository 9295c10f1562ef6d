//! Where `swift` runs: here, or in a Debian that has it.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::program;

/// Names a directory with a Debian 13 in it that has `swiftlang`.
const ROOT: &str = "SEATPORT_SWIFT_ROOT";
/// Says that a root was made to the end.
const WHOLE: &str = ".seatport-swift-root";
const PACKAGES: [&str; 4] = ["swiftlang", "g++", "libc6-dev", "libstdc++-14-dev"];
const MISSING: &str = "there is no `swift` on the PATH; install it from https://www.swift.org/install, or on Debian 13 with \
                       `apt-get install swiftlang g++ libstdc++-14-dev`, or run this as root on Debian, which makes a root that has it";

/// A `swift` that can be run.
#[derive(Clone, Debug)]
pub(super) struct Toolchain {
    /// Where it is, unless it is here.
    root: Option<PathBuf>,
    /// What it sees of this machine, beside where the package is.
    shared: Vec<PathBuf>,
    variables: Vec<(&'static str, String)>,
}

impl Toolchain {
    /// The one on the PATH, or else one in a root of its own, which is made where that may be done without asking anybody.
    pub(super) fn find() -> anyhow::Result<Self> {
        let root = match env::var_os(ROOT) {
            Some(root) => Some(PathBuf::from(root)),
            None if program::succeeds(Command::new("swift").arg("--version")) => None,
            None => Some(make_root()?),
        };
        if let Some(root) = &root {
            // A link in it may lead to what is only there.
            let there = root.join("usr/bin/swift").symlink_metadata().is_ok();
            ensure!(there, "{} has no swift in it; remove it, or name another one in {ROOT}", root.display());
            ensure!(program::is_root(), "only root can run swift in {}; {MISSING}", root.display());
        }
        Ok(Self { root, shared: Vec::new(), variables: Vec::new() })
    }

    /// The same, with a variable set.
    pub(super) fn with(&self, name: &'static str, value: impl ToString) -> Self {
        let mut with = self.clone();
        with.variables.push((name, value.to_string()));
        with
    }

    /// The same, with another directory that it sees.
    pub(super) fn also(&self, directory: &Path) -> Self {
        let mut also = self.clone();
        also.shared.push(directory.to_owned());
        also
    }

    /// Runs `swift` in a directory in `home`, where a project can be that takes the package.
    pub(super) fn swift(&self, home: &Path, directory: &Path, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = match &self.root {
            None => {
                let mut command = Command::new("swift");
                command.current_dir(directory);
                command
            }
            Some(root) => {
                let mut shared = vec![home.to_owned()];
                shared.extend(self.shared.iter().cloned());
                inside(root, &shared, directory)
            }
        };
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        println!("\n== swift {} # in {}", arguments.join(" "), directory.display());
        let status = command.args(arguments).status().context("cannot start swift")?;
        ensure!(status.success(), "swift {}: {status}", arguments.join(" "));
        Ok(())
    }
}

/// `swift` in a root, in a namespace of its own: what is mounted there is gone with the program, however that ends.
fn inside(root: &Path, shared: &[PathBuf], directory: &Path) -> Command {
    const SCRIPT: &str = r#"
        set -e
        root=$1; directory=$2; count=$3; shift 3
        mount -t proc proc "$root/proc"
        while [ "$count" -gt 0 ]; do
            mkdir -p "$root$1"
            mount --bind "$1" "$root$1"
            shift; count=$((count - 1))
        done
        exec chroot "$root" /usr/bin/env -C "$directory" HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin swift "$@"
    "#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh"]).arg(root).arg(directory);
    command.arg(shared.len().to_string()).args(shared);
    // A directory for temporary files that is not there would be found out late.
    command.env_remove("TMPDIR");
    command
}

/// A Debian 13 in the user's cache, made at the first time and kept.
fn make_root() -> anyhow::Result<PathBuf> {
    ensure!(program::may_install(), MISSING);
    let cache = cache()?;
    fs::create_dir_all(&cache)?;
    // Who comes while another one makes it waits, and finds it made.
    let lock = File::create(cache.join("swift-trixie.lock"))?;
    lock.lock()?;
    let root = cache.join("swift-trixie");
    if root.join(WHOLE).exists() {
        return Ok(root);
    }
    println!("\n== no swift on this machine: making a Debian 13 that has it in {}", root.display());
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("cannot remove the half of {}", root.display()))?;
    }
    if !program::succeeds(Command::new("debootstrap").arg("--version")) {
        program::run(apt().arg("update"))?;
        program::run(apt().args(["install", "-y", "--no-install-recommends", "debootstrap"]))?;
    }
    program::run(Command::new("debootstrap").args(["--variant=minbase", "trixie"]).arg(&root))?;
    let mut install = Command::new("unshare");
    install.args(["--mount", "--propagation", "private", "sh", "-c"]);
    install.arg("mount -t proc proc \"$0/proc\" && exec chroot \"$0\" \"$@\"").arg(&root);
    install.args(["apt-get", "install", "-y", "--no-install-recommends"]).args(PACKAGES);
    program::run(install.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()))?;
    fs::write(root.join(WHOLE), b"Made by seatport-bindings; remove the directory to have it made anew.\n")?;
    Ok(root)
}

fn cache() -> anyhow::Result<PathBuf> {
    let of_the_user = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let in_home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    match of_the_user.or_else(in_home) {
        Some(cache) => Ok(cache.join("seatport")),
        None => bail!("there is no home directory to keep swift in; set {ROOT} or HOME"),
    }
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", OsString::from("noninteractive")).stdin(Stdio::null());
    apt
}
