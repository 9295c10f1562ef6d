//! An account on the network's side: its linked devices and what waits for them.

use std::collections::BTreeMap;

use seatport::lifecycle::{Account as Identity, Reason};
use seatport::{SessionId, Timestamp};
use tokio::time::Instant;

use super::journal::ConnectionId;
use super::memory::Memory;
use super::parcel::Parcel;
use super::settings::Conditions;
use super::wire::FromNetwork;

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
    /// What the phone itself knows.
    pub(super) memory: Memory,
}

/// A linked device: one session, as the phone sees it.
pub(super) struct Device {
    pub(super) session: SessionId,
    pub(super) name: Option<String>,
    mailbox: BTreeMap<u64, Delivery>,
}

/// Something for a device, kept until the device acknowledges it.
struct Delivery {
    parcel: Parcel,
    /// Not before this.
    due: Instant,
    /// On which connection it was last sent, and when it is sent there again.
    sent: Option<(ConnectionId, Instant)>,
}

impl Account {
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            conditions: Conditions::default(),
            banned: None,
            devices: BTreeMap::new(),
            live: None,
            memory: Memory::default(),
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

    pub(super) fn keep(&mut self, number: u64, parcel: Parcel, due: Instant) {
        self.mailbox.insert(number, Delivery { parcel, due, sent: None });
    }

    pub(super) fn acknowledge(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.mailbox.remove(number);
        }
    }

    /// How many messages it has not acknowledged.
    pub(super) fn waiting(&self) -> usize {
        self.mailbox.values().filter(|delivery| matches!(delivery.parcel, Parcel::Messages(_))).count()
    }

    /// How many things of any kind.
    pub(super) fn undelivered(&self) -> usize {
        self.mailbox.len()
    }

    /// What is to be sent on this connection now, in order of time or against it, what may follow each other as one.
    pub(super) fn due(
        &mut self,
        on: ConnectionId,
        again_at: Instant,
        batch: usize,
        newest_first: bool,
    ) -> Vec<FromNetwork> {
        let now = Instant::now();
        let mut due: Vec<(Instant, u64)> = self
            .mailbox
            .iter()
            .filter(|(_, delivery)| delivery.next(on) <= now)
            .map(|(number, delivery)| (delivery.due, *number))
            .collect();
        due.sort_unstable();
        if newest_first {
            due.reverse();
        }
        let mut frames: Vec<FromNetwork> = Vec::new();
        for (_, number) in due {
            let Some(delivery) = self.mailbox.get_mut(&number) else { continue };
            delivery.sent = Some((on, again_at));
            let mut parcel = Some(delivery.parcel.clone());
            if let Some(FromNetwork::Delivery { numbers, parcel: last }) = frames.last_mut() {
                parcel = parcel.and_then(|parcel| last.join(parcel, batch));
                if parcel.is_none() {
                    numbers.push(number);
                }
            }
            frames.extend(parcel.map(|parcel| FromNetwork::Delivery { numbers: vec![number], parcel }));
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
