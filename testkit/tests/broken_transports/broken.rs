//! A transport with one defect.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use seatport::conversation::ChatKind;
use seatport::memory::MemoryStorage;
use seatport::transport::{
    Capabilities, ConnectContext, ConnectError, Connection, SendError, Signal, Transport, TransportCommand,
};
use seatport::{Address, Invalid, MessageId, Random, SessionId, TransportName};
use seatport_testkit::messenger::SimulatedTransport;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::Defect;

/// The transport to the simulated network, without media, and with one defect or none.
#[derive(Clone)]
pub(crate) struct BrokenTransport {
    pub(crate) inner: SimulatedTransport,
    pub(crate) defect: Option<Defect>,
    pub(crate) memory: Arc<Memory>,
}

/// What it remembers in order to be wrong.
#[derive(Default)]
pub(crate) struct Memory {
    /// Vaults that it keeps to itself.
    pub(crate) vaults: Mutex<BTreeMap<SessionId, Arc<MemoryStorage>>>,
    /// How often each session dialled.
    pub(crate) dials: Mutex<BTreeMap<SessionId, u32>>,
    /// What was lost.
    pub(crate) losses: Mutex<u32>,
    /// What it shows.
    pub(crate) shown: Mutex<String>,
    /// Those who wait for an answer that never comes.
    pub(crate) unanswered: Mutex<Vec<oneshot::Sender<Result<(), SendError>>>>,
    /// Acknowledgements that are never given.
    pub(crate) acks: Mutex<Vec<seatport::transport::Ack>>,
    /// The signals of all connections.
    pub(crate) signals: Mutex<Vec<mpsc::Sender<Signal>>>,
    /// The commands of all connections.
    pub(crate) commands: Mutex<Vec<mpsc::Sender<TransportCommand>>>,
    /// How many connections there are now.
    pub(crate) live: Mutex<u32>,
    /// One was closed.
    pub(crate) closed: Notify,
}

impl BrokenTransport {
    pub(crate) fn new(inner: SimulatedTransport, defect: Option<Defect>) -> Self {
        Self { inner, defect, memory: Arc::default() }
    }

    pub(crate) fn is(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// Shows this from now on.
    pub(crate) fn show(&self, what: &str) {
        self.memory.shown.lock().push_str(what);
    }
}

#[async_trait]
impl Transport for BrokenTransport {
    fn name(&self) -> TransportName {
        self.inner.name()
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.media = self.is(Defect::ChangesItsCapabilities) && !self.memory.dials.lock().is_empty();
        capabilities
    }

    fn new_message_id(&self, random: &Random) -> Result<MessageId, Invalid> {
        match self.is(Defect::RepeatsMessageIds) {
            true => MessageId::new("1"),
            false => self.inner.new_message_id(random),
        }
    }

    fn chat_kind(&self, chat: &Address) -> ChatKind {
        self.inner.chat_kind(chat)
    }

    async fn connect(&self, context: ConnectContext) -> Result<Connection, ConnectError> {
        self.dial(context).await
    }
}

impl fmt::Debug for BrokenTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokenTransport({:?}, {})", self.defect, self.memory.shown.lock())
    }
}
