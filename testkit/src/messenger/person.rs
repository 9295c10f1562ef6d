//! People who write.

use std::sync::Arc;

use seatport::conversation::{Content, MessageStatus};
use seatport::{Address, MessageId, Timestamp};

use super::account::Item;
use super::network::Network;

/// Somebody on the network who is no account of Seatport's: writes to accounts and reads what they send.
#[derive(Clone)]
pub struct Person {
    network: Arc<Network>,
    address: Address,
}

/// A message as a person got it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The account it is from.
    pub from: Address,
    /// Its id.
    pub id: MessageId,
    /// What it says.
    pub text: String,
    /// When it came.
    pub at: Timestamp,
}

impl Person {
    pub(super) fn new(network: Arc<Network>, address: Address) -> Self {
        Self { network, address }
    }

    /// Where the person is reached.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Writes a text to an account. It waits there until a linked device acknowledges it; without a linked device it stays on
    /// the phone and Seatport never sees it.
    pub fn write(&self, account: &Address, text: impl Into<String>) -> MessageId {
        self.send(account, Content::Text(text.into()))
    }

    /// Like [`write`](Self::write), with any content.
    pub fn send(&self, account: &Address, content: Content) -> MessageId {
        let mut state = self.network.state();
        let name = state.people.get(&self.address).map(|person| person.name.clone());
        state.write(&self.address, name, account, content)
    }

    /// What the person got, in order. A message that was sent twice under one id is there once.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.network.state().people.get(&self.address).map(|person| person.received.clone()).unwrap_or_default()
    }

    /// Confirms to an account that its message is on the person's device.
    pub fn confirm(&self, account: &Address, id: &MessageId) {
        self.report(account, id, MessageStatus::Delivered);
    }

    /// Shows an account that the person has read its message.
    pub fn read(&self, account: &Address, id: &MessageId) {
        self.report(account, id, MessageStatus::Read);
    }

    /// Which of the person's messages the account has marked as read, in order.
    #[must_use]
    pub fn seen_by(&self, account: &Address) -> Vec<MessageId> {
        let state = self.network.state();
        let seen = state.people.get(&self.address).into_iter().flat_map(|person| &person.seen);
        seen.filter(|(who, _)| who == account).map(|(_, id)| id.clone()).collect()
    }

    fn report(&self, account: &Address, id: &MessageId, status: MessageStatus) {
        let status = Item::Status { chat: self.address.clone(), id: id.clone(), status };
        self.network.state().deliver(account, &status);
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Person").field(&self.address).finish()
    }
}
