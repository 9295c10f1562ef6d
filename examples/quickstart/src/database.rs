//! The database of the story, and the key beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use seatport::storage::{SessionStore, Storage};
use seatport::vault::VaultKey;
use seatport::{Page, Random, SessionFilter};
use seatport_sqlite::SqliteStorage;
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Where the database is, and where the key is that seals the logins in it.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    key_file: PathBuf,
    /// Removed with everything in it when the story is over.
    temporary: Option<TempDir>,
}

impl Database {
    /// At this path, or in a temporary directory.
    pub(crate) fn new(path: Option<&Path>, key_file: Option<&Path>) -> anyhow::Result<Self> {
        let (path, temporary) = match path {
            Some(path) => (path.to_owned(), None),
            None => {
                let directory = tempfile::tempdir().context("no temporary directory; name a file with --database")?;
                (directory.path().join("seatport.db"), Some(directory))
            }
        };
        let key_file = key_file.map_or_else(
            || {
                let mut beside = path.clone().into_os_string();
                beside.push(".key");
                beside.into()
            },
            Path::to_owned,
        );
        Ok(Self { path, key_file, temporary })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it goes when the story is over.
    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Opens it, or creates it. The database comes first: where it cannot be, no key is left behind.
    pub(crate) async fn open(&self) -> anyhow::Result<(SqliteStorage, VaultKey)> {
        let storage = SqliteStorage::open(&self.path).await?;
        Ok((storage, self.key()?))
    }

    /// Refuses a database that somebody uses: the story starts, stops and deletes sessions.
    pub(crate) async fn ensure_unused(&self) -> anyhow::Result<()> {
        let storage = SqliteStorage::open(&self.path).await?;
        let first = storage.sessions(&SessionFilter::default(), Page::first(1)).await?;
        storage.close().await?;
        if !first.is_empty() {
            bail!("{} has sessions in it already; name another file for the story", self.path.display());
        }
        Ok(())
    }

    /// Reads the key, or makes one that only this user can read.
    fn key(&self) -> anyhow::Result<VaultKey> {
        let file = self.key_file.display();
        match fs::read(&self.key_file).map(Zeroizing::new) {
            Ok(bytes) => match <[u8; 32]>::try_from(bytes.as_slice()) {
                Ok(bytes) => Ok(VaultKey::new(bytes)),
                Err(_) => bail!(
                    "key file {file} holds {} bytes and a key has 32; name the right one with --key-file",
                    bytes.len()
                ),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = VaultKey::generate(&Random::from_os()?);
                private().open(&self.key_file).and_then(|mut made| made.write_all(key.expose())).with_context(
                    || format!("key file {file} cannot be written; name one that can be with --key-file"),
                )?;
                Ok(key)
            }
            Err(error) => Err(error)
                .with_context(|| format!("key file {file} cannot be read; name one that can be with --key-file")),
        }
    }
}

/// Creates a file that only this user can read, and never replaces one.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
