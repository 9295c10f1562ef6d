//! Licence ports. Who holds which is written in the session's row.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use seatport::storage::{Change, PortStore, StorageError, StorageErrorKind};
use seatport::{NodeId, Occupied, PortNumber, PortRange, PortUsage, SessionId};

use crate::SqliteStorage;
use crate::error::Failure;
use crate::sql::{all, execute, first};

/// The lowest free number of the range, unless as many ports are occupied as there are.
pub(crate) fn lowest_free(connection: &Connection) -> Result<PortNumber, Failure> {
    let range = range(connection)?;
    let sql = "SELECT count(*) FROM session WHERE port IS NOT NULL";
    let occupied = first(connection, sql, [], |row| row.get(0))?.unwrap_or(0);
    let full = StorageErrorKind::PoolFull { capacity: range.capacity(), occupied };
    // Numbers outside the range, left over from before it was changed, count as well.
    if occupied >= range.capacity() {
        return Err(full.into());
    }
    // Either the first number is free, or the lowest one that follows an occupied one.
    let sql = "SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM session WHERE port = ?1)
         UNION ALL
         SELECT * FROM (
             SELECT port + 1 FROM session AS held
             WHERE port BETWEEN ?1 AND ?2 - 1 AND NOT EXISTS (SELECT 1 FROM session WHERE port = held.port + 1)
             ORDER BY port LIMIT 1
         )
         LIMIT 1";
    let free = first(connection, sql, params![range.first().0, range.last().0], |row| row.get(0))?;
    free.map(PortNumber).ok_or_else(|| full.into())
}

fn range(connection: &Connection) -> Result<PortRange, Failure> {
    let sql = "SELECT port_first, port_capacity FROM organisation WHERE port_first IS NOT NULL";
    let Some((start, capacity)) = first(connection, sql, [], |row| Ok((row.get(0)?, row.get(1)?)))? else {
        return Ok(PortRange::default());
    };
    let damaged = |error| StorageError::from(StorageErrorKind::Corrupt).caused_by(error);
    Ok(PortRange::new(start, capacity).map_err(damaged)?)
}

#[async_trait]
impl PortStore for SqliteStorage {
    async fn port_usage(&self) -> Result<PortUsage, StorageError> {
        let read = self.readers.read(|connection| {
            let sql = "SELECT port, id FROM session WHERE port IS NOT NULL ORDER BY port";
            let occupied = all(connection, sql, [], |row| {
                Ok(Occupied { port: PortNumber(row.get(0)?), session: SessionId::from_bytes(row.get(1)?) })
            })?;
            Ok(PortUsage { range: range(connection)?, occupied })
        });
        read.await
    }

    async fn resize_ports(&self, range: PortRange) -> Result<(), StorageError> {
        let write = self.writer.write(move |step| {
            let sql = "UPDATE organisation SET port_first = ?1, port_capacity = ?2";
            execute(step.connection, sql, params![range.first().0, range.capacity()])?;
            step.announce(Change::Ports);
            Ok(())
        });
        write.await
    }

    async fn join_port_queue(&self, node: NodeId) -> Result<u64, StorageError> {
        self.writer.check_open()?;
        Ok(self.nodes.join_queue(node).ok_or(StorageErrorKind::Fenced)?)
    }

    async fn leave_port_queue(&self, ticket: u64) -> Result<(), StorageError> {
        self.writer.check_open()?;
        if self.nodes.leave_queue(ticket) {
            self.writer.announce(Change::Ports);
        }
        Ok(())
    }

    async fn port_queue(&self) -> Result<Vec<u64>, StorageError> {
        self.writer.check_open()?;
        Ok(self.nodes.queue())
    }
}
