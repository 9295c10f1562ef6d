//! Login codes, of one kind at a time.

use std::time::Duration;

use seatport::lifecycle::{Reason, ReasonKind};
use seatport::transport::{ChallengeKind, LoginChallenge};
use seatport::{Clock, LoginMethod, Secret};
use whatsapp_rust::pair_code::{PairCodeOptions, PairCodeRejection};
use whatsapp_rust::prelude::Event;

use crate::fate::Ending;
use crate::scope::Scope;
use crate::verdict::lost;

/// The login of one connection: counts its codes.
#[derive(Debug)]
pub(crate) struct LoginCodes {
    method: LoginMethod,
    issued: u32,
    /// The last one: the client repeats itself now and then.
    last: Option<Secret>,
    /// Whether the code for the phone's number was asked for.
    asked: bool,
}

impl LoginCodes {
    pub(crate) fn new(method: LoginMethod) -> Self {
        Self { method, issued: 0, last: None, asked: false }
    }

    /// The code to show because of this event, if it brings one of the kind that is wanted.
    pub(crate) fn show(&mut self, event: &Event, clock: &dyn Clock, scope: &Scope) -> Option<LoginChallenge> {
        let (kind, code, timeout): (_, &str, Duration) = match (event, &self.method) {
            (Event::PairingQrCode(event), LoginMethod::Qr) => (ChallengeKind::Qr, &event.code, event.timeout),
            (Event::PairingCode(event), LoginMethod::PairingCode { .. }) => {
                (ChallengeKind::PairingCode, &event.code, event.timeout)
            }
            _ => return None,
        };
        let code = Secret::new(code);
        if self.last.as_ref() == Some(&code) {
            return None;
        }
        self.issued += 1;
        self.last = Some(code.clone());
        let expires_at = clock.now() + scope.real(timeout);
        Some(LoginChallenge { kind, code, sequence: self.issued, expires_at })
    }

    /// What to ask the network for, once it is ready for it: it says so with its first QR code.
    pub(crate) fn ask(&mut self, event: &Event) -> Option<PairCodeOptions> {
        let LoginMethod::PairingCode { phone } = &self.method else { return None };
        if self.asked || !matches!(event, Event::PairingQrCode(_)) {
            return None;
        }
        self.asked = true;
        Some(PairCodeOptions { phone_number: phone.clone(), ..PairCodeOptions::default() })
    }
}

/// What a refused request for a pairing code means. The network says "bad request" to too many requests as well.
pub(crate) fn no_code(rejection: Option<PairCodeRejection>, error: &str) -> Ending {
    let Some(rejection) = rejection else { return lost(error) };
    let code = rejection.code().to_string();
    match rejection {
        PairCodeRejection::Forbidden | PairCodeRejection::FeatureNotAvailable => {
            Ending::Rejected(Reason::new(ReasonKind::Refused).code(code))
        }
        _ => lost(code),
    }
}

#[cfg(test)]
mod tests {
    use seatport::SystemClock;
    use whatsapp_rust::wacore::types::events::{PairingCode, PairingQrCode};

    use super::*;

    fn qr(code: &str) -> Event {
        Event::PairingQrCode(PairingQrCode::builder().code(code.to_owned()).timeout(Duration::from_secs(60)).build())
    }

    #[test]
    fn qr_codes_are_counted_and_expire() {
        let (scope, _end) = Scope::open(60);
        let mut codes = LoginCodes::new(LoginMethod::Qr);
        let before = SystemClock.now();
        let first = codes.show(&qr("a"), &SystemClock, &scope).unwrap();
        assert_eq!(codes.show(&qr("a"), &SystemClock, &scope), None, "said twice");
        let second = codes.show(&qr("b"), &SystemClock, &scope).unwrap();
        assert_eq!((first.kind, first.code.expose(), first.sequence), (ChallengeKind::Qr, "a", 1));
        assert_eq!((second.code.expose(), second.sequence), ("b", 2));
        let left = first.expires_at.since(before);
        assert!(left >= Duration::from_secs(1) && left < Duration::from_secs(2), "{left:?}");
        assert!(codes.ask(&qr("c")).is_none());
    }

    #[test]
    fn whoever_types_a_code_sees_no_qr() {
        let (scope, _end) = Scope::open(1);
        let mut codes = LoginCodes::new(LoginMethod::pairing_code("+5511999990001").unwrap());
        assert!(codes.show(&qr("a"), &SystemClock, &scope).is_none());
        assert_eq!(codes.ask(&qr("a")).unwrap().phone_number, "5511999990001");
        assert!(codes.ask(&qr("b")).is_none(), "asked once");
        let code = PairingCode::builder().code("ABCDEFGH".to_owned()).timeout(Duration::from_secs(180)).build();
        let shown = codes.show(&Event::PairingCode(code), &SystemClock, &scope).unwrap();
        assert_eq!((shown.kind, shown.code.expose()), (ChallengeKind::PairingCode, "ABCDEFGH"));
    }

    #[test]
    fn too_many_requests_pass_and_a_no_stays() {
        assert!(matches!(no_code(Some(PairCodeRejection::BadRequest), ""), Ending::Lost(_)));
        assert!(matches!(no_code(Some(PairCodeRejection::RateOverlimit), ""), Ending::Lost(_)));
        assert!(matches!(no_code(Some(PairCodeRejection::FeatureNotAvailable), ""), Ending::Rejected(_)));
        assert!(matches!(no_code(None, "timeout"), Ending::Lost(_)));
    }
}
