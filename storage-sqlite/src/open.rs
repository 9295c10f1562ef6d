//! Opening: the checks before anything is written, the migrations, and the connections.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations, SchemaVersion};
use seatport::storage::{StorageError, StorageErrorKind};

use crate::SqliteOptions;
use crate::error::{Failure, sqlite};
use crate::lock::Lock;
use crate::sql::execute;
use crate::{delete, file};

/// Every version of the schema, oldest first. One that was released is never edited.
const VERSIONS: &[M<'_>] = &[M::up(include_str!("migrations/0001_initial.sql"))];
const MIGRATIONS: Migrations<'_> = Migrations::from_slice(VERSIONS);

/// "Seat": what the first migration writes into the file's header.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Seat");

/// Room for every statement of this crate.
pub(crate) const STATEMENTS_KEPT: usize = 256;

/// A database that was opened.
pub(crate) struct Opened {
    pub(crate) file: PathBuf,
    pub(crate) lock: Lock,
    pub(crate) writer: Connection,
    pub(crate) readers: Vec<Connection>,
}

/// Opens or creates a database. Nothing of a file is changed before it is known to be one of ours, of a version we know.
pub(crate) fn open(path: &Path, options: &SqliteOptions) -> Result<Opened, StorageError> {
    let file = file::resolve(path)?;
    file::check_writable(&file)?;
    let lock = Lock::take(&file)?;
    file::create(&file)?;
    let typed = |failure: Failure| failure.into_error(&file);
    let writer = writer(&file, options).map_err(typed)?;
    file::keep_private(&file);
    let readers = (0..options.readers).map(|_| reader(&file, options)).collect::<Result<_, _>>().map_err(typed)?;
    Ok(Opened { lock, writer, readers, file })
}

fn writer(file: &Path, options: &SqliteOptions) -> Result<Connection, Failure> {
    let mut connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE, options)?;
    identify(&connection, file)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        let message =
            format!("{} is on a file system without a write-ahead log; move it to a local disk", file.display());
        return Err(StorageError::new(StorageErrorKind::Other, message).into());
    }
    connection.pragma_update(None, "synchronous", options.synchronous.pragma())?;
    // Deleted means gone, not just unlinked.
    connection.pragma_update(None, "secure_delete", "ON")?;
    // After a flood of writes the log gives its space back.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // Room for the inner pages of all indexes of a large database, which every message touches.
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    // A page that many messages touch is written to the database once in 16 MB of log rather than in 4.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    // What a statement needs to undo itself is kept in memory rather than in a file.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A migration that rebuilds a table must not take along what refers to it.
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    MIGRATIONS.to_latest(&mut connection).map_err(|error| migration_failed(file, error))?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    delete::undo_unfinished(&mut connection)?;
    // We hold the lock, so whoever owned sessions is dead.
    execute(&connection, "UPDATE session SET owner = NULL WHERE owner IS NOT NULL", [])?;
    Ok(connection)
}

fn reader(file: &Path, options: &SqliteOptions) -> Result<Connection, Failure> {
    connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY, options)
}

/// A connection. Without `SQLITE_OPEN_URI`: a path is a path, whatever it starts with. Without SQLite's mutex: a connection is
/// used by one thread at a time.
fn connect(file: &Path, access: OpenFlags, options: &SqliteOptions) -> Result<Connection, Failure> {
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Lets an empty file pass, and a database of ours unless it is newer than we are.
fn identify(connection: &Connection, file: &Path) -> Result<(), Failure> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let version = MIGRATIONS.current_version(connection).map_err(|error| migration_failed(file, error))?;
    match (application, version) {
        (0, SchemaVersion::NoneSet) if tables == 0 => Ok(()),
        (APPLICATION_ID, SchemaVersion::Outside(found)) => Err(newer(file, found.get())),
        (APPLICATION_ID, _) => Ok(()),
        _ => {
            let message = format!(
                "{} is an SQLite database of another application (application id {application}); name another file",
                file.display()
            );
            Err(StorageError::new(StorageErrorKind::Corrupt, message).into())
        }
    }
}

fn newer(file: &Path, found: usize) -> Failure {
    let message = format!(
        "{} has schema version {found}, written by a newer version of Seatport; update the host application",
        file.display()
    );
    StorageError::new(StorageErrorKind::NewerVersion, message).into()
}

fn migration_failed(file: &Path, error: rusqlite_migration::Error) -> Failure {
    match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => sqlite(file, Arc::new(err)).into(),
        rusqlite_migration::Error::InvalidUserVersion => Failure::from(
            StorageError::new(
                StorageErrorKind::Corrupt,
                format!("{} has no valid schema version; restore a backup", file.display()),
            )
            .caused_by(error),
        ),
        error => StorageError::new(StorageErrorKind::Other, format!("{} could not be migrated", file.display()))
            .caused_by(error)
            .into(),
    }
}
