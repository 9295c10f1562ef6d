//! What opening a file accepts, refuses and leaves behind.

use std::fs;
use std::path::Path;

use crate::sample::{add, place, session_id};
use rusqlite::Connection;
use seatport::storage::{SessionStore, Storage, StorageError, StorageErrorKind};
use seatport_sqlite::{SqliteStorage, Synchronous};

async fn refused(file: &Path) -> StorageError {
    match SqliteStorage::open(file).await {
        Ok(_) => panic!("{} was opened", file.display()),
        Err(error) => error,
    }
}

/// Makes a database with one session in it.
async fn filled(file: &Path) {
    let storage = SqliteStorage::open(file).await.unwrap();
    storage.commit(add(session_id(1), "VIP")).await.unwrap();
    storage.close().await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let (_directory, file) = place();
    filled(&file).await;
    for synchronous in [Synchronous::Normal, Synchronous::Full] {
        let storage = SqliteStorage::options().synchronous(synchronous).readers(0).open(&file).await.unwrap();
        let stored = storage.session(session_id(1)).await.unwrap().unwrap();
        assert_eq!(stored.record.remark.as_str(), "VIP");
        storage.close().await.unwrap();
    }
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let (_directory, file) = place();
    fs::write(&file, "").unwrap();
    filled(&file).await;
}

#[tokio::test]
async fn a_second_open_in_the_same_process_is_refused_until_the_first_is_closed() {
    let (directory, file) = place();
    let storage = SqliteStorage::open(&file).await.unwrap();
    let error = refused(&file).await;
    assert_eq!(error.kind(), StorageErrorKind::InUse);
    let pid = std::process::id();
    assert!(error.to_string().ends_with(&format!(
        "seatport.db is open in this process (pid {pid}) already; share that storage, or close it first"
    )));

    // Nor does another name of the same file help.
    #[cfg(unix)]
    {
        let alias = directory.path().join("alias.db");
        std::os::unix::fs::symlink(&file, &alias).unwrap();
        assert_eq!(refused(&alias).await.kind(), StorageErrorKind::InUse);
    }

    storage.close().await.unwrap();
    SqliteStorage::open(&file).await.unwrap();
    drop(directory);
}

#[tokio::test]
async fn a_dropped_storage_lets_go_of_the_file() {
    let (_directory, file) = place();
    drop(SqliteStorage::open(&file).await.unwrap());
    SqliteStorage::open(&file).await.unwrap();
}

#[tokio::test]
async fn a_newer_version_is_refused_and_left_as_it_is() {
    let (directory, file) = place();
    filled(&file).await;
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&file).unwrap();

    let error = refused(&file).await;
    assert_eq!(error.kind(), StorageErrorKind::NewerVersion);
    assert!(error.to_string().contains("has schema version 99"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(names(directory.path()), ["seatport.db", "seatport.db-lock"]);
}

#[tokio::test]
async fn another_applications_database_is_refused_and_left_as_it_is() {
    for preparation in [
        "CREATE TABLE theirs (a)",
        "PRAGMA application_id = 42",
        "PRAGMA user_version = 1",
        "PRAGMA journal_mode = WAL; CREATE TABLE theirs (a)",
    ] {
        let (directory, file) = place();
        Connection::open(&file).unwrap().execute_batch(preparation).unwrap();
        let before = fs::read(&file).unwrap();

        let error = refused(&file).await;
        assert_eq!(error.kind(), StorageErrorKind::Corrupt, "{preparation}");
        assert!(error.to_string().contains("SQLite database of another application"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), before, "{preparation}");
        assert_eq!(names(directory.path()), ["seatport.db", "seatport.db-lock"]);
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_as_it_is() {
    let (_directory, file) = place();
    let text = "Dear diary, ".repeat(1000);
    fs::write(&file, &text).unwrap();
    let error = refused(&file).await;
    assert_eq!(error.kind(), StorageErrorKind::Corrupt);
    assert!(error.to_string().contains("seatport.db is damaged or not a database of Seatport"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_database_that_was_cut_off_is_refused() {
    let (_directory, file) = place();
    filled(&file).await;
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(refused(&file).await.kind(), StorageErrorKind::Corrupt);
}

#[tokio::test]
async fn damage_inside_is_told_when_it_is_met() {
    let (_directory, file) = place();
    filled(&file).await;
    let mut bytes = fs::read(&file).unwrap();
    let record = bytes.windows(3).rposition(|window| window == b"VIP").unwrap();
    // The closing quote goes: the record is no JSON any more.
    bytes[record + 3] = b'?';
    fs::write(&file, bytes).unwrap();

    let storage = SqliteStorage::open(&file).await.unwrap();
    let error = storage.session(session_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Corrupt);
}

#[cfg(unix)]
mod unix {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn modes(directory: &Path) -> Vec<(String, u32)> {
        let mode = |name: &String| fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o777;
        names(directory).into_iter().map(|name| (mode(&name), name)).map(|(mode, name)| (name, mode)).collect()
    }

    /// Not even the superuser writes where somebody said not to, so that this holds whoever runs it.
    #[tokio::test]
    async fn a_read_only_file_is_refused() {
        let (_directory, file) = place();
        filled(&file).await;
        set_mode(&file, 0o400);
        let error = refused(&file).await;
        assert_eq!(error.kind(), StorageErrorKind::ReadOnly);
        assert!(error.to_string().contains("seatport.db or its directory is read-only"), "{error}");
        set_mode(&file, 0o600);
        SqliteStorage::open(&file).await.unwrap();
    }

    #[tokio::test]
    async fn a_read_only_directory_is_refused() {
        let (directory, file) = place();
        set_mode(directory.path(), 0o500);
        let error = refused(&file).await;
        set_mode(directory.path(), 0o700);
        assert_eq!(error.kind(), StorageErrorKind::ReadOnly);
        assert!(names(directory.path()).is_empty());
    }

    #[tokio::test]
    async fn all_files_are_private() {
        let (directory, file) = place();
        // Brought here with other permissions, and the write-ahead log of a process that died beside it.
        fs::write(&file, "").unwrap();
        set_mode(&file, 0o666);
        let storage = SqliteStorage::open(&file).await.unwrap();
        storage.commit(add(session_id(1), "VIP")).await.unwrap();
        let private = ["seatport.db", "seatport.db-lock", "seatport.db-shm", "seatport.db-wal"];
        assert_eq!(modes(directory.path()), private.map(|name| (name.to_owned(), 0o600)));
        storage.close().await.unwrap();
        assert_eq!(names(directory.path()), private[..2], "a closed database is one file, and the one for the lock");
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named() {
    let (directory, _) = place();
    let error = refused(&directory.path().join("nowhere").join("seatport.db")).await;
    assert_eq!(error.kind(), StorageErrorKind::Other);
    assert!(error.to_string().contains("its directory does not exist; create it first"), "{error}");
}

#[tokio::test]
async fn a_directory_is_no_database() {
    let (directory, _) = place();
    let error = refused(directory.path()).await;
    assert_eq!(error.kind(), StorageErrorKind::Other);
    assert!(error.to_string().contains("it is a directory; name a file in it"), "{error}");
}

/// SQLite itself would take both for something else than a file.
#[tokio::test]
async fn a_path_is_a_path() {
    for name in [":memory:", "file:seatport.db?mode=memory"] {
        let (directory, _) = place();
        let file = directory.path().join(name);
        filled(&file).await;
        assert_eq!(names(directory.path()), [name.to_owned(), format!("{name}-lock")]);
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
