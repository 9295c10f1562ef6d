//! What the ledger is told.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::conversation::Author;
use crate::ids::MessageId;

/// A person as the ledger knows them: a keyed hash of the phone number, or else of the network's own id. Without the key
/// nobody can be found by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonKey([u8; 16]);

impl PersonKey {
    /// The 16 bytes of the key, for storages.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The key with these 16 bytes, as [`as_bytes`](Self::as_bytes) gave them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonKey({:032x})", u128::from_be_bytes(self.0))
    }
}

/// What happened between one person and one session, as far as it matters to leads. Only one-to-one chats make facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The person wrote a message that qualifies.
    Wrote {
        /// The network's time of it.
        at: Timestamp,
        /// Its id.
        id: MessageId,
    },
    /// A person on our side wrote, and the network took it.
    Answered {
        /// The time of it.
        at: Timestamp,
        /// Its id.
        id: MessageId,
        /// Who wrote it.
        by: Author,
    },
    /// There was something between them at this time: the network's history says so.
    Known {
        /// When.
        at: Timestamp,
    },
}
