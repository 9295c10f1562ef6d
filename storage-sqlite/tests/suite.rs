//! What every storage promises, on SQLite.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::sync::Arc;

use async_trait::async_trait;
use seatport::storage::Storage;
use seatport_sqlite::SqliteStorage;
use seatport_testkit::storage::Backend;
use seatport_testkit::storage_suite;
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
        // What another process would find that was started after the death of this one; `file/process.rs` has a real one.
        if let Some(before) = self.open.take() {
            before.close().await.unwrap();
        }
        let storage = SqliteStorage::open(self.directory.path().join("seatport.db")).await.unwrap();
        Arc::new(self.open.insert(storage).clone())
    }
}

storage_suite!(Sqlite::new());
