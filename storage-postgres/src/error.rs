//! What Postgres says, as [`StorageError`]s.

use std::error::Error as StdError;
use std::fmt;

use seatport::storage::{StorageError, StorageErrorKind};
use tokio_postgres::error::SqlState;

/// Why a piece of work on a connection was given up.
#[derive(Debug)]
pub(crate) enum Failure {
    /// One of the answers the traits speak of.
    Storage(StorageError),
    /// Postgres failed, or the way to it.
    Postgres(tokio_postgres::Error),
    /// The server gave no answer in time.
    Away,
    /// The connection broke while a transaction was being committed, and nobody could be asked afterwards whether it was.
    Unknown,
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<StorageErrorKind> for Failure {
    fn from(kind: StorageErrorKind) -> Self {
        Self::Storage(kind.into())
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

/// What Postgres said, without the details: those may repeat rows.
#[derive(Debug)]
struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Said {}

impl Failure {
    /// Whether the same may succeed when it is tried again, on another connection.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Storage(_) | Self::Unknown => false,
            Self::Away => true,
            Self::Postgres(error) => match error.code() {
                Some(code) => {
                    code.code().starts_with("08")
                        || [
                            SqlState::T_R_SERIALIZATION_FAILURE,
                            SqlState::T_R_DEADLOCK_DETECTED,
                            SqlState::LOCK_NOT_AVAILABLE,
                            SqlState::ADMIN_SHUTDOWN,
                            SqlState::CRASH_SHUTDOWN,
                            SqlState::CANNOT_CONNECT_NOW,
                            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                            SqlState::TOO_MANY_CONNECTIONS,
                            SqlState::READ_ONLY_SQL_TRANSACTION,
                            SqlState::UNIQUE_VIOLATION,
                        ]
                        .contains(code)
                }
                None => error.is_closed() || lost(error),
            },
        }
    }

    /// Whether another transaction added a row first that this one wanted to add.
    pub(crate) fn is_collision(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION))
    }

    /// Whether the database, or this connection to it, has become one that only reads.
    pub(crate) fn is_read_only(&self) -> bool {
        match self {
            Self::Postgres(error) => match error.code() {
                Some(code) => *code == SqlState::READ_ONLY_SQL_TRANSACTION,
                None => io_error(error).is_some_and(|error| error.to_string() == "database does not allow writes"),
            },
            _ => false,
        }
    }

    /// The error for the caller. Names the place if the database failed.
    pub(crate) fn into_error(self, place: &dyn fmt::Display) -> StorageError {
        let error = match self {
            Self::Storage(error) => return error,
            Self::Away => return away(place, "it gave no answer"),
            Self::Unknown => {
                let message = format!(
                    "{place}: the connection broke while this was being committed; read again to learn whether it was"
                );
                return StorageError::new(StorageErrorKind::Busy, message);
            }
            Self::Postgres(ref error) => error,
        };
        if self.is_read_only() {
            let message = format!("{place} only reads: it is a standby, or set so; name the primary, or all hosts");
            return StorageError::new(StorageErrorKind::ReadOnly, message).caused_by(Said(said(error)));
        }
        let Some(code) = error.code() else { return without_code(place, error) };
        let (kind, what) = explain(code);
        StorageError::new(kind, format!("{place} {what}")).caused_by(Said(said(error)))
    }
}

/// The kind, and what completes the sentence that begins with the place.
fn explain(code: &SqlState) -> (StorageErrorKind, &'static str) {
    use StorageErrorKind::{Busy, Corrupt, Full, Other};
    match code.code() {
        "28P01" | "28000" => {
            (Other, "refused the user or the password; correct them in the URL, or let the user in (pg_hba.conf)")
        }
        "3D000" => (Other, "is not there: the server has no such database; create it (createdb) or name another one"),
        "42501" => (
            Other,
            "does not let this user do that; grant it the rights, or have the schema created for it (CREATE SCHEMA … AUTHORIZATION …)",
        ),
        "53100" => (Full, "has no space left on its disk; free some and try again"),
        "53300" => (Busy, "takes no more connections; raise max_connections, or allow Seatport fewer"),
        "53200" | "53400" | "53000" => (Busy, "has run out of what it needs (memory, say); give it more, or try again"),
        "57014" => (Busy, "took too long over a statement; try again, or allow for more time"),
        "57P01" | "57P02" | "57P03" => (Busy, "is starting up or shutting down; try again"),
        "40001" | "40P01" | "55P03" | "23505" => (Busy, "is busy: others kept writing the same rows; try again"),
        "25P03" => (Busy, "gave up on a transaction that stood still, for this process was too slow; try again"),
        "58030" => (Busy, "cannot read or write its disk; look at the server's log"),
        "XX001" | "XX002" => (Corrupt, "is damaged; restore a backup"),
        "42P01" | "42703" | "3F000" => {
            (Corrupt, "does not hold the tables of Seatport; restore a backup, or name another schema")
        }
        code if code.starts_with("08") => (Busy, "broke the connection; try again"),
        _ => (Other, "could not be read or written"),
    }
}

fn without_code(place: &dyn fmt::Display, error: &tokio_postgres::Error) -> StorageError {
    let words = error.to_string();
    if words == "error performing TLS handshake" {
        let message = format!(
            "{place} and this process do not agree on TLS; name the certificate of its authority (sslrootcert=FILE), \
             or switch TLS off (sslmode=disable) where nobody listens"
        );
        return StorageError::new(StorageErrorKind::Other, message).caused_by(Said(said(error)));
    }
    if words.starts_with("error deserializing column") {
        let message = format!("{place} holds what Seatport did not write; restore a backup");
        return StorageError::new(StorageErrorKind::Corrupt, message).caused_by(Said(said(error)));
    }
    if words == "authentication error" || words == "invalid configuration" {
        let message = format!("{place}: the server asks for a password, or for more; say it in the URL");
        return StorageError::new(StorageErrorKind::Other, message).caused_by(Said(said(error)));
    }
    if error.is_closed() || lost(error) {
        return away(place, &said(error));
    }
    StorageError::new(StorageErrorKind::Other, format!("{place} could not be read or written"))
        .caused_by(Said(said(error)))
}

fn away(place: &dyn fmt::Display, why: &str) -> StorageError {
    let message = format!(
        "{place} cannot be reached ({why}); see that the server runs and that the address is right, and try again"
    );
    StorageError::new(StorageErrorKind::Busy, message)
}

/// Whether the way to the server broke, or never was one.
fn lost(error: &tokio_postgres::Error) -> bool {
    let words = error.to_string();
    words == "timeout waiting for server"
        || words == "error communicating with the server"
        || words == "error connecting to server"
        || (words == "error performing TLS handshake"
            && io_error(error).is_some_and(|error| error.kind() != std::io::ErrorKind::InvalidData))
}

fn io_error(error: &tokio_postgres::Error) -> Option<&std::io::Error> {
    error.source().and_then(|source| source.downcast_ref())
}

/// What the server or the client library said, in one line.
fn said(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => format!("{}: {}", said.code().code(), said.message()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}
