//! Licence ports, and the queue of those who wait for one. Who holds which port is written in the session's row.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::FutureExt;
use seatport::storage::{Change, PortStore, StorageError, StorageErrorKind};
use seatport::{NodeId, Occupied, PortNumber, PortRange, PortUsage, SessionId};
use tokio_postgres::Row;

use crate::PostgresStorage;
use crate::codes::{Count, Id};
use crate::error::Failure;
use crate::sql::{Connection, all, execute, first};

/// Whoever claims a port holds this row until it is durable, so that no number is given twice, and nobody is refused for the sake of a
/// claim that is undone after all.
pub(crate) const LOCK: &str = "SELECT port_first, port_capacity FROM organisation FOR UPDATE";

/// Runs after the lock was taken, so that it sees what those before have claimed.
pub(crate) const OCCUPIED: &str = "SELECT port FROM session WHERE port IS NOT NULL";

/// The range, and which numbers are taken. Locked for as long as the transaction lasts.
#[derive(Debug)]
pub(crate) struct Ports {
    range: PortRange,
    occupied: BTreeSet<u32>,
}

impl Ports {
    /// Locks and reads them. The statements are prepared by then.
    pub(crate) async fn lock(tx: &Connection) -> Result<Self, Failure> {
        let (range, occupied) = tokio::try_join!(
            biased;
            first(tx, LOCK, &[], range),
            all(tx, OCCUPIED, &[], |row| {
                let Count(number) = row.try_get(0)?;
                Ok(number)
            })
        )?;
        Ok(Self { range: range.unwrap_or_default(), occupied: occupied.into_iter().collect() })
    }

    /// The lowest free number, unless as many are taken as there are.
    pub(crate) fn lowest_free(&self) -> Result<PortNumber, StorageErrorKind> {
        let (capacity, occupied) = (self.range.capacity(), u32::try_from(self.occupied.len()).unwrap_or(u32::MAX));
        let full = StorageErrorKind::PoolFull { capacity, occupied };
        // Numbers outside the range, left over from before it was changed, count as well.
        if occupied >= capacity {
            return Err(full);
        }
        let (first, last) = (self.range.first().0, self.range.last().0);
        // As long as the taken ones follow one another from the first on, the next one may be free.
        let mut taken = self.occupied.range(first..=last);
        let free = (first..=last).find(|number| taken.next() != Some(number));
        free.map(PortNumber).ok_or(full)
    }

    /// Takes the lowest free number.
    pub(crate) fn claim(&mut self) -> Result<PortNumber, StorageErrorKind> {
        let free = self.lowest_free()?;
        self.occupied.insert(free.0);
        Ok(free)
    }

    /// Gives a number back.
    pub(crate) fn release(&mut self, number: PortNumber) {
        self.occupied.remove(&number.0);
    }
}

/// The range in the columns `port_first` and `port_capacity`, which come first.
fn range(row: &Row) -> Result<PortRange, Failure> {
    let (Some(Count(start)), Some(Count(capacity))) = (row.try_get(0)?, row.try_get(1)?) else {
        return Ok(PortRange::default());
    };
    let damaged = |error| StorageError::from(StorageErrorKind::Corrupt).caused_by(error);
    Ok(PortRange::new(start, capacity).map_err(damaged)?)
}

#[async_trait]
impl PortStore for PostgresStorage {
    async fn port_usage(&self) -> Result<PortUsage, StorageError> {
        let read = self.read((), |on, ()| {
            async move {
                let sql = "SELECT o.port_first, o.port_capacity, s.port, s.id
                     FROM organisation AS o LEFT JOIN session AS s ON s.port IS NOT NULL ORDER BY s.port";
                let mut usage = PortUsage { range: PortRange::default(), occupied: Vec::new() };
                let rows = all(on, sql, &[], |row| {
                    Ok((
                        range(row)?,
                        row.try_get::<_, Option<Count<u32>>>(2)?,
                        row.try_get::<_, Option<Id<SessionId>>>(3)?,
                    ))
                });
                for (range, port, session) in rows.await? {
                    usage.range = range;
                    if let (Some(Count(number)), Some(Id(session))) = (port, session) {
                        usage.occupied.push(Occupied { port: PortNumber(number), session });
                    }
                }
                Ok(usage)
            }
            .boxed()
        });
        read.await
    }

    async fn resize_ports(&self, range: PortRange) -> Result<(), StorageError> {
        let write = self.write(range, |tx, range| {
            async move {
                let sql = "UPDATE organisation SET port_first = $1, port_capacity = $2";
                execute(tx, sql, &[&Count(range.first().0), &Count(range.capacity())]).await?;
                tx.announce(Change::Ports);
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    async fn join_port_queue(&self, node: NodeId) -> Result<u64, StorageError> {
        let write = self.write(node, |tx, node| {
            async move {
                let sql = "INSERT INTO port_queue (node)
                     SELECT id FROM node WHERE id = $1 AND expires_at > clock_timestamp() FOR KEY SHARE
                     RETURNING ticket";
                let ticket = first(tx, sql, &[&Id(*node)], |row| {
                    let Count(ticket) = row.try_get(0)?;
                    Ok(ticket)
                })
                .await?;
                Ok(ticket.ok_or(StorageErrorKind::Fenced)?)
            }
            .boxed()
        });
        write.await
    }

    async fn leave_port_queue(&self, ticket: u64) -> Result<(), StorageError> {
        let write = self.write(ticket, |tx, ticket| {
            async move {
                if execute(tx, "DELETE FROM port_queue WHERE ticket = $1", &[&Count(*ticket)]).await? > 0 {
                    tx.announce(Change::Ports);
                }
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    async fn port_queue(&self) -> Result<Vec<u64>, StorageError> {
        let read = self.read((), |on, ()| {
            async move {
                let sql = "SELECT q.ticket FROM port_queue AS q JOIN node AS n ON n.id = q.node
                     WHERE n.expires_at > clock_timestamp() ORDER BY q.ticket";
                let tickets = all(on, sql, &[], |row| {
                    let Count(ticket) = row.try_get(0)?;
                    Ok(ticket)
                });
                tickets.await
            }
            .boxed()
        });
        read.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(first: u32, capacity: u32, occupied: &[u32]) -> Ports {
        Ports { range: PortRange::new(first, capacity).unwrap(), occupied: occupied.iter().copied().collect() }
    }

    #[test]
    fn the_lowest_free_number_is_found_in_every_gap() {
        for (occupied, free) in
            [(&[][..], 5), (&[5], 6), (&[6], 5), (&[5, 6, 8], 7), (&[1, 2, 5], 6), (&[5, 6, 7], 8), (&[9], 5)]
        {
            assert_eq!(ports(5, 4, occupied).lowest_free(), Ok(PortNumber(free)), "{occupied:?}");
        }
    }

    #[test]
    fn numbers_outside_the_range_count_as_well() {
        let full = |occupied| Err(StorageErrorKind::PoolFull { capacity: 2, occupied });
        assert_eq!(ports(5, 2, &[5, 6]).lowest_free(), full(2));
        assert_eq!(ports(5, 2, &[1, 9]).lowest_free(), full(2));
        assert_eq!(ports(5, 2, &[1, 2, 9]).lowest_free(), full(3));
        assert_eq!(ports(5, 2, &[9]).lowest_free(), Ok(PortNumber(5)));
    }

    #[test]
    fn a_released_number_is_given_again() {
        let mut ports = ports(1, 2, &[1, 2]);
        assert!(ports.claim().is_err());
        ports.release(PortNumber(1));
        assert_eq!(ports.claim(), Ok(PortNumber(1)));
        assert!(ports.claim().is_err());
    }
}
