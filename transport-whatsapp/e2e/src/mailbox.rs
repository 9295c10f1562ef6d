//! Messages on their way to a companion: kept until the companion has acknowledged them.

use std::collections::{HashMap, HashSet, VecDeque};

use whatsapp_rust::wacore_binary::Node;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::stanza::{self, Envelope};

/// One message for a companion.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) envelope: Envelope,
    /// What is inside, so that it can be sealed anew when the companion asks for that. `None`: it never opens.
    pub(crate) content: Option<wa::Message>,
    /// Sealed.
    pub(crate) stanza: Node,
}

/// What is waiting, and what has been handed over.
///
/// As on the real network, handing over is not enough: only a receipt or an acknowledgement takes a message out of the
/// queue, and what is left is handed over again at the next login.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    waiting: VecDeque<Parcel>,
    /// Ids handed over on the connection of now.
    handed: HashSet<String>,
    /// Everything that ever was in here, for duplicates.
    ever: HashMap<String, Parcel>,
}

impl Mailbox {
    pub(crate) fn put(&mut self, parcel: Parcel) {
        self.ever.insert(parcel.envelope.id.clone(), parcel.clone());
        self.waiting.push_back(parcel);
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn waiting_ids(&self) -> Vec<String> {
        self.waiting.iter().map(|parcel| parcel.envelope.id.clone()).collect()
    }

    /// A new connection: everything that waits is to be handed over again.
    pub(crate) fn reopen(&mut self) {
        self.handed.clear();
    }

    /// What to hand over next, at most `count`, marked as offline messages.
    pub(crate) fn hand_over(&mut self, count: usize) -> Vec<Node> {
        let mut stanzas = Vec::new();
        for parcel in &self.waiting {
            if stanzas.len() == count {
                break;
            }
            if self.handed.insert(parcel.envelope.id.clone()) {
                stanzas.push(stanza::offline(&parcel.stanza));
            }
        }
        stanzas
    }

    /// Whether everything that waits has been handed over on this connection.
    pub(crate) fn is_handed_over(&self) -> bool {
        self.waiting.iter().all(|parcel| self.handed.contains(&parcel.envelope.id))
    }

    /// Notes that a message went out live.
    pub(crate) fn mark_handed(&mut self, id: &str) {
        self.handed.insert(id.to_owned());
    }

    /// The companion has it.
    pub(crate) fn acknowledge(&mut self, id: &str) {
        self.waiting.retain(|parcel| parcel.envelope.id != id);
    }

    /// A message that has been in here, whether or not it still is.
    pub(crate) fn recall(&self, id: &str) -> Option<&Parcel> {
        self.ever.get(id)
    }
}
