//! What is stored of a session.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::Invalid;
use crate::ids::{AgentId, SessionId, TransportName};
use crate::lifecycle::Facts;
use crate::session::{CardStatus, Environment};
use crate::text::multi_line;

/// The longest remark, in bytes of UTF-8.
pub const MAX_REMARK_BYTES: usize = 4096;

/// A free-text note on a session (备注): at most [`MAX_REMARK_BYTES`], no control characters but line feed and tab.
///
/// ```
/// use seatport::Remark;
/// assert_eq!(Remark::new("VIP 客户\ncall before noon").unwrap().as_str().lines().count(), 2);
/// assert!(Remark::new("x".repeat(5000)).is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Remark(String);

impl TryFrom<String> for Remark {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::new(text)
    }
}

impl Remark {
    /// Checks the text.
    ///
    /// # Errors
    /// [`Invalid`] when it is too long or holds control characters.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        multi_line("remark", text.into(), 0, MAX_REMARK_BYTES).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a person logs the account in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginMethod {
    /// By scanning a QR code.
    #[default]
    Qr,
    /// By typing a code on the phone with this number, E.164 digits without `+`.
    PairingCode {
        /// The phone's number.
        phone: String,
    },
}

impl LoginMethod {
    /// By a pairing code for the phone with this number: 8 to 15 digits in international form, a leading `+` allowed (ITU-T E.164).
    ///
    /// ```
    /// use seatport::LoginMethod;
    /// assert!(LoginMethod::pairing_code("+86 138 0013 8000").is_ok());
    /// assert!(LoginMethod::pairing_code("12").is_err());
    /// ```
    ///
    /// # Errors
    /// [`Invalid`] when it is not such a number.
    pub fn pairing_code(phone: &str) -> Result<Self, Invalid> {
        let digits: String = phone.trim().trim_start_matches('+').chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if !(8..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) || digits.starts_with('0') {
            return Err(Invalid::new(
                "phone number",
                "not an E.164 number",
                "write it in international form, like +8613800138000",
            ));
        }
        Ok(Self::PairingCode { phone: digits })
    }
}

/// What is stored of a session: what people set, and the [`Facts`] of its lifecycle.
///
/// The counters and the port that belong to it are kept beside it by the storage; see
/// [`StoredSession`](crate::storage::StoredSession).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Which session.
    pub id: SessionId,
    /// When it was added.
    pub created_at: Timestamp,
    /// The network it lives on.
    pub transport: TransportName,
    /// What its account runs in.
    pub environment: Environment,
    /// The note on it.
    pub remark: Remark,
    /// The agent bound to it.
    pub agent: Option<AgentId>,
    /// How the next login is to be made.
    pub login_method: LoginMethod,
    /// Where its lifecycle stands.
    pub facts: Facts,
    /// When the lifecycle last changed.
    pub since: Timestamp,
    /// When the account first logged in here. Whoever was in touch with it before is no lead.
    pub first_login_at: Option<Timestamp>,
}

impl SessionRecord {
    /// A new session: stopped, nobody bound, no account.
    #[must_use]
    pub fn new(id: SessionId, created_at: Timestamp, transport: TransportName) -> Self {
        Self {
            id,
            created_at,
            transport,
            environment: Environment::new(),
            remark: Remark::default(),
            agent: None,
            login_method: LoginMethod::Qr,
            facts: Facts::default(),
            since: created_at,
            first_login_at: None,
        }
    }

    /// The status on the card while a live process drives the session. A storage keeps this one, for whether somebody does is
    /// known only when it is asked.
    #[must_use]
    pub fn driven_status(&self) -> CardStatus {
        CardStatus::of(&self.facts, true)
    }

    /// What a search for sessions looks at, in the small letters of ASCII: the remark and the account's name, phone number and
    /// address. U+001F stands between them, which none may hold, so that nothing is found across two of them.
    #[must_use]
    pub fn searchable(&self) -> String {
        let account = self.facts.account.as_ref();
        let name = account.and_then(|account| account.name.as_deref());
        let phone = account.and_then(|account| account.phone.as_deref());
        let address = account.map(|account| account.address.as_str());
        let fields = [Some(self.remark.as_str()), name, phone, address];
        fields.map(Option::unwrap_or_default).join("\u{1f}").to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_takes_4_kib_and_not_a_byte_more() {
        assert!(Remark::new("x".repeat(MAX_REMARK_BYTES)).is_ok());
        let error = Remark::new("x".repeat(MAX_REMARK_BYTES + 1)).unwrap_err();
        assert_eq!(error.to_string(), "invalid remark: 4097 bytes long; keep it within 4096 bytes");
        // Bytes, not characters: what is stored is what is limited.
        assert!(Remark::new("客".repeat(MAX_REMARK_BYTES / 3)).is_ok());
        assert!(Remark::new("客".repeat(MAX_REMARK_BYTES / 3 + 1)).is_err());
    }

    #[test]
    fn a_remark_takes_line_breaks_but_no_other_control_characters() {
        assert_eq!(Remark::new("").unwrap(), Remark::default());
        assert_eq!(Remark::new("a\n\tb").unwrap().as_str(), "a\n\tb");
        assert!(Remark::new("a\u{1b}[31mb").is_err());
    }

    #[test]
    fn a_phone_number_is_kept_as_plain_digits() {
        for text in ["+8613800138000", "8613800138000", " +86 138-0013-8000 "] {
            let method = LoginMethod::pairing_code(text).unwrap();
            assert_eq!(method, LoginMethod::PairingCode { phone: "8613800138000".into() }, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_international_number_is_refused() {
        for text in
            ["", "+", "1234567", "1234567890123456", "013800138000", "+86138x0138000", "８６１３８００１３８０００"]
        {
            let error = LoginMethod::pairing_code(text).unwrap_err();
            assert_eq!(error.field, "phone number", "{text:?}");
        }
    }
}
