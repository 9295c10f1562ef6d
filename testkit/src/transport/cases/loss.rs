//! How a connection ends that the network ends.

use seatport::conversation::Content;
use seatport::lifecycle::ReasonKind;
use seatport::transport::Signal;

use crate::transport::trial::{Ending, Trial};

pub(crate) async fn a_cut_connection_is_lost(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    trial.peer("cut", trial.peer.cut(line.account.clone())).await;
    let last = line.last_word().await;
    assert!(matches!(last, Some(Signal::Lost(_))), "the connection was cut, and the last word is {last:?}");
}

pub(crate) async fn a_lost_connection_stays_lost(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    trial.peer("cut", trial.peer.cut(line.account.clone())).await;
    let lost = async { while !matches!(line.signal().await, Some(Signal::Lost(_)) | None) {} };
    trial.within("it is lost", lost).await;
    // Nobody has dropped it, and nobody has asked for another.
    trial.quiet().await;
    let connections = trial.peer("count connections", trial.peer.connections()).await;
    assert_eq!(connections, 0, "whether to dial again is Seatport's to decide");
}

pub(crate) async fn dialling_again_helps(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.log_in(&seat, 1).await;
    trial.peer("cut", trial.peer.cut(line.account.clone())).await;
    line.last_word().await;
    drop(line);
    let mut line = trial.log_in(&seat, 1).await;
    let text = trial.text("here I am again");
    assert_eq!(line.send_text(&trial.message_id(), &text).await, Ok(()));
}

pub(crate) async fn a_command_under_way_ends_with_the_connection(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    trial.peer("hang", trial.peer.set_hanging(true)).await;
    let text = Content::Text(trial.text("into the void"));
    let answer = line.tell_to_send(&trial.message_id(), text).await;
    trial.quiet().await;
    trial.peer("cut", trial.peer.cut(line.account.clone())).await;
    let answer = line.answered(answer).await;
    assert_ne!(answer, Ok(()), "the network has answered nothing");
    trial.peer("go on", trial.peer.set_hanging(false)).await;
    line.last_word().await;
}

pub(crate) async fn a_network_that_is_away_is_lost_and_not_rejected(trial: &Trial) {
    let seat = trial.seat();
    trial.peer("go down", trial.peer.set_down(true)).await;
    let ending = trial.not_online(&seat).await;
    trial.peer("come back", trial.peer.set_down(false)).await;
    assert!(matches!(ending, Ending::Lost(_)), "the network is away, and dialling came to {ending:?}");
    trial.log_in(&seat, 1).await;
}

/// The reason of the rejection that the connection has to end with.
async fn rejected(line: &mut crate::transport::line::Line<'_>) -> ReasonKind {
    match line.last_word().await {
        Some(Signal::Rejected(reason)) => reason.kind,
        other => panic!("only a person can help, and the last word is {other:?}"),
    }
}

pub(crate) async fn logged_out_on_the_phone_it_is_rejected(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    trial.peer("log out", trial.peer.log_out(line.account.clone())).await;
    assert_eq!(rejected(&mut line).await, ReasonKind::LoggedOut);
}

pub(crate) async fn logged_out_on_the_phone_its_credentials_are_worthless(trial: &Trial) {
    let seat = trial.seat();
    let line = trial.log_in(&seat, 1).await;
    let account = line.account.clone();
    drop(line);
    trial.no_connection("once it is dropped").await;
    trial.peer("log out", trial.peer.log_out(account)).await;
    match trial.not_online(&seat).await {
        Ending::Rejected(reason) => assert_eq!(reason.kind, ReasonKind::LoggedOut),
        other => panic!("it was logged out meanwhile, and dialling came to {other:?}"),
    }
}

pub(crate) async fn a_banned_account_is_rejected(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let account = line.account.clone();
    trial.peer("ban", trial.peer.set_blocked(account.clone(), true)).await;
    let kind = rejected(&mut line).await;
    trial.peer("lift the ban", trial.peer.set_blocked(account, false)).await;
    assert_eq!(kind, ReasonKind::Banned);
}

pub(crate) async fn a_ban_that_is_lifted_is_over(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.log_in(&seat, 1).await;
    let account = line.account.clone();
    trial.peer("ban", trial.peer.set_blocked(account.clone(), true)).await;
    rejected(&mut line).await;
    drop(line);
    let ending = trial.not_online(&seat).await;
    trial.peer("lift the ban", trial.peer.set_blocked(account.clone(), false)).await;
    match ending {
        Ending::Rejected(reason) => assert_eq!(reason.kind, ReasonKind::Banned),
        other => panic!("the account is banned, and dialling came to {other:?}"),
    }
    assert_eq!(trial.online_again(&seat).await.account, account, "a ban takes no credentials away");
}
