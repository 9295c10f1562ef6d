//! The network's ways to get rid of a device, and what they mean for the session.

use std::time::Duration;

use seatport::Timestamp;
use seatport::lifecycle::{Reason, ReasonKind};
use whatsapp_rust::prelude::Event;
use whatsapp_rust::wacore::types::events::{ConnectFailureReason, LoggedOut};

use crate::fate::Ending;

/// How the connection ends because of this event, if it does.
pub(crate) fn verdict(event: &Event, now: Timestamp) -> Option<Ending> {
    let rejected = |kind, code: String| Some(Ending::Rejected(Reason::new(kind).code(code)));
    match event {
        Event::LoggedOut(event) => Some(logged_out(event)),
        Event::StreamReplaced(_) => rejected(ReasonKind::Replaced, "replaced".to_owned()),
        Event::ClientOutdated(_) => rejected(ReasonKind::ClientOutdated, "405".to_owned()),
        Event::TemporaryBan(ban) => {
            let left = u64::try_from(ban.expire.num_milliseconds()).unwrap_or(0);
            let reason = Reason::new(ReasonKind::Banned).code(ban.code.code().to_string());
            Some(Ending::Rejected(reason.until(now + Duration::from_millis(left))))
        }
        Event::ConnectFailure(failure) => Some(refused(&failure.reason)),
        Event::PairError(error) => rejected(ReasonKind::Refused, error.error.clone()),
        Event::QrScannedWithoutMultidevice(_) => {
            rejected(ReasonKind::Refused, "the phone does not link devices".to_owned())
        }
        // While a code for typing is out, the end of the QR codes means nothing.
        Event::PairingQrCodesExhausted(event) => event.disconnected.then_some(Ending::LoginExpired),
        Event::PairingCodeRefresh(_) => Some(Ending::LoginExpired),
        Event::Disconnected(event) => Some(lost(event.reason.to_string())),
        _ => None,
    }
}

/// The connection was lost, for this reason.
pub(crate) fn lost(code: impl Into<String>) -> Ending {
    Ending::Lost(Reason::new(ReasonKind::ConnectionLost).code(code))
}

/// The number under which the network gives this reason.
fn number(reason: &ConnectFailureReason) -> String {
    reason.code().to_string()
}

fn logged_out(event: &LoggedOut) -> Ending {
    let kind = match event.reason {
        // The account is locked, whatever the device does; whether it is also logged out the next login tells.
        ConnectFailureReason::AccountLocked => ReasonKind::Banned,
        _ => ReasonKind::LoggedOut,
    };
    // Told in the middle of a connection it has no number: the stream ends with a conflict.
    let code = if event.on_connect { number(&event.reason) } else { "device_removed".to_owned() };
    Ending::Rejected(Reason::new(kind).code(code))
}

fn refused(reason: &ConnectFailureReason) -> Ending {
    let code = number(reason);
    let kind = match reason {
        reason if reason.should_reconnect() => return lost(code),
        reason if reason.is_logged_out() => ReasonKind::LoggedOut,
        ConnectFailureReason::TempBanned => ReasonKind::Banned,
        ConnectFailureReason::ClientOutdated => ReasonKind::ClientOutdated,
        _ => ReasonKind::Refused,
    };
    Ending::Rejected(Reason::new(kind).code(code))
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::wacore::types::events::{ConnectFailure, TempBanReason, TemporaryBan};

    use super::*;

    fn reason(event: Event) -> Ending {
        verdict(&event, Timestamp::from_millis(1_000)).unwrap()
    }

    #[test]
    fn every_refusal_has_its_kind_and_keeps_its_number() {
        use ReasonKind::{Banned, ClientOutdated, ConnectionLost, LoggedOut, Refused};
        for (number, kind) in [
            (400, Refused),
            (401, LoggedOut),
            (402, Banned),
            (405, ClientOutdated),
            (406, LoggedOut),
            (409, Refused),
            (413, Refused),
            (418, Refused),
            (500, ConnectionLost),
            (501, Refused),
            (503, ConnectionLost),
            (999, Refused),
        ] {
            let failure = ConnectFailure::builder().reason(ConnectFailureReason::from(number)).build();
            let expected = Reason::new(kind).code(number.to_string());
            let expected = match kind {
                ConnectionLost => Ending::Lost(expected),
                _ => Ending::Rejected(expected),
            };
            assert_eq!(reason(Event::ConnectFailure(failure)), expected);
        }
    }

    #[test]
    fn a_ban_says_until_when() {
        let expire = whatsapp_rust::chrono::Duration::seconds(60);
        let ban = TemporaryBan::builder().code(TempBanReason::BlockedByUsers).expire(expire).build();
        let expected = Reason::new(ReasonKind::Banned).code("102").until(Timestamp::from_millis(61_000));
        assert_eq!(reason(Event::TemporaryBan(ban)), Ending::Rejected(expected));
    }

    #[test]
    fn a_locked_account_is_no_logout() {
        let locked = |reason| Event::LoggedOut(LoggedOut::builder().on_connect(true).reason(reason).build());
        let banned = Ending::Rejected(Reason::new(ReasonKind::Banned).code("403"));
        assert_eq!(reason(locked(ConnectFailureReason::AccountLocked)), banned);
        let logged_out = Ending::Rejected(Reason::new(ReasonKind::LoggedOut).code("401"));
        assert_eq!(reason(locked(ConnectFailureReason::LoggedOut)), logged_out);
    }
}
