//! Running the programs of Postgres: without the rights of root, which a server refuses, and without our environment.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::programs;

/// Who runs a server when we are root.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Whom to become; none if we are not root and may stay who we are.
///
/// # Panics
/// We are root, and the system has no other user.
pub(super) fn user() -> Option<User> {
    static USER: OnceLock<Option<User>> = OnceLock::new();
    *USER.get_or_init(|| {
        if id("-u", None) != Some(0) {
            return None;
        }
        let known = |name| Some(User { uid: id("-u", Some(name))?, gid: id("-g", Some(name))? });
        let user = ["postgres", "nobody"].into_iter().find_map(known);
        Some(user.expect("Postgres does not run as root, and there is neither a user `postgres` nor `nobody`"))
    })
}

fn id(what: &str, of: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(what).args(of).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A program as that user, in a process group of its own: a Ctrl-C at the terminal is for the test.
pub(super) fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    // The user may not be allowed to be where we are.
    command.current_dir("/").process_group(0).stdin(Stdio::null());
    if let Some(user) = user() {
        command.uid(user.uid).gid(user.gid);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(name);
        }
    }
    command
}

/// One of the programs of Postgres.
///
/// # Panics
/// There is no server on this machine; the message says how to get one.
pub(super) fn program(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let Some(directory) = DIRECTORY.get_or_init(programs::find) else { panic!("{}", programs::MISSING) };
    directory.join(name)
}

/// Runs it to its end; answers what it wrote.
///
/// # Panics
/// It fails.
pub(super) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}{complained}");
    said.trim_end().to_owned()
}
