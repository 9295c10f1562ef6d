//! An account on the network's side: its linked devices and what waits for them.

use std::collections::BTreeMap;

use seatport::conversation::MessageStatus;
use seatport::lifecycle::{Account as Identity, Reason};
use seatport::{Address, MessageId, SessionId, Timestamp};
use tokio::time::Instant;

use super::journal::ConnectionId;
use super::settings::Conditions;
use super::wire::{FromNetwork, Letter};

/// One phone number with all that hangs on it.
pub(super) struct Account {
    pub(super) identity: Identity,
    pub(super) conditions: Conditions,
    /// Until when it is banned; `Some(None)` is for good.
    pub(super) banned: Option<Option<Timestamp>>,
    /// By credentials.
    pub(super) devices: BTreeMap<String, Device>,
    /// The connection that is logged in to it.
    pub(super) live: Option<ConnectionId>,
    /// The newest message from each chat.
    pub(super) newest: BTreeMap<Address, MessageId>,
}

/// A linked device: one session, as the phone sees it.
pub(super) struct Device {
    pub(super) session: SessionId,
    pub(super) name: Option<String>,
    mailbox: BTreeMap<u64, Delivery>,
}

/// Something for a device, kept until the device acknowledges it.
struct Delivery {
    item: Item,
    /// Not before this.
    due: Instant,
    /// On which connection it was last sent, and when it is sent there again.
    sent: Option<(ConnectionId, Instant)>,
}

#[derive(Clone)]
pub(super) enum Item {
    Message(Letter),
    Status { chat: Address, id: MessageId, status: MessageStatus },
    Read { chat: Address, up_to: Option<MessageId> },
}

impl Account {
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            conditions: Conditions::default(),
            banned: None,
            devices: BTreeMap::new(),
            live: None,
            newest: BTreeMap::new(),
        }
    }

    /// The reason to refuse it now, if it is banned.
    pub(super) fn ban(&self, now: Timestamp) -> Option<Reason> {
        use seatport::lifecycle::ReasonKind::Banned;
        match self.banned? {
            Some(until) if until <= now => None,
            Some(until) => Some(Reason::new(Banned).code("402").until(until)),
            None => Some(Reason::new(Banned).code("403")),
        }
    }
}

impl Device {
    pub(super) fn new(session: SessionId, name: Option<String>) -> Self {
        Self { session, name, mailbox: BTreeMap::new() }
    }

    pub(super) fn keep(&mut self, number: u64, item: Item, due: Instant) {
        self.mailbox.insert(number, Delivery { item, due, sent: None });
    }

    pub(super) fn acknowledge(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.mailbox.remove(number);
        }
    }

    /// How many messages it has not acknowledged.
    pub(super) fn waiting(&self) -> usize {
        self.mailbox.values().filter(|delivery| matches!(delivery.item, Item::Message(_))).count()
    }

    /// What is to be sent on this connection now, in order of time, messages that follow each other as one.
    pub(super) fn due(&mut self, on: ConnectionId, again_at: Instant, batch: usize) -> Vec<FromNetwork> {
        let now = Instant::now();
        let mut due: Vec<(Instant, u64)> = self
            .mailbox
            .iter()
            .filter(|(_, delivery)| delivery.next(on) <= now)
            .map(|(number, delivery)| (delivery.due, *number))
            .collect();
        due.sort_unstable();
        let mut frames = Vec::new();
        for (_, number) in due {
            let Some(delivery) = self.mailbox.get_mut(&number) else { continue };
            delivery.sent = Some((on, again_at));
            match (delivery.item.clone(), frames.last_mut()) {
                (Item::Message(letter), Some(FromNetwork::Messages { deliveries, messages }))
                    if messages.len() < batch =>
                {
                    deliveries.push(number);
                    messages.push(letter);
                }
                (Item::Message(letter), _) => {
                    frames.push(FromNetwork::Messages { deliveries: vec![number], messages: vec![letter] });
                }
                (Item::Status { chat, id, status }, _) => {
                    frames.push(FromNetwork::Status { delivery: number, chat, id, status });
                }
                (Item::Read { chat, up_to }, _) => frames.push(FromNetwork::Read { delivery: number, chat, up_to }),
            }
        }
        frames
    }

    /// When there is something to send on this connection.
    pub(super) fn next_due(&self, on: ConnectionId) -> Option<Instant> {
        self.mailbox.values().map(|delivery| delivery.next(on)).min()
    }
}

impl Delivery {
    fn next(&self, on: ConnectionId) -> Instant {
        match self.sent {
            Some((before, again_at)) if before == on => again_at,
            _ => self.due,
        }
    }
}
