//! Typed identifiers: a session is never mistaken for an agent, nor a chat for a message.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::error::Invalid;
use crate::random::Random;
use crate::text::single_line;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh id: version 7, so that ids sort by the time they were made.
            #[must_use]
            pub fn generate(now: Timestamp, random: &Random) -> Self {
                let mut bytes = [0; 10];
                random.fill(&mut bytes);
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
            }

            /// The 16 bytes of the id, for storages.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id with these 16 bytes, as [`as_bytes`](Self::as_bytes) gave them.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Uuid::parse_str(text).map(Self).map_err(|_| Invalid::new($what, "not a UUID", "pass the id as it was handed out"))
            }
        }
    };
}

uuid_id!(
    /// Names one [session](crate::session) from the moment it is added until it is deleted.
    ///
    /// ```
    /// use seatport::{Random, SessionId, Timestamp};
    /// let id = SessionId::generate(Timestamp::from_millis(1_700_000_000_000), &Random::seeded(7));
    /// assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
    /// ```
    SessionId,
    "session id"
);

impl SessionId {
    /// The smallest id that is greater.
    pub(crate) fn next(self) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().wrapping_add(1)))
    }
}

uuid_id!(
    /// Names one process that runs sessions. Fresh at every boot, so that a process never takes its predecessor's place unseen.
    NodeId,
    "node id"
);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        ///
        /// Clones share the text.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("Checks the text: 1 to ", stringify!($max), " bytes, no control characters.")]
            ///
            /// # Errors
            /// [`Invalid`] says what is wrong with it.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Invalid> {
                single_line($what, text.as_ref(), 1, $max).map(|text| Self(text.into()))
            }

            /// The text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

text_id!(
    /// Names an [agent](crate::Agent). The host chooses it: its own user id, say.
    ///
    /// ```
    /// use seatport::AgentId;
    /// assert_eq!(AgentId::new("mei").unwrap().as_str(), "mei");
    /// assert!(AgentId::new("").is_err());
    /// ```
    AgentId,
    "agent id",
    128
);

text_id!(
    /// Names a [transport](crate::transport::Transport), such as `whatsapp`.
    TransportName,
    "transport name",
    64
);

text_id!(
    /// Where a person, group or account is reached on its network, as the network writes it
    /// (on WhatsApp the JID). A chat has the address of the other side.
    Address,
    "address",
    256
);

text_id!(
    /// The id a network gives a message; one chat never has two messages with the same id.
    MessageId,
    "message id",
    256
);

text_id!(
    /// What a caller names a message by that it wants sent once, however often it has to ask: an idempotency key. One session
    /// never has two messages with the same key.
    ///
    /// ```
    /// use seatport::SendKey;
    /// assert!(SendKey::new("order 17, confirmation").is_ok());
    /// ```
    SendKey,
    "idempotency key",
    128
);

text_id!(
    /// Names a durable consumer of [events](crate::Event), such as `crm-export`.
    ConsumerName,
    "consumer name",
    64
);

/// The number of a licence port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PortNumber(pub u32);

impl fmt::Display for PortNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_sort_by_the_time_they_were_made() {
        let random = Random::seeded(1);
        let ids: Vec<SessionId> =
            (0..100).map(|second| SessionId::generate(Timestamp::from_millis(second * 1_000), &random)).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().map(SessionId::to_string).collect::<Vec<_>>().is_sorted(), "their texts sort alike");
    }

    #[test]
    fn ids_of_the_same_moment_differ() {
        let (now, random) = (Timestamp::from_millis(0), Random::seeded(1));
        assert_ne!(SessionId::generate(now, &random), SessionId::generate(now, &random));
    }

    #[test]
    fn a_session_id_survives_text_bytes_and_json() {
        let id = SessionId::generate(Timestamp::from_millis(1_700_000_000_000), &Random::seeded(1));
        assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
        assert_eq!(SessionId::from_bytes(*id.as_bytes()), id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<SessionId>(&json).unwrap(), id);
    }

    #[test]
    fn what_is_no_uuid_is_no_session_id() {
        let error = "seat 1".parse::<SessionId>().unwrap_err();
        assert_eq!(error.to_string(), "invalid session id: not a UUID; pass the id as it was handed out");
    }

    #[test]
    fn a_text_id_has_a_length_and_no_control_characters() {
        assert_eq!(AgentId::new("美 Lin").unwrap().as_str(), "美 Lin");
        assert!(AgentId::new("x".repeat(128)).is_ok());
        assert_eq!(
            AgentId::new("x".repeat(129)).unwrap_err().to_string(),
            "invalid agent id: 129 bytes long; keep it within 128 bytes"
        );
        assert_eq!(
            Address::new("a\u{7}b").unwrap_err().to_string(),
            "invalid address: holds the control character U+0007; remove it"
        );
        assert!(MessageId::new("a\nb").is_err());
        assert!(TransportName::new("x".repeat(65)).is_err());
    }

    #[test]
    fn clones_of_a_text_id_share_its_text() {
        let id = Address::new("mei@net").unwrap();
        assert!(std::ptr::eq(id.as_str(), id.clone().as_str()));
    }

    #[test]
    fn a_stored_text_id_is_checked_when_it_is_read() {
        assert_eq!(serde_json::to_string(&AgentId::new("mei").unwrap()).unwrap(), "\"mei\"");
        assert!(serde_json::from_str::<AgentId>("\"mei\"").is_ok());
        assert!(serde_json::from_str::<AgentId>("\"\"").is_err());
    }
}
