//! The commit value: all writes of one step, for one session.

use std::fmt;

use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::conversation::{
    Amendment, ChatKind, ChatUpdate, ContactUpdate, Direction, Message, MessageStatus, SendFailure,
};
use crate::event::EventBody;
use crate::ids::{Address, MessageId, PortNumber, SendKey, SessionId};
use crate::leads::{Fact, PersonKey};
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
    /// Why, if it failed.
    pub failure: Option<SendFailure>,
}

/// A chat that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// Which chat.
    pub chat: Address,
    /// Up to and including this message, in the order of places; none means all that is stored.
    pub up_to: Option<MessageId>,
    /// Whether the network is yet to be told. If not, it knows.
    pub tell: bool,
}

/// Two addresses turned out to be those of one person, or one address that of a person known by something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The address that is given up, or the same as `canonical`.
    pub address: Address,
    /// The address that counts from now on.
    pub canonical: Address,
    /// The same for the ledger.
    pub persons: Option<PersonIs>,
}

/// Two keys of the ledger that turned out to be one person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonIs {
    /// The one the person was known by.
    pub alias: PersonKey,
    /// The other one.
    pub person: PersonKey,
}

/// What the network says about a chat, on its way into the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatNews {
    /// What it says.
    pub update: ChatUpdate,
    /// The person it is with, as the ledger knows them; none for a group and the like.
    pub person: Option<PersonKey>,
}

/// All writes of one step, for one session: they land in one transaction, or none of them does.
///
/// What a storage does with it, in this order:
///
/// - checks `expect` ([`Exists`](super::StorageErrorKind::Exists), [`NotFound`](super::StorageErrorKind::NotFound) or
///   [`Stale`](super::StorageErrorKind::Stale)) and then `fence` ([`Fenced`](super::StorageErrorKind::Fenced));
/// - refuses ([`Exists`](super::StorageErrorKind::Exists)) a message with an idempotency key that the session has used;
/// - writes `record`, without its proxy's password, and raises the revision by one (a new session's from 0 to 1), if there is
///   a record; notes from when on its agent and whether it ought to run hold, if they changed;
/// - changes the port: a claim takes the lowest free number of the range, keeps the number it already has, and answers
///   [`PoolFull`](super::StorageErrorKind::PoolFull) when as many ports are occupied as the capacity allows;
/// - removes all vault entries of the area `net/` if `forget_credentials`, then applies `vault`;
/// - keeps each [`Identity`] of `identities` in mind: from now on `address` stands for `canonical`, and so does whatever stood
///   for `address` before. What is stored moves along: the chat's messages into the other chat, where of two with the same id
///   the one that was stored first stays, read if either was, and filled in with the content and the quote of the other one if
///   only that could be decrypted and neither was taken back; the unread messages of both stay unread; their amendments; of
///   the contact what the other one does not know, the earliest and the latest time. Who sent a message, or reacted to one,
///   under `address` did so under `canonical`. Adds an [`EventBody::IdentityMerged`] if there was a chat or a contact to
///   move, and tells the ledger of `persons`. Done before, or in a circle, it changes nothing;
/// - keeps the details of `contacts`, and adds an [`EventBody::ContactChanged`] for each that changed, but for one that is new;
/// - keeps the details of `chats`, adds chats that are not there, and an [`EventBody::ChatChanged`] for each that is new or
///   changed; coverage only grows. Tells the ledger when there was something between the account and a person;
/// - stores each of `messages` that is not there yet (same chat, same id): gives it the next place, keeps contact and chat
///   up to date, counts it as unread if it is inbound and not historical, adds an [`EventBody::MessageStored`], and tells
///   the ledger its [fact](Incoming::fact). A message that is there already changes nothing; only an
///   [undecryptable](crate::conversation::Content::Undecryptable) one is filled in: it gets the content and what it quotes,
///   nothing else, and one more [`EventBody::MessageStored`], so that who follows the events reads it again. If the chat's
///   person was known by another key before, the ledger is told first that the two are one;
/// - keeps `amendments`, for messages that are stored and for those still to come: see [`Amendment`]. Adds an
///   [`EventBody::MessageAmended`] for each that changed a stored message; one that waits for its message shows in it when
///   it is stored. A deleted message's content, reactions and edits are not kept;
/// - raises the status of the messages in `updates`, never lowers it, passes over unknown ones, and adds an
///   [`EventBody::MessageStatusChanged`] for each that rose. Keeps why it failed, for as long as it counts as failed. When an
///   outbound message of a one-to-one chat is [taken by the network](MessageStatus::Sent), tells the ledger;
/// - marks as read what `read` names, passes over unknown chats and messages, and adds an [`EventBody::ChatRead`] for each
///   mark that made a message read;
/// - forgets that the network is to be told of the messages in `told`;
/// - adds `events`, numbered on from the session's last one, and then `audit`, each line chained to the one before.
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
    /// Who turned out to be whom.
    pub identities: Vec<Identity>,
    /// What the network says about people.
    pub contacts: Vec<ContactUpdate>,
    /// What the network says about chats.
    pub chats: Vec<ChatNews>,
    /// Messages to store, if they are not there yet.
    pub messages: Vec<Incoming>,
    /// Changes of messages.
    pub amendments: Vec<Amendment>,
    /// What became of messages of ours.
    pub updates: Vec<MessageUpdate>,
    /// Chats that were read.
    pub read: Vec<ReadMark>,
    /// Messages, by chat, whose reading the network has been told of.
    pub told: Vec<(Address, MessageId)>,
    /// Events to add.
    pub events: Vec<EventBody>,
    /// Lines for the audit trail.
    pub audit: Vec<AuditEntry>,
}

/// A message on its way into the storage, with what is known about it beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The message.
    pub message: Message,
    /// Whom its chat is with.
    pub kind: ChatKind,
    /// The sender's own name, where the network told it.
    pub sender_name: Option<String>,
    /// The person the chat is with, as the ledger knows them; none for a group and the like.
    pub person: Option<PersonKey>,
    /// Whether it came with the network's history: then nobody has to read it.
    pub historical: bool,
    /// The caller's idempotency key, if it is one from a desk.
    pub key: Option<SendKey>,
}

impl Incoming {
    /// A message of a one-to-one chat with somebody the ledger does not know.
    #[must_use]
    pub fn new(message: Message) -> Self {
        Self { message, kind: ChatKind::Person, sender_name: None, person: None, historical: false, key: None }
    }

    /// What the ledger is told when the message is stored, and about whom.
    #[must_use]
    pub fn fact(&self) -> Option<(PersonKey, Fact)> {
        let message = &self.message;
        let fact = match message.direction {
            Direction::Inbound if message.content.is_from_a_person() => {
                Fact::Wrote { at: message.at, id: message.id.clone() }
            }
            Direction::Inbound => return None,
            Direction::Outbound => message.answered(MessageStatus::Pending, message.status)?,
        };
        Some((self.person?, fact))
    }
}

impl Message {
    /// What the ledger is told when the status of this message rises so: that we wrote, once the network has taken it.
    #[must_use]
    pub fn answered(&self, before: MessageStatus, now: MessageStatus) -> Option<Fact> {
        let taken = before < MessageStatus::Sent && now >= MessageStatus::Sent;
        let by = self.author.clone().filter(|_| taken)?;
        Some(Fact::Answered { at: self.at, id: self.id.clone(), by })
    }
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
            identities: Vec::new(),
            contacts: Vec::new(),
            chats: Vec::new(),
            messages: Vec::new(),
            amendments: Vec::new(),
            updates: Vec::new(),
            read: Vec::new(),
            told: Vec::new(),
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
