//! The files of a database, and who may read them: the owner of the process and nobody else.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use seatport::storage::{StorageError, StorageErrorKind};

use crate::error::file_system;

/// How a file of ours is opened: for reading and writing, and with mode 0600 if it is created.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The file next to the database with this ending.
pub(crate) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// The one path of a database, however it was named: two names of one file must not have two locks.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, StorageError> {
    let failed = |error| file_system(path, "opened", error);
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found.map_err(failed),
    }
    let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::IsADirectory.into()))?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(fs::canonicalize(directory).map_err(failed)?.join(name))
}

/// Refuses a database that was made read-only, or whose directory was. Asks for the permission bits, because the
/// superuser is let in without them, and would write where somebody said not to.
pub(crate) fn check_writable(database: &Path) -> Result<(), StorageError> {
    let read_only = |path: &Path| fs::metadata(path).is_ok_and(|found| found.permissions().readonly());
    // On Windows the flag means something else on a directory.
    let directory = database.parent().filter(|_| cfg!(unix));
    if read_only(database) || directory.is_some_and(read_only) {
        let file = database.display();
        return Err(StorageError::new(
            StorageErrorKind::ReadOnly,
            format!("{file} or its directory is read-only; make both writable"),
        ));
    }
    Ok(())
}

/// Creates the database's file, empty, unless there is one: SQLite would leave its mode to the umask, and gives the files
/// it adds the mode of this one.
pub(crate) fn create(database: &Path) -> Result<(), StorageError> {
    match private().create(true).truncate(false).open(database) {
        Ok(_) => Ok(()),
        Err(error) => Err(file_system(database, "opened", error)),
    }
}

/// Takes everybody else's permissions away from a database that was brought here with more, from a backup perhaps.
#[cfg(unix)]
pub(crate) fn keep_private(database: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for ending in ["", "-wal", "-shm", "-lock"] {
        let path = beside(database, ending);
        let shared = fs::metadata(&path).is_ok_and(|found| found.permissions().mode() & 0o777 != 0o600);
        if shared && let Err(error) = fs::set_permissions(&path, fs::Permissions::from_mode(0o600)) {
            tracing::warn!(file = %path.display(), %error, "others may read the database, and that cannot be changed");
        }
    }
}

/// Elsewhere files are private by where they are.
#[cfg(not(unix))]
pub(crate) fn keep_private(_: &Path) {}
