//! How a database is opened.

use std::path::PathBuf;
use std::time::Duration;

use seatport::storage::{StorageError, StorageErrorKind};

use crate::PostgresStorage;

/// How a database is opened; made by [`PostgresStorage::options`].
///
/// ```no_run
/// use std::time::Duration;
/// use seatport_postgres::PostgresStorage;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let storage = PostgresStorage::options()
///     .schema("east")
///     .connections(20)
///     .root_certificate("/etc/ssl/company.pem")
///     .retry_for(Duration::from_secs(5))
///     .open("postgres://seatport:secret@db1.example,db2.example/office?sslmode=verify-full")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    pub(crate) schema: String,
    pub(crate) connections: usize,
    pub(crate) writers: usize,
    pub(crate) wait: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) statement_timeout: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) retry_for: Duration,
    pub(crate) poll: Duration,
    pub(crate) root_certificate: Option<PathBuf>,
    pub(crate) application_name: String,
}

impl Default for PostgresOptions {
    /// What the methods say.
    fn default() -> Self {
        Self {
            schema: "seatport".to_owned(),
            connections: 10,
            writers: 4,
            wait: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(2),
            retry_for: Duration::from_secs(10),
            poll: Duration::from_secs(5),
            root_certificate: None,
            application_name: "seatport".to_owned(),
        }
    }
}

impl PostgresOptions {
    /// The schema that everything is kept in; organisations that share a database have one each. `seatport` unless set. ASCII
    /// letters, digits, `_` and `-`, at most 48 of them.
    #[must_use]
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// How many connections read, and write what belongs to no commit, at most. 10 unless set, and never less than 1. Whoever
    /// needs one while all are in use waits for it. Beside them there are the [`writers`](Self::writers), and one connection
    /// for notifications.
    #[must_use]
    pub fn connections(mut self, count: usize) -> Self {
        self.connections = count.max(1);
        self
    }

    /// How many connections write commits, each what came for its share of the sessions in one transaction after the other.
    /// 4 unless set, and never less than 1.
    #[must_use]
    pub fn writers(mut self, count: usize) -> Self {
        self.writers = count.max(1);
        self
    }

    /// How long a call waits for a connection while all are in use, before the answer is
    /// [`Busy`](StorageErrorKind::Busy). 10 s unless set. A commit waits for its writer for as long, or for as long as it may be
    /// [tried again](Self::retry_for) if that is longer.
    #[must_use]
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = limit;
        self
    }

    /// How long it may take until a server answers to a new connection, and how much longer than a
    /// [statement](Self::statement_timeout) may take its answer may be on the way. 5 s unless set. A connection on which no answer
    /// comes is given up.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long one statement may take (`statement_timeout`). 30 s unless set.
    #[must_use]
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.statement_timeout = limit;
        self
    }

    /// How long a statement waits for a row that another transaction holds (`lock_timeout`), before the transaction is tried
    /// again. 5 s unless set.
    #[must_use]
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.lock_timeout = limit;
        self
    }

    /// How long a transaction may stand still (`idle_in_transaction_session_timeout`): a process that is frozen in the middle of
    /// one holds up the others no longer than that. 2 s unless set.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit;
        self
    }

    /// For how long a call is tried again whose connection broke, or which met another transaction in a deadlock, before the
    /// answer is [`Busy`](StorageErrorKind::Busy). 10 s unless set.
    #[must_use]
    pub fn retry_for(mut self, limit: Duration) -> Self {
        self.retry_for = limit;
        self
    }

    /// How often the database is asked for what no notification told of. 5 s unless set.
    #[must_use]
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = interval.max(Duration::from_millis(10));
        self
    }

    /// A file with the certificates (PEM) of the authorities that may vouch for the server, in place of those that browsers trust.
    /// The same as `sslrootcert` in the URL, and goes before it.
    #[must_use]
    pub fn root_certificate(mut self, file: impl Into<PathBuf>) -> Self {
        self.root_certificate = Some(file.into());
        self
    }

    /// The name under which the connections show in `pg_stat_activity`. `seatport` unless set here or in the URL.
    #[must_use]
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = name.into();
        self
    }

    /// Opens the database; see [`PostgresStorage::open`].
    ///
    /// # Errors
    /// Those of [`PostgresStorage::open`].
    pub async fn open(self, url: &str) -> Result<PostgresStorage, StorageError> {
        PostgresStorage::open_with(url, self).await
    }

    /// Refuses a name that is not one.
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        let name = &self.schema;
        let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        if (1..=48).contains(&name.len()) && name.chars().all(allowed) && !name.starts_with("pg_") {
            return Ok(());
        }
        let message = format!(
            "{name:?} cannot be the name of a schema; take 1 to 48 ASCII letters, digits, `_` and `-`, not beginning with `pg_`"
        );
        Err(StorageError::new(StorageErrorKind::Other, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_names_are_names_of_schemas() {
        for name in ["seatport", "East-2", "a", "_"] {
            assert!(PostgresOptions::default().schema(name).check().is_ok(), "{name}");
        }
        for name in ["", "pg_catalog", "a b", "a\"b", "a;b", "a\\b", "büro", &"a".repeat(49)] {
            assert!(PostgresOptions::default().schema(name).check().is_err(), "{name}");
        }
    }
}
