//! Login codes, and how an account is logged in.

use std::sync::Arc;
use std::time::SystemTime;

use seatport::Invalid;

use crate::mirror::mirror;
use crate::secret::Secret;
use crate::time::{given, told};

mirror! {
    /// How a login code is used.
    ChallengeKind = seatport::ChallengeKind {
        /// Drawn as a QR code and scanned with the phone.
        Qr,
        /// Typed on the phone.
        PairingCode,
    }
}

/// A login code. It is kept in memory only: never in the database, in an event or in a log.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LoginChallenge {
    /// How it is used.
    pub kind: ChallengeKind,
    /// The code itself: for the screen, not for a log.
    pub code: Arc<Secret>,
    /// 1 for the first of a round, then one more for each.
    pub sequence: u32,
    /// From this moment on it is worthless.
    pub expires_at: SystemTime,
}

impl From<seatport::LoginChallenge> for LoginChallenge {
    fn from(challenge: seatport::LoginChallenge) -> Self {
        Self {
            kind: challenge.kind.into(),
            code: Arc::new(challenge.code.into()),
            sequence: challenge.sequence,
            expires_at: told(challenge.expires_at),
        }
    }
}

impl TryFrom<LoginChallenge> for seatport::LoginChallenge {
    type Error = Invalid;

    fn try_from(challenge: LoginChallenge) -> Result<Self, Invalid> {
        Ok(Self {
            kind: challenge.kind.into(),
            code: challenge.code.0.clone(),
            sequence: challenge.sequence,
            expires_at: given(challenge.expires_at)?,
        })
    }
}

/// How a person logs the account in.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LoginMethod {
    /// By scanning a QR code.
    Qr,
    /// By typing a code on the phone.
    PairingCode {
        /// The phone's number in international form: 8 to 15 digits, a leading `+`, spaces and hyphens allowed.
        phone: String,
    },
}

impl From<seatport::LoginMethod> for LoginMethod {
    fn from(method: seatport::LoginMethod) -> Self {
        match method {
            seatport::LoginMethod::Qr => Self::Qr,
            seatport::LoginMethod::PairingCode { phone } => Self::PairingCode { phone },
        }
    }
}

impl TryFrom<LoginMethod> for seatport::LoginMethod {
    type Error = Invalid;

    fn try_from(method: LoginMethod) -> Result<Self, Invalid> {
        match method {
            LoginMethod::Qr => Ok(Self::Qr),
            LoginMethod::PairingCode { phone } => Self::pairing_code(&phone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_code_survives_both_ways_and_shows_nowhere() {
        let core = seatport::LoginChallenge {
            kind: seatport::ChallengeKind::PairingCode,
            code: seatport::Secret::new("WXYZ-1234"),
            sequence: 3,
            expires_at: seatport::Timestamp::from_millis(1_700_000_060_000),
        };
        let told = LoginChallenge::from(core.clone());
        assert!(!format!("{told:?}").contains("WXYZ"));
        assert_eq!(seatport::LoginChallenge::try_from(told).unwrap(), core);
    }

    #[test]
    fn the_number_of_a_phone_is_checked() {
        let method = |phone: &str| seatport::LoginMethod::try_from(LoginMethod::PairingCode { phone: phone.into() });
        let plain = seatport::LoginMethod::PairingCode { phone: "8613800138000".into() };
        assert_eq!(method("+86 138-0013-8000").unwrap(), plain);
        assert_eq!(method("12").unwrap_err().field, "phone number");
        assert_eq!(LoginMethod::from(plain), LoginMethod::PairingCode { phone: "8613800138000".into() });
    }
}
