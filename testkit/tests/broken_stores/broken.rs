//! The layer that gives a storage one defect.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::conversation::{Coverage, MessageStatus, SendFailure, StoredMessage};
use seatport::leads::PersonKey;
use seatport::storage::{Change, LiveNode, Storage, StorageError, StoredSession};
use seatport::{Address, Cursors, MessageId, NodeId, PortNumber, SendKey, SessionId};
use seatport_testkit::storage::{Answer, Call, Intercept};
use tokio::sync::broadcast;

use crate::Defect;

/// One defect, and what it remembers in order to be wrong.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) defect: Defect,
    /// The messages of chats that were deleted.
    pub(crate) deleted: Mutex<BTreeMap<(SessionId, Address), Vec<StoredMessage>>>,
    /// The status each message was last said to have.
    pub(crate) statuses: Mutex<BTreeMap<MessageId, MessageStatus>>,
    /// Why each message was last said to have failed.
    pub(crate) failures: Mutex<BTreeMap<MessageId, SendFailure>>,
    /// The coverage each chat was last said to have.
    pub(crate) coverages: Mutex<BTreeMap<Address, Coverage>>,
    /// The addresses that were given up.
    pub(crate) given_up: Mutex<BTreeSet<Address>>,
    /// The person each chat is with, as far as it was told.
    pub(crate) persons: Mutex<BTreeMap<(SessionId, Address), PersonKey>>,
    /// The idempotency keys of all sessions.
    pub(crate) keys: Mutex<BTreeSet<SendKey>>,
    /// What was last acknowledged.
    pub(crate) acknowledged: Mutex<Cursors>,
    /// The nodes that were ever listed.
    pub(crate) nodes: Mutex<BTreeMap<NodeId, LiveNode>>,
    /// Where each orphan may run, as it was first said.
    pub(crate) pins: Mutex<BTreeMap<SessionId, BTreeMap<String, String>>>,
    /// The key check, nowhere else.
    pub(crate) key_check: Mutex<Option<Vec<u8>>>,
    /// Whether the lead totals were rebuilt.
    pub(crate) rebuilt: Mutex<bool>,
    /// The places in the queue for ports that were taken and not given up, whatever became of their nodes.
    pub(crate) places: Mutex<BTreeSet<u64>>,
}

impl Broken {
    pub(crate) fn new(defect: Defect) -> Self {
        Self {
            defect,
            deleted: Mutex::default(),
            statuses: Mutex::default(),
            failures: Mutex::default(),
            coverages: Mutex::default(),
            given_up: Mutex::default(),
            persons: Mutex::default(),
            keys: Mutex::default(),
            acknowledged: Mutex::default(),
            nodes: Mutex::default(),
            pins: Mutex::default(),
            key_check: Mutex::default(),
            rebuilt: Mutex::default(),
            places: Mutex::default(),
        }
    }

    /// The port as this storage tells it: [`Defect::SharesPorts`] gives every second number to two sessions.
    pub(crate) fn port(&self, port: PortNumber) -> PortNumber {
        if self.defect == Defect::SharesPorts { PortNumber(port.0 | 1) } else { port }
    }
}

#[async_trait]
impl Intercept for Broken {
    async fn call(&self, storage: &dyn Storage, call: Call<'_>) -> Result<Answer, StorageError> {
        match call {
            Call::Commit(commit) => self.commit(storage, *commit).await,
            call if call.reads_only() => self.read(storage, call).await,
            call => self.write(storage, call).await,
        }
    }

    fn changes(&self, storage: &dyn Storage) -> broadcast::Receiver<Change> {
        match self.defect {
            Defect::GivesNoHints => broadcast::channel(1).1,
            Defect::GivesNoHintsOfPorts => retold(storage, |change| (change != Change::Ports).then_some(change)),
            Defect::TakesReleasesForTheOwners => retold(storage, |change| match change {
                Change::Session { session, .. } => Some(Change::Session { session, by_owner: true }),
                other => Some(other),
            }),
            _ => storage.changes(),
        }
    }
}

/// The row of a session that has to be there.
pub(crate) async fn row(storage: &dyn Storage, id: SessionId) -> Result<StoredSession, StorageError> {
    storage.session(id).await?.ok_or_else(|| seatport::storage::StorageErrorKind::NotFound.into())
}

/// The hints of this storage as they are told.
fn retold(
    storage: &dyn Storage,
    told: impl Fn(Change) -> Option<Change> + Send + 'static,
) -> broadcast::Receiver<Change> {
    let (sender, receiver) = broadcast::channel(1024);
    let mut changes = storage.changes();
    tokio::spawn(async move {
        while let Ok(change) = changes.recv().await {
            if let Some(change) = told(change) {
                let _ = sender.send(change);
            }
        }
    });
    receiver
}
