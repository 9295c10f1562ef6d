//! The memory storage and SQLite, side by side. `storage-postgres/tests/differential.rs` compares it with Postgres.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod side_by_side;

use std::sync::Arc;

use async_trait::async_trait;
use seatport::storage::Storage;
use seatport_sqlite::{SqliteStorage, Synchronous};
use seatport_testkit::storage::Backend;
use tempfile::TempDir;

/// A database in a directory of its own.
struct Sqlite {
    directory: TempDir,
    open: Option<SqliteStorage>,
}

impl Sqlite {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), open: None }
    }
}

#[async_trait(?Send)]
impl Backend for Sqlite {
    async fn open(&mut self) -> Arc<dyn Storage> {
        if let Some(before) = self.open.take() {
            before.close().await.unwrap();
        }
        let options = SqliteStorage::options().synchronous(Synchronous::Normal).readers(1);
        let storage = options.open(self.directory.path().join("seatport.db")).await.unwrap();
        Arc::new(self.open.insert(storage).clone())
    }
}

#[test]
fn sqlite_answers_and_holds_what_the_reference_does() {
    side_by_side::compare(12, Sqlite::new);
}
