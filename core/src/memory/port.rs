//! Licence ports. Which session holds which is written at the session.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStorage, State};
use crate::ids::{NodeId, PortNumber, SessionId};
use crate::lifecycle::PortChange;
use crate::port::{Occupied, PortRange, PortUsage};
use crate::storage::{Change, PortStore, StorageError, StorageErrorKind};

impl State {
    /// The occupied ports and who holds them.
    fn occupied(&self) -> BTreeMap<PortNumber, SessionId> {
        self.sessions.iter().filter_map(|(id, session)| Some((session.port?, *id))).collect()
    }

    /// The port this session holds once the change is made.
    pub(super) fn port_after(&self, id: SessionId, change: PortChange) -> Result<Option<PortNumber>, StorageError> {
        let held = self.sessions.get(&id).and_then(|session| session.port);
        match change {
            PortChange::Keep => Ok(held),
            PortChange::Release => Ok(None),
            PortChange::Claim if held.is_some() => Ok(held),
            PortChange::Claim => self.lowest_free().map(Some),
        }
    }

    fn lowest_free(&self) -> Result<PortNumber, StorageError> {
        let occupied = self.occupied();
        let capacity = self.range.capacity();
        let full = StorageErrorKind::PoolFull { capacity, occupied: u32::try_from(occupied.len()).unwrap_or(u32::MAX) };
        // Numbers outside the range, left over from before it was changed, count as well.
        if occupied.len() as u64 >= u64::from(capacity) {
            return Err(full.into());
        }
        (self.range.first().0..=self.range.last().0)
            .map(PortNumber)
            .find(|number| !occupied.contains_key(number))
            .ok_or_else(|| full.into())
    }
}

#[async_trait]
impl PortStore for MemoryStorage {
    async fn port_usage(&self) -> Result<PortUsage, StorageError> {
        let state = self.open()?;
        let occupied = state.occupied().into_iter().map(|(port, session)| Occupied { port, session }).collect();
        Ok(PortUsage { range: state.range, occupied })
    }

    async fn resize_ports(&self, range: PortRange) -> Result<(), StorageError> {
        self.open()?.range = range;
        self.announce(Change::Ports);
        Ok(())
    }

    async fn join_port_queue(&self, node: NodeId) -> Result<u64, StorageError> {
        let mut state = self.open()?;
        if !state.is_live(node) {
            return Err(StorageErrorKind::Fenced.into());
        }
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.port_queue.insert(ticket, node);
        Ok(ticket)
    }

    async fn leave_port_queue(&self, ticket: u64) -> Result<(), StorageError> {
        if self.open()?.port_queue.remove(&ticket).is_some() {
            self.announce(Change::Ports);
        }
        Ok(())
    }

    async fn port_queue(&self) -> Result<Vec<u64>, StorageError> {
        let state = self.open()?;
        let waiting = state.port_queue.iter().filter(|(_, node)| state.is_live(**node));
        Ok(waiting.map(|(ticket, _)| *ticket).collect())
    }
}
