//! Ownership: which process drives which session.
//!
//! A session's row says who claimed it last, and how often it changed hands; `node` says which processes are live, on the
//! clock of the database. An owner that is not live is none. The row of a dead node stays while it owns sessions that are not at
//! rest: through it they are found.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use seatport::storage::{
    Change, Fence, LeaseStore, LiveNode, NodeProfile, NodeReport, Orphan, StorageError, StorageErrorKind,
};
use seatport::{Clock, NodeId, SessionId, SystemClock};

use crate::PostgresStorage;
use crate::codes::{Count, Id, Json};
use crate::error::Failure;
use crate::sql::{Connection, Params, all, execute, first, prepare};

/// Locks a session's row.
const LOCK: &str = "SELECT 1 FROM session WHERE id = $1 FOR UPDATE";

/// Runs after the lock was taken, so that it sees the owner that is the last one, and whether that is live.
const CLAIM: &str = "UPDATE session SET owner = $2, epoch = epoch + 1
     WHERE id = $1
       AND EXISTS (SELECT 1 FROM node WHERE id = $2 AND expires_at > clock_timestamp())
       AND (owner IS NULL OR owner = $2
            OR NOT EXISTS (SELECT 1 FROM node WHERE id = session.owner AND expires_at > clock_timestamp()))
     RETURNING epoch";

/// Whether a node is live. Its row stays there until the transaction ends.
const LIVE: &str = "SELECT 1 FROM node WHERE id = $1 AND expires_at > clock_timestamp() FOR KEY SHARE";

const RELEASE: &str = "UPDATE session SET owner = NULL, asked_at = clock_timestamp()
     WHERE id = $1 AND owner = $2 AND epoch = $3
       AND EXISTS (SELECT 1 FROM node WHERE id = $2 AND expires_at > clock_timestamp())";

/// Dead nodes that own nothing but sessions at rest.
const DEAD: &str = "SELECT id FROM node
     WHERE expires_at <= clock_timestamp()
       AND NOT EXISTS (SELECT 1 FROM session WHERE owner = node.id AND status > 1)
     FOR UPDATE SKIP LOCKED";

/// Takes all sessions from these nodes.
const DISOWN: &str = "WITH owned AS (SELECT key FROM session WHERE owner = ANY($1) ORDER BY id FOR UPDATE)
     UPDATE session SET owner = NULL FROM owned WHERE session.key = owned.key";

const REGISTER: &str = "INSERT INTO node (id, expires_at, labels, capacity, sessions, accepting)
     VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond', $3, $4, 0, true)
     ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, labels = excluded.labels,
         capacity = excluded.capacity, sessions = 0, accepting = true
     RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// How far the clocks of this machine and of the database may be apart without a word.
const APART: i64 = 5_000;

/// Those that are not stopped (0 not started, 1 offline) and have no owner, or one that is dead.
const ORPHANS: &str = "SELECT id, runs_on FROM (
         (SELECT id, runs_on FROM session WHERE status > 1 AND owner IS NULL AND id >= $1 ORDER BY id LIMIT $2)
         UNION ALL
         SELECT left_behind.id, left_behind.runs_on
         FROM node CROSS JOIN LATERAL (
             SELECT id, runs_on FROM session
             WHERE status > 1 AND owner = node.id AND id >= $1 ORDER BY id LIMIT $2
         ) AS left_behind
         WHERE node.expires_at <= clock_timestamp()
     ) AS orphan
     ORDER BY id LIMIT $2";

/// The nodes that are live now.
pub(crate) async fn live(on: &Connection) -> Result<HashSet<NodeId>, Failure> {
    let nodes = all(on, "SELECT id FROM node WHERE expires_at > clock_timestamp()", &[], |row| {
        let Id(node) = row.try_get(0)?;
        Ok(node)
    });
    Ok(nodes.await?.into_iter().collect())
}

fn millis(ttl: Duration) -> f64 {
    ttl.as_secs_f64() * 1000.0
}

/// Answers by how many milliseconds this machine's clock is ahead.
async fn join(tx: &Connection, profile: &NodeProfile, ttl: Duration) -> Result<i64, Failure> {
    let mut ids: Vec<Id<NodeId>> = all(tx, DEAD, &[], |row| Ok(row.try_get(0)?)).await?;
    let dead = ids.clone();
    ids.push(Id(profile.id));
    execute(tx, DISOWN, &[&ids]).await?;
    execute(tx, "DELETE FROM port_queue WHERE node = ANY($1)", &[&ids]).await?;
    let sql = "DELETE FROM node WHERE id = ANY($1) AND expires_at <= clock_timestamp()";
    execute(tx, sql, &[&dead]).await?;
    let (labels, capacity) = (Json(&profile.labels), Count(profile.capacity));
    let before = SystemClock.now().as_millis();
    let (id, ttl) = (Id(profile.id), millis(ttl));
    let now = first(tx, REGISTER, &[&id, &ttl, &labels, &capacity], |row| Ok(row.try_get(0)?)).await?;
    Ok(now.map_or(0, |now| ahead(before, now, SystemClock.now().as_millis())))
}

/// By how many milliseconds the clock of this machine is ahead of one that said `there` between `before` and `after`; below zero, behind
/// it. What may be due to the time that the answer took does not count.
fn ahead(before: i64, there: i64, after: i64) -> i64 {
    if there < before { before - there } else { after.min(there) - there }
}

#[async_trait]
impl LeaseStore for PostgresStorage {
    async fn join(&self, node: &NodeProfile, ttl: Duration) -> Result<(), StorageError> {
        let write = self.write((node.clone(), ttl), |tx, (node, ttl)| {
            async move {
                let ahead = join(tx, node, *ttl).await?;
                tx.announce(Change::Ports);
                Ok(ahead)
            }
            .boxed()
        });
        let ahead = write.await?;
        if ahead.abs() > APART {
            let database = &self.handle.core.target;
            tracing::warn!(
                %database,
                ahead_by_ms = ahead,
                "the clocks of this machine and of the database are apart; what this node writes is dated wrong: keep clocks in step"
            );
        }
        Ok(())
    }

    async fn renew(&self, node: NodeId, ttl: Duration, report: NodeReport) -> Result<(), StorageError> {
        let renew = self.read((node, ttl, report), |on, (node, ttl, report)| {
            async move {
                let sql = "UPDATE node SET expires_at = clock_timestamp() + $2 * interval '1 millisecond',
                         sessions = $3, accepting = $4
                     WHERE id = $1 AND expires_at > clock_timestamp()";
                let sessions = Count(report.sessions);
                match execute(on, sql, &[&Id(*node), &millis(*ttl), &sessions, &report.accepting]).await? {
                    0 => Err(StorageErrorKind::Fenced.into()),
                    _ => Ok(()),
                }
            }
            .boxed()
        });
        renew.await
    }

    async fn nodes(&self) -> Result<Vec<LiveNode>, StorageError> {
        let read = self.read((), |on, ()| {
            async move {
                let sql = "SELECT id, labels, capacity, sessions, accepting FROM node
                     WHERE expires_at > clock_timestamp() ORDER BY id";
                let nodes = all(on, sql, &[], |row| {
                    let (Id(id), Json(labels), Count(capacity)) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                    let Count(sessions) = row.try_get(3)?;
                    Ok(LiveNode {
                        profile: NodeProfile { id, labels, capacity },
                        report: NodeReport { sessions, accepting: row.try_get(4)? },
                    })
                });
                nodes.await
            }
            .boxed()
        });
        read.await
    }

    async fn leave(&self, node: NodeId) -> Result<(), StorageError> {
        let write = self.write(node, |tx, node| {
            async move {
                let sql = "UPDATE node SET expires_at = 'epoch' WHERE id = $1";
                execute(tx, sql, &[&Id(*node)]).await?;
                execute(tx, "DELETE FROM port_queue WHERE node = $1", &[&Id(*node)]).await?;
                tx.announce(Change::Ports);
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    async fn claim(&self, session: SessionId, node: NodeId) -> Result<Option<Fence>, StorageError> {
        let write = self.write((session, node), |tx, (session, node)| {
            async move {
                let (session, node) = (*session, *node);
                prepare(tx, &[LOCK, CLAIM, LIVE]).await?;
                let (id, owner) = (Id(session), Id(node));
                let (lock, claim, live): (Params<'_>, Params<'_>, Params<'_>) = (&[&id], &[&id, &owner], &[&owner]);
                let (there, epoch, live) = tokio::try_join!(
                    biased;
                    execute(tx, LOCK, lock),
                    first(tx, CLAIM, claim, |row| {
                        let Count(epoch) = row.try_get(0)?;
                        Ok(epoch)
                    }),
                    execute(tx, LIVE, live),
                )?;
                if there == 0 {
                    return Err(StorageErrorKind::NotFound.into());
                }
                if live == 0 {
                    return Err(StorageErrorKind::Fenced.into());
                }
                if epoch.is_some() {
                    tx.announce(Change::Session { session, by_owner: true });
                }
                Ok(epoch.map(|epoch| Fence { node, epoch }))
            }
            .boxed()
        });
        write.await
    }

    async fn release(&self, session: SessionId, fence: Fence) -> Result<(), StorageError> {
        let write = self.write((session, fence), |tx, (session, fence)| {
            async move {
                let (id, owner, epoch) = (Id(*session), Id(fence.node), Count(fence.epoch));
                if execute(tx, RELEASE, &[&id, &owner, &epoch]).await? > 0 {
                    tx.announce(Change::Session { session: *session, by_owner: false });
                }
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    async fn orphans(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<Orphan>, StorageError> {
        let from = after.map_or(Some(0), |after| u128::from_be_bytes(*after.as_bytes()).checked_add(1));
        let Some(from) = from else { return Ok(Vec::new()) };
        let from = SessionId::from_bytes(from.to_be_bytes());
        let read = self.read((from, i64::from(limit)), |on, (from, limit)| {
            async move {
                all(on, ORPHANS, &[&Id(*from), limit], |row| {
                    let Id(session) = row.try_get(0)?;
                    let runs_on = row.try_get::<_, Option<Json<_>>>(1)?.map(|Json(labels)| labels);
                    Ok(Orphan { session, runs_on: runs_on.unwrap_or_default() })
                })
                .await
            }
            .boxed()
        });
        read.await
    }
}

#[cfg(test)]
mod tests {
    use super::ahead;

    #[test]
    fn clocks_are_apart_by_what_the_way_there_and_back_does_not_explain() {
        assert_eq!(ahead(1_000, 1_500, 2_000), 0);
        assert_eq!(ahead(1_000, 400, 2_000), 600);
        assert_eq!(ahead(1_000, 2_700, 2_000), -700);
    }
}
