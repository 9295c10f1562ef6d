//! The commit value: all writes of one step, for one session.

use std::fmt;

use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::conversation::{Message, MessageStatus};
use crate::event::EventBody;
use crate::ids::{Address, MessageId, PortNumber, SessionId};
use crate::lifecycle::PortChange;
use crate::session::SessionRecord;
use crate::storage::Fence;

/// What must be true of the session's row for a commit to land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is none yet; the commit carries the first record. One that does not answers `NotFound`.
    New,
    /// It is the one that was read: its revision is this.
    Revision(u64),
    /// It is there.
    Present,
}

/// One entry of a session's vault: sealed bytes under a name, or none to remove it. `Debug` shows how long it is, not what
/// it holds.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultWrite {
    /// The name, `area/…`.
    pub name: String,
    /// The sealed bytes; none removes the entry.
    pub sealed: Option<Vec<u8>>,
}

impl fmt::Debug for VaultWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sealed {
            Some(sealed) => write!(f, "VaultWrite({:?}: {} bytes)", self.name, sealed.len()),
            None => write!(f, "VaultWrite({:?}: removed)", self.name),
        }
    }
}

/// What became of a message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageUpdate {
    /// In which chat.
    pub chat: Address,
    /// Which message.
    pub id: MessageId,
    /// The status it has reached.
    pub status: MessageStatus,
}

/// A chat that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// Which chat.
    pub chat: Address,
    /// Up to and including this message; none means all that is stored.
    pub up_to: Option<MessageId>,
}

/// All writes of one step, for one session: they land in one transaction, or none of them does.
///
/// What a storage does with it, in this order:
///
/// - checks `expect` ([`Exists`](super::StorageErrorKind::Exists), [`NotFound`](super::StorageErrorKind::NotFound) or
///   [`Stale`](super::StorageErrorKind::Stale)) and then `fence` ([`Fenced`](super::StorageErrorKind::Fenced));
/// - writes `record`, without its proxy's password, and raises the revision by one (a new session's from 0 to 1), if there is
///   a record;
/// - changes the port: a claim takes the lowest free number of the range, keeps the number it already has, and answers
///   [`PoolFull`](super::StorageErrorKind::PoolFull) when as many ports are occupied as the capacity allows;
/// - removes all vault entries of the area `net/` if `forget_credentials`, then applies `vault`;
/// - stores each of `messages` that is not there yet (same chat, same id): gives it the next place, keeps contact and chat
///   up to date, counts it as unread if it is inbound, and adds an [`EventBody::MessageStored`]. A message that is there
///   already changes nothing; only an [undecryptable](crate::conversation::Content::Undecryptable) one is filled in: it gets
///   the content, nothing else, and one more [`EventBody::MessageStored`], so that who follows the events reads it again;
/// - raises the status of the messages in `updates`, never lowers it, passes over unknown ones, and adds an
///   [`EventBody::MessageStatusChanged`] for each that rose;
/// - moves the read marks of `read` forward in the order of places, never back, passes over unknown chats and messages, and
///   adds an [`EventBody::ChatRead`] for each that moved;
/// - adds `events`, numbered on from the session's last one, and then `audit`.
///
/// ```
/// use seatport::storage::{Expect, SessionCommit};
/// use seatport::{Random, SessionId, Timestamp};
/// let now = Timestamp::from_millis(1_700_000_000_000);
/// let commit = SessionCommit::new(SessionId::generate(now, &Random::seeded(1)), now, Expect::Present);
/// assert!(commit.messages.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCommit {
    /// Which session.
    pub session: SessionId,
    /// When: the time of its events.
    pub at: Timestamp,
    /// What must be true of the row.
    pub expect: Expect,
    /// If given: who must own the session.
    pub fence: Option<Fence>,
    /// The record from now on, if it changes.
    pub record: Option<SessionRecord>,
    /// What happens to the port.
    pub port: PortChange,
    /// Whether the transport's credentials go.
    pub forget_credentials: bool,
    /// Writes to the vault.
    pub vault: Vec<VaultWrite>,
    /// Messages to store, if they are not there yet.
    pub messages: Vec<Incoming>,
    /// What became of messages of ours.
    pub updates: Vec<MessageUpdate>,
    /// Chats that were read.
    pub read: Vec<ReadMark>,
    /// Events to add.
    pub events: Vec<EventBody>,
    /// Lines for the audit trail.
    pub audit: Vec<AuditEntry>,
}

/// A message on its way into the storage, with what the sender calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The message.
    pub message: Message,
    /// The sender's own name, where the network told it.
    pub sender_name: Option<String>,
}

impl SessionCommit {
    /// A commit that writes nothing yet.
    #[must_use]
    pub fn new(session: SessionId, at: Timestamp, expect: Expect) -> Self {
        Self {
            session,
            at,
            expect,
            fence: None,
            record: None,
            port: PortChange::Keep,
            forget_credentials: false,
            vault: Vec::new(),
            messages: Vec::new(),
            updates: Vec::new(),
            read: Vec::new(),
            events: Vec::new(),
            audit: Vec::new(),
        }
    }
}

/// What a commit came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The row's revision from now on.
    pub revision: u64,
    /// The port the session holds from now on.
    pub port: Option<PortNumber>,
    /// The sequence number of the session's last event.
    pub last_event: u64,
    /// Unread messages over all chats.
    pub unread: u64,
}
