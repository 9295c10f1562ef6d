//! Searching.

use seatport::{Invalid, conversation};

use crate::conversation::{Contact, StoredMessage};
use crate::page::{contact_hit_place, message_hit_place};

/// What to search for: texts that contain each of the words, letter case aside. A word may be of any length and stand anywhere,
/// so that it finds in Chinese what it finds in Latin script.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SearchQuery {
    /// The words, separated by white space: 1 to 256 bytes.
    pub text: String,
    /// Only in the session with this id.
    #[uniffi(default = None)]
    pub session: Option<String>,
    /// Only in sessions bound to the agent with this id.
    #[uniffi(default = None)]
    pub bound_to: Option<String>,
}

impl TryFrom<SearchQuery> for conversation::SearchQuery {
    type Error = Invalid;

    fn try_from(query: SearchQuery) -> Result<Self, Invalid> {
        Ok(Self {
            text: query.text,
            session: query.session.map(|session| session.parse()).transpose()?,
            bound_to: query.bound_to.map(TryInto::try_into).transpose()?,
        })
    }
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MessageHit {
    /// The id of its session.
    pub session: String,
    /// The message.
    pub message: StoredMessage,
    /// Its place among what is found: pass it on for what comes after it.
    pub cursor: String,
}

impl From<conversation::MessageHit> for MessageHit {
    fn from(hit: conversation::MessageHit) -> Self {
        let cursor = message_hit_place(hit.session, hit.message.seq);
        Self { session: hit.session.to_string(), message: hit.message.into(), cursor }
    }
}

/// A contact that was found.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ContactHit {
    /// The id of its session.
    pub session: String,
    /// The contact.
    pub contact: Contact,
    /// Its place among what is found: pass it on for what comes after it.
    pub cursor: String,
}

impl From<conversation::ContactHit> for ContactHit {
    fn from(hit: conversation::ContactHit) -> Self {
        let cursor = contact_hit_place(hit.session, &hit.contact.address);
        Self { session: hit.session.to_string(), contact: hit.contact.into(), cursor }
    }
}

#[cfg(test)]
mod tests {
    use seatport::SessionId;

    use super::*;

    #[test]
    fn whom_and_where_to_search_is_checked() {
        let query = |session: Option<&str>, bound_to: Option<&str>| {
            let (session, bound_to) = (session.map(Into::into), bound_to.map(Into::into));
            conversation::SearchQuery::try_from(SearchQuery { text: "退款".into(), session, bound_to })
        };
        assert_eq!(query(None, None).unwrap(), conversation::SearchQuery::new("退款"));
        let session = SessionId::from_bytes([7; 16]);
        let narrowed = query(Some(&session.to_string()), Some("li")).unwrap();
        assert_eq!((narrowed.session, narrowed.bound_to), (Some(session), Some("li".parse().unwrap())));
        assert_eq!(query(Some("seat 1"), None).unwrap_err().field, "session id");
        assert_eq!(query(None, Some("")).unwrap_err().field, "agent id");
    }
}
