//! Events: durable, replayable, in a gap-free sequence per session.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use seatport::{Cursors, Invalid};

use crate::card::{Account, CardStatus, Reason};
use crate::conversation::MessageStatus;
use crate::time::told;

/// What happened. Never holds a login code, a credential or a proxy's password.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
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
        /// The id of the agent.
        agent: Option<String>,
    },
    /// The remark was edited.
    RemarkChanged,
    /// The environment was edited; it takes effect at the next dial.
    EnvironmentChanged,
    /// A message was stored, inbound or outbound.
    MessageStored {
        /// The address of its chat.
        chat: String,
        /// The id of the message.
        id: String,
        /// Whether it came in.
        inbound: bool,
    },
    /// A stored message was edited, deleted, or reacted to.
    MessageAmended {
        /// The address of its chat.
        chat: String,
        /// The id of the message.
        id: String,
    },
    /// The status of an outbound message advanced.
    MessageStatusChanged {
        /// The address of its chat.
        chat: String,
        /// The id of the message.
        id: String,
        /// The status from now on.
        status: MessageStatus,
    },
    /// What is known of a chat changed: it was archived, muted, or more of its history came.
    ChatChanged {
        /// The address of the chat.
        chat: String,
    },
    /// What is known of a contact changed: a name, the phone number, the picture.
    ContactChanged {
        /// The address of the contact.
        address: String,
    },
    /// Two addresses turned out to be one person's: chat, contact and messages moved.
    IdentityMerged {
        /// The address that is given up.
        address: String,
        /// The address that holds it all from now on.
        canonical: String,
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
        /// The address of the chat.
        chat: String,
    },
    /// Something that this version of the package has no word for.
    Other {
        /// What, for a log.
        text: String,
    },
}

impl From<seatport::EventBody> for EventBody {
    fn from(body: seatport::EventBody) -> Self {
        use seatport::EventBody as Core;
        match body {
            Core::Added => Self::Added,
            Core::StatusChanged { status, reason } => {
                Self::StatusChanged { status: status.into(), reason: reason.map(Into::into) }
            }
            Core::LoggedIn { account } => Self::LoggedIn { account: account.into() },
            Core::LoggedOut => Self::LoggedOut,
            Core::AgentChanged { agent } => Self::AgentChanged { agent: agent.map(Into::into) },
            Core::RemarkChanged => Self::RemarkChanged,
            Core::EnvironmentChanged => Self::EnvironmentChanged,
            Core::MessageStored { chat, id, inbound } => {
                Self::MessageStored { chat: chat.into(), id: id.into(), inbound }
            }
            Core::MessageAmended { chat, id } => Self::MessageAmended { chat: chat.into(), id: id.into() },
            Core::MessageStatusChanged { chat, id, status } => {
                Self::MessageStatusChanged { chat: chat.into(), id: id.into(), status: status.into() }
            }
            Core::ChatChanged { chat } => Self::ChatChanged { chat: chat.into() },
            Core::ContactChanged { address } => Self::ContactChanged { address: address.into() },
            Core::IdentityMerged { address, canonical } => {
                Self::IdentityMerged { address: address.into(), canonical: canonical.into() }
            }
            Core::HistoryReceived { messages, progress } => Self::HistoryReceived { messages, progress },
            Core::ChatRead { chat } => Self::ChatRead { chat: chat.into() },
            newer => Self::Other { text: format!("{newer:?}") },
        }
    }
}

/// An event with its place in the session's sequence.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Event {
    /// The id of the session.
    pub session: String,
    /// 1 for the session's first event, then one more for each.
    pub seq: u64,
    /// When.
    pub at: SystemTime,
    /// What.
    pub body: EventBody,
}

impl From<seatport::Event> for Event {
    fn from(event: seatport::Event) -> Self {
        Self { session: event.session.to_string(), seq: event.seq, at: told(event.at), body: event.body.into() }
    }
}

/// How long events are kept. What a registered consumer has not acknowledged is kept in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Retention {
    /// Those that are older go. Left out, age does not matter.
    #[uniffi(default = None)]
    pub age: Option<Duration>,
    /// So many of each session stay, and older ones go. Left out, all stay however many there are.
    #[uniffi(default = None)]
    pub count: Option<u64>,
}

impl From<Retention> for seatport::Retention {
    fn from(retention: Retention) -> Self {
        Self { age: retention.age, count: retention.count }
    }
}

/// A consumer that is registered, and how far it has got.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ConsumerState {
    /// Its name.
    pub name: String,
    /// How many events it has not acknowledged, over all sessions.
    pub behind: u64,
}

impl From<seatport::ConsumerState> for ConsumerState {
    fn from(state: seatport::ConsumerState) -> Self {
        Self { name: state.name.into(), behind: state.behind }
    }
}

/// How far each session's events were handled, on the way out: the last sequence number by session id.
pub(crate) fn cursors_told(cursors: Cursors) -> HashMap<String, u64> {
    cursors.0.into_iter().map(|(session, seq)| (session.to_string(), seq)).collect()
}

/// How far each session's events were handled, on the way in.
///
/// # Errors
/// [`Invalid`] for what is no session id.
pub(crate) fn cursors_given(cursors: HashMap<String, u64>) -> Result<Cursors, Invalid> {
    let mut given = Cursors::default();
    for (session, seq) in cursors {
        // Two ways to write one id: rather an event twice than none.
        let known = given.0.entry(session.parse()?).or_insert(seq);
        *known = seq.min(*known);
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use seatport::lifecycle::ReasonKind;
    use seatport::{Address, EventBody as Core, MessageId, SessionId};

    use super::*;

    #[test]
    fn cursors_survive_the_way_out_and_in() {
        let cursors = Cursors([(SessionId::from_bytes([7; 16]), 41), (SessionId::from_bytes([8; 16]), 0)].into());
        let told = cursors_told(cursors.clone());
        assert_eq!(told["07070707-0707-0707-0707-070707070707"], 41);
        assert_eq!(cursors_given(told).unwrap(), cursors);
    }

    #[test]
    fn of_two_cursors_of_one_session_the_earlier_counts() {
        let session = SessionId::from_bytes([0xab; 16]);
        let twice = [(session.to_string(), 41), (session.to_string().to_uppercase(), 7)];
        assert_eq!(cursors_given(twice.into()).unwrap().after(session), 7);
        assert_eq!(cursors_given([("seat 1".to_owned(), 1)].into()).unwrap_err().field, "session id");
    }

    #[test]
    fn every_event_of_today_has_a_word() {
        let (chat, id) = (Address::new("a").unwrap(), MessageId::new("m").unwrap());
        let account = seatport::lifecycle::Account { address: chat.clone(), phone: None, name: None };
        let reason = Some(seatport::lifecycle::Reason::new(ReasonKind::Banned));
        let bodies = [
            Core::Added,
            Core::StatusChanged { status: seatport::CardStatus::Blocked, reason },
            Core::LoggedIn { account },
            Core::LoggedOut,
            Core::AgentChanged { agent: None },
            Core::RemarkChanged,
            Core::EnvironmentChanged,
            Core::MessageStored { chat: chat.clone(), id: id.clone(), inbound: true },
            Core::MessageAmended { chat: chat.clone(), id: id.clone() },
            Core::MessageStatusChanged { chat: chat.clone(), id, status: seatport::conversation::MessageStatus::Read },
            Core::ChatChanged { chat: chat.clone() },
            Core::ContactChanged { address: chat.clone() },
            Core::IdentityMerged { address: chat.clone(), canonical: chat.clone() },
            Core::HistoryReceived { messages: 3, progress: Some(40) },
            Core::ChatRead { chat },
        ];
        for body in bodies {
            let word = format!("{body:?}").chars().take_while(char::is_ascii_alphabetic).collect::<String>();
            let told = EventBody::from(body);
            assert!(format!("{told:?}").starts_with(&word), "{word} reads as {told:?}");
        }
    }
}
