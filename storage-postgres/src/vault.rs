//! The vault's entries.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::FutureExt;
use seatport::SessionId;
use seatport::storage::{Fence, StorageError, StorageErrorKind, VaultEntry, VaultStore, VaultWrite};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::PostgresStorage;
use crate::codes::{Count, Free, Id};
use crate::error::Failure;
use crate::sql::{Connection, all, execute, first, prepare};

type Param<'a> = &'a (dyn ToSql + Sync);

/// What a commit does to a session's entries.
#[derive(Debug)]
pub(crate) struct Writes<'a> {
    /// The key of the session.
    pub(crate) session: i64,
    /// Whether all entries of the area in which a transport keeps its credentials go first.
    pub(crate) forget_credentials: bool,
    pub(crate) writes: &'a [VaultWrite],
}

/// The area of a transport's credentials, `net/`, from here to there: the character after `/` is `0`.
const CREDENTIALS: (&str, &str) = ("net/", "net0");

const FORGET: &str = "DELETE FROM vault WHERE session = ANY ($1) AND name >= $2 AND name < $3";

const REMOVE: &str = "DELETE FROM vault USING unnest($1::bigint[], $2::text[]) AS gone (session, name)
     WHERE vault.session = gone.session AND vault.name = gone.name";

const PUT: &str =
    "INSERT INTO vault (session, name, sealed) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[])
     ON CONFLICT (session, name) DO UPDATE SET sealed = excluded.sealed";

/// Applies what commits do, in their order. The transaction holds the sessions' rows.
pub(crate) async fn apply(tx: &Connection, commits: &[Writes<'_>]) -> Result<(), Failure> {
    let mut forgotten = Vec::new();
    // Only what each entry is in the end is written.
    let mut entries: BTreeMap<(i64, &str), Option<&[u8]>> = BTreeMap::new();
    for Writes { session, forget_credentials, writes } in commits {
        if *forget_credentials {
            forgotten.push(*session);
            entries.retain(|(of, name), _| of != session || !(CREDENTIALS.0..CREDENTIALS.1).contains(name));
        }
        entries.extend(writes.iter().map(|VaultWrite { name, sealed }| ((*session, name.as_str()), sealed.as_deref())));
    }
    let (mut put, mut removed) = ((Vec::new(), Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for ((session, name), sealed) in entries {
        match sealed {
            Some(sealed) => {
                put.0.push(session);
                put.1.push(Free(name));
                put.2.push(sealed);
            }
            None => {
                removed.0.push(session);
                removed.1.push(Free(name));
            }
        }
    }
    let run = async |sql, rows: usize, params: &[_]| match rows {
        0 => Ok(0),
        _ => execute(tx, sql, params).await,
    };
    // In this order.
    prepare(tx, &[FORGET, REMOVE, PUT]).await?;
    let forget: [Param<'_>; 3] = [&forgotten, &CREDENTIALS.0, &CREDENTIALS.1];
    let remove: [Param<'_>; 2] = [&removed.0, &removed.1];
    let write: [Param<'_>; 3] = [&put.0, &put.1, &put.2];
    tokio::try_join!(
        biased;
        run(FORGET, forgotten.len(), &forget),
        run(REMOVE, removed.0.len(), &remove),
        run(PUT, put.0.len(), &write),
    )?;
    Ok(())
}

fn entry(row: &Row) -> Result<VaultEntry, Failure> {
    let (Id(session), Free(name)) = (row.try_get(0)?, row.try_get(1)?);
    Ok(VaultEntry { session, name, sealed: row.try_get(2)? })
}

#[async_trait]
impl VaultStore for PostgresStorage {
    async fn vault_get(&self, session: SessionId, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let read = self.read((Id(session), Free(name)), |on, (session, name)| {
            async move {
                let sql = "SELECT sealed FROM vault
                     WHERE session = (SELECT key FROM session WHERE id = $1) AND name = $2";
                first(on, sql, &[session, name], |row| Ok(row.try_get(0)?)).await
            }
            .boxed()
        });
        read.await
    }

    async fn vault_list(&self, session: SessionId, prefix: &str) -> Result<Vec<VaultEntry>, StorageError> {
        let read = self.read((Id(session), Free(prefix)), |on, (session, prefix)| {
            async move {
                // Names that start alike are next to one another, the prefix itself first.
                let sql = "SELECT id, name, sealed FROM session JOIN vault ON session = key
                     WHERE id = $1 AND name >= $2 AND starts_with(name, $2) ORDER BY name";
                all(on, sql, &[session, prefix], entry).await
            }
            .boxed()
        });
        read.await
    }

    async fn vault_write(&self, session: SessionId, fence: Fence, writes: Vec<VaultWrite>) -> Result<(), StorageError> {
        let write = self.write((session, fence, writes), |tx, (session, fence, writes)| {
            async move {
                let sql = "SELECT key FROM session JOIN node ON node.id = owner
                     WHERE session.id = $1 AND owner = $2 AND epoch = $3 AND expires_at > clock_timestamp()
                     FOR UPDATE OF session";
                let owner: [Param<'_>; 3] = [&Id(*session), &Id(fence.node), &Count(fence.epoch)];
                let session = first(tx, sql, &owner, |row| Ok(row.try_get(0)?)).await?;
                let session = session.ok_or(StorageErrorKind::Fenced)?;
                apply(tx, &[Writes { session, forget_credentials: false, writes }]).await
            }
            .boxed()
        });
        write.await
    }

    async fn vault_scan(
        &self,
        after: Option<(SessionId, String)>,
        limit: u32,
    ) -> Result<Vec<VaultEntry>, StorageError> {
        let (session, name) = after.unwrap_or((SessionId::from_bytes([0; 16]), String::new()));
        let read = self.read((Id(session), Free(name), i64::from(limit)), |on, (session, name, limit)| {
            async move {
                let sql = "SELECT id, name, sealed FROM session JOIN vault ON session = key
                     WHERE id >= $1 AND (id > $1 OR name > $2) ORDER BY id, name LIMIT $3";
                all(on, sql, &[session, name, limit], entry).await
            }
            .boxed()
        });
        read.await
    }

    async fn vault_replace(&self, old: &VaultEntry, sealed: Vec<u8>) -> Result<bool, StorageError> {
        let write = self.write((old.clone(), sealed), |tx, (old, sealed)| {
            async move {
                let sql = "UPDATE vault SET sealed = $4
                     WHERE session = (SELECT key FROM session WHERE id = $1) AND name = $2 AND sealed = $3";
                let replaced = execute(tx, sql, &[&Id(old.session), &Free(&old.name), &old.sealed, sealed]).await?;
                Ok(replaced > 0)
            }
            .boxed()
        });
        write.await
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StorageError> {
        let read = self
            .read((), |on, ()| first(on, "SELECT key_check FROM organisation", &[], |row| Ok(row.try_get(0)?)).boxed());
        Ok(read.await?.flatten())
    }

    async fn set_key_check(&self, sealed: Vec<u8>) -> Result<(), StorageError> {
        let write = self.write(sealed, |tx, sealed| {
            async move {
                execute(tx, "UPDATE organisation SET key_check = $1", &[sealed]).await?;
                Ok(())
            }
            .boxed()
        });
        write.await
    }
}
