//! Searching.

use serde::{Deserialize, Serialize};

use crate::conversation::{Contact, StoredMessage};
use crate::ids::{AgentId, SessionId};

/// What to search for: texts that contain each of the words, letter case aside. A word may be of any length and stand
/// anywhere, so that it finds in Chinese what it finds in Latin script.
///
/// ```
/// use seatport::conversation::SearchQuery;
/// let query = SearchQuery::new("退款 May");
/// assert_eq!(query.words().collect::<Vec<_>>(), ["退款", "May"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    /// The words, separated by white space.
    pub text: String,
    /// Only in this session.
    pub session: Option<SessionId>,
    /// Only in sessions bound to this agent.
    pub bound_to: Option<AgentId>,
}

impl SearchQuery {
    /// Searches everywhere.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), session: None, bound_to: None }
    }

    /// The words, each to be found.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split_whitespace()
    }
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageHit {
    /// In which session.
    pub session: SessionId,
    /// The message.
    pub message: StoredMessage,
}

/// A contact that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactHit {
    /// In which session.
    pub session: SessionId,
    /// The contact.
    pub contact: Contact,
}
