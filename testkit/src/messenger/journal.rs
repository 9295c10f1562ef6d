//! What the network remembers of those who dialled.

use seatport::conversation::Content;
use seatport::{Address, MessageId, PortNumber, SessionId, Timestamp};

/// Names a connection on the network's side: 1 for the first dial, then one more for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// How a connection ended, as the network saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The other side said that it closes.
    Closed,
    /// The other side was gone without a word.
    HungUp,
    /// The other side has not answered for as long as the network waits for [that](super::Settings::silence).
    Silent,
    /// The other side unlinked itself and closed.
    LoggedOut,
    /// The network cut it.
    Cut,
    /// The network refused it, or ended it with a reason.
    Rejected,
    /// Nobody used the login codes.
    CodesRanOut,
    /// The login was made; the network wants a new connection.
    Paired,
}

/// One dial and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionRecord {
    /// Which connection.
    pub id: ConnectionId,
    /// The session that dialled.
    pub session: SessionId,
    /// The licence port it named.
    pub port: PortNumber,
    /// The proxy it went through, without the password; none: it came directly.
    pub proxy: Option<String>,
    /// The name it gives itself.
    pub device_name: Option<String>,
    /// When it dialled.
    pub dialled_at: Timestamp,
    /// Whether the network let it speak.
    pub welcomed: bool,
    /// The account that logged in on it, and when.
    pub login: Option<(Address, Timestamp)>,
    /// When it ended, and how.
    pub end: Option<(End, Timestamp)>,
}

/// A login of an account that another connection was still logged in to, and not merely not yet known to be gone. The
/// network replaces the earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overlap {
    /// Which account.
    pub account: Address,
    /// The connection that was there.
    pub first: ConnectionId,
    /// The connection that took its place.
    pub second: ConnectionId,
    /// When.
    pub at: Timestamp,
}

/// A message as the network took it from an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The account that sent it.
    pub from: Address,
    /// To whom.
    pub to: Address,
    /// Its id.
    pub id: MessageId,
    /// What it says.
    pub content: Content,
    /// When it came first.
    pub at: Timestamp,
    /// How often it came. The recipient sees it once.
    pub times: u32,
}

/// What the network remembers of those who dialled: a copy as of the moment it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Journal {
    /// Every dial, in order.
    pub connections: Vec<ConnectionRecord>,
    /// Every login that came while the account was logged in on another connection.
    pub overlaps: Vec<Overlap>,
    /// Every message that an account sent through a connection, in order.
    pub sent: Vec<Sent>,
    /// How often an account said that it read something.
    pub receipts: u32,
}

impl Journal {
    /// The dials of one session.
    pub fn dials(&self, session: SessionId) -> impl Iterator<Item = &ConnectionRecord> {
        self.connections.iter().filter(move |connection| connection.session == session)
    }

    /// The connections on which this account logged in.
    pub fn logins(&self, account: &Address) -> impl Iterator<Item = &ConnectionRecord> {
        self.connections.iter().filter(move |record| record.login.as_ref().is_some_and(|(who, _)| who == account))
    }

    /// How many connections of this account there are now: one or none, and two for the moment in which one replaces
    /// the other.
    #[must_use]
    pub fn live(&self, account: &Address) -> usize {
        self.logins(account).filter(|connection| connection.end.is_none()).count()
    }

    /// Whether ever a login of this account came while another connection was logged in to it.
    #[must_use]
    pub fn overlapped(&self, account: &Address) -> bool {
        self.overlaps.iter().any(|overlap| overlap.account == *account)
    }

    pub(super) fn connection(&mut self, id: ConnectionId) -> Option<&mut ConnectionRecord> {
        // Numbered from 1 in the order of the list, which only grows.
        self.connections.get_mut(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }
}
