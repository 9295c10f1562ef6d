//! From the login code to being online.

use std::collections::BTreeSet;

use seatport::Clock;
use seatport::LoginMethod;
use seatport::transport::{ChallengeKind, Signal};
use tokio::time::timeout;

use crate::transport::trial::Trial;

pub(crate) async fn an_account_comes_online(trial: &Trial) {
    let line = trial.log_in(&trial.seat(), 1).await;
    assert_ne!(line.account, "", "Ready says who is online");
}

pub(crate) async fn a_code_is_shown_until_somebody_logs_in(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.dial(&seat).await;
    let challenge = line.challenge().await;
    assert_eq!((challenge.kind, challenge.sequence), (ChallengeKind::Qr, 1));
    assert_ne!(challenge.code.expose(), "");
    assert!(challenge.is_valid(seat.clock.now()), "it has expired already, at {}", challenge.expires_at);
    if let Ok(word @ Some(Signal::Ready { .. } | Signal::Paired { .. })) = timeout(trial.can.quiet, line.word()).await {
        panic!("nobody has used the code, and there came {word:?}");
    }
}

pub(crate) async fn a_code_is_never_shown_twice(trial: &Trial) {
    let (first, second) = (trial.seat(), trial.seat());
    let mut codes = BTreeSet::new();
    for seat in [&first, &second, &first, &second] {
        let challenge = trial.dial(seat).await.challenge().await;
        assert_eq!(challenge.sequence, 1, "every dial begins a round of its own");
        assert!(codes.insert(challenge.code.expose().to_owned()), "a code was shown before");
    }
}

pub(crate) async fn a_scanned_code_pairs_and_the_account_comes_online(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.dial(&seat).await;
    let code = line.challenge().await.code.expose().to_owned();
    let account = trial.peer("scan a code", trial.peer.scan(1, code)).await;
    let (paired, redial) = loop {
        match line.word().await {
            Some(Signal::Paired { account, redial }) => break (account, redial),
            Some(Signal::Challenge(_)) => {}
            other => panic!("the code was used, and instead of Paired came {other:?}"),
        }
    };
    assert_eq!(paired.address.as_str(), account, "the account that was paired is the one on the phone");
    if redial {
        drop(line);
        line = trial.dial(&seat).await;
    }
    match line.word().await {
        Some(Signal::Ready { account: ready }) => assert_eq!(ready.address.as_str(), account),
        other => panic!("the account is paired, and instead of Ready came {other:?}"),
    }
}

pub(crate) async fn a_code_for_a_phone_is_typed_there(trial: &Trial) {
    let mut seat = trial.seat();
    seat.login = LoginMethod::pairing_code(&trial.peer.phone_number(1)).unwrap();
    let challenge = trial.dial(&seat).await.challenge().await;
    assert_eq!(challenge.kind, ChallengeKind::PairingCode);
    let again = trial.dial(&seat).await.challenge().await;
    assert_ne!(again.code, challenge.code, "a code was shown before");

    let mut line = trial.dial(&seat).await;
    let code = line.challenge().await.code.expose().to_owned();
    let account = trial.peer("enter a code", trial.peer.enter_pairing_code(1, code)).await;
    match line.word().await {
        Some(Signal::Paired { account: paired, .. }) => assert_eq!(paired.address.as_str(), account),
        other => panic!("the code was typed, and instead of Paired came {other:?}"),
    }
}

pub(crate) async fn a_round_of_codes_ends(trial: &Trial) {
    let mut line = trial.dial(&trial.seat()).await;
    let (mut codes, mut expiry) = (BTreeSet::new(), None);
    loop {
        match line.word().await {
            Some(Signal::Challenge(challenge)) => {
                assert!(codes.insert(challenge.code.expose().to_owned()), "a code was shown before");
                assert_eq!(usize::try_from(challenge.sequence).unwrap(), codes.len(), "codes are numbered from 1");
                assert!(Some(challenge.expires_at) > expiry, "a code replaces the one before, and lives longer");
                expiry = Some(challenge.expires_at);
            }
            Some(Signal::LoginExpired) => break,
            other => panic!("nobody used the codes, and instead of LoginExpired came {other:?}"),
        }
    }
    assert!(!codes.is_empty(), "a round has a code");
    let after = line.word().await;
    assert!(after.is_none(), "the round is over, and there came {after:?}");
}
