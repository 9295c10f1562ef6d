//! The transport itself, and how it shows that it is there.

use std::collections::BTreeSet;
use std::time::Duration;

use seatport::transport::{Signal, TransportCommand};
use tokio::time::{Instant, timeout};

use crate::transport::trial::Trial;

pub(crate) async fn never_changes_its_name_or_capabilities(trial: &Trial) {
    let now = || (trial.transport.name(), trial.transport.capabilities());
    let before = now();
    let line = trial.log_in(&trial.seat(), 1).await;
    assert_eq!(now(), before);
    drop(line);
    assert_eq!(now(), before);
}

pub(crate) async fn makes_a_new_id_for_every_message(trial: &Trial) {
    let ids: BTreeSet<_> = (0..1_000).map(|_| trial.message_id()).collect();
    assert_eq!(ids.len(), 1_000, "so many of 1,000 ids differ");
}

pub(crate) async fn shows_no_secret(trial: &Trial) {
    let seat = trial.seat();
    let mut line = trial.dial(&seat).await;
    let challenge = line.challenge().await;
    let code = challenge.code.expose().to_owned();
    let mut shown = format!("{:?} {challenge:?} {:?}", trial.transport, line.connection);
    drop(line);
    let mut line = trial.log_in(&seat, 1).await;
    shown += &format!("{:?} {:?}", trial.transport, line.connection);
    line.tell(TransportCommand::Close).await;
    shown += &format!("{:?}", line.last_word().await);
    assert!(!shown.contains(&code), "a login code is shown: {shown}");
    for (name, bytes) in seat.vault().await.list("").await.unwrap() {
        let text = String::from_utf8_lossy(&bytes);
        // What is shorter may be anywhere by chance.
        assert!(text.len() < 8 || !shown.contains(&*text), "{name} of the vault is shown: {shown}");
    }
}

pub(crate) async fn gives_a_sign_of_life_every_minute(trial: &Trial) {
    let mut line = trial.log_in(&trial.seat(), 1).await;
    let (begin, minute) = (Instant::now(), Duration::from_secs(60));
    while begin.elapsed() < 5 * minute {
        match timeout(minute, line.connection.signals.recv()).await {
            Ok(Some(Signal::Lost(reason) | Signal::Rejected(reason))) => panic!("it ended: {reason}"),
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended"),
            Err(_) => panic!("it said nothing for 60 s"),
        }
    }
}
