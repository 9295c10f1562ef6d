//! Directories that begin empty.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;

/// Makes a directory, without anything that an earlier run left there.
pub(crate) fn fresh(directory: &Path) -> anyhow::Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    Ok(fs::create_dir_all(directory)?)
}

/// A directory outside of the repository, which is removed in the end.
pub(crate) struct Fresh(pub(crate) PathBuf);

impl Fresh {
    /// One for this process and what is done there, in one word.
    pub(crate) fn new(what: &str) -> anyhow::Result<Self> {
        let directory = env::temp_dir().join(format!("seatport-{what}-{}", process::id()));
        fresh(&directory)?;
        Ok(Self(directory))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            println!("{} stays: {error}", self.0.display());
        }
    }
}
