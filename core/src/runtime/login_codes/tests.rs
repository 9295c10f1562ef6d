//! Which code counts, and for how long.

use super::*;
use crate::clock::Timestamp;
use crate::random::Random;

fn session(number: i64) -> SessionId {
    SessionId::generate(Timestamp::from_millis(number), &Random::seeded(1))
}

/// A code that is valid for so many seconds.
fn known(epoch: u64, number: u64, own: bool, seconds: u64) -> Known {
    let code = Secret::new(format!("{epoch}/{number}"));
    let expires_at = Timestamp::from_millis(0);
    let challenge = LoginChallenge { kind: ChallengeKind::Qr, code, sequence: 1, expires_at };
    let until = Instant::now() + Duration::from_secs(seconds);
    Known { turn: Turn { epoch, number }, generation: 1, own, challenge, until }
}

fn code(codes: &Codes, number: i64) -> Option<&str> {
    codes.known.get(&session(number)).map(|known| known.challenge.code.expose())
}

#[tokio::test(start_paused = true)]
async fn the_later_code_counts_in_whatever_order_they_come() {
    let mut codes = Codes::default();
    assert!(codes.keep(session(1), known(2, 7, false, 60)));
    assert!(!codes.keep(session(1), known(2, 6, false, 60)), "it was shown before");
    assert!(!codes.keep(session(1), known(2, 7, false, 600)), "it is not shown longer for being told again");
    assert!(!codes.keep(session(1), known(1, 9, false, 60)), "by an owner before");
    assert!(codes.keep(session(1), known(3, 1, false, 60)), "by the next owner");
    assert_eq!(code(&codes, 1), Some("3/1"));
    assert!(codes.forget(session(1), Turn { epoch: 2, number: 99 }).is_none());
    assert!(codes.forget(session(1), Turn { epoch: 3, number: 1 }).is_some());
    assert_eq!(code(&codes, 1), None);
    assert!(!codes.keep(session(1), known(4, 1, false, 0)), "it has expired");
}

#[tokio::test(start_paused = true)]
async fn what_expires_goes() {
    let mut codes = Codes::default();
    codes.keep(session(1), known(1, 1, false, 20));
    codes.keep(session(2), known(1, 2, true, 60));
    tokio::time::advance(Duration::from_secs(20)).await;
    codes.expire();
    assert_eq!((code(&codes, 1), code(&codes, 2)), (None, Some("1/2")));
}

#[tokio::test(start_paused = true)]
async fn so_many_codes_of_other_nodes_are_kept_and_all_of_its_own() {
    let mut codes = Codes::default();
    let most = i64::try_from(KEPT).unwrap();
    for number in 0..most + 100 {
        codes.keep(session(2 * number), known(1, 1, false, 1_000 + u64::try_from(number).unwrap()));
        codes.keep(session(2 * number + 1), known(1, 1, true, 60));
    }
    assert_eq!(codes.known.values().filter(|known| !known.own).count(), KEPT);
    assert_eq!(codes.known.values().filter(|known| known.own).count(), KEPT + 100);
    assert_eq!(code(&codes, 0), None, "the one that expires first goes");
    assert!(code(&codes, 2 * (most + 99)).is_some());
}

#[test]
fn a_word_shows_no_code() {
    let turn = Turn { epoch: 1, number: 1 };
    let code = Secret::new("2@abc");
    let says = Says::Code { turn, generation: 1, pairing: false, sequence: 1, valid_for_ms: 1, code };
    let word = Word { from: NodeId::generate(Timestamp::from_millis(0), &Random::seeded(1)), says };
    assert!(!format!("{word:?}").contains("2@abc"));
    let read: Word = serde_json::from_slice(&serde_json::to_vec(&word).unwrap()).unwrap();
    assert!(matches!(read.says, Says::Code { code, .. } if code.expose() == "2@abc"), "but it says it");
}
