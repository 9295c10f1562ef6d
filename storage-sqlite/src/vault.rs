//! The vault's entries.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use seatport::SessionId;
use seatport::storage::{Fence, StorageError, StorageErrorKind, VaultEntry, VaultStore, VaultWrite};

use crate::SqliteStorage;
use crate::error::Failure;
use crate::lease::Nodes;
use crate::sql::{all, execute, first};

/// Applies writes to a session's entries, in order.
pub(crate) fn apply(connection: &Connection, session: i64, writes: &[VaultWrite]) -> Result<(), Failure> {
    for VaultWrite { name, sealed } in writes {
        match sealed {
            Some(sealed) => {
                let sql = "INSERT INTO vault (session, name, sealed) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET sealed = excluded.sealed";
                execute(connection, sql, params![session, name, sealed])?
            }
            None => execute(connection, "DELETE FROM vault WHERE session = ?1 AND name = ?2", params![session, name])?,
        };
    }
    Ok(())
}

/// Removes all entries of the area in which a transport keeps its credentials.
pub(crate) fn forget_credentials(connection: &Connection, session: i64) -> Result<(), Failure> {
    // The character after `/` is `0`.
    execute(connection, "DELETE FROM vault WHERE session = ?1 AND name >= 'net/' AND name < 'net0'", [session])?;
    Ok(())
}

#[async_trait]
impl VaultStore for SqliteStorage {
    async fn vault_get(&self, session: SessionId, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let name = name.to_owned();
        let read = self.readers.read(move |connection| {
            let sql = "SELECT sealed FROM vault WHERE session = (SELECT key FROM session WHERE id = ?1) AND name = ?2";
            Ok(first(connection, sql, params![session.as_bytes(), name], |row| row.get(0))?)
        });
        read.await
    }

    async fn vault_list(&self, session: SessionId, prefix: &str) -> Result<Vec<VaultEntry>, StorageError> {
        let prefix = prefix.to_owned();
        let read = self.readers.read(move |connection| {
            // Names that start alike are next to one another, the prefix itself first.
            let sql = "SELECT name, sealed FROM vault
                 WHERE session = (SELECT key FROM session WHERE id = ?1) AND name >= ?2
                   AND substr(name, 1, length(?2)) = ?2
                 ORDER BY name";
            Ok(all(connection, sql, params![session.as_bytes(), prefix], |row| {
                Ok(VaultEntry { session, name: row.get(0)?, sealed: row.get(1)? })
            })?)
        });
        read.await
    }

    async fn vault_write(&self, session: SessionId, fence: Fence, writes: Vec<VaultWrite>) -> Result<(), StorageError> {
        let nodes = self.nodes.clone();
        let write = self.writer.write(move |step| {
            let sql = "SELECT key, owner, epoch FROM session WHERE id = ?1";
            let row = first(step.connection, sql, [session.as_bytes()], |row| Ok((row.get(0)?, nodes.owner(row, 1)?)))?;
            let (key, owner) = row.ok_or(StorageErrorKind::Fenced)?;
            Nodes::check(owner, fence)?;
            apply(step.connection, key, &writes)
        });
        write.await
    }

    async fn vault_scan(
        &self,
        after: Option<(SessionId, String)>,
        limit: u32,
    ) -> Result<Vec<VaultEntry>, StorageError> {
        let read = self.readers.read(move |connection| {
            let (session, name) = after.as_ref().map_or((&[][..], ""), |(id, name)| (id.as_bytes(), name));
            // CROSS JOIN keeps the order of the tables, and with it the order of the rows.
            let sql = "SELECT id, name, sealed FROM session CROSS JOIN vault ON vault.session = session.key
                 WHERE id >= ?1 AND (id > ?1 OR name > ?2) ORDER BY id, name LIMIT ?3";
            Ok(all(connection, sql, params![session, name, limit], |row| {
                Ok(VaultEntry { session: SessionId::from_bytes(row.get(0)?), name: row.get(1)?, sealed: row.get(2)? })
            })?)
        });
        read.await
    }

    async fn vault_replace(&self, old: &VaultEntry, sealed: Vec<u8>) -> Result<bool, StorageError> {
        let old = old.clone();
        let write = self.writer.write(move |step| {
            let sql = "UPDATE vault SET sealed = ?4
                 WHERE session = (SELECT key FROM session WHERE id = ?1) AND name = ?2 AND sealed = ?3";
            Ok(execute(step.connection, sql, params![old.session.as_bytes(), old.name, old.sealed, sealed])? > 0)
        });
        write.await
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StorageError> {
        let read = self.readers.read(|connection| {
            Ok(first(connection, "SELECT key_check FROM organisation", [], |row| row.get(0))?.flatten())
        });
        read.await
    }

    async fn set_key_check(&self, sealed: Vec<u8>) -> Result<(), StorageError> {
        let write = self.writer.write(move |step| {
            execute(step.connection, "UPDATE organisation SET key_check = ?1", [&sealed])?;
            Ok(())
        });
        write.await
    }
}
