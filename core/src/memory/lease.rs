//! Ownership: which process drives which session.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::session::Session;
use super::{MemoryStorage, Registered, State, following, taken};
use crate::ids::{NodeId, SessionId};
use crate::lifecycle::Lifecycle;
use crate::storage::{
    Change, Fence, LeaseStore, LiveNode, NodeProfile, NodeReport, Orphan, StorageError, StorageErrorKind,
};

impl State {
    pub(super) fn is_live(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|registered| Instant::now() < registered.until)
    }

    /// The live process that drives this session.
    pub(super) fn owner(&self, session: &Session) -> Option<Fence> {
        let node = session.owner.filter(|node| self.is_live(*node))?;
        Some(Fence { node, epoch: session.epoch })
    }

    /// Refuses a fence that does not hold; an unknown session has no owner.
    pub(super) fn check_fence(&self, id: SessionId, fence: Fence) -> Result<(), StorageError> {
        match self.sessions.get(&id).and_then(|session| self.owner(session)) {
            Some(owner) if owner == fence => Ok(()),
            _ => Err(StorageErrorKind::Fenced.into()),
        }
    }

    fn claim(&mut self, id: SessionId, node: NodeId) -> Result<Option<Fence>, StorageError> {
        let owner = match self.sessions.get(&id) {
            Some(session) => self.owner(session),
            None => return Err(StorageErrorKind::NotFound.into()),
        };
        if !self.is_live(node) {
            return Err(StorageErrorKind::Fenced.into());
        }
        if owner.is_some_and(|owner| owner.node != node) {
            return Ok(None);
        }
        Ok(self.sessions.get_mut(&id).map(|session| {
            session.owner = Some(node);
            session.epoch += 1;
            Fence { node, epoch: session.epoch }
        }))
    }

    /// Whether the fence held, so that the session was given up.
    fn release(&mut self, id: SessionId, fence: Fence) -> bool {
        let holds = self.check_fence(id, fence).is_ok();
        match self.sessions.get_mut(&id) {
            Some(session) if holds => session.owner = None,
            _ => {}
        }
        holds
    }

    /// Takes all sessions, and all places in the queue for ports, from a node.
    fn disown(&mut self, node: NodeId) {
        self.port_queue.retain(|_, at| *at != node);
        self.sessions
            .values_mut()
            .filter(|session| session.owner == Some(node))
            .for_each(|session| session.owner = None);
    }
}

#[async_trait]
impl LeaseStore for MemoryStorage {
    async fn join(&self, node: &NodeProfile, ttl: Duration) -> Result<(), StorageError> {
        let mut state = self.open()?;
        state.disown(node.id);
        let report = NodeReport { sessions: 0, accepting: true };
        let registered = Registered { node: LiveNode { profile: node.clone(), report }, until: Instant::now() + ttl };
        state.nodes.insert(node.id, registered);
        drop(state);
        self.announce(Change::Ports);
        Ok(())
    }

    async fn renew(&self, node: NodeId, ttl: Duration, report: NodeReport) -> Result<(), StorageError> {
        let mut state = self.open()?;
        let now = Instant::now();
        let registered = state.nodes.get_mut(&node).filter(|registered| now < registered.until);
        let registered = registered.ok_or(StorageErrorKind::Fenced)?;
        registered.until = now + ttl;
        registered.node.report = report;
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<LiveNode>, StorageError> {
        let state = self.open()?;
        let live = state.nodes.values().filter(|registered| Instant::now() < registered.until);
        Ok(live.map(|registered| registered.node.clone()).collect())
    }

    async fn leave(&self, node: NodeId) -> Result<(), StorageError> {
        let mut state = self.open()?;
        state.disown(node);
        state.nodes.remove(&node);
        drop(state);
        self.announce(Change::Ports);
        Ok(())
    }

    async fn claim(&self, session: SessionId, node: NodeId) -> Result<Option<Fence>, StorageError> {
        let fence = self.open()?.claim(session, node)?;
        if fence.is_some() {
            self.announce(Change::Session { session, by_owner: true });
        }
        Ok(fence)
    }

    async fn release(&self, session: SessionId, fence: Fence) -> Result<(), StorageError> {
        if self.open()?.release(session, fence) {
            self.announce(Change::Session { session, by_owner: false });
        }
        Ok(())
    }

    async fn orphans(&self, after: Option<SessionId>, limit: u32) -> Result<Vec<Orphan>, StorageError> {
        let state = self.open()?;
        let orphans = following(&state.sessions, after.as_ref()).filter(|(_, session)| {
            session.record.facts.lifecycle != Lifecycle::Stopped && state.owner(session).is_none()
        });
        let orphans =
            orphans.map(|(id, session)| Orphan { session: *id, runs_on: session.record.environment.runs_on.clone() });
        Ok(taken(orphans, limit))
    }
}
