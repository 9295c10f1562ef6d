//! Events: durable, replayable, in a gap-free sequence per session.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::conversation::MessageStatus;
use crate::ids::{Address, AgentId, MessageId, SessionId};
use crate::lifecycle::{Account, Reason};
use crate::session::CardStatus;

/// What happened. Never holds a login code, a credential or a proxy's password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EventBody {
    /// The session was added.
    Added,
    /// Its card status changed.
    StatusChanged {
        /// The status from now on.
        status: CardStatus,
        /// Why, where there is a reason.
        reason: Option<Reason>,
    },
    /// An account logged in.
    LoggedIn {
        /// Which.
        account: Account,
    },
    /// The account was logged out; its credentials are forgotten.
    LoggedOut,
    /// Another agent is bound from now on, or none.
    AgentChanged {
        /// Who.
        agent: Option<AgentId>,
    },
    /// The remark was edited.
    RemarkChanged,
    /// The environment was edited; it takes effect at the next dial.
    EnvironmentChanged,
    /// A message was stored, inbound or outbound.
    MessageStored {
        /// In which chat.
        chat: Address,
        /// Which message.
        id: MessageId,
        /// Whether it came in.
        inbound: bool,
    },
    /// A stored message was edited, deleted, or reacted to.
    MessageAmended {
        /// In which chat.
        chat: Address,
        /// Which message.
        id: MessageId,
    },
    /// The status of an outbound message advanced.
    MessageStatusChanged {
        /// In which chat.
        chat: Address,
        /// Which message.
        id: MessageId,
        /// The status from now on.
        status: MessageStatus,
    },
    /// What is known of a chat changed: it was archived, muted, or more of its history came.
    ChatChanged {
        /// Which chat.
        chat: Address,
    },
    /// What is known of a contact changed: a name, the phone number, the picture.
    ContactChanged {
        /// Whom.
        address: Address,
    },
    /// Two addresses turned out to be one person's: chat, contact and messages moved.
    IdentityMerged {
        /// The address that is given up.
        address: Address,
        /// The address that holds it all from now on.
        canonical: Address,
    },
    /// A piece of the account's history came from the network.
    HistoryReceived {
        /// How many messages it brought, those included that were there already.
        messages: u32,
        /// How much of the history has come so far, in percent, where the network tells.
        progress: Option<u8>,
    },
    /// A chat was read, here or on the phone: its unread count was reset.
    ChatRead {
        /// Which chat.
        chat: Address,
    },
}

/// An event with its place in the session's sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Of which session.
    pub session: SessionId,
    /// 1 for the session's first event, then one more for each.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub body: EventBody,
}

/// How far a session's sequence has come, and how much of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventHead {
    /// Of which session.
    pub session: SessionId,
    /// The last event that was trimmed away; 0 when all are kept.
    pub trimmed: u64,
    /// The last event; 0 before the first.
    pub last: u64,
}

/// How long events are kept. What a registered consumer has not acknowledged is kept in any case.
///
/// ```
/// use std::time::Duration;
/// use seatport::Retention;
/// let a_week = Retention { age: Some(Duration::from_secs(7 * 86_400)), ..Retention::default() };
/// assert!(a_week.count.is_none()); // however many those are
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Retention {
    /// Those that are older go. None: age does not matter.
    pub age: Option<Duration>,
    /// So many of each session stay, and older ones go. None: however many there are.
    pub count: Option<u64>,
}

/// How far a subscriber has handled each session's events: the last sequence number, by session. Absent means none yet.
///
/// ```
/// use seatport::{Cursors, Random, SessionId, Timestamp};
/// let session = SessionId::generate(Timestamp::from_millis(0), &Random::seeded(1));
/// let mut cursors = Cursors::default();
/// cursors.0.insert(session, 41);
/// assert_eq!(cursors.after(session), 41);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursors(pub BTreeMap<SessionId, u64>);

impl Cursors {
    /// The last sequence number handled of this session; 0 before the first.
    #[must_use]
    pub fn after(&self, session: SessionId) -> u64 {
        self.0.get(&session).copied().unwrap_or(0)
    }

    /// Notes that this event was handled.
    pub fn handled(&mut self, event: &Event) {
        let seq = self.0.entry(event.session).or_default();
        *seq = (*seq).max(event.seq);
    }
}
