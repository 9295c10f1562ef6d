//! Ownership: which process drives which session.
//!
//! A session's row says who claimed it last, and how often it changed hands. Which nodes are *live* is kept in memory: only
//! one process at a time has the file open, so all nodes that can be live are in this process, and they end with it. It follows
//! that `open` may clear all owners: see `docs/adr/0003-one-process-per-sqlite-file.md`.
//!
//! A fence holds while its node owns the session, under its epoch, and is live. An owner that is not live is none.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use rusqlite::{OptionalExtension, Row, params};
use seatport::storage::{
    Change, Fence, LeaseStore, LiveNode, NodeProfile, NodeReport, Orphan, StorageError, StorageErrorKind,
};
use seatport::{NodeId, SessionId};
use tokio::time::Instant;

use crate::SqliteStorage;
use crate::codes::{Json, Text};
use crate::error::Failure;
use crate::sql::{all, execute, first};

/// What ends with the process: the register of nodes, and who waits for a port.
#[derive(Debug, Default)]
pub(crate) struct Nodes(Mutex<Register>);

#[derive(Debug, Default)]
struct Register {
    /// The nodes, each with the time when its lease runs out.
    nodes: BTreeMap<NodeId, (LiveNode, Instant)>,
    /// Those who wait for a port, by ticket, each with the node where they do.
    queue: BTreeMap<u64, NodeId>,
    last_ticket: u64,
}

impl Register {
    fn live(&self) -> impl Iterator<Item = &LiveNode> {
        let now = Instant::now();
        self.nodes.values().filter(move |(_, until)| now < *until).map(|(node, _)| node)
    }

    fn is_live(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|(_, until)| Instant::now() < *until)
    }

    fn remove(&mut self, node: NodeId) {
        self.nodes.remove(&node);
        self.queue.retain(|_, at| *at != node);
    }
}

impl Nodes {
    fn is_live(&self, node: NodeId) -> bool {
        self.0.lock().is_live(node)
    }

    /// The nodes that are live now.
    pub(crate) fn live(&self) -> Vec<NodeId> {
        self.0.lock().live().map(|node| node.profile.id).collect()
    }

    fn add(&self, profile: NodeProfile, ttl: Duration) {
        let report = NodeReport { sessions: 0, accepting: true };
        let until = Instant::now() + ttl;
        self.0.lock().nodes.insert(profile.id, (LiveNode { profile, report }, until));
    }

    /// Keeps a node live; answers whether it still was.
    fn renew(&self, node: NodeId, ttl: Duration, report: NodeReport) -> bool {
        let now = Instant::now();
        let mut register = self.0.lock();
        let live = register.nodes.get_mut(&node).filter(|(_, until)| now < *until);
        live.map(|(node, until)| (node.report, *until) = (report, now + ttl)).is_some()
    }

    fn remove(&self, node: NodeId) {
        self.0.lock().remove(node);
    }

    /// Puts somebody who waits at this node, which must be live, at the end of the queue for ports.
    pub(crate) fn join_queue(&self, node: NodeId) -> Option<u64> {
        let mut register = self.0.lock();
        register.is_live(node).then(|| {
            register.last_ticket += 1;
            let ticket = register.last_ticket;
            register.queue.insert(ticket, node);
            ticket
        })
    }

    /// Takes somebody out of the queue; answers whether they were in it.
    pub(crate) fn leave_queue(&self, ticket: u64) -> bool {
        self.0.lock().queue.remove(&ticket).is_some()
    }

    /// Those who wait, the first one first.
    pub(crate) fn queue(&self) -> Vec<u64> {
        let register = self.0.lock();
        register.queue.iter().filter(|(_, node)| register.is_live(**node)).map(|(ticket, _)| *ticket).collect()
    }

    /// The owner of a session, if it is live, from the columns `owner` and `epoch`, which are at `column` and after it.
    pub(crate) fn owner(&self, row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Fence>> {
        let Some(Text(node)) = row.get(column)? else { return Ok(None) };
        let epoch = row.get(column + 1)?;
        Ok(self.is_live(node).then_some(Fence { node, epoch }))
    }

    /// Refuses a fence that is not the owner's.
    pub(crate) fn check(owner: Option<Fence>, fence: Fence) -> Result<(), Failure> {
        if owner == Some(fence) { Ok(()) } else { Err(StorageErrorKind::Fenced.into()) }
    }
}

#[async_trait]
impl LeaseStore for SqliteStorage {
    async fn join(&self, node: &NodeProfile, ttl: Duration) -> Result<(), StorageError> {
        // A node that joins again owns nothing of what it owned before.
        let id = node.id;
        self.nodes.remove(id);
        let write = self.writer.write(move |step| {
            execute(step.connection, "UPDATE session SET owner = NULL WHERE owner = ?1", [id.to_string()])?;
            step.announce(Change::Ports);
            Ok(())
        });
        write.await?;
        self.nodes.add(node.clone(), ttl);
        Ok(())
    }

    async fn renew(&self, node: NodeId, ttl: Duration, report: NodeReport) -> Result<(), StorageError> {
        self.writer.check_open()?;
        if self.nodes.renew(node, ttl, report) { Ok(()) } else { Err(StorageErrorKind::Fenced.into()) }
    }

    async fn nodes(&self) -> Result<Vec<LiveNode>, StorageError> {
        self.writer.check_open()?;
        Ok(self.nodes.0.lock().live().cloned().collect())
    }

    async fn leave(&self, node: NodeId) -> Result<(), StorageError> {
        self.writer.check_open()?;
        self.nodes.remove(node);
        self.writer.announce(Change::Ports);
        Ok(())
    }

    async fn claim(&self, session: SessionId, node: NodeId) -> Result<Option<Fence>, StorageError> {
        let nodes = self.nodes.clone();
        let write = self.writer.write(move |step| {
            let sql = "SELECT owner, epoch FROM session WHERE id = ?1";
            let owner = first(step.connection, sql, [session.as_bytes()], |row| nodes.owner(row, 0))?;
            let owner = owner.ok_or(StorageErrorKind::NotFound)?;
            if !nodes.is_live(node) {
                return Err(StorageErrorKind::Fenced.into());
            }
            if owner.is_some_and(|owner| owner.node != node) {
                return Ok(None);
            }
            let sql = "UPDATE session SET owner = ?2, epoch = epoch + 1 WHERE id = ?1 RETURNING epoch";
            let mut claim = step.connection.prepare_cached(sql)?;
            let epoch = claim.query_row(params![session.as_bytes(), node.to_string()], |row| row.get(0)).optional()?;
            step.announce(Change::Session { session, by_owner: true });
            Ok(epoch.map(|epoch| Fence { node, epoch }))
        });
        write.await
    }

    async fn release(&self, session: SessionId, fence: Fence) -> Result<(), StorageError> {
        let nodes = self.nodes.clone();
        let write = self.writer.write(move |step| {
            let sql = "UPDATE session SET owner = NULL WHERE id = ?1 AND owner = ?2 AND epoch = ?3";
            let release = params![session.as_bytes(), fence.node.to_string(), fence.epoch];
            if nodes.is_live(fence.node) && execute(step.connection, sql, release)? > 0 {
                step.announce(Change::Session { session, by_owner: false });
            }
            Ok(())
        });
        write.await
    }

    async fn orphans(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<Orphan>, StorageError> {
        let live = self.nodes.live();
        let read = self.readers.read(move |connection| {
            let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
            let sql = "SELECT id, runs_on FROM session
                 WHERE id > ?1 AND status > 1 AND (owner IS NULL OR owner NOT IN (SELECT value FROM json_each(?2)))
                 ORDER BY id LIMIT ?3";
            Ok(all(connection, sql, params![after, Json(live), limit], |row| {
                let runs_on = Json::maybe(row, 1)?.unwrap_or_default();
                Ok(Orphan { session: SessionId::from_bytes(row.get(0)?), runs_on })
            })?)
        });
        read.await
    }
}
