//! Why nothing was moved, or not everything.

use std::path::PathBuf;

use seatport::storage::StorageError;
use thiserror::Error;

/// Why nothing was moved, or not everything.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("there is no file {}; name the SQLite database that is to be moved", .0.display())]
    NoSource(PathBuf),
    #[error("{} is no SQLite database of Seatport", .0.display())]
    ForeignSource(PathBuf),
    #[error(
        "{} has version {found} of the tables, and this program knows version {known}; take the program that belongs to \
         the version of Seatport that wrote it", .path.display()
    )]
    SourceVersion { path: PathBuf, found: i64, known: i64 },
    /// Its columns are others than those of the version that it says it has.
    #[error("the SQLite database has {0}, which this program does not know; nothing was moved")]
    Unknown(String),
    #[error("the schema has no {0}, which the SQLite database has; nothing was moved")]
    NoPlace(String),
    #[error("the schema holds {0} already; name a schema that is empty, or drop this one if what is in it may be lost")]
    NotEmpty(String),
    #[error("{0} node(s) of Seatport run on the schema; end them first")]
    Running(i64),
    #[error("what is half moved into the schema is from {0}; go on with that, or drop the schema and begin anew")]
    OtherSource(String),
    #[error("nothing was moved into the schema, so there is nothing to compare")]
    NotMoved,
    #[error("another seatport-migrate is at work on the schema")]
    AtWork,
    #[error(
        "{} table(s) are not what they are in the SQLite database: {}; if that has been in use meanwhile, drop the schema and \
         begin anew", .0.len(), .0.join(", ")
    )]
    Differs(Vec<String>),
    /// A value that no version of Seatport writes.
    #[error("a value of {0} cannot be moved")]
    Value(String),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the SQLite database cannot be read")]
    Sqlite(#[from] rusqlite::Error),
    #[error("PostgreSQL does not do as it is told")]
    Postgres(#[from] tokio_postgres::Error),
}
