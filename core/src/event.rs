//! Events: durable, replayable, in a gap-free sequence per session.

use std::collections::BTreeMap;

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
    /// The status of an outbound message advanced.
    MessageStatusChanged {
        /// In which chat.
        chat: Address,
        /// Which message.
        id: MessageId,
        /// The status from now on.
        status: MessageStatus,
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
