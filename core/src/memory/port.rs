//! Licence ports. Which session holds which is written at the session.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStorage, State};
use crate::ids::{PortNumber, SessionId};
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
}
