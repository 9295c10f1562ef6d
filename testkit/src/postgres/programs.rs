//! Where the programs of a Postgres server are. Nothing but `std`: `xtask` takes this file in by its path, so that it asks for
//! a server exactly where the tests do not find one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What to do where there is no server.
pub(crate) const MISSING: &str = "no PostgreSQL server was found on PATH, by `pg_config` or in /usr/lib/postgresql; install one \
                                  with `apt-get install postgresql`, or elsewhere as https://www.postgresql.org/download/ says";

/// The directory with `initdb`, `pg_ctl` and `postgres`: that on PATH, that which `pg_config` names, or the newest of those in
/// which Debian keeps them, off the PATH.
pub(crate) fn find() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH");
    let on_path = on_path.iter().flat_map(std::env::split_paths);
    // Behind a link are all of them, even if only some are linked.
    let linked =
        on_path.filter_map(|directory| Some(directory.join("initdb").canonicalize().ok()?.parent()?.to_owned()));
    linked.chain(configured()).chain(packaged()).find(|directory| runs(directory))
}

fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

/// The newest first.
fn packaged() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<u32> = versions.filter_map(|version| version.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|version| format!("/usr/lib/postgresql/{version}/bin").into()).collect()
}

/// Whether they are there and start; some distributions put wrappers in their place that need more than is installed.
fn runs(directory: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| {
        let mut command = Command::new(directory.join(program));
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}
