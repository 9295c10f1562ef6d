//! The rows a ledger consists of.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::clock::Timestamp;
use crate::conversation::Author;
use crate::ids::{AgentId, MessageId, SessionId};
use crate::leads::Fact;

/// Names one person of the ledger. The storage gives the number; it never gives it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub i64);

/// Names one [`Pair`]. The storage gives the number; it never gives it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PairId(pub i64);

/// The place of a message in time: the network's time of it, then its id. This order decides who came first.
///
/// ```
/// use seatport::Timestamp;
/// use seatport::leads::ledger::Moment;
/// let at = Timestamp::from_millis(1_700_000_000_000);
/// assert!(Moment::new(at, "a".parse()?) < Moment::new(at, "b".parse()?));
/// # Ok::<(), seatport::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment {
    /// The network's time of the message.
    pub at: Timestamp,
    /// The id of the message.
    pub id: MessageId,
}

impl Moment {
    /// The place of the message with this time and id.
    #[must_use]
    pub fn new(at: Timestamp, id: MessageId) -> Self {
        Self { at, id }
    }
}

/// Messages of one person to one session with less than 24 hours between each and the next.
///
/// Its start names it: a pair has no two visits with the same start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Visit {
    /// Its first message.
    pub start: Moment,
    /// The time of its last message.
    pub end: Timestamp,
    /// The agent bound to the session when it started.
    pub agent: Option<AgentId>,
    /// Whether the session was stopped when it started.
    pub late: bool,
}

/// A message that somebody on our side wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbound {
    /// Its place in time.
    pub moment: Moment,
    /// Who wrote it.
    pub by: Author,
}

/// What is known of one person and one session, beside the visits. All of it only ever moves to earlier times, so the order
/// in which it is learnt does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairFacts {
    /// When the session's account first logged in here; the earliest that was told.
    pub first_login: Option<Timestamp>,
    /// The earliest sign of life between the two, whoever wrote.
    pub first_activity: Option<Timestamp>,
    /// The earliest message to the person.
    pub first_outbound: Option<Outbound>,
}

impl PairFacts {
    /// These facts and one more.
    #[must_use]
    pub(super) fn with(&self, first_login: Option<Timestamp>, fact: &Fact) -> Self {
        let (at, outbound) = match fact {
            Fact::Wrote { at, .. } | Fact::Known { at } => (*at, None),
            Fact::Answered { at, id, by } => {
                (*at, Some(Outbound { moment: Moment::new(*at, id.clone()), by: by.clone() }))
            }
        };
        self.union(&Self { first_login, first_activity: Some(at), first_outbound: outbound })
    }

    /// What both know together.
    #[must_use]
    pub(super) fn union(&self, other: &Self) -> Self {
        let outbound = self.first_outbound.iter().chain(&other.first_outbound);
        Self {
            first_login: self.first_login.into_iter().chain(other.first_login).min(),
            first_activity: self.first_activity.into_iter().chain(other.first_activity).min(),
            // `by` only decides between two reports of the same message, so that their order does not.
            first_outbound: outbound.min_by_key(|outbound| (&outbound.moment, rank(&outbound.by))).cloned(),
        }
    }
}

/// An agent goes before the device: the desk knows what it sent, and the phone only repeats it.
fn rank(author: &Author) -> (bool, Option<&AgentId>) {
    match author {
        Author::Agent(agent) => (false, Some(agent)),
        Author::Device => (true, None),
    }
}

/// One person and one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Its number.
    pub id: PairId,
    /// The person.
    pub person: PersonId,
    /// The session. A person and a session have one pair at most.
    pub session: SessionId,
    /// What is known of them, beside the visits.
    pub facts: PairFacts,
}

/// What is left of a lead whose session was erased, as long as its person has dealings with another session: that the person
/// was counted then. It keeps the person's other leads what they are and counts as nothing itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The first message of the lead.
    pub start: Moment,
    /// Decides between leads with the same start, see [`tie`].
    pub tie: i64,
}

/// Decides between a person's leads in two sessions that start with the same time and message id, as those of a message sent
/// to a list of recipients do. A hash, so that a [`Trace`] need not name its session.
#[must_use]
pub fn tie(session: SessionId) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = Sha256::digest(session.as_bytes()).0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Who was bound to a session, and whether it was running, from some time on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// From when on.
    pub at: Timestamp,
    /// The agent bound to the session.
    pub agent: Option<AgentId>,
    /// Whether the session was running: what comes while it is not, is late.
    pub running: bool,
}
