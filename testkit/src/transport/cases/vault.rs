//! What the transport remembers, and where.

use seatport::lifecycle::ReasonKind;
use seatport::transport::Signal;

use crate::transport::trial::{Ending, Trial};

pub(crate) async fn credentials_are_in_it_once_paired(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.dial(&seat).await;
    let code = line.challenge().await.code.expose().to_owned();
    trial.peer("scan a code", trial.peer.scan(1, code)).await;
    loop {
        match line.word().await {
            Some(Signal::Paired { .. }) => break,
            Some(Signal::Challenge(_)) => {}
            other => panic!("the code was used, and instead of Paired came {other:?}"),
        }
    }
    assert_ne!(seat.sealed().await, [], "Paired says that the credentials are in the vault");
}

pub(crate) async fn a_restart_needs_no_new_code(trial: &Trial) {
    let seat = trial.seat();
    let account = trial.log_in(&seat, 1).await.account.clone();
    for _ in 0..2 {
        assert_eq!(trial.online_again(&seat).await.account, account);
    }
}

pub(crate) async fn what_is_remembered_is_nowhere_else(trial: &Trial) {
    let seat = trial.seat();
    drop(trial.log_in(&seat, 1).await);
    let forgotten = trial.dial(&seat.with_empty_vault()).await.word().await;
    assert!(matches!(forgotten, Some(Signal::Challenge(_))), "its vault is empty, and there came {forgotten:?}");
    drop(trial.online_again(&seat).await);
}

pub(crate) async fn another_session_is_not_logged_in(trial: &Trial) {
    let (seat, other) = (trial.seat(), trial.seat());
    let _line = trial.log_in(&seat, 1).await;
    let word = trial.dial(&other).await.word().await;
    assert!(matches!(word, Some(Signal::Challenge(_))), "another session is logged in, and here came {word:?}");
}

pub(crate) async fn one_that_does_not_open_is_left_alone(trial: &Trial) {
    let seat = trial.seat();
    drop(trial.log_in(&seat, 1).await);
    let sealed = seat.sealed().await;
    match trial.not_online(&seat.with_another_key()).await {
        Ending::Rejected(reason) => assert_eq!(reason.kind, ReasonKind::VaultUnreadable),
        other => panic!("the vault does not open with this key, and dialling came to {other:?}"),
    }
    assert_eq!(seat.sealed().await, sealed, "what cannot be read is not overwritten");
    trial.online_again(&seat).await;
}

pub(crate) async fn credentials_that_cannot_be_kept_are_no_login(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.dial(&seat).await;
    let code = line.challenge().await.code.expose().to_owned();
    // As when another node takes the session over: from now on the connection's vault refuses to be written.
    let _taken_over = seat.vault().await;
    let sealed = seat.sealed().await;
    // The network may tell the phone that the session refused.
    let _ = trial.within("the peer scans a code", trial.peer.scan(1, code)).await;
    loop {
        match line.word().await {
            Some(Signal::Challenge(_)) => {}
            Some(Signal::Lost(_) | Signal::Rejected(_)) | None => break,
            Some(other) => panic!("nothing could be kept, and there came {other:?}"),
        }
    }
    assert_eq!(seat.sealed().await, sealed, "the vault is another's");
}
