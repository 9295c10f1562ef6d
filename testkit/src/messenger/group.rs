//! Groups and channels.

use std::sync::Arc;

use seatport::Address;

use super::network::Network;
use super::person::Received;

/// A chat of many. People and accounts write in it by its address.
#[derive(Clone)]
pub struct Group {
    network: Arc<Network>,
    address: Address,
}

impl Group {
    pub(super) fn new(network: Arc<Network>, address: Address) -> Self {
        Self { network, address }
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What was said in it, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.network.state().groups.get(&self.address).map(|group| group.received.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Group").field(&self.address).finish()
    }
}
