//! Where the benchmarks keep their files: below cargo's target directory, and so on the disk that is built on.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The directory of all files of the benchmarks. `SEATPORT_BENCH_DIR` names another one, to measure another disk.
///
/// # Errors
/// It cannot be made.
pub fn directory() -> Result<PathBuf> {
    let directory = match env::var_os("SEATPORT_BENCH_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => {
            let program = env::current_exe()?;
            // …/target/release/deps/ingest-0123456789abcdef
            let target = program.ancestors().nth(3).context("this program is not below a target directory")?;
            target.join("seatport-benches")
        }
    };
    fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    Ok(directory)
}

/// An empty directory for one run of this benchmark; what an earlier run left in it is gone.
///
/// # Errors
/// It cannot be made, or emptied.
pub fn fresh(benchmark: &str) -> Result<PathBuf> {
    let directory = directory()?.join(benchmark);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// A copy of a database that is closed, in place of what was there.
///
/// # Errors
/// It cannot be copied.
pub fn copy_database(from: &Path, to: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm", "-lock"] {
        let mut file = to.as_os_str().to_owned();
        file.push(suffix);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    fs::copy(from, to).with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    // On the disk before anything is measured, or the first commit would wait for it.
    fs::File::open(to)?.sync_all()?;
    Ok(())
}

/// Whether this run is to be a short one: `--quick`.
#[must_use]
pub fn quick() -> bool {
    env::args().any(|argument| argument == "--quick")
}
